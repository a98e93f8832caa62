/** Which flight departs in which week of a replay. */
import { departureSecs, type Flights } from "./flights.js";

export const WEEK_SECS = 604_800;

/** First and last window, both included. */
export interface Weeks {
  readonly first: number;
  readonly last: number;
}

/** Winter and spring: what the model was trained on and what the stream is compared with. */
export const REFERENCE: Weeks = { first: 2244, last: 2264 };
/** The rest of the year, in order; its last week has six days. */
export const STREAM: Weeks = { first: 2265, last: 2295 };

/** Seconds by which each flight is moved; NaN for a flight that does not take part. */
export type Shifts = Float64Array;

/** Every flight of these weeks where it was. */
export function inOrder(flights: Flights, weeks: Weeks): Shifts {
  const shifts = shared(flights.count);
  for (let row = 0; row < flights.count; row += 1) {
    const week = weekOf(flights, row);
    shifts[row] = week >= weeks.first && week <= weeks.last ? 0 : Number.NaN;
  }
  return shifts;
}

/**
 * Each device's weeks in a random order of its own. A device-week stays as it was, so the average over all weeks is exactly that of the reference, and no week
 * differs from another but by chance: nothing drifts.
 */
export function dealt(flights: Flights, weeks: Weeks, seed: number): Shifts {
  const shifts = inOrder(flights, weeks);
  const random = mulberry32(seed);
  const orders = new Map<number, number[]>();
  for (let row = 0; row < flights.count; row += 1) {
    if (Number.isNaN(shifts[row]!)) continue;
    const device = flights.device[row]!;
    let order = orders.get(device);
    if (!order) orders.set(device, (order = shuffled(weeks.last - weeks.first + 1, random)));
    const place = weekOf(flights, row) - weeks.first;
    shifts[row] = (order[place]! - place) * WEEK_SECS;
  }
  return shifts;
}

export function weekOf(flights: Flights, row: number): number {
  return Math.floor(departureSecs(flights, row) / WEEK_SECS);
}

/** The first day of a window, as a date. */
export function dateOf(window: number): string {
  return new Date(window * WEEK_SECS * 1000).toISOString().slice(0, 10);
}

function shared(length: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(8 * length));
}

/** Fisher and Yates. */
function shuffled(length: number, random: () => number): number[] {
  const order = Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/** A small seeded generator (T. Ettinger), for the order of the null run alone. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
