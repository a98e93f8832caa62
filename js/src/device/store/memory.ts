import type { Commit, OutboxEntry, StateBytes, Store } from "./store.js";

/**
 * Keeps everything in memory: a reload makes a new device, and reports that were not sent are lost. For tests and replays; an application has to ask for it
 * by name.
 */
export class MemoryStore implements Store {
  #state: StateBytes;
  #entries: OutboxEntry[] = [];
  #sequence = 0;

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

  async remove(sequences: readonly number[]): Promise<void> {
    const gone = new Set(sequences);
    this.#entries = this.#entries.filter((entry) => !gone.has(entry.sequence));
  }

  async purge(): Promise<void> {
    this.#state = undefined;
    this.#entries = [];
  }
}
