/** Models of TF.js, layers and graphs. Tensors are read with `data()`, which neither blocks nor keeps them alive. */
import { keys } from "../keys.js";
import type { InputShapes } from "../types.js";
import type { Adapter, Watching } from "./adapter.js";
import { unkeyed, watch, type Columns } from "./call.js";
import { cut, rowsOf, type Rows } from "./rows.js";
import { twin, type Hook } from "./twin.js";

interface Tensor {
  readonly shape: readonly number[];
  data(): Promise<ArrayLike<unknown>>;
}

interface Symbolic {
  readonly name: string;
  readonly shape?: readonly (number | null)[];
}

interface Model {
  readonly inputs: readonly Symbolic[];
  readonly outputs: readonly Symbolic[];
  readonly inputNames?: readonly string[];
  readonly outputNames?: readonly string[];
}

type Given = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

const METHODS = ["predict", "predictAsync", "predictOnBatch", "execute", "executeAsync"];

export const models: Adapter = {
  matches: (target) => {
    const { predict, inputs, outputs } = target as Partial<Model> & { predict?: unknown };
    return typeof predict === "function" && Array.isArray(inputs) && Array.isArray(outputs);
  },

  shape(target) {
    const { inputs, outputs } = target as Model;
    const dims = ({ shape = [] }: Symbolic) => shape.map((dim) => (typeof dim === "number" && dim >= 0 ? dim : null));
    const shapes: InputShapes = inputs.map((input) => [plainName(input.name), dims(input)]);
    return { inputs: shapes, outputs: namesOf(outputs) };
  },

  watched(target, watching) {
    const hooks = METHODS.filter((name) => name in target).map((name): [string, Hook] => [name, hook(name, watching)]);
    return twin(target, Object.fromEntries(hooks));
  },
};

function hook(method: string, watching: Watching): Hook {
  const { shape, reads, model } = watching;
  const names = shape.inputs.map(([name]) => name);
  return (given, call) => {
    const [args, named] = unkeyed(given);
    return watch(
      watching,
      () => call(args),
      () => {
        const tensors = byName(args[0] as Given, names);
        const rows = rowsOf(shape.inputs, (name) => tensors.get(name)?.shape);
        return { rows, keys: named, inputs: columns(tensors, reads.inputs, rows) };
      },
      (result, rows) => {
        const asked = method.startsWith("execute") && args[1] !== undefined ? [args[1] as string].flat().map(plainName) : shape.outputs;
        const outputs = columns(byName(result as Given, asked), reads.outputs, rows);
        return { outputs, keys: keys({ key: model.key?.(args as never[], result as never) }) };
      },
    );
  };
}

/** Tensors by name: one, a list in the order of the model, or named already. */
function byName(given: Given, names: readonly string[]): Map<string, Tensor> {
  if (isTensor(given)) return new Map([[names[0] ?? "", given]]);
  if (Array.isArray(given)) return new Map((given as readonly Tensor[]).map((tensor, index) => [names[index] ?? "", tensor]));
  return new Map(Object.entries(given).map(([name, tensor]) => [plainName(name), tensor]));
}

/** Begins to read at once: the caller may dispose of a tensor as soon as the call returns. A failure is seen where the columns are awaited. */
function columns(tensors: ReadonlyMap<string, Tensor>, reads: ReadonlyMap<string, number>, rows: number): Promise<Columns> {
  const wanted = [...reads].flatMap(([name, needed]) => [tensors.get(name)].flatMap((tensor) => (tensor ? [{ name, needed, tensor }] : [])));
  const read = wanted.map(async ({ name, needed, tensor }): Promise<[string, Rows]> => [name, cut({ data: await tensor.data() }, rows, needed)]);
  const all = Promise.all(read).then((named) => new Map(named));
  // A call that fails on our side may never come to await it.
  all.catch(() => undefined);
  return all;
}

/** Graphs name their tensors `node:0`. */
function plainName(name: string): string {
  return name.replace(/:0$/, "");
}

function namesOf(symbols: readonly Symbolic[]): string[] {
  return symbols.map(({ name }) => plainName(name));
}

function isTensor(value: Given): value is Tensor {
  return typeof (value as Tensor).data === "function";
}
