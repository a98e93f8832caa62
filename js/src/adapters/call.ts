/** Watches one call: its time, its values, its failure. The call itself is left as it is. */
import { keys } from "../keys.js";
import type { ObservedRecord, RunOptions } from "../types.js";
import type { Watching } from "./adapter.js";
import { rowAt, type Rows } from "./rows.js";

/** Tensors by name, cut to rows. */
export type Columns = ReadonlyMap<string, Rows>;

/** What is known before a call is made. */
export interface Before {
  readonly rows: number;
  readonly inputs: Columns | Promise<Columns>;
  readonly keys: readonly string[];
}

/** What is known after it. */
export interface After {
  readonly outputs: Columns | Promise<Columns>;
  /** Keys that follow from the result. */
  readonly keys?: readonly string[];
}

/**
 * Makes a call and tells what it came to. What it returns or throws is handed on; what goes wrong on our side is not.
 *
 * @param before reads the arguments; the callee may take them away
 * @param after reads the result
 */
export function watch<Result>(
  watching: Watching,
  call: () => Result,
  before: () => Before,
  after: (result: Awaited<Result>, rows: number) => After,
): Result {
  if (!watching.active()) return call();
  const given = quietly(before);
  const started = performance.now();
  const succeeded = (result: Awaited<Result>) => {
    const latencyMs = performance.now() - started;
    const read = given && quietly(() => after(result, given.rows));
    quietly(() => (read ? settle(watching, given, read, latencyMs) : unreadable(watching)));
  };
  const failed = () => {
    const latencyMs = performance.now() - started;
    quietly(() => (given ? settle(watching, { ...given, keys: [] }, undefined, latencyMs) : unreadable(watching)));
  };
  let result: Result;
  try {
    result = call();
  } catch (error) {
    failed();
    throw error;
  }
  if (!isPromise(result)) {
    succeeded(result as Awaited<Result>);
    return result;
  }
  const handedOn = result.then(
    (value) => {
      succeeded(value as Awaited<Result>);
      return value;
    },
    (error: unknown) => {
      failed();
      throw error;
    },
  );
  return handedOn as Result;
}

/** Takes the key out of the last argument, if that is an options object with one; an object that held nothing else goes with it. */
export function unkeyed(args: readonly unknown[]): [args: unknown[], named: string[]] {
  const last = args.at(-1);
  if (args.length < 2 || !isPlain(last) || !Object.hasOwn(last, "key")) return [[...args], []];
  const { key, ...options } = last;
  const rest = args.slice(0, -1);
  return [Object.keys(options).length > 0 ? [...rest, options] : rest, keys({ key } as RunOptions)];
}

/** Whether a value is an object literal. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Tells a call at once if all of it is here, else when it is. */
function settle(watching: Watching, given: Before, after: After | undefined, latencyMs: number): void {
  const { rows, inputs } = given;
  const outputs = after?.outputs;
  const keys = [...given.keys, ...(after?.keys ?? [])];
  const told = (inputs: Columns, outputs: Columns | undefined) => {
    for (let row = 0; row < rows; row += 1) {
      const record = { inputs: rowAt(inputs, row), latencyMs: latencyMs / rows };
      watching.seen(outputs ? { ...record, outputs: rowAt(outputs, row) } : { ...record, failed: true }, keys[row]);
    }
  };
  if (inputs instanceof Promise || outputs instanceof Promise) {
    Promise.all([inputs, outputs]).then(([inputs, outputs]) => told(inputs, outputs), () => unreadable(watching));
  } else {
    told(inputs, outputs);
  }
}

/** What cannot be read is told as a record that is none, which the monitor counts as malformed. */
function unreadable({ seen }: Watching): void {
  seen({ inputs: null } as unknown as ObservedRecord, undefined);
}

function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** A promise of any realm. Other thenables may begin their work when they are asked, so they are not. */
function isPromise(value: unknown): value is Promise<unknown> {
  return Object.prototype.toString.call(value) === "[object Promise]";
}
