import { DriftglassError, guarded } from "../errors.js";
import type { ModelShape } from "../protocol.js";
import type { Tensors } from "../tensor.js";
import type { Answer, Consent, Counters, FlushResult, LedgerView, ListedReport, ObservedRecord, ProfileView, ReportView } from "../types.js";
import type { FullMonitor, Glue, WasmMonitor, WasmSession } from "../wasm/engine.js";
import { effective } from "./consent.js";
import { drain, trim, type Destination } from "./drain.js";
import { Recent } from "./recent.js";
import { Sketches } from "./sketches.js";
import { uploadStatus, type DeviceStatus } from "./status.js";
import type { Store } from "./store/store.js";

/** What a device is made of. */
export interface DeviceOptions {
  /** The spec's text. */
  readonly spec: string;
  readonly key: string;
  readonly store: Store;
  readonly consent: Consent;
  readonly endpoint?: string;
  readonly segment?: string;
  readonly arm?: "stable" | "canary";
  /** Unix seconds. */
  readonly now: () => number;
  /** Sends requests; the runtime's `fetch` if absent. */
  readonly fetch?: typeof fetch;
}

/**
 * Watches a model: counts what it sees, and once a window answers one question about it under noise.
 *
 * Monitoring never breaks the host: once a monitor exists, its failures are counted in {@link Device.counters} and not thrown, and a run of
 * a watched session fails only if the model does.
 */
export class Device {
  readonly counters: Counters = { malformedRecords: 0, unknownOutcomes: 0, refusedAnswers: 0 };
  /** @internal */
  readonly wasm: WasmMonitor;
  readonly #store: Store;
  readonly #destination: Destination;
  readonly #now: () => number;
  #consent: Consent;
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #unwatch: () => void;
  /** Whether the store holds this device: not before it joined, and not after another tab wiped it. */
  #joined = false;
  readonly #recent = new Recent();
  readonly #sketches: Sketches;
  /** Ends what is being sent when consent is gone, or the device. */
  #sending = new AbortController();

  /** The segment that its reports name. */
  readonly segment: string;

  private constructor({ disposition, encodeBody }: Glue, wasm: WasmMonitor, segment: string, options: DeviceOptions) {
    this.segment = segment;
    this.wasm = wasm;
    this.#store = options.store;
    this.#now = options.now;
    this.#consent = effective(options.consent);
    this.#destination = {
      url: `${options.endpoint ?? wasm.endpoint}?key=${encodeURIComponent(options.key)}`,
      maxBodyBytes: wasm.maxBodyBytes,
      fetch: options.fetch ?? ((...request) => fetch(...request)),
      now: this.#now,
      disposition,
      encodeBody,
    };
    this.#sketches = new Sketches(wasm, this.#store, this.#now, this.counters);
    this.#unwatch = this.#store.watch?.(() => this.#forget()) ?? (() => undefined);
  }

  /**
   * Makes a monitor. With consent the device joins, that is it makes its secret and its ledger, unless it has them; after a denial it
   * wipes what there is.
   *
   * @throws DriftglassError `invalid-spec`, `unknown-segment`, `store-failed`, `unreadable-state`, `foreign-state`
   */
  static async create(glue: Glue, options: DeviceOptions): Promise<Device> {
    const segment = options.segment ?? firstSegment(options.spec);
    const wasm = guarded(() => new glue.WasmMonitor(options.spec, segment, options.arm === "canary"));
    const device = new Device(glue, wasm, segment, options);
    if (device.#consent === "granted") await device.#join();
    if (device.#consent === "denied") await device.purge();
    return device;
  }

  /** What the person said, after Global Privacy Control. */
  get consent(): Consent {
    return this.#consent;
  }

  /** Takes a new word from the person. `denied` wipes everything. */
  async setConsent(consent: Consent): Promise<void> {
    this.#consent = effective(consent);
    if (this.#consent !== "granted") this.#stopSending();
    if (this.#consent === "granted") await this.#join();
    if (this.#consent === "denied") await this.purge();
  }

  /** Hash of the measured part of the spec. */
  get specId(): string {
    return this.wasm.specId;
  }

  /**
   * Refuses a model that the spec does not admit.
   *
   * @throws DriftglassError `model-refused`, `malformed-model`
   */
  admit({ sha256, inputs, outputs }: ModelShape): void {
    guarded(() => this.wasm.admit(sha256, inputs, [...outputs]));
  }

  /**
   * Runs a session of the same module and counts each row of the batch.
   *
   * @param keys names of the rows whose outcome comes later
   * @throws DriftglassError `input-refused`, `inference-failed`
   */
  run(session: WasmSession, feeds: Tensors, keys: readonly string[]): object {
    if (!this.#watching) return guarded(() => session.run(feeds));
    this.#sketches.touched();
    return guarded(() => (this.wasm as FullMonitor).run(session, feeds, [...keys], this.#now()));
  }

  /** Counts values; with a key, the prediction waits for its outcome. */
  observe(record: ObservedRecord, key?: string): void {
    if (!this.#watching) return;
    this.#quietly("malformedRecords", () => {
      const { inputs = {}, outputs = {}, latencyMs, failed = false, ...unknown } = record;
      for (const name in unknown) throw new DriftglassError("malformed-record", `a record has no field ${name}`);
      if (typeof record !== "object") throw new DriftglassError("malformed-record", "a record is an object");
      const lists = { inputs: values(inputs), outputs: values(outputs), latencyMs, failed };
      this.wasm.observe(lists, key, this.#now());
      this.#sketches.touched();
    });
  }

  /**
   * Tells what turned out to be true.
   *
   * @param key the key of the prediction
   * @param value a label of the outcome's metric, its index, or a number
   */
  outcome(key: string, value: string | number | boolean): void {
    if (!this.#watching) return;
    const joined = this.#quietly("malformedRecords", () => this.wasm.outcome(key, value, this.#now()));
    if (joined === undefined) return;
    this.#sketches.touched();
    // Where sketches are kept, the prediction may wait in the store: merging tells.
    if (!joined && !this.#sketches.kept) this.counters.unknownOutcomes += 1;
  }

  /** The sketches of a window, the current one if none is named, of all tabs. For pages on this device. */
  async inspect(window: number = this.wasm.windowAt(this.#now())): Promise<ProfileView> {
    const stored = await this.#sketches.stored();
    return this.wasm.inspect(window, stored) as ProfileView;
  }

  /**
   * Answers every window that is over: for each, one transaction debits the ledger and puts the report into the outbox.
   *
   * @throws DriftglassError `store-failed`, `unreadable-state`, `foreign-state`
   */
  async close(): Promise<Answer[]> {
    const answers: Answer[] = [];
    while (this.#consent === "granted") {
      const answer = await this.#answerNext();
      if (!answer) break;
      answers.push(answer);
      this.#recent.add({ bytes: answer.report, createdSecs: Math.floor(this.#now()) });
    }
    if (answers.length > 0) await trim(this.#store, this.#now());
    return answers;
  }

  /**
   * Sends what waits in the outbox, as long as there is consent. A retry sends the same bytes. After an attempt that failed, nothing is sent for a while.
   *
   * @param force sends at once
   * @throws DriftglassError `store-failed`
   */
  async flush(force = false): Promise<FlushResult> {
    const granted = this.#consent === "granted";
    return drain(this.#store, this.#destination, { stop: granted ? this.#sending.signal : AbortSignal.abort(), force });
  }

  /** How the device is doing. */
  async status(): Promise<DeviceStatus> {
    return { counters: { ...this.counters }, ...(await uploadStatus(this.#store)) };
  }

  /** The reports that wait, and the latest of those made since the device was loaded that do not; oldest first. */
  async reports(): Promise<ListedReport[]> {
    return this.#recent.with(await this.#store.outbox(Number.MAX_SAFE_INTEGER));
  }

  /** The page may be about to go: its sketches are saved, and a started device sends what waits, in requests that outlive the page. Never throws. */
  async hidden(): Promise<void> {
    await this.#sketches.save();
    if (this.#timer !== undefined) await this.#tick();
  }

  /** Closes and flushes now and then until stopped. */
  start(intervalMs = 60_000): void {
    this.stop();
    this.#timer = setInterval(() => void this.#tick(), intervalMs);
    if (typeof this.#timer === "object") this.#timer.unref();
    void this.#tick();
  }

  /** Ends what `start` began. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** What was spent of each cap; undefined before the device joined. */
  async ledger(): Promise<LedgerView | undefined> {
    let view: LedgerView | undefined;
    await this.#store.transact((state) => {
      if (state) view = guarded(() => this.wasm.ledger(state, this.#now())) as LedgerView;
      return undefined;
    });
    return view;
  }

  /**
   * Takes a report of this spec apart.
   *
   * @throws DriftglassError `malformed-report`
   */
  parseReport(report: Uint8Array): ReportView {
    return guarded(() => this.wasm.parseReport(report)) as ReportView;
  }

  /** Saves the sketches and frees their memory. What is stored stays. */
  async dispose(): Promise<void> {
    this.stop();
    this.#joined = false;
    this.#stopSending();
    this.#unwatch();
    await this.#sketches.save();
    this.#store.close?.();
    this.wasm.free();
  }

  /** Wipes sketches, secret, ledger and outbox, in all tabs. With consent the device joins anew, as one that never was. */
  async purge(): Promise<void> {
    this.#forget();
    await this.#store.purge();
    if (this.#consent === "granted") await this.#join();
  }

  get #watching(): boolean {
    return this.#consent === "granted" && this.#joined;
  }

  async #join(): Promise<void> {
    await this.#store.transact((state) => ({ state: guarded(() => this.wasm.join(state, this.#now())) }));
    this.#joined = true;
  }

  /** The store was wiped, here or in another tab: nothing of the device stays in memory, and nothing of it is sent. */
  #forget(): void {
    this.#joined = false;
    this.#recent.forget();
    this.#sketches.forget();
    this.#stopSending();
  }

  #stopSending(): void {
    this.#sending.abort();
    this.#sending = new AbortController();
  }

  async #tick(): Promise<void> {
    try {
      await this.close();
      await this.flush();
    } catch {
      this.counters.refusedAnswers += 1;
    }
  }

  /** Answers the next window that is due, from the sketches of all tabs. */
  async #answerNext(): Promise<Answer | undefined> {
    let made: Answer | undefined;
    const now = this.#now();
    await this.#sketches.merging(async (merge) => {
      await this.#store.transact((stored, sketches) => {
        made = undefined;
        // Wiped, perhaps from another tab: only consent given again makes a new device.
        if (!stored) {
          if (this.#joined) this.#forget();
          return undefined;
        }
        this.#joined = true;
        const state = guarded(() => this.wasm.join(stored, now));
        const window = guarded(() => this.wasm.due(state, now));
        if (window === undefined) return undefined;
        const all = this.#sketches.kept ? merge(sketches).sketches : undefined;
        const answer = this.#quietly("refusedAnswers", () => this.wasm.answer(state, window, now, all));
        if (!answer) return undefined;
        const { state: after, ...rest } = answer as Answer & { state: Uint8Array };
        made = rest;
        return { state: after, report: { bytes: rest.report, createdSecs: Math.floor(now) }, ...(all && { sketches: all }) };
      });
      return made !== undefined;
    });
    return made;
  }

  /** Runs what must not break the host; a failure is counted. */
  #quietly<T>(counter: keyof Counters, call: () => T): T | undefined {
    try {
      return call();
    } catch {
      this.counters[counter] += 1;
      return undefined;
    }
  }
}

/** The first segment that the spec declares; a spec without one is refused by the module. */
function firstSegment(spec: string): string {
  try {
    const parsed = JSON.parse(spec) as { measurement?: { segments?: unknown[] } };
    return String(parsed.measurement?.segments?.[0]);
  } catch {
    return "";
  }
}

/** Values by name, with the elements of tensors in their place. */
function values(named: Record<string, unknown>): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const name of Object.keys(named)) plain[name] = elements(named[name]);
  return plain;
}

/** What the module reads as it is: typed arrays of the types that models have, lists, single values. Other typed arrays become lists. */
function elements(value: unknown): unknown {
  const data = typeof value === "object" && value !== null && "data" in value ? value.data : value;
  if (!ArrayBuffer.isView(data) || data instanceof DataView || READ.some((type) => data instanceof type)) return data;
  return Array.from(data as unknown as ArrayLike<number | bigint>, Number);
}

const READ = [Float32Array, BigInt64Array, Float64Array, Int32Array, Uint8Array];
