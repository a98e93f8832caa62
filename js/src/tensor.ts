import { DriftglassError } from "./errors.js";

/** Element types that a tensor can have, named as in onnxruntime-web. */
export type TensorType = "float32" | "float64" | "int32" | "int64" | "uint8" | "bool";

/** Elements of a tensor; `bool` keeps a byte each. */
export type TensorData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

/** A dense tensor, row by row. */
export class Tensor {
  /** Element type. */
  readonly type: TensorType;
  /** Elements, row by row. */
  readonly data: TensorData;
  /** Dimensions. */
  readonly dims: readonly number[];

  /**
   * @param type element type
   * @param data elements, row by row, in the typed array of that type
   * @param dims dimensions; one row of all elements if absent
   */
  constructor(type: TensorType, data: TensorData, dims: readonly number[] = [data.length]) {
    if (dims.reduce((product, dim) => product * dim, 1) !== data.length) {
      throw new DriftglassError("input-refused", "a tensor must have as many elements as the product of its dimensions");
    }
    this.type = type;
    this.data = data;
    this.dims = dims;
  }
}

/** Tensors by name. */
export type Tensors = Record<string, Tensor>;

/** Gives plain tensors their class. */
export function tensors(plain: object): Tensors {
  const entries = Object.entries(plain as Record<string, { type: TensorType; data: TensorData; dims: number[] }>);
  return Object.fromEntries(entries.map(([name, { type, data, dims }]) => [name, new Tensor(type, data, dims)]));
}
