/** How long to wait after an upload that failed. */

/** Why an upload has to wait: the centre or the way to it is busy; or it does not know the key, and keys rotate. */
export type Cause = "retry" | "retry-slowly";

/**
 * First and longest wait, in seconds. A busy centre asks for seconds by itself, and a report is of use for a window of an hour at least: so
 * an hour is the longest wait. A key that was rotated takes a person; a day is the longest a device can be off because of it.
 */
const WAITS: Record<Cause, { readonly first: number; readonly longest: number }> = {
  retry: { first: 15, longest: 3_600 },
  "retry-slowly": { first: 3_600, longest: 86_400 },
};

/** No centre silences a device for longer, whatever it says or whatever the device's clock did meanwhile. */
export const LONGEST_WAIT_SECS = 86_400;

/**
 * Seconds to wait after `failures` attempts in a row that failed. Doubles with each, and lies between one half and the whole of that, so that devices that
 * failed together do not come back together. A wait that the centre asked for is held, and spread likewise.
 *
 * @param random draws from [0, 1)
 */
export function waitSecs(cause: Cause, failures: number, askedSecs: number | undefined, random: () => number): number {
  const { first, longest } = WAITS[cause];
  const whole = Math.min(first * 2 ** (failures - 1), longest);
  const own = whole * (1 + random()) / 2;
  if (askedSecs === undefined) return own;
  return Math.min(Math.max(own, askedSecs + first * random()), LONGEST_WAIT_SECS);
}

/** Seconds that a `Retry-After` header asks for, as a number or as a date; undefined if it asks for none. */
export function askedSecs(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const secs = (Date.parse(text) - nowMs) / 1000;
  return secs > 0 ? secs : undefined;
}

/** Whether an attempt has to wait. A moment farther away than any wait was set by a clock that was wrong. */
export function mustWait(nextAttemptSecs: number, nowSecs: number): boolean {
  return nextAttemptSecs > nowSecs && nextAttemptSecs <= nowSecs + LONGEST_WAIT_SECS;
}
