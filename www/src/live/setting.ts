// What a visit is about: the spec, the window that a device can answer now, and the flights of that window.

import * as api from "../api.ts";
import { type Flight, type Vocabulary, flightsBetween, model, vocabulary } from "./flights.ts";

export interface Setting {
  specs: api.SpecSummary[];
  spec: api.Spec;
  status: api.Status;
  /** The last window that is over. */
  window: number;
  lengthSecs: number;
  startSecs: number;
  endSecs: number;
  /** Until when the centre takes its reports. */
  graceEndsSecs: number;
  flights: Map<number, Flight[]>;
  vocabulary: Vocabulary;
  model: Uint8Array;
}

/** Reads centre and data; undefined if the centre has no spec. */
export async function readSetting(specId: string | null): Promise<Setting | undefined> {
  const [status, specs] = await Promise.all([api.status(), api.specs()]);
  const chosen = specs.find((each) => each.spec_id === specId) ?? specs[0];
  if (!chosen) return undefined;
  const spec = await api.spec(chosen.spec_id);
  const { length_secs: lengthSecs, grace_secs: graceSecs } = spec.document.measurement.window;
  const window = Math.floor(status.clock.now_secs / lengthSecs) - 1;
  const [startSecs, endSecs] = [window * lengthSecs, (window + 1) * lengthSecs];
  const [flights, words, bytes] = await Promise.all([flightsBetween(startSecs, endSecs), vocabulary(), model()]);
  return { specs, spec, status, window, lengthSecs, startSecs, endSecs, graceEndsSecs: endSecs + graceSecs, flights, vocabulary: words, model: bytes };
}
