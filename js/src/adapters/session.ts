/** Anything with `run(feeds)`: sessions of onnxruntime-web and its relatives, and of this package in another module than the monitor. */
import type { InputShapes } from "../types.js";
import type { Adapter } from "./adapter.js";
import { unkeyed, watch, type Columns } from "./call.js";
import { cut, rowsOf, view, type Rows } from "./rows.js";
import { twin } from "./twin.js";

/** A tensor as these sessions have them. */
interface Tensor {
  readonly type?: string | undefined;
  readonly data: ArrayLike<unknown>;
  readonly dims?: readonly number[];
  /** `cpu`, or where else the data are; then `data` throws. */
  readonly location?: string;
  getData?(): Promise<ArrayLike<unknown>>;
}

type Tensors = Readonly<Record<string, Tensor | undefined>>;

interface Metadata {
  readonly name: string;
  readonly shape?: readonly (number | string)[];
}

interface Session {
  readonly inputNames?: readonly string[];
  readonly outputNames?: readonly string[];
  readonly inputMetadata?: readonly Metadata[];
}

export const sessions: Adapter = {
  matches: (target) => typeof (target as { run?: unknown }).run === "function",

  shape(target) {
    const { inputMetadata, outputNames } = target as Session;
    const dims = (shape: Metadata["shape"]) => (shape ?? []).map((dim) => (typeof dim === "number" && dim >= 0 ? dim : null));
    const inputs: InputShapes | undefined = inputMetadata?.map(({ name, shape }) => [name, dims(shape)]);
    return { ...(inputs && { inputs }), ...(outputNames && { outputs: outputNames }) };
  },

  watched(target, watching) {
    const { shape, reads } = watching;
    return twin(target, {
      run(given, call) {
        const [args, keys] = unkeyed(given);
        return watch(
          watching,
          () => call(args) as Promise<Tensors>,
          () => {
            const feeds = args[0] as Tensors;
            const rows = rowsOf(shape.inputs, (name) => feeds[name]?.dims);
            return { rows, keys, inputs: columns(feeds, reads.inputs, rows, cut) };
          },
          (results, rows) => {
            let elsewhere = false;
            for (const name of reads.outputs.keys()) elsewhere ||= (results[name]?.location ?? "cpu") !== "cpu";
            const read = (results: Tensors) => columns(results, reads.outputs, rows, view);
            return { outputs: elsewhere ? fetched(results, reads.outputs).then(read) : read(results) };
          },
        );
      },
    });
  },
};

function columns(tensors: Tensors, reads: ReadonlyMap<string, number>, rows: number, take: typeof cut): Columns {
  const read = new Map<string, Rows>();
  for (const [name, needed] of reads) {
    const tensor = tensors[name];
    // Inputs on another device are the caller's to keep there.
    if (tensor && (tensor.location ?? "cpu") === "cpu") read.set(name, take({ data: numbers(tensor) }, rows, needed));
  }
  return read;
}

/** Copies of outputs that lie on another device; the originals stay there. */
async function fetched(tensors: Tensors, reads: ReadonlyMap<string, number>): Promise<Tensors> {
  const here: Record<string, Tensor> = {};
  for (const name of reads.keys()) {
    const tensor = tensors[name];
    if (!tensor) continue;
    const data = tensor.getData && tensor.location !== "cpu" ? await tensor.getData() : tensor.data;
    here[name] = { data, type: tensor.type };
  }
  return here;
}

/** The elements as numbers: half floats come as their bits where the runtime has no type for them. */
function numbers({ type, data }: Tensor): ArrayLike<unknown> {
  return type === "float16" && data instanceof Uint16Array ? Float32Array.from(data, half) : data;
}

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
