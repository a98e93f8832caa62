import type { ObservedRecord } from "../types.js";

/**
 * A record as it is now, fit to be sent to another thread: the page may change its arrays as soon as `observe` has returned. What is no value of a record becomes
 * `{}`, which the host counts as malformed; posting it could fail the whole batch.
 *
 * @param transfer gets the buffers of the copies, which need not be copied again
 */
export function snapshot(record: ObservedRecord, transfer: Transferable[]): ObservedRecord {
  if (typeof record !== "object" || record === null) return record;
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record)) copy[name] = isFields(value) ? fields(value, transfer) : plainValue(value, transfer);
  return copy;
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function fields(given: Record<string, unknown>, transfer: Transferable[]): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) copy[name] = plainValue(isFields(value) && "data" in value ? value["data"] : value, transfer);
  return copy;
}

function plainValue(value: unknown, transfer: Transferable[]): unknown {
  if (Array.isArray(value)) return value.map((item) => (isScalar(item) ? item : {}));
  if (!ArrayBuffer.isView(value) || value instanceof DataView) return isScalar(value) ? value : {};
  const copy = (value as unknown as Float32Array).slice();
  transfer.push(copy.buffer);
  return copy;
}

function isScalar(value: unknown): boolean {
  return value === null || (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol");
}
