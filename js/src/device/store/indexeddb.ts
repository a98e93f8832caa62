import { DriftglassError } from "../../errors.js";
import type { Commit, OutboxEntry, StateBytes, Store } from "./store.js";

const STATE = "state";
const OUTBOX = "outbox";
const KEY = "device";

/** Keeps state and outbox in one IndexedDB database, so that both change in one transaction. For browsers. */
export class IndexedDbStore implements Store {
  readonly #name: string;
  #database: Promise<IDBDatabase> | undefined;

  /** @param name name of the database; one per app */
  constructor(name: string) {
    this.#name = name;
  }

  async transact(change: (state: StateBytes) => Commit | undefined): Promise<void> {
    const transaction = (await this.#open()).transaction([STATE, OUTBOX], "readwrite", { durability: "strict" });
    const done = completed(transaction);
    let thrown: { error: unknown } | undefined;
    const read = transaction.objectStore(STATE).get(KEY);
    read.onsuccess = () => {
      try {
        const commit = change(read.result as StateBytes);
        if (!commit) return;
        transaction.objectStore(STATE).put(commit.state, KEY);
        if (commit.report) {
          transaction.objectStore(OUTBOX).add({ report: commit.report.bytes, createdSecs: commit.report.createdSecs });
        }
      } catch (error) {
        thrown = { error };
        transaction.abort();
      }
    };
    await done.catch((error: unknown) => {
      throw thrown ? thrown.error : error;
    });
  }

  async outbox(limit: number): Promise<OutboxEntry[]> {
    const transaction = (await this.#open()).transaction(OUTBOX, "readonly");
    const entries: OutboxEntry[] = [];
    const cursor = transaction.objectStore(OUTBOX).openCursor();
    cursor.onsuccess = () => {
      const at = cursor.result;
      if (!at || entries.length >= limit) return;
      const { report, createdSecs } = at.value as { report: Uint8Array; createdSecs: number };
      entries.push({ sequence: at.key as number, report, createdSecs });
      at.continue();
    };
    await completed(transaction);
    return entries;
  }

  async remove(sequences: readonly number[]): Promise<void> {
    const transaction = (await this.#open()).transaction(OUTBOX, "readwrite");
    for (const sequence of sequences) transaction.objectStore(OUTBOX).delete(sequence);
    await completed(transaction);
  }

  async purge(): Promise<void> {
    (await this.#open()).close();
    this.#database = undefined;
    const request = indexedDB.deleteDatabase(this.#name);
    await new Promise<void>((resolve, reject) => {
      request.onsuccess = () => resolve();
      request.onerror = () => reject(failed(request.error));
    });
  }

  #open(): Promise<IDBDatabase> {
    this.#database ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(this.#name, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(STATE);
        request.result.createObjectStore(OUTBOX, { autoIncrement: true });
      };
      request.onsuccess = () => {
        // Another tab that purges must not be blocked by this connection.
        request.result.onversionchange = () => {
          request.result.close();
          this.#database = undefined;
        };
        resolve(request.result);
      };
      request.onerror = () => {
        this.#database = undefined;
        reject(failed(request.error));
      };
    });
    return this.#database;
  }
}

function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(failed(transaction.error));
    transaction.onerror = () => reject(failed(transaction.error));
  });
}

function failed(cause: DOMException | null): DriftglassError {
  return new DriftglassError("store-failed", "The browser's storage refused; nothing was reported.", { cause });
}
