import { Device } from "../device/device.js";
import type { DeviceStatus } from "../device/status.js";
import { MemoryStore } from "../device/store/memory.js";
import type { Store } from "../device/store/store.js";
import { DriftglassError, guarded } from "../errors.js";
import type { Calls, Created, DeviceSettings, Direct, Id, Loaded, ModelShape, Note, WasmPlaces } from "../protocol.js";
import { tensors, type Tensors } from "../tensor.js";
import type { Answer, Consent, FlushResult, InputMetadata, LedgerView, ListedReport, ProfileView, ReportView } from "../types.js";
import type { Engine, FullGlue, FullMonitor, Glue, WasmSession } from "../wasm/engine.js";
import type { Loader } from "../wasm/load.js";
import { check } from "./check.js";
import { Clock } from "./clock.js";

/** What a host needs of its runtime. */
export interface Platform {
  readonly core: Loader<Glue>;
  readonly full: Loader<FullGlue>;
  /** The runtime's own store for an app. */
  store(app: string): Store;
}

interface Hosted {
  readonly device: Device;
  readonly clock: Clock;
  readonly engine: Engine;
  readonly spec: string;
}

/** Keeps devices and sessions by id, and does what pages ask. Knows nothing of threads: a link brings the calls. */
export class Host implements Calls {
  readonly #platform: Platform;
  readonly #devices = new Map<Id, Hosted>();
  readonly #sessions = new Map<Id, WasmSession>();
  #last: Id = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  note(note: Note): void {
    const hosted = this.#devices.get(note.device);
    if (!hosted) return;
    const { device, clock } = hosted;
    if (note.kind === "observe") clock.at(note.secs, () => device.observe(note.record, note.key));
    else if (note.kind === "outcome") clock.at(note.secs, () => device.outcome(note.key, note.value));
    else clock.tell(note.secs);
  }

  async create(settings: DeviceSettings, direct: Direct = {}): Promise<Created> {
    check(settings);
    const { full, core } = this.#platform;
    // Sessions and the devices that watch them share one module.
    const engine: Engine = full.started ? await full.started : await core.load(settings.wasm.core);
    const clock = new Clock(direct.now ?? settings.secs ?? (() => Date.now() / 1000));
    const store = direct.store ?? (settings.store === "memory" ? new MemoryStore() : this.#platform.store(app(settings.spec)));
    const device = await Device.create(engine.glue, { ...settings, ...direct, store, now: clock.now });
    const id = (this.#last += 1);
    this.#devices.set(id, { device, clock, engine, spec: settings.spec });
    return { device: id, specId: device.specId, flavour: engine.flavour, wasm: engine.source };
  }

  async setConsent(device: Id, consent: Consent): Promise<void> {
    await this.#device(device).setConsent(consent);
  }

  async inspect(device: Id, window: number | undefined): Promise<ProfileView> {
    return this.#device(device).inspect(window);
  }

  async ledger(device: Id): Promise<LedgerView | undefined> {
    return this.#device(device).ledger();
  }

  async status(device: Id): Promise<DeviceStatus> {
    return this.#device(device).status();
  }

  async close(device: Id): Promise<Answer[]> {
    return this.#device(device).close();
  }

  async reports(device: Id): Promise<ListedReport[]> {
    return this.#device(device).reports();
  }

  async flush(device: Id, force: boolean): Promise<FlushResult> {
    return this.#device(device).flush(force);
  }

  async hidden(device: Id): Promise<void> {
    await this.#device(device).hidden();
  }

  async start(device: Id, intervalMs: number): Promise<void> {
    this.#device(device).start(intervalMs);
  }

  async stop(device: Id): Promise<void> {
    this.#device(device).stop();
  }

  async parseReport(device: Id, report: Uint8Array): Promise<ReportView> {
    return this.#device(device).parseReport(report);
  }

  async purge(device: Id): Promise<void> {
    await this.#device(device).purge();
  }

  async dispose(device: Id): Promise<void> {
    await this.#device(device).dispose();
    this.#devices.delete(device);
  }

  async admit(device: Id, model: ModelShape): Promise<void> {
    this.#device(device).admit(model);
  }

  async admitSession(device: Id, session: Id): Promise<boolean> {
    const { device: by, engine, spec } = this.#hosted(device);
    const wasm = this.#session(session);
    if (engine.flavour === "full") {
      guarded(() => (by.wasm as FullMonitor).admitSession(wasm));
      return true;
    }
    // The device was made before the first session, in the core module: one of the full module reads its spec.
    const { glue } = await this.#platform.full.load(undefined);
    const reader = guarded(() => new glue.WasmMonitor(spec, by.segment, false));
    try {
      guarded(() => reader.admitSession(wasm));
    } finally {
      reader.free();
    }
    return false;
  }

  async load(model: Uint8Array | string, wasm: WasmPlaces): Promise<Loaded> {
    const { glue } = await this.#platform.full.load(wasm.full);
    const bytes = typeof model === "string" ? await fetched(model) : model;
    const session = guarded(() => new glue.WasmSession(bytes));
    const id = (this.#last += 1);
    this.#sessions.set(id, session);
    const { sha256, inputNames, outputNames } = session;
    const inputMetadata = session.inputMetadata as InputMetadata[];
    return { session: id, sha256, inputNames, outputNames, inputMetadata };
  }

  async run(session: Id, feeds: Tensors): Promise<Tensors> {
    const wasm = this.#session(session);
    return tensors(guarded(() => wasm.run(feeds)));
  }

  async runWatched(device: Id, session: Id, feeds: Tensors, keys: readonly string[]): Promise<Tensors> {
    const wasm = this.#session(session);
    return tensors(this.#device(device).run(wasm, feeds, keys));
  }

  async release(session: Id): Promise<void> {
    this.#session(session).free();
    this.#sessions.delete(session);
  }

  #hosted(id: Id): Hosted {
    const hosted = this.#devices.get(id);
    if (!hosted) throw new DriftglassError("disposed", "This monitor was disposed of.");
    return hosted;
  }

  #device(id: Id): Device {
    return this.#hosted(id).device;
  }

  #session(id: Id): WasmSession {
    const session = this.#sessions.get(id);
    if (!session) throw new DriftglassError("disposed", "This session was released.");
    return session;
  }
}

/** The app that a spec is of; a spec without one is refused by the module. */
function app(spec: string): string {
  try {
    return String((JSON.parse(spec) as { app?: unknown }).app);
  } catch {
    return "";
  }
}

async function fetched(url: string): Promise<Uint8Array> {
  const unavailable = (text: string, cause?: unknown) =>
    new DriftglassError("model-unavailable", `The model could not be fetched from ${url}: ${text}.`, { cause });
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw unavailable(cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (!response.ok) throw unavailable(`the answer was ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
