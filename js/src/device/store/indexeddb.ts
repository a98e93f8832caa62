import { DriftglassError } from "../../errors.js";
import type { Uploads } from "../uploads.js";
import { DEVICE_CAPS, firstSequence, type Commit, type OutboxEntry, type SketchBytes, type StateBytes, type Store } from "./store.js";

const DEVICE = "state";
const OUTBOX = "outbox";
/** Keys of what is in `DEVICE`. */
const [STATE, SKETCHES, UPLOADS] = ["device", "sketches", "uploads"];
/** Most that `getAll` takes. */
const MOST = 0xffff_ffff;

/**
 * Keeps state, sketches and outbox in one IndexedDB database, so that they change in one transaction. For browsers, where all tabs of an origin share it.
 *
 * The database is made by the first commit. Until then, and after a purge, reading finds nothing and makes nothing.
 */
export class IndexedDbStore implements Store {
  readonly name: string;
  readonly caps = DEVICE_CAPS;
  readonly #watchers = new Set<() => void>();
  #database: Promise<IDBDatabase | undefined> | undefined;

  /** @param name name of the database; one per app */
  constructor(name: string) {
    this.name = name;
  }

  async transact(change: (state: StateBytes, sketches?: SketchBytes) => Commit | undefined): Promise<void> {
    // Strict: a debit that the disk has not seen could be forgotten after its report is sent.
    const open = await this.#begin("readwrite", { durability: "strict" });
    if (open) return this.#change(open, change);
    if (change(undefined)) await this.#change(await this.#begin("readwrite", { durability: "strict" }, true), change);
  }

  async saveSketches(change: (state: StateBytes, sketches?: SketchBytes) => Uint8Array | undefined): Promise<void> {
    const open = await this.#begin("readwrite", { durability: "relaxed" });
    await this.#change(open, (state, sketches) => {
      const after = change(state, sketches);
      return state && after && { state, sketches: after };
    });
  }

  async outbox(limit: number): Promise<OutboxEntry[]> {
    const open = await this.#begin("readonly");
    if (!open) return [];
    const outbox = open.objectStore(OUTBOX);
    const most = Math.min(limit, MOST);
    const keys = outbox.getAllKeys(null, most);
    const values = outbox.getAll(null, most) as IDBRequest<Omit<OutboxEntry, "sequence">[]>;
    await completed(open);
    return values.result.map((entry, index) => ({ sequence: keys.result[index] as number, ...entry }));
  }

  async remove(sequences: readonly number[], note?: (uploads: Uploads | undefined) => Uploads): Promise<void> {
    const open = await this.#begin("readwrite");
    if (!open) return;
    for (const sequence of sequences) open.objectStore(OUTBOX).delete(sequence);
    if (note) {
      const device = open.objectStore(DEVICE);
      const uploads = device.get(UPLOADS!) as IDBRequest<Uploads | undefined>;
      uploads.onsuccess = () => device.put(note(uploads.result), UPLOADS);
    }
    await completed(open);
  }

  async uploads(): Promise<Uploads | undefined> {
    const open = await this.#begin("readonly");
    const uploads = open?.objectStore(DEVICE).get(UPLOADS!) as IDBRequest<Uploads | undefined> | undefined;
    if (open) await completed(open);
    return uploads?.result;
  }

  /** Empties the database first: deleting it has to wait for tabs that are frozen. */
  async purge(): Promise<void> {
    const open = await this.#begin("readwrite", { durability: "strict" });
    if (open) {
      open.objectStore(DEVICE).clear();
      open.objectStore(OUTBOX).clear();
      await completed(open);
    }
    await this.#disconnect();
    const request = indexedDB.deleteDatabase(this.name);
    await new Promise<void>((resolve, reject) => {
      request.onsuccess = () => resolve();
      // The browser deletes what is now empty once the last frozen tab is gone.
      request.onblocked = () => resolve();
      request.onerror = () => reject(failed(request.error));
    });
  }

  watch(wiped: () => void): () => void {
    this.#watchers.add(wiped);
    return () => this.#watchers.delete(wiped);
  }

  close(): void {
    void this.#disconnect();
  }

  async #disconnect(): Promise<void> {
    const before = this.#database;
    this.#database = undefined;
    (await before?.catch(() => undefined))?.close();
  }

  /** Runs `change` in a transaction that has just begun. */
  async #change(open: IDBTransaction | undefined, change: (state: StateBytes, sketches?: SketchBytes) => Commit | undefined): Promise<void> {
    if (!open) return;
    const device = open.objectStore(DEVICE);
    let thrown: { error: unknown } | undefined;
    const state = device.get(STATE!) as IDBRequest<StateBytes>;
    const sketches = device.get(SKETCHES!) as IDBRequest<SketchBytes>;
    // Requests of a transaction are answered in order: by now, both are.
    sketches.onsuccess = () => {
      try {
        const commit = change(state.result, sketches.result);
        if (!commit) return;
        if (commit.state !== state.result) device.put(commit.state, STATE);
        if (commit.sketches) device.put(commit.sketches, SKETCHES);
        if (commit.report) {
          open.objectStore(OUTBOX).add({ report: commit.report.bytes, createdSecs: commit.report.createdSecs });
        }
      } catch (error) {
        thrown = { error };
        open.abort();
      }
    };
    await completed(open).catch((error: unknown) => {
      throw thrown ? thrown.error : error;
    });
  }

  /** Begins a transaction on the database, if there is one. With `create`, there is. */
  async #begin(mode: IDBTransactionMode, options?: IDBTransactionOptions, create = false): Promise<IDBTransaction | undefined> {
    const begin = async () => (await this.#open(create))?.transaction([DEVICE, OUTBOX], mode, options);
    try {
      return await begin();
    } catch {
      // Closed in the meantime, because another tab deletes the database.
      await this.#disconnect();
      return begin().catch((cause: unknown) => {
        throw cause instanceof DriftglassError ? cause : failed(cause);
      });
    }
  }

  async #open(create: boolean): Promise<IDBDatabase | undefined> {
    for (;;) {
      const database = await (this.#database ?? this.#connect(create));
      // What was on its way may have been an attempt without `create`.
      if (database || !create) return database;
    }
  }

  #connect(create: boolean): Promise<IDBDatabase | undefined> {
    const connection = connect(this.name, create, () => this.#lost(connection));
    this.#database = connection;
    // Only a connection is remembered, not that there was nothing.
    const forget = () => {
      if (this.#database === connection) this.#database = undefined;
    };
    connection.then((database) => database ?? forget(), forget);
    return connection;
  }

  /** The database is being deleted, by another tab or by the person. */
  #lost(connection: Promise<IDBDatabase | undefined>): void {
    if (this.#database === connection) this.#database = undefined;
    for (const wiped of this.#watchers) wiped();
  }
}

/** Opens the database. Without `create`, one that is not there is not made. */
async function connect(name: string, create: boolean, lost: () => void): Promise<IDBDatabase | undefined> {
  if (!create && !(await mayExist(name))) return undefined;
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    let absent = false;
    request.onupgradeneeded = () => {
      if (!create) {
        absent = true;
        request.transaction!.abort();
        return;
      }
      request.result.createObjectStore(DEVICE);
      const outbox = request.result.createObjectStore(OUTBOX, { autoIncrement: true });
      // The key generator goes on from here.
      const start = firstSequence();
      outbox.add({}, start);
      outbox.delete(start);
    };
    request.onsuccess = () => {
      const database = request.result;
      database.onversionchange = () => {
        // A tab that purges must not be blocked by this connection.
        database.close();
        lost();
      };
      database.onclose = lost;
      resolve(database);
    };
    request.onerror = (event) => {
      event.preventDefault();
      if (absent) resolve(undefined);
      else reject(failed(request.error));
    };
  });
}

/** Asked first because WebKit lists a database, without content, whose making was called off. Not every browser says what there is. */
async function mayExist(name: string): Promise<boolean> {
  if (typeof indexedDB.databases !== "function") return true;
  const known = await indexedDB.databases().catch(() => undefined);
  return known?.some((database) => database.name === name) ?? true;
}

function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(failed(transaction.error));
    transaction.onerror = () => reject(failed(transaction.error));
  });
}

function failed(cause: unknown): DriftglassError {
  return new DriftglassError("store-failed", "The browser's storage refused; nothing was reported.", { cause });
}
