// The flights of a window in the order in which the device would have seen them.

import type { Device } from "./device.ts";
import type { Flight } from "./flights.ts";

/** What happened at one moment: a prediction at departure, or an outcome at arrival. */
export type Step = { kind: "prediction"; flight: Flight; late: number } | { kind: "outcome"; flight: Flight };

export const SPEEDS = { slow: 900, quick: 180, "at once": 0 };
export type Speed = keyof typeof SPEEDS;

/** Replays the flights; `speed` is asked before each pause, `seen` is called after each step. */
export async function replay(
  flights: Flight[],
  endSecs: number,
  device: Device,
  speed: () => Speed,
  seen: (step: Step, atSecs: number) => Promise<void>,
): Promise<void> {
  for (const { atSecs, kind, flight } of schedule(flights, endSecs)) {
    device.setClock(atSecs);
    if (kind === "prediction") {
      await seen({ kind, flight, late: await device.predict(flight) }, atSecs);
    } else {
      device.outcome(flight);
      await seen({ kind, flight }, atSecs);
    }
    const pause = SPEEDS[speed()];
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Departures and arrivals by time. An outcome that arrives after the window belongs to the next and is left out. */
function schedule(flights: Flight[], endSecs: number): { atSecs: number; kind: Step["kind"]; flight: Flight }[] {
  const departures = flights.map((flight) => ({ atSecs: flight.departureSecs, kind: "prediction" as const, flight }));
  const arrivals = flights.flatMap((flight) =>
    flight.arrivalSecs !== null && flight.arrivalSecs < endSecs ? [{ atSecs: flight.arrivalSecs, kind: "outcome" as const, flight }] : []);
  return [...departures, ...arrivals].sort((a, b) => a.atSecs - b.atSecs);
}
