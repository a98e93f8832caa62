import type { Uploads } from "../uploads.js";

/** A report that waits to be sent. */
export interface OutboxEntry {
  /** Grows with each report; never given twice, not even after a purge. */
  readonly sequence: number;
  /** The bytes that leave, the same on every retry. */
  readonly report: Uint8Array;
  /** When it was made, in Unix seconds. */
  readonly createdSecs: number;
}

/** The device state that a transaction reads; undefined if no device has joined. */
export type StateBytes = Uint8Array | undefined;

/** The sketches that a transaction reads; undefined if none are kept. */
export type SketchBytes = Uint8Array | undefined;

/** A report that a transaction puts into the outbox. */
export interface NewReport {
  /** The bytes that leave, the same on every retry. */
  readonly bytes: Uint8Array;
  /** When it was made, in Unix seconds. */
  readonly createdSecs: number;
}

/** What a transaction commits, all or nothing. */
export interface Commit {
  /** The new device state. */
  readonly state: Uint8Array;
  /** The report that the state paid for, if one was made. */
  readonly report?: NewReport;
  /** The new sketches, if they changed. */
  readonly sketches?: Uint8Array;
}

/** Most that may wait in an outbox. What is beyond is dropped, oldest first, and counted. */
export interface Caps {
  /** Most reports that wait. */
  readonly maxReports: number;
  /** Most bytes that wait. */
  readonly maxBytes: number;
  /** Longest time that a report waits. */
  readonly maxAgeSecs: number;
}

/**
 * The caps of the stores of this package; they are for one device. A device answers once in a window, which lasts an hour at least, and the centre takes a
 * report until one window after its end at most. So thirty days of age outlast every report of use but those of windows of weeks, and hold 720 reports
 * of the shortest; a report has some 50 bytes and 4 KiB at most.
 */
export const DEVICE_CAPS: Caps = { maxReports: 1_000, maxBytes: 1 << 20, maxAgeSecs: 30 * 86_400 };

/**
 * Sequence before the first, for a store that begins: from the time, so that none is given again after a purge. What was on its way then must not settle a
 * report that was made since.
 */
export function firstSequence(): number {
  return Date.now() * 1_000;
}

/**
 * Where a device keeps its state, its sketches and its outbox.
 *
 * `transact` runs `change` on the current state and commits what it returns: the new state and the report it paid for, together, or
 * neither. `change` is synchronous and runs inside the open transaction; two transactions never overlap. It may run more than once, and its last run counts.
 * Bytes may be sent only after the promise is fulfilled. If `change` returns nothing, nothing is committed; if it throws, nothing is and the error is passed on.
 *
 * Nothing is created, no database and no file, before `change` returns something to commit. Reading what is not there creates nothing either.
 */
export interface Store {
  /** What the tabs that share this store know it by. With it, one of them sends at a time. */
  readonly name?: string;
  /** None if absent. */
  readonly caps?: Caps;
  /** Runs `change` on what is kept, and commits what it returns. */
  transact(change: (state: StateBytes, sketches?: SketchBytes) => Commit | undefined): Promise<void>;
  /** Up to `limit` waiting reports, oldest first. */
  outbox(limit: number): Promise<OutboxEntry[]>;
  /** Forgets reports that are settled or dropped; a store with `uploads` also commits what `note` makes of those, in the same transaction. */
  remove(sequences: readonly number[], note?: (uploads: Uploads | undefined) => Uploads): Promise<void>;
  /** Wipes everything: afterwards there is no database and no file. */
  purge(): Promise<void>;
  /** What the device notes of its uploads. A store without it forgets at the end of the process when to try again and what was sent. */
  uploads?(): Promise<Uploads | undefined>;
  /**
   * Replaces the sketches of a device that has joined. A store without it keeps none: `transact` never gives any, and a device has
   * its sketches in memory. May be less durable than `transact`.
   */
  saveSketches?(change: (state: StateBytes, sketches?: SketchBytes) => Uint8Array | undefined): Promise<void>;
  /** Calls back when another tab wiped the store; returns what ends that. */
  watch?(wiped: () => void): () => void;
  /** Lets go of connections; the next call opens them again. */
  close?(): void;
}
