/** The flights, as columns that all threads share. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** Inputs of the tensor `numeric`, in its order. */
export const NUMERIC = ["dep_delay", "hour", "distance", "temp", "wind_speed", "precip", "visib", "pressure"] as const;

const COLUMNS = [...NUMERIC, "device", "departure", "arrival", "carrier", "origin", "late"] as const;
type Column = (typeof COLUMNS)[number];

/** Minutes are counted from here, the wall clock of New York read as UTC. */
const EPOCH_SECS = Date.UTC(2013, 0, 1) / 1000;

/** One entry per flight, in order of departure; NaN where the file has nothing. */
export type Flights = Readonly<Record<Column, Float64Array>> & { readonly count: number };

export function loadFlights(path: string): Flights {
  const lines = gunzipSync(readFileSync(path)).toString("latin1").trimEnd().split("\n");
  const header = lines.shift()!.split(",");
  const column = () => new Float64Array(new SharedArrayBuffer(8 * lines.length));
  const flights = Object.fromEntries(COLUMNS.map((name) => [name, column()])) as Record<Column, Float64Array>;
  const places = COLUMNS.map((name) => [flights[name], header.indexOf(name)] as const);
  lines.forEach((line, row) => {
    const cells = line.split(",");
    for (const [values, place] of places) values[row] = cells[place] === "" ? Number.NaN : Number(cells[place]);
  });
  return { ...flights, count: lines.length };
}

/** Unix seconds of a departure. */
export function departureSecs(flights: Flights, row: number): number {
  return EPOCH_SECS + 60 * flights.departure[row]!;
}

/** Unix seconds at which the outcome is known; NaN if it never is. */
export function outcomeSecs(flights: Flights, row: number): number {
  return Number.isNaN(flights.late[row]!) ? Number.NaN : departureSecs(flights, row) + 60 * flights.arrival[row]!;
}
