/** Which column is which element of which input. */
import type { InputMetadata } from "../../types.js";
import type { Table } from "./csv.js";

/** An input with its columns, in the order of its elements. */
export interface Bound {
  readonly input: InputMetadata;
  /** Places of the columns in the table. */
  readonly columns: readonly number[];
}

/** The columns cannot be found; says what to type. */
export class BindError extends Error {}

/**
 * Finds the columns of each input: as `given`, by the input's own name, by its name and a number, or, if just as many columns of numbers are left as the last input
 * has elements, those in their order.
 *
 * @param given `TENSOR=A,B,…`
 * @param apart columns that are no inputs
 */
export function bind(inputs: readonly InputMetadata[], { names, rows }: Table, given: readonly string[], apart: readonly string[]): Bound[] {
  const told = new Map(given.map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1).split(",").map((name) => name.trim())]));
  const unknown = [...told.keys()].find((name) => !inputs.some((input) => input.name === name));
  if (unknown !== undefined) throw new BindError(`--columns names ${unknown || "nothing"}, but the model's inputs are ${inputs.map(({ name }) => name).join(", ")}`);
  const place = (name: string) => {
    const found = names.findIndex((column) => column.toLowerCase() === name.toLowerCase());
    return found < 0 ? undefined : found;
  };
  const found = inputs.map((input): Bound | InputMetadata => {
    const elements = elementsOf(input);
    const listed = told.get(input.name);
    if (listed) {
      const columns = listed.map((name) => place(name) ?? fail(`there is no column ${name}; there are ${names.join(", ")}`));
      return columns.length === elements ? { input, columns } : fail(`input ${input.name} has ${elements} elements, --columns gives it ${columns.length}`);
    }
    const own = elements === 1 ? [place(input.name)] : Array.from({ length: elements }, (_, index) => place(`${input.name}_${index}`) ?? place(`${input.name}.${index}`) ?? place(`${input.name}[${index}]`));
    return own.every((column) => column !== undefined) ? { input, columns: own } : input;
  });
  const taken = new Set(found.flatMap((one) => ("columns" in one ? [...one.columns] : [])));
  const free = names.map((name, index) => ({ name, index })).filter(({ name, index }) => !taken.has(index) && !apart.includes(name) && isNumeric(rows, index));
  const open = found.filter((one): one is InputMetadata => !("columns" in one));
  const [last] = open;
  if (last && (open.length > 1 || free.length !== elementsOf(last))) {
    const hint = open.map(({ name, shape }) => `--columns ${name}=A,B,… (${elementsOf({ shape })} of them)`).join(" ");
    throw new BindError(`which columns are ${open.map(({ name }) => name).join(" and ")}? The file has ${names.join(", ")}. Say it in order: ${hint}`);
  }
  return found.map((one) => ("columns" in one ? one : { input: one, columns: free.map(({ index }) => index) }));
}

/** Elements of one row; a first dimension that the caller chooses is the batch. */
function elementsOf({ shape, name }: Pick<InputMetadata, "shape"> & { readonly name?: string }): number {
  return shape.slice(typeof shape[0] === "string" ? 1 : 0).reduce<number>((product, dim) => {
    if (typeof dim === "string") throw new BindError(`input ${name ?? ""} has more than one dimension of no fixed size, so its elements have no columns`);
    return product * dim;
  }, 1);
}

function isNumeric(rows: Table["rows"], column: number): boolean {
  return rows.slice(0, 1000).every((row) => row[column]!.trim() === "" || !Number.isNaN(Number(row[column])) || /^(?:na|n\/a|nan|null|none)$/i.test(row[column]!.trim()));
}

function fail(text: string): never {
  throw new BindError(text);
}
