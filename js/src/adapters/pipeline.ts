/**
 * Pipelines of transformers.js: called with a text, an image or a list of them, and then an options object.
 *
 * Seen as inputs `text` and `length` (characters, where the input is text), and as outputs `label` and `score` (lists, best first), `text` and `length` (of what was
 * generated), `embedding`.
 */
import { keys } from "../keys.js";
import type { ForeignModel } from "../types.js";
import type { Adapter } from "./adapter.js";
import { unkeyed, watch, type Columns } from "./call.js";
import type { Rows } from "./rows.js";
import { twin } from "./twin.js";

type Values = Record<string, unknown>;

const TEXT = { text: [null, 1], length: [null, 1] } as const;

export const pipelines: Adapter = {
  matches: (target) => typeof target === "function" && typeof (target as { task?: unknown }).task === "string" && "model" in target,

  shape: () => ({
    inputs: Object.entries(TEXT),
    outputs: ["label", "score", "text", "length", "embedding"],
  }),

  watched(target, watching) {
    const { model, reads } = watching;
    return twin(target, {}, (given, call) => {
      const [args, named] = unkeyed(given);
      return watch(
        watching,
        () => call(args),
        () => {
          const asked = Array.isArray(args[0]) ? (args[0] as unknown[]) : [args[0]];
          const inputs = model.read?.inputs ? [model.read.inputs(...(args as never[]))] : asked.map(input);
          return { rows: inputs.length, keys: named, inputs: columns(inputs, reads.inputs) };
        },
        (result, rows) => ({
          outputs: columns(results(result, Array.isArray(args[0]), rows, model), reads.outputs),
          keys: keys({ key: model.key?.(args as never[], result as never) }),
        }),
      );
    });
  },
};

function input(given: unknown): Values {
  return typeof given === "string" ? { text: given, length: given.length } : {};
}

/** The result of each row: a list has one for each, a tensor a row for each. */
function results(result: unknown, listed: boolean, rows: number, { read }: ForeignModel): Values[] {
  if (read?.outputs) return [read.outputs(result as never)];
  if (isTensor(result)) {
    const width = result.data.length / rows;
    return Array.from({ length: rows }, (_, row) => ({ embedding: result.data.slice(row * width, (row + 1) * width) }));
  }
  return listed && Array.isArray(result) ? result.map(output) : [output(result)];
}

/** What one result says, best first. */
function output(result: unknown): Values {
  const items = (Array.isArray(result) ? result : [result]) as Values[];
  const all = (...names: string[]) =>
    items.flatMap((item) => names.map((name) => item?.[name]).filter((value) => value !== undefined && typeof value !== "object"));
  const zeroShot = items.find((item) => Array.isArray(item?.["labels"]) && Array.isArray(item["scores"]));
  if (zeroShot) return { label: zeroShot["labels"], score: zeroShot["scores"] };
  const text = all("generated_text", "summary_text", "translation_text", "answer", "text") as string[];
  return { label: all("label", "entity", "entity_group"), score: all("score"), text, length: text.map((text) => text.length) };
}

function columns(rows: readonly Values[], reads: ReadonlyMap<string, number>): Columns {
  const named = [...reads.keys()].map((name): [string, Rows] => [name, rows.map((row) => (row[name] === undefined ? null : row[name]))]);
  return new Map(named);
}

function isTensor(value: unknown): value is { readonly dims: readonly number[]; readonly data: Float32Array } {
  return typeof value === "object" && value !== null && "dims" in value && "data" in value && ArrayBuffer.isView(value.data);
}
