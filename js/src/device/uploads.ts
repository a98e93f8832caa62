/** What became of the reports of a device, and when the next may be sent. Kept in the store, so that restarts and other tabs know it. */
import type { Caps, OutboxEntry } from "./store/store.js";

/** Reports by what became of them. */
export interface Totals {
  /** Reports that the centre answered for. */
  readonly sent: number;
  /** Reports that the centre counted. */
  readonly accepted: number;
  /** Reports that it had counted before. */
  readonly duplicate: number;
  /** Reports whose window was closed already. */
  readonly late: number;
  /** Reports whose window, by its clock, was not over. */
  readonly early: number;
  /** Sent, and refused by the centre. */
  readonly rejected: number;
  /** Reports that were given up, by reason. */
  readonly dropped: Dropped;
}

/** Reports that were given up, by cause. */
export interface Dropped {
  /** Too many waited. */
  readonly overCount: number;
  /** Too many bytes waited. */
  readonly overBytes: number;
  /** Too old to be of use. */
  readonly expired: number;
  /** The centre will never take them. */
  readonly refused: number;
}

/** What a device notes of its uploads. */
export interface Uploads {
  /** Attempts in a row that failed. */
  readonly failures: number;
  /** When the next attempt may be, in Unix seconds. */
  readonly nextAttemptSecs: number;
  /** What became of all reports so far. */
  readonly totals: Totals;
}

/** What the centre's answer counted. */
export type Receipt = Pick<Totals, "accepted" | "duplicate" | "late" | "early" | "rejected">;

const NO_TOTALS: Totals = {
  sent: 0, accepted: 0, duplicate: 0, late: 0, early: 0, rejected: 0,
  dropped: { overCount: 0, overBytes: 0, expired: 0, refused: 0 },
};

/** Before the first attempt. */
export const NO_UPLOADS: Uploads = { failures: 0, nextAttemptSecs: 0, totals: NO_TOTALS };

/** Reports were sent and answered for: the next attempt may be at once. */
export function delivered(before: Uploads, sent: number, receipt: Receipt, refused: number): Uploads {
  const { totals } = before;
  return {
    failures: 0,
    nextAttemptSecs: 0,
    totals: {
      sent: totals.sent + sent,
      accepted: totals.accepted + receipt.accepted,
      duplicate: totals.duplicate + receipt.duplicate,
      late: totals.late + receipt.late,
      early: totals.early + receipt.early,
      rejected: totals.rejected + receipt.rejected,
      dropped: { ...totals.dropped, refused: totals.dropped.refused + refused },
    },
  };
}

/** An attempt failed. */
export function postponed(before: Uploads, nextAttemptSecs: number): Uploads {
  return { ...before, failures: before.failures + 1, nextAttemptSecs };
}

/** Reports were given up unsent. */
export function gaveUp(before: Uploads, excess: Excess): Uploads {
  const { dropped } = before.totals;
  return {
    ...before,
    totals: {
      ...before.totals,
      dropped: {
        ...dropped,
        overCount: dropped.overCount + excess.overCount.length,
        overBytes: dropped.overBytes + excess.overBytes.length,
        expired: dropped.expired + excess.expired.length,
      },
    },
  };
}

/** Sequences of the entries that are beyond a cap, by the cap. */
export interface Excess {
  readonly overCount: number[];
  readonly overBytes: number[];
  readonly expired: number[];
}

/** What has to go from an outbox, oldest first: what is too old, then what is too many, then what is too much. */
export function excess(entries: readonly OutboxEntry[], caps: Caps, nowSecs: number): Excess {
  const found: Excess = { overCount: [], overBytes: [], expired: [] };
  const young = entries.filter(({ sequence, createdSecs }) => {
    const old = createdSecs + caps.maxAgeSecs < nowSecs;
    if (old) found.expired.push(sequence);
    return !old;
  });
  let [reports, bytes] = [young.length, young.reduce((sum, { report }) => sum + report.length, 0)];
  for (const { sequence, report } of young) {
    if (reports > caps.maxReports) found.overCount.push(sequence);
    else if (bytes > caps.maxBytes) found.overBytes.push(sequence);
    else break;
    reports -= 1;
    bytes -= report.length;
  }
  return found;
}
