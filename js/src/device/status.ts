import type { Counters } from "../types.js";
import type { Store } from "./store/store.js";
import { uploadsOf } from "./drain.js";
import type { Totals } from "./uploads.js";

/** What waits to be sent. Moments are Unix seconds. */
export interface OutboxStatus {
  /** Reports that wait. */
  readonly waiting: number;
  /** Their bytes together. */
  readonly bytes: number;
  /** When the oldest waiting report was made; undefined if none waits. */
  readonly oldestSecs: number | undefined;
  /** When the next attempt may be, after one that failed; undefined if it may be at once. */
  readonly nextAttemptSecs: number | undefined;
}

/** How a device is doing. */
export interface DeviceStatus {
  readonly counters: Readonly<Counters>;
  readonly outbox: OutboxStatus;
  /** What became of all reports so far; of this process alone if the store keeps no record. */
  readonly totals: Totals;
}

/** What a store knows of the uploads. */
export async function uploadStatus(store: Store): Promise<Pick<DeviceStatus, "outbox" | "totals">> {
  const entries = await store.outbox(Number.MAX_SAFE_INTEGER);
  const { nextAttemptSecs, totals } = await uploadsOf(store);
  const outbox = {
    waiting: entries.length,
    bytes: entries.reduce((sum, { report }) => sum + report.length, 0),
    oldestSecs: entries[0]?.createdSecs,
    nextAttemptSecs: nextAttemptSecs === 0 ? undefined : nextAttemptSecs,
  };
  return { outbox, totals };
}
