/** One replay: the fleet lives through some weeks, and its reports go to a centre. */
import type { Centre, Verdicts } from "./centre.js";
import type { Flights } from "./flights.js";
import type { Pool } from "./pool.js";
import type { Progress } from "./progress.js";
import { WEEK_SECS, type Shifts, type Weeks } from "./schedule.js";

export interface Replay {
  readonly inferences: number;
  readonly seconds: number;
  readonly reports: {
    made: number;
    accepted: number;
    duplicate: number;
    late: number;
    rejected: number;
    /** Made and neither accepted nor known before. */
    lost: number;
    bytesEach: number[];
  };
  readonly spent: { maxMicronats: number; capMicronats: number; periodSecs: number }[];
  /** Failures that the monitors kept from the application. */
  readonly failures: number;
  /** The model's probability of "late" for each flight. */
  readonly late: Float64Array;
  readonly verdicts: Verdicts;
}

/** A minute after a week is over, its reports are due. */
const CLOSING_DELAY_SECS = 60;

export async function replay(options: {
  pool: Pool;
  centre: Centre;
  flights: Flights;
  shifts: Shifts;
  weeks: Weeks;
  devices: number;
  spec: object;
  model: Uint8Array;
  progress: Progress;
}): Promise<Replay> {
  const { pool, centre, weeks, progress } = options;
  const joinSecs = (weeks.first - 1) * WEEK_SECS;
  const { spec, model, shifts } = options;
  const endpoint = `${centre.url}/v1/reports`;
  const specId = await pool.create({ shifts, spec, model, endpoint, key: centre.key, joinSecs }, options.devices);
  const late = new Float64Array(options.flights.count).fill(Number.NaN);
  const reports = { made: 0, accepted: 0, duplicate: 0, late: 0, rejected: 0, lost: 0, bytesEach: [] as number[] };
  const lengths = new Set<number>();
  let inferences = 0;
  const started = performance.now();
  for (let window = weeks.first; window <= weeks.last; window += 1) {
    for (const lived of await pool.live(window)) {
      lived.rows.forEach((row, index) => (late[row] = lived.late[index]!));
      inferences += lived.rows.length;
    }
    const nowSecs = (window + 1) * WEEK_SECS + CLOSING_DELAY_SECS;
    await centre.advance(nowSecs);
    for (const closed of await pool.close(nowSecs)) {
      reports.made += closed.reports;
      reports.accepted += closed.flush.accepted;
      reports.duplicate += closed.flush.duplicate;
      reports.late += closed.flush.late;
      reports.rejected += closed.flush.rejected + closed.flush.early;
      closed.lengths.forEach((length) => lengths.add(length));
    }
    progress.update((window - weeks.first + 1) / (weeks.last - weeks.first + 1), `${inferences} inferences, ${reports.accepted} reports`);
  }
  const seconds = (performance.now() - started) / 1000;
  progress.done();
  reports.lost = reports.made - reports.accepted - reports.duplicate;
  reports.bytesEach = [...lengths];
  const [spent, failures] = [await pool.spent(), await pool.failures()];
  return { inferences, seconds, reports, spent, failures, late, verdicts: await centre.verdicts(specId) };
}
