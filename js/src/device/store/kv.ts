import { DriftglassError } from "../../errors.js";
import type { Uploads } from "../uploads.js";
import { decode, encode } from "./codec.js";
import { DEVICE_CAPS, firstSequence, type Commit, type OutboxEntry, type SketchBytes, type StateBytes, type Store } from "./store.js";

/** What a store needs of a KV binding of workerd; the storage of a Durable Object has it too. */
export interface KvBinding {
  /** The text under a key, or null. */
  get(key: string, options: { readonly type: "text" }): Promise<unknown>;
  /** Keeps text under a key. */
  put(key: string, value: string): Promise<unknown>;
  /** Forgets a key. */
  delete(key: string): Promise<unknown>;
}

/** A KV binding takes one write a second of a key. */
const WRITE_INTERVAL_MS = 1_100;

/** What the one value holds. */
interface Value {
  /** Grows with each commit, and is at least its time in milliseconds: what is made after a wipe is newer than all before. */
  readonly version: number;
  readonly state: Uint8Array;
  readonly sequence: number;
  readonly entries: readonly OutboxEntry[];
  readonly sketches?: Uint8Array;
  readonly uploads?: Uploads;
}

/**
 * Keeps state, sketches and outbox under one key of a KV binding. For workerd.
 *
 * KV has no transactions, so everything is in one value: a commit is one `put`, all or nothing. **The last write wins.** One store object takes turns with itself and never takes an
 * older value than its own last, but it cannot see what another isolate writes meanwhile, and KV may show an old value for a minute or longer. Two isolates that answer
 * the same window each spend its budget; the centre counts one of their reports, because both have the same id. Two that begin at once make two devices, of which one is lost.
 * So let one isolate own a key: pass the `storage` of a Durable Object, which is consistent, or use KV where one isolate does the observing.
 *
 * @param binding `env.NAME`, or the `storage` of a Durable Object
 * @param key one per app
 */
export function kvStore(binding: KvBinding, key = "driftglass"): Store {
  return new KvStore(binding, key);
}

class KvStore implements Store {
  readonly caps = DEVICE_CAPS;
  readonly #binding: KvBinding;
  readonly #key: string;
  #queue: Promise<unknown> = Promise.resolve();
  /** What was written last. */
  #own: Value | undefined;
  /** What KV shows up to this version is older than a wipe. */
  #wiped = 0;

  constructor(binding: KvBinding, key: string) {
    this.#binding = binding;
    this.#key = key;
  }

  transact(change: (state: StateBytes, sketches?: SketchBytes) => Commit | undefined): Promise<void> {
    return this.#inTurn(async () => {
      const value = await this.#read();
      const commit = change(value?.state, value?.sketches);
      if (!commit) return;
      const { state, report, sketches = value?.sketches } = commit;
      const sequence = (value?.sequence ?? firstSequence()) + (report ? 1 : 0);
      const made = report ? [{ sequence, report: report.bytes, createdSecs: report.createdSecs }] : [];
      const entries = [...(value?.entries ?? []), ...made];
      await this.#write({ ...value, ...(sketches && { sketches }), state, sequence, entries, version: this.#next(value) });
    });
  }

  async saveSketches(change: (state: StateBytes, sketches?: SketchBytes) => Uint8Array | undefined): Promise<void> {
    await this.transact((state, before) => {
      const sketches = state && change(state, before);
      return state && sketches && { state, sketches };
    });
  }

  async outbox(limit: number): Promise<OutboxEntry[]> {
    let entries: readonly OutboxEntry[] = [];
    await this.#inTurn(async () => {
      entries = (await this.#read())?.entries ?? [];
    });
    return entries.slice(0, limit);
  }

  remove(sequences: readonly number[], note?: (uploads: Uploads | undefined) => Uploads): Promise<void> {
    return this.#inTurn(async () => {
      const value = await this.#read();
      if (!value) return;
      const gone = new Set(sequences);
      const entries = value.entries.filter((entry) => !gone.has(entry.sequence));
      await this.#write({ ...value, ...(note && { uploads: note(value.uploads) }), entries, version: this.#next(value) });
    });
  }

  async uploads(): Promise<Uploads | undefined> {
    let uploads: Uploads | undefined;
    await this.#inTurn(async () => {
      uploads = (await this.#read())?.uploads;
    });
    return uploads;
  }

  purge(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#binding.delete(this.#key).catch(refused);
      this.#wiped = this.#next(this.#own);
      this.#own = undefined;
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** The newer of what KV shows and what was written last. */
  async #read(): Promise<Value | undefined> {
    const text = await this.#binding.get(this.#key, { type: "text" }).catch(refused);
    if (typeof text !== "string") return this.#own;
    let shown: Value;
    try {
      shown = decode(text) as Value;
    } catch (cause) {
      return refused(cause);
    }
    return shown.version > Math.max(this.#own?.version ?? 0, this.#wiped) ? shown : this.#own;
  }

  #next(value: Value | undefined): number {
    return Math.max((value?.version ?? 0) + 1, this.#wiped + 1, Date.now());
  }

  async #write(value: Value): Promise<void> {
    const text = encode(value);
    const put = () => this.#binding.put(this.#key, text);
    const again = () => new Promise((resolve) => setTimeout(resolve, WRITE_INTERVAL_MS)).then(put);
    // Once more after a while: two commits in one second are too many for KV.
    await put().catch(again).catch(refused);
    this.#own = value;
  }
}

function refused(cause: unknown): never {
  throw new DriftglassError("store-failed", "The KV binding refused; nothing was reported.", { cause });
}
