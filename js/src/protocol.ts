/**
 * What a page and a host say to each other. All of it can be cloned into another thread, but for what {@link Direct} names.
 *
 * A call is answered once. A note is never answered; notes and calls arrive in the order in which they were sent.
 */
import type { DeviceStatus } from "./device/status.js";
import type { Store } from "./device/store/store.js";
import type { ErrorCode } from "./errors.js";
import type { Tensors } from "./tensor.js";
import type {
  Answer, Consent, FlushResult, Flavour, InputMetadata, LedgerView, ListedReport, ObservedRecord, ProfileView, ReportView, WasmInput, WasmSource,
} from "./types.js";

/** A device or a session of a host. */
export type Id = number;

/** Where the modules are, as far as the page knows. Addresses are absolute: a host may have no base of its own. */
export type WasmPlaces = { readonly [flavour in Flavour]?: WasmInput };

/** What a device is made of. */
export interface DeviceSettings {
  /** The spec's text. */
  readonly spec: string;
  readonly key: string;
  readonly consent: Consent;
  readonly endpoint?: string;
  readonly segment?: string;
  readonly arm?: "stable" | "canary";
  readonly store?: "memory";
  /** What the page asked for; where the host is, it knows itself. */
  readonly thread?: "worker" | "main";
  /** What time it is, in Unix seconds, on a page with a clock of its own; it tells the time again with each note. */
  readonly secs?: number;
  readonly wasm: WasmPlaces;
}

/** What only a host in the page's own thread can be given. */
export interface Direct {
  readonly store?: Store;
  readonly fetch?: typeof fetch;
  readonly now?: () => number;
}

/** A device that was made. */
export interface Created {
  readonly device: Id;
  readonly specId: string;
  readonly flavour: Flavour;
  readonly wasm: WasmSource;
}

/** A model that was loaded. */
export interface Loaded {
  readonly session: Id;
  readonly sha256: string;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly inputMetadata: readonly InputMetadata[];
}

/** What a spec is asked to admit. */
export interface ModelShape {
  readonly sha256: string;
  readonly inputs: readonly (readonly [name: string, dims: readonly (number | null)[]])[];
  readonly outputs: readonly string[];
}

/** Everything that is answered. */
export interface Calls {
  create(settings: DeviceSettings, direct?: Direct): Promise<Created>;
  setConsent(device: Id, consent: Consent): Promise<void>;
  inspect(device: Id, window: number | undefined): Promise<ProfileView>;
  ledger(device: Id): Promise<LedgerView | undefined>;
  status(device: Id): Promise<DeviceStatus>;
  close(device: Id): Promise<Answer[]>;
  reports(device: Id): Promise<ListedReport[]>;
  flush(device: Id, force: boolean): Promise<FlushResult>;
  /** The page may be about to go. */
  hidden(device: Id): Promise<void>;
  start(device: Id, intervalMs: number): Promise<void>;
  stop(device: Id): Promise<void>;
  parseReport(device: Id, report: Uint8Array): Promise<ReportView>;
  purge(device: Id): Promise<void>;
  dispose(device: Id): Promise<void>;
  admit(device: Id, model: ModelShape): Promise<void>;
  /** Refuses a model that the spec does not admit. True if the session and the device share a module, so that the device can run it itself. */
  admitSession(device: Id, session: Id): Promise<boolean>;
  load(model: Uint8Array | string, wasm: WasmPlaces): Promise<Loaded>;
  run(session: Id, feeds: Tensors): Promise<Tensors>;
  runWatched(device: Id, session: Id, feeds: Tensors, keys: readonly string[]): Promise<Tensors>;
  release(session: Id): Promise<void>;
}

/** Something that happened on the page. `secs` is the page's clock. */
export type Note =
  | { readonly kind: "observe"; readonly device: Id; readonly secs: number; readonly record: ObservedRecord; readonly key?: string | undefined }
  | { readonly kind: "outcome"; readonly device: Id; readonly secs: number; readonly key: string; readonly value: string | number | boolean }
  | { readonly kind: "clock"; readonly device: Id; readonly secs: number };

/** From page to host. */
export type ToHost =
  | { readonly notes: readonly Note[] }
  | { readonly call: number; readonly name: keyof Calls; readonly args: readonly unknown[] };

/** From host to page. */
export type FromHost =
  /** Once, when the host listens; names the build it is of. */
  | { readonly ready: string }
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly error: PlainError };

/** An error as it crosses threads. */
export interface PlainError {
  /** Undefined for an error that is none of ours. */
  readonly code: ErrorCode | undefined;
  readonly message: string;
}
