/**
 * The truth, from the raw rows: what no centre sees. Written without the module, so that it can contradict it.
 *
 * A question asks each device for one event of its window, drawn uniformly; so its truth is the average over device-windows of each one's own shares.
 */
import { departureSecs, outcomeSecs, type Flights } from "./flights.js";
import { WEEK_SECS, type Shifts } from "./schedule.js";

/** The share of each cell, per window, summed over device-windows. */
export interface WindowShares {
  sum: number[];
  deviceWindows: number;
}

/** Per question name, per window. */
export type Truth = Map<string, Map<number, WindowShares>>;

interface Question {
  /** Number of cells. */
  readonly cells: number;
  /** Whether drift is measured along the order of the cells. */
  readonly ordered: boolean;
  /** Counted when the flight departs, or when its outcome is known. */
  readonly when: "departure" | "outcome";
  /** The cell of a flight, or undefined. `late` is the model's probability of "late". */
  cell(flights: Flights, row: number, late: number): number | undefined;
}

/** Index of the first edge that is not below the value: cells are right-closed. */
function cut(value: number, edges: readonly number[]): number | undefined {
  if (Number.isNaN(value)) return undefined;
  const cell = edges.findIndex((edge) => value <= edge);
  return cell < 0 ? edges.length : cell;
}

/** The model's class: the first of the two largest probabilities. The second is not above the first at one half. */
const predicted = (late: number) => (late > 0.5 ? 1 : 0);

/** The questions of `pkg-config.json`, by hand. */
const QUESTIONS: Record<string, Question> = {
  departed_late: {
    cells: 2, ordered: true, when: "departure",
    cell: (flights, row) => cut(flights.dep_delay[row]!, [0]),
  },
  arrived_late: {
    cells: 2, ordered: false, when: "outcome",
    cell: (flights, row) => flights.late[row]!,
  },
  prediction_and_outcome: {
    cells: 4, ordered: false, when: "outcome",
    cell: (flights, row, late) => 2 * predicted(late) + flights.late[row]!,
  },
  confident: {
    cells: 2, ordered: true, when: "departure",
    cell: (_flights, _row, late) => cut(Math.max(late, 1 - late), [0.9425]),
  },
  temperature: {
    cells: 2, ordered: true, when: "departure",
    cell: (flights, row) => cut(flights.temp[row]!, [47]),
  },
  hour: {
    cells: 5, ordered: true, when: "departure",
    cell: (flights, row) => cut(flights.hour[row]!, [8, 12, 15, 18]),
  },
  carrier: {
    cells: 16, ordered: false, when: "departure",
    cell: (flights, row) => flights.carrier[row]!,
  },
};

export const QUESTION_NAMES = Object.keys(QUESTIONS);

/** Averages over the device-windows of a replay. `late[row]` is the model's probability of "late". */
export function truthOf(flights: Flights, shifts: Shifts, late: Float64Array): Truth {
  return new Map(Object.entries(QUESTIONS).map(([name, question]) => [name, averaged(question, flights, shifts, late)]));
}

function averaged(question: Question, flights: Flights, shifts: Shifts, late: Float64Array): Map<number, WindowShares> {
  const counts = new Map<string, { window: number; cells: number[] }>();
  for (let row = 0; row < flights.count; row += 1) {
    const secs = question.when === "departure" ? departureSecs(flights, row) : outcomeSecs(flights, row);
    const cell = question.cell(flights, row, late[row]!);
    const window = Math.floor((secs + shifts[row]!) / WEEK_SECS);
    if (cell === undefined || Number.isNaN(window)) continue;
    const key = `${flights.device[row]} ${window}`;
    let entry = counts.get(key);
    if (!entry) counts.set(key, (entry = { window, cells: Array<number>(question.cells).fill(0) }));
    entry.cells[cell]! += 1;
  }
  const windows = new Map<number, WindowShares>();
  for (const { window, cells } of counts.values()) {
    let shares = windows.get(window);
    if (!shares) windows.set(window, (shares = { sum: cells.map(() => 0), deviceWindows: 0 }));
    const total = cells.reduce((sum, count) => sum + count, 0);
    cells.forEach((count, cell) => (shares.sum[cell]! += count / total));
    shares.deviceWindows += 1;
  }
  return windows;
}

/** Average shares over a span of windows, both ends included. */
export function sharesOver(truth: Truth, name: string, first: number, last: number): number[] {
  let sum: number[] = Array<number>(QUESTIONS[name]!.cells).fill(0);
  let deviceWindows = 0;
  for (const [window, shares] of truth.get(name)!) {
    if (window < first || window > last) continue;
    sum = sum.map((value, cell) => value + shares.sum[cell]!);
    deviceWindows += shares.deviceWindows;
  }
  return sum.map((value) => value / deviceWindows);
}

/** Kolmogorov–Smirnov distance for ordered cells, L∞ distance for others. */
export function trueEffect(name: string, now: readonly number[], then: readonly number[]): number {
  const difference = now.map((share, cell) => share - then[cell]!);
  if (!QUESTIONS[name]!.ordered) return Math.max(...difference.map(Math.abs));
  let cumulative = 0;
  return Math.max(...difference.map((change) => Math.abs((cumulative += change))));
}
