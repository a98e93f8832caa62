import { DriftglassError, guarded } from "../errors.js";
import { InferenceSession, tensors, type ForeignModel, type RunOptions, type SessionLike, type WatchedSession } from "../session.js";
import type { Tensors } from "../tensor.js";
import type { Answer, Consent, Counters, FlushResult, LedgerView, MonitorOptions, ObservedRecord, ProfileView, ReportView } from "../types.js";
import { ready, WasmMonitor } from "../wasm/module.js";
import type { StateBytes, Store } from "./store/store.js";
import { flush, type Destination } from "./upload.js";

/**
 * Watches a model: counts what it sees, and once a window answers one question about it under noise.
 *
 * Monitoring never breaks the host: once a monitor exists, its failures are counted in {@link Device.counters} and not thrown, and a run of
 * a watched session fails only if the model does.
 */
export class Device {
  readonly counters: Counters = { malformedRecords: 0, unknownOutcomes: 0, refusedAnswers: 0 };
  readonly #wasm: WasmMonitor;
  readonly #store: Store;
  readonly #destination: Destination;
  readonly #now: () => number;
  #consent: Consent;
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(wasm: WasmMonitor, options: MonitorOptions) {
    this.#wasm = wasm;
    this.#store = options.store;
    this.#now = options.now ?? (() => Date.now() / 1000);
    this.#consent = effective(options.consent);
    this.#destination = {
      url: `${options.endpoint ?? wasm.endpoint}?key=${encodeURIComponent(options.key)}`,
      maxBodyBytes: wasm.maxBodyBytes,
      fetch: options.fetch ?? ((...request) => fetch(...request)),
    };
  }

  /**
   * Makes a monitor. With consent the device joins, that is it makes its secret and its ledger, unless it has them; after a denial it
   * wipes what there is.
   *
   * @throws DriftglassError `invalid-option`, `invalid-spec`, `unknown-segment`, `wasm-unavailable`, `store-failed`, `unreadable-state`, `foreign-state`
   */
  static async create(options: MonitorOptions): Promise<Device> {
    checkOptions(options);
    await ready();
    const text = typeof options.spec === "string" ? options.spec : JSON.stringify(options.spec);
    const segment = options.segment ?? firstSegment(text);
    const wasm = guarded(() => new WasmMonitor(text, segment, options.arm === "canary"));
    const device = new Device(wasm, options);
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
    if (this.#consent === "granted") await this.#join();
    if (this.#consent === "denied") await this.purge();
  }

  /** Hash of the measured part of the spec. */
  get specId(): string {
    return this.#wasm.specId;
  }

  /**
   * Watches a session.
   *
   * @param session a session of this package, or of another runtime
   * @param model for a session of another runtime: what its model is
   * @throws DriftglassError `model-refused` when the spec does not admit the model
   */
  wrap(session: InferenceSession): WatchedSession<Tensors, Tensors>;
  wrap<Feeds extends object, Results extends object>(
    session: SessionLike<Feeds, Results>,
    model: ForeignModel,
  ): WatchedSession<Feeds, Results>;
  wrap(session: InferenceSession | SessionLike<object, object>, model?: ForeignModel): WatchedSession<never, object> {
    if (session instanceof InferenceSession) {
      guarded(() => this.#wasm.admitSession(session.wasm));
      return { run: async (feeds: Tensors, options?: RunOptions) => this.#run(session, feeds, options) };
    }
    if (!model) throw new DriftglassError("model-refused", "A session of another runtime needs { sha256, inputs, outputs } of its model.");
    guarded(() => this.#wasm.admit(model.sha256, model.inputs, [...model.outputs]));
    return { run: async (feeds: object, options?: RunOptions) => this.#runForeign(session, feeds, options) };
  }

  /** Counts values by hand: what `wrap` does for a session. */
  observe(record: ObservedRecord, options: { readonly key?: string } = {}): void {
    if (this.#consent !== "granted") return;
    this.#quietly("malformedRecords", () => {
      const { inputs = {}, outputs = {}, latencyMs, failed = false } = record;
      const lists = { inputs: values(inputs), outputs: values(outputs), latencyMs, failed };
      this.#wasm.observe(lists, options.key, this.#now());
    });
  }

  /**
   * Tells what turned out to be true.
   *
   * @param key the key of the prediction
   * @param value a label of the outcome's metric, its index, or a number
   */
  outcome(key: string, value: string | number | boolean): void {
    if (this.#consent !== "granted") return;
    const joined = this.#quietly("malformedRecords", () => this.#wasm.outcome(key, value, this.#now()));
    if (joined === false) this.counters.unknownOutcomes += 1;
  }

  /** The sketches of a window, the current one if none is named. For pages on this device. */
  inspect(window: number = this.#wasm.windowAt(this.#now())): ProfileView {
    return this.#wasm.inspect(window) as ProfileView;
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
    }
    return answers;
  }

  /** Sends what waits in the outbox, as long as there is consent. A retry sends the same bytes. */
  async flush(): Promise<FlushResult> {
    return flush(this.#store, this.#destination, () => this.#consent === "granted");
  }

  /** Closes and flushes now and then until stopped. */
  start(intervalMs = 60_000): void {
    const tick = () => void this.close().then(() => this.flush()).catch(() => (this.counters.refusedAnswers += 1));
    this.stop();
    this.#timer = setInterval(tick, intervalMs);
    if (typeof this.#timer === "object") this.#timer.unref();
    tick();
  }

  /** Ends what `start` began. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** What was spent of each cap; undefined before the device joined. */
  async ledger(): Promise<LedgerView | undefined> {
    let view: LedgerView | undefined;
    await this.#store.transact((state) => {
      if (state) view = guarded(() => this.#wasm.ledger(state, this.#now())) as LedgerView;
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
    return guarded(() => this.#wasm.parseReport(report)) as ReportView;
  }

  /** Wipes sketches, secret, ledger and outbox. With consent the device joins anew, as one that never was. */
  async purge(): Promise<void> {
    this.#wasm.purge();
    await this.#store.purge();
    if (this.#consent === "granted") await this.#join();
  }

  async #join(): Promise<void> {
    await this.#store.transact((state) => ({ state: guarded(() => this.#wasm.join(state, this.#now())) }));
  }

  async #answerNext(): Promise<Answer | undefined> {
    let made: Answer | undefined;
    const now = this.#now();
    await this.#store.transact((stored: StateBytes) => {
      // Wiped, perhaps from another tab: only consent given again makes a new device.
      if (!stored) return undefined;
      const state = guarded(() => this.#wasm.join(stored, now));
      const window = guarded(() => this.#wasm.due(state, now));
      if (window === undefined) return undefined;
      const answer = this.#quietly("refusedAnswers", () => this.#wasm.answer(state, window, now));
      if (!answer) return undefined;
      const { state: after, ...rest } = answer as Answer & { state: Uint8Array };
      made = rest;
      return { state: after, report: { bytes: rest.report, createdSecs: Math.floor(now) } };
    });
    return made;
  }

  #run(session: InferenceSession, feeds: Tensors, options: RunOptions | undefined): Tensors {
    if (this.#consent !== "granted") return tensors(guarded(() => session.wasm.run(feeds)));
    return tensors(guarded(() => this.#wasm.run(session.wasm, feeds, keys(options), this.#now())));
  }

  async #runForeign(session: SessionLike<object, object>, feeds: object, options: RunOptions | undefined): Promise<object> {
    const started = performance.now();
    let results: object;
    try {
      results = await session.run(feeds);
    } catch (error) {
      const latencyMs = performance.now() - started;
      this.#quietly("malformedRecords", () => {
        this.observe({ inputs: { ...feeds }, latencyMs, failed: true });
      });
      throw error;
    }
    const latencyMs = performance.now() - started;
    this.#quietly("malformedRecords", () => {
      const [key] = keys(options);
      this.observe({ inputs: { ...feeds }, outputs: { ...results }, latencyMs }, key === undefined ? {} : { key });
    });
    return results;
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

/** Plain JavaScript callers get a clear error for what a type would have told them. */
function checkOptions({ consent, arm = "stable", key }: MonitorOptions): void {
  const invalid = (rule: string) => new DriftglassError("invalid-option", rule);
  if (!["unknown", "granted", "denied"].includes(consent)) throw invalid("consent must be one of: unknown, granted, denied");
  if (!["stable", "canary"].includes(arm)) throw invalid("arm must be one of: stable, canary");
  if (typeof key !== "string" || key === "") throw invalid("key must be the ingest key of the spec");
}

function effective(consent: Consent): Consent {
  const control = typeof navigator === "object" && "globalPrivacyControl" in navigator && navigator.globalPrivacyControl;
  return consent === "unknown" && control === true ? "denied" : consent;
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

function keys(options: RunOptions | undefined): string[] {
  const key = options?.key;
  return key === undefined ? [] : (Array.isArray(key) ? key : [key]).map(String);
}

/** Values by name, with the elements of tensors and typed arrays as lists. */
function values(named: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [name, listed(value)]));
}

function listed(value: unknown): unknown {
  const data = typeof value === "object" && value !== null && "data" in value ? value.data : value;
  return ArrayBuffer.isView(data) ? Array.from(data as unknown as ArrayLike<number | bigint>, Number) : data;
}
