/** Batches: each row is an observation of its own. */
import type { InputShapes } from "../types.js";

/** Elements of a tensor, row by row. */
export interface Cells {
  readonly data: ArrayLike<unknown>;
  readonly dims?: readonly number[] | undefined;
}

/** Values of a tensor: one list per row of the batch. */
export type Rows = readonly unknown[];

/**
 * Rows of a batch: the first dimension where the caller chooses it for every input, else 1.
 *
 * @param dims dimensions of an input as it was given
 */
export function rowsOf(inputs: InputShapes, dims: (name: string) => readonly number[] | undefined): number {
  let rows: number | undefined;
  for (const [name, declared] of inputs) {
    const first = dims(name)?.[0];
    if (declared[0] !== null || first === undefined || (rows !== undefined && rows !== first)) return 1;
    rows = first;
  }
  return rows ?? 1;
}

/** Copies the elements that are read, cut to rows; a tensor that does not divide into them is each row's whole. */
export function cut({ data }: Cells, rows: number, needed: number): Rows {
  return parts(data, rows, needed, (from, to) => (data as unknown[]).slice(from, to));
}

/** The same without copies, for what is told before anybody can change it. */
export function view({ data }: Cells, rows: number, needed: number): Rows {
  const typed = data as Float32Array;
  return ArrayBuffer.isView(data) ? parts(data, rows, needed, (from, to) => typed.subarray(from, to)) : cut({ data }, rows, needed);
}

function parts(data: ArrayLike<unknown>, rows: number, needed: number, part: (from: number, to: number) => unknown): Rows {
  if (rows === 1) return [part(0, Math.min(data.length, needed))];
  const divides = data.length % rows === 0;
  const width = divides ? data.length / rows : data.length;
  const length = Math.min(width, needed);
  return Array.from({ length: rows }, (_, row) => part(divides ? row * width : 0, (divides ? row * width : 0) + length));
}

/** One row of several tensors, by name. */
export function rowAt(columns: ReadonlyMap<string, Rows>, row: number): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const [name, rows] of columns) record[name] = rows[row];
  return record;
}
