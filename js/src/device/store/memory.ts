import type { Uploads } from "../uploads.js";
import { DEVICE_CAPS, firstSequence, type Commit, type OutboxEntry, type StateBytes, type Store } from "./store.js";

/**
 * Keeps everything in memory: a reload makes a new device, and reports that were not sent are lost. For tests and replays; an application has to ask for it
 * by name. Sketches stay where they are, which is in memory too.
 */
export class MemoryStore implements Store {
  readonly caps = DEVICE_CAPS;
  #state: StateBytes;
  #entries: OutboxEntry[] = [];
  #sequence = firstSequence();
  #uploads: Uploads | undefined;

  /** As {@link Store} promises, for as long as this object lives. */
  async transact(change: (state: StateBytes) => Commit | undefined): Promise<void> {
    const commit = change(this.#state);
    if (!commit) return;
    this.#state = commit.state;
    if (commit.report) {
      this.#sequence += 1;
      this.#entries.push({ sequence: this.#sequence, report: commit.report.bytes, createdSecs: commit.report.createdSecs });
    }
  }

  async outbox(limit: number): Promise<OutboxEntry[]> {
    return this.#entries.slice(0, limit);
  }

  async remove(sequences: readonly number[], note?: (uploads: Uploads | undefined) => Uploads): Promise<void> {
    if (!this.#state) return;
    const gone = new Set(sequences);
    this.#entries = this.#entries.filter((entry) => !gone.has(entry.sequence));
    if (note) this.#uploads = note(this.#uploads);
  }

  async uploads(): Promise<Uploads | undefined> {
    return this.#uploads;
  }

  async purge(): Promise<void> {
    this.#state = this.#uploads = undefined;
    this.#entries = [];
  }
}
