/** What the model answers for rows of the data. */
import type { InferenceSession } from "../../session.js";
import { Tensor, type TensorData, type TensorType } from "../../tensor.js";
import type { Bound } from "./bind.js";
import { number } from "./cells.js";
import type { Table } from "./csv.js";

/** Rows that are run. */
const PROBED = 2000;

/** An output, row by row. */
export interface Output {
  readonly name: string;
  readonly width: number;
  readonly integers: boolean;
  /** Elements, row by row. */
  readonly values: readonly number[];
}

const ARRAYS: Record<TensorType, { from(values: readonly number[]): TensorData }> = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: { from: (values) => BigInt64Array.from(values, BigInt) },
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** Runs rows of the table, one at a time, as apps do. Texts are their place among the sorted texts of their column. */
export async function probe(session: InferenceSession, bound: readonly Bound[], { rows }: Table): Promise<Output[]> {
  const step = Math.max(1, Math.floor(rows.length / PROBED));
  const chosen = rows.filter((_, index) => index % step === 0).slice(0, PROBED);
  const places = new Map(bound.flatMap(({ columns }) => columns.map((column) => [column, [...new Set(rows.map((row) => row[column]!.trim()))].sort()] as const)));
  const seen = new Map<string, { width: number; integers: boolean; values: number[] }>();
  for (const row of chosen) {
    const feeds = bound.map(({ input, columns }) => {
      const type = input.type as TensorType;
      const floats = type.startsWith("float");
      const element = (column: number) => {
        const value = number(row[column]!) ?? places.get(column)!.indexOf(row[column]!.trim());
        return Number.isNaN(value) && !floats ? 0 : floats ? value : Math.trunc(value);
      };
      const dims = input.shape.map((dim) => (typeof dim === "string" ? 1 : dim));
      return [input.name, new Tensor(type, ARRAYS[type].from(columns.map(element)), dims)] as const;
    });
    for (const [name, { data, type }] of Object.entries(await session.run(Object.fromEntries(feeds)))) {
      const output = seen.get(name) ?? { width: data.length, integers: !type.startsWith("float"), values: [] };
      seen.set(name, output);
      if (data.length === output.width) for (const value of data) output.values.push(Number(value));
    }
  }
  return [...seen].map(([name, output]) => ({ name, ...output }));
}
