/** Any function: its first argument and its result are values by name, or the model says how they are read. */
import { keys } from "../keys.js";
import type { Adapter, Watching } from "./adapter.js";
import { isPlain, watch, type Columns } from "./call.js";
import type { Rows } from "./rows.js";
import { twin } from "./twin.js";

export const functions: Adapter = {
  matches: (target) => typeof target === "function",

  shape: () => ({}),

  watched(target, watching) {
    const { reads, model } = watching;
    return twin(target, {}, (args, call) =>
      watch(
        watching,
        () => call(args),
        () => ({ rows: 1, keys: [], inputs: columns(inputs(args, watching), reads.inputs) }),
        (result) => ({
          outputs: columns(outputs(result, watching), reads.outputs),
          keys: keys({ key: model.key?.(args as never[], result as never) }),
        }),
      ),
    );
  },
};

function inputs(args: readonly unknown[], { model, shape }: Watching): Record<string, unknown> {
  if (model.read?.inputs) return model.read.inputs(...(args as never[]));
  const [first] = args;
  return isPlain(first) ? first : Object.fromEntries(shape.inputs.map(([name], index) => [name, args[index]]));
}

function outputs(result: unknown, { model, shape }: Watching): Record<string, unknown> {
  if (model.read?.outputs) return model.read.outputs(result as never);
  return isPlain(result) ? result : { [shape.outputs[0] ?? "result"]: result };
}

function columns(values: Record<string, unknown>, reads: ReadonlyMap<string, number>): Columns {
  return new Map([...reads.keys()].map((name): [string, Rows] => [name, [copied(values[name])]]));
}

/** A value as it is now; a list may be changed once the call is over. */
function copied(value: unknown): unknown {
  if (value === undefined) return null;
  return Array.isArray(value) || ArrayBuffer.isView(value) ? (value as unknown[]).slice() : value;
}
