/** A report that waits to be sent. */
export interface OutboxEntry {
  /** Grows by one with each report. */
  readonly sequence: number;
  /** The bytes that leave, the same on every retry. */
  readonly report: Uint8Array;
  /** When it was made, in Unix seconds. */
  readonly createdSecs: number;
}

/** What a transaction reads: the device state, if the device has joined. */
export type StateBytes = Uint8Array | undefined;

/** What a transaction commits, all or nothing. */
export interface Commit {
  /** The new device state. */
  readonly state: Uint8Array;
  /** The report that the state paid for, if one was made. */
  readonly report?: { readonly bytes: Uint8Array; readonly createdSecs: number };
}

/**
 * Where a device keeps its state and its outbox.
 *
 * `transact` runs `change` on the current state and commits what it returns: the new state and the report it paid for, together, or
 * neither. `change` is synchronous and runs inside the open transaction; two transactions never overlap. Bytes may be sent only after the
 * promise is fulfilled. If `change` returns nothing, nothing is committed; if it throws, nothing is and the error is passed on.
 */
export interface Store {
  transact(change: (state: StateBytes) => Commit | undefined): Promise<void>;
  /** Up to `limit` waiting reports, oldest first. */
  outbox(limit: number): Promise<OutboxEntry[]>;
  /** Forgets reports that are settled or dropped. */
  remove(sequences: readonly number[]): Promise<void>;
  /** Wipes everything. */
  purge(): Promise<void>;
}
