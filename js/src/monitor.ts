import { effective } from "./device/consent.js";
import { onHidden } from "./device/lifecycle.js";
import { DriftglassError } from "./errors.js";
import type { Link } from "./link/link.js";
import { lease, type Lease } from "./link/links.js";
import { settings } from "./options.js";
import type { Calls, Created, DeviceSettings, Direct, Id } from "./protocol.js";
import { runtime } from "./runtime.js";
import { InferenceSession } from "./session.js";
import type { Tensors } from "./tensor.js";
import type {
  Answer, Consent, FlushResult, ForeignModel, LedgerView, ListedReport, MonitorOptions, ObservedRecord, ProfileView, ReportView, RunOptions, Status, Watched,
} from "./types.js";

/**
 * Watches a model: counts what it sees, and once a window answers one question about it under noise.
 *
 * Monitoring never breaks the host: once a monitor exists, its failures are counted in {@link Monitor.status} and not thrown, and a call of a watched model fails
 * only if the model does.
 */
export class Monitor {
  readonly #lease: Lease;
  readonly #created: Created;
  readonly #now: (() => number) | undefined;
  readonly #unwatchPage: () => void;
  readonly #spec: () => object;
  #consent: Consent;
  #clock: ReturnType<typeof setInterval> | undefined;

  private constructor(lease: Lease, created: Created, { now, consent, spec }: MonitorOptions) {
    this.#lease = lease;
    this.#created = created;
    this.#now = now;
    this.#spec = () => (typeof spec === "string" ? (JSON.parse(spec) as object) : spec);
    this.#consent = effective(consent);
    this.#unwatchPage = onHidden(() => void this.#call("hidden").catch(() => undefined));
  }

  /**
   * Makes a monitor. With consent the device joins, that is it makes its secret and its ledger, unless it has them; after a denial it
   * wipes what there is.
   *
   * @throws DriftglassError `invalid-option`, `invalid-spec`, `unknown-segment`, `wasm-unavailable`, `wasm-forbidden`, `worker-unavailable`, `store-failed`,
   * `unreadable-state`, `foreign-state`
   */
  static async create(options: MonitorOptions): Promise<Monitor> {
    const leased = await lease(options);
    try {
      const [plain, direct] = settings(options, leased.link);
      return new Monitor(leased, await created(leased.link, plain, direct), options);
    } catch (error) {
      leased.release();
      throw error;
    }
  }

  /** Hash of the measured part of the spec. */
  get specId(): string {
    return this.#created.specId;
  }

  /** What the person said, after Global Privacy Control. */
  get consent(): Consent {
    return this.#consent;
  }

  /** Where the monitor lives. */
  get thread(): "worker" | "main" {
    return this.#lease.link.thread;
  }

  /** Takes a new word from the person. `denied` wipes everything. */
  async setConsent(consent: Consent): Promise<void> {
    this.#consent = effective(consent);
    await this.#call("setConsent", this.#consent);
  }

  /**
   * Counts values by hand: what {@link Monitor.wrap} does for each call of a model. Never throws and never waits.
   *
   * @param record values by name; arrays in it may be changed afterwards
   * @param options a key names the prediction, so that {@link Monitor.outcome} finds it
   */
  observe(record: ObservedRecord, options: { readonly key?: string } = {}): void {
    if (this.#consent !== "granted") return;
    this.#lease.link.note({ kind: "observe", device: this.#created.device, secs: this.#secs(), record, key: options.key });
  }

  /**
   * Tells what turned out to be true.
   *
   * @param key the key of the prediction
   * @param value a label of the outcome's metric, its index, or a number
   */
  outcome(key: string, value: string | number | boolean): void {
    if (this.#consent !== "granted") return;
    this.#lease.link.note({ kind: "outcome", device: this.#created.device, secs: this.#secs(), key, value });
  }

  /**
   * Watches a session of this package or of onnxruntime-web, a TF.js model, a pipeline of transformers.js, or any function. What comes back is called like the
   * target and has all of its members; a `key` among the options of a call names the prediction.
   *
   * @param model for anything but a session of this package: what its model is
   * @throws DriftglassError `model-refused` when the spec does not admit the model
   */
  async wrap<Target extends object>(target: Target, model?: ForeignModel): Promise<Watched<Target>> {
    const { link } = this.#lease;
    const { device } = this.#created;
    const { shapeOf, twin, watched } = await import("./adapters/index.js");
    if (target instanceof InferenceSession) {
      if (target.link !== link) throw new DriftglassError("invalid-option", "A session and its monitor need the same thread and createWorker options.");
      const inside = await link.call("admitSession", device, target.id);
      const run = ([feeds, ...rest]: readonly unknown[]) => {
        this.#tell();
        return target.runWatched(device, feeds as Tensors, rest.at(-1) as RunOptions | undefined);
      };
      if (inside) return twin(target, { run }) as Watched<Target>;
    } else {
      if (!model) throw new DriftglassError("model-refused", "A model of another runtime needs at least { sha256 }.");
      await link.call("admit", device, shapeOf(target, model));
    }
    const watching = {
      spec: this.#spec(),
      model: model ?? (target as InferenceSession),
      active: () => this.#consent === "granted",
      seen: (record: ObservedRecord, key: string | undefined) => this.observe(record, key === undefined ? {} : { key }),
    };
    return watched(target, watching) as Watched<Target>;
  }

  /** The sketches of a window, the current one if none is named. For pages on this device. */
  inspect(window?: number): Promise<ProfileView> {
    return this.#call("inspect", window);
  }

  /** What was spent of each cap; undefined before the device joined. */
  ledger(): Promise<LedgerView | undefined> {
    return this.#call("ledger");
  }

  /** How the monitor is doing. */
  async status(): Promise<Status> {
    const device = await this.#call("status");
    const { flavour, wasm } = this.#created;
    return { consent: this.#consent, thread: this.thread, flavour, wasm, ...device };
  }

  /**
   * Answers every window that is over: for each, one transaction debits the ledger and puts the report into the outbox.
   *
   * @throws DriftglassError `store-failed`, `unreadable-state`, `foreign-state`
   */
  close(): Promise<Answer[]> {
    return this.#call("close");
  }

  /**
   * Sends what waits in the outbox, as long as there is consent. A retry sends the same bytes. After an attempt that failed, nothing is sent for a while, which
   * restarts and other tabs know too.
   *
   * @param options `force` sends at once: for a button that a person presses
   * @throws DriftglassError `store-failed`
   */
  flush({ force = false }: { readonly force?: boolean } = {}): Promise<FlushResult> {
    return this.#call("flush", force);
  }

  /**
   * The reports of this device: all that wait, and the latest of those made since the page was opened that do not, oldest first. For pages that show people what
   * is sent.
   */
  reports(): Promise<ListedReport[]> {
    return this.#call("reports");
  }

  /** Closes and flushes now and then until stopped. */
  start(intervalMs = 60_000): void {
    this.stop();
    void this.#call("start", intervalMs).catch(() => undefined);
    // The host has no other way to know what time it is on a page with a clock of its own.
    if (!this.#now) return;
    this.#clock = setInterval(() => this.#tell(), intervalMs);
    if (typeof this.#clock === "object") this.#clock.unref();
  }

  /** Ends what `start` began. */
  stop(): void {
    clearInterval(this.#clock);
    void this.#call("stop").catch(() => undefined);
  }

  /**
   * Takes a report of this spec apart.
   *
   * @throws DriftglassError `malformed-report`
   */
  parseReport(report: Uint8Array): Promise<ReportView> {
    return this.#call("parseReport", report);
  }

  /** Wipes sketches, secret, ledger and outbox. With consent the device joins anew, as one that never was. */
  purge(): Promise<void> {
    return this.#call("purge");
  }

  /** Ends the monitor and frees its memory; what is stored stays for the next one. The worker ends with the last of its monitors and sessions. */
  async dispose(): Promise<void> {
    clearInterval(this.#clock);
    this.#unwatchPage();
    await this.#call("dispose");
    this.#lease.release();
  }

  #call<Name extends DeviceCall>(name: Name, ...rest: Rest<Name>): ReturnType<Calls[Name]> {
    this.#tell();
    const args = [this.#created.device, ...rest] as unknown as Parameters<Calls[Name]>;
    return this.#lease.link.call(name, ...args);
  }

  /** Tells the host the page's time, if the page has a clock of its own. */
  #tell(): void {
    if (this.#now) this.#lease.link.note({ kind: "clock", device: this.#created.device, secs: this.#now() });
  }

  #secs(): number {
    return this.#now?.() ?? Date.now() / 1000;
  }
}

/** Calls about a device, and what they take besides. */
type DeviceCall = { [Name in keyof Calls]: Parameters<Calls[Name]> extends [Id, ...unknown[]] ? Name : never }[keyof Calls];
type Rest<Name extends DeviceCall> = Parameters<Calls[Name]> extends [Id, ...infer Others] ? Others : never;

/** Makes a device; if the core module cannot be had from its address, with the copy inside the package. */
async function created(link: Link, settings: DeviceSettings, direct: Direct | undefined): Promise<Created> {
  try {
    return await link.call("create", settings, direct);
  } catch (error) {
    const { inline } = runtime();
    if (!inline || (error as DriftglassError).code !== "wasm-unavailable") throw error;
    // Should there be no copy either, the first failure says more.
    const core = (await inline().catch(() => {
      throw error;
    })) as Uint8Array<ArrayBuffer>;
    return link.call("create", { ...settings, wasm: { ...settings.wasm, core } }, direct);
  }
}
