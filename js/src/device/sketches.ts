import type { Counters } from "../types.js";
import type { WasmMonitor } from "../wasm/engine.js";
import type { SketchBytes, Store } from "./store/store.js";

/**
 * How long what was counted stays in memory alone. A page that crashes loses as much; one that is left is told before. A write costs a device that counts all
 * the time some milliseconds, so once in two seconds is far below a percent.
 */
const SAVE_AFTER_MS = 2_000;

/** What is in the store with what this tab counted since. */
interface Merged {
  readonly sketches: Uint8Array;
  /** Outcomes for which no prediction waits, neither here nor in the store. */
  readonly unknownOutcomes: number;
  /** Whether what was stored is of another spec or unreadable, and was begun anew. */
  readonly discarded: boolean;
}

/** Merges what is stored with what this tab counted, inside a transaction. `changed` tells whether this tab counted anything. */
export type Merge = (stored: SketchBytes) => { readonly sketches: Uint8Array; readonly changed: boolean };

/**
 * The way of the sketches into the store. A tab has in memory only what it counted since its last commit; what all tabs and earlier page loads counted is in the
 * store. Where a store keeps no sketches, all of them are in memory.
 */
export class Sketches {
  /** Whether the store keeps any. */
  readonly kept: boolean;
  readonly #wasm: WasmMonitor;
  readonly #store: Store;
  readonly #now: () => number;
  readonly #counters: Counters;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Changes when the device is wiped: what was counted before goes nowhere. */
  #life = {};

  constructor(wasm: WasmMonitor, store: Store, now: () => number, counters: Counters) {
    this.kept = store.saveSketches !== undefined;
    this.#wasm = wasm;
    this.#store = store;
    this.#now = now;
    this.#counters = counters;
  }

  /** Something was counted: it is saved soon, with what is counted until then. */
  touched(): void {
    if (!this.kept || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.save(), SAVE_AFTER_MS);
    if (typeof this.#timer === "object") this.#timer.unref();
  }

  /** Saves what this tab counted. Should that fail, the next time does it. Never throws. */
  async save(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.kept) return;
    const saving = this.merging(async (merge) => {
      let saved = false;
      await this.#store.saveSketches!((state, stored) => {
        // A device that was wiped, perhaps from another tab, has no sketches.
        const merged = state && merge(stored);
        saved = merged?.changed ?? false;
        return saved ? merged!.sketches : undefined;
      });
      return saved;
    });
    await saving.catch(() => this.touched());
  }

  /** Runs a transaction that may merge and says whether it committed that. If it did not, this tab has back what it counted. */
  async merging(run: (merge: Merge) => Promise<boolean>): Promise<void> {
    const life = this.#life;
    let delta: Uint8Array | undefined;
    let unknown = 0;
    const giveBack = () => {
      if (delta && life === this.#life) this.#wasm.giveBack(delta, this.#now());
      delta = undefined;
    };
    const merge: Merge = (stored) => {
      // A transaction may run more than once.
      giveBack();
      delta = life === this.#life ? this.#wasm.takeDelta() : undefined;
      const merged = this.#wasm.merged(stored, delta, this.#now()) as Merged;
      unknown = merged.unknownOutcomes;
      return { sketches: merged.sketches, changed: delta !== undefined };
    };
    let committed = false;
    try {
      committed = await run(merge);
    } finally {
      if (!committed) giveBack();
    }
    if (committed) this.#counters.unknownOutcomes += unknown;
  }

  /** What is stored. */
  async stored(): Promise<SketchBytes> {
    let found: SketchBytes;
    if (this.kept) await this.#store.transact((_, sketches) => void (found = sketches));
    return found;
  }

  /** Nothing of what was counted stays, or comes back. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#life = {};
    this.#wasm.purge();
  }
}
