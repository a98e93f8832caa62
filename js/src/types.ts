/** What applications hand over and get back: plain data, the same in every thread. */
import type { OutboxStatus } from "./device/status.js";
import type { Store } from "./device/store/store.js";
import type { Totals } from "./device/uploads.js";

/** What the person said. Nothing is created before `granted`. */
export type Consent = "unknown" | "granted" | "denied";

/** A build of the module: `core` watches, `full` runs models too. */
export type Flavour = "core" | "full";

/** How a module came: fetched from an address, from the package's own inline copy, handed over, or read from disk. */
export type WasmSource = "url" | "inline" | "module" | "file";

/** A module, or where it is. */
export type WasmInput = URL | string | WebAssembly.Module | ArrayBuffer | ArrayBufferView;

/** Where the modules are, for builds that move them. */
export interface WasmOptions {
  /** `core.wasm` of this package: watches. */
  readonly core?: WasmInput;
  /** `full.wasm` of this package: watches and runs models. */
  readonly full?: WasmInput;
}

/** The parts of a `Worker` that are used. */
export interface WorkerLike {
  /** As `Worker.postMessage`. */
  postMessage(message: any, transfer: any[]): void;
  /** Of `message` and `error` events. */
  addEventListener(type: string, heard: (event: any) => void): void;
  /** Takes a listener back. */
  removeEventListener(type: string, heard: (event: any) => void): void;
  /** Ends the worker. */
  terminate(): void;
}

/** Where a monitor or a session lives. */
export interface HostOptions {
  /**
   * `worker`, the default on pages: observing costs the page a message, all else happens in a worker. `main`, the default elsewhere: everything happens in
   * the calling thread.
   */
  readonly thread?: "worker" | "main";
  /** Where the modules are, if a build moved them. */
  readonly wasm?: WasmOptions;
  /**
   * Makes the worker, for pages whose policy lets only them: `() => new Worker(url, { type: "module" })`, where the worker imports `driftglass/worker`. Give the
   * same function everywhere, since what shares it shares a worker.
   */
  readonly createWorker?: () => WorkerLike;
}

/** How to watch. */
export interface MonitorOptions extends HostOptions {
  /** The monitor spec: the parsed `pkg-config.json`, or its text. */
  readonly spec: object | string;
  /** The write-only ingest key of the spec; not a secret. */
  readonly key: string;
  /**
   * Where state and outbox are kept. The runtime's own if absent: IndexedDB in browsers, a file on Node, Deno and Bun. `"memory"` forgets with the page. An object
   * needs `thread: "main"`.
   */
  readonly store?: Store | "memory";
  /** What the person said. Where Global Privacy Control is set, `unknown` counts as `denied`. */
  readonly consent: Consent;
  /** Where reports are posted; the spec's endpoint if absent. */
  readonly endpoint?: string;
  /** A segment that the spec declares; its first if absent. */
  readonly segment?: string;
  /** Which release of the model runs; `stable` if absent. */
  readonly arm?: "stable" | "canary";
  /** Unix seconds; the system's clock if absent. */
  readonly now?: () => number;
  /** Sends requests; the runtime's `fetch` if absent. Needs `thread: "main"`. */
  readonly fetch?: typeof fetch;
}

/** How a monitor is doing. */
export interface Status {
  /** What the person said, after Global Privacy Control. */
  readonly consent: Consent;
  /** Where the monitor lives. */
  readonly thread: "worker" | "main";
  /** The module that it is in. */
  readonly flavour: Flavour;
  /** How that module came. */
  readonly wasm: WasmSource;
  /** Failures that were kept from the application. */
  readonly counters: Counters;
  /** What waits to be sent. */
  readonly outbox: OutboxStatus;
  /** What became of all reports so far; of this process alone if the store keeps no record. */
  readonly totals: Totals;
}

/** Values of one inference, by name: a value or a list of them. */
export interface ObservedRecord {
  /** What the model was given. */
  readonly inputs?: Record<string, unknown>;
  /** What it gave. */
  readonly outputs?: Record<string, unknown>;
  /** How long it took. */
  readonly latencyMs?: number;
  /** Whether the inference failed; `false` if absent. */
  readonly failed?: boolean;
}

/** A question that a device was asked. */
export interface AskedQuestion {
  /** Its place in the spec. */
  readonly index: number;
  /** As the spec names it. */
  readonly name: string;
  /** The metric that it is about. */
  readonly metric: string;
  /** What kind of question it is, as in the spec. */
  readonly kind: string;
}

/** A report as only the device sees it. */
export interface Answer {
  /** The window that it is about. */
  readonly window: number;
  /** The question that was asked. */
  readonly question: AskedQuestion;
  /** Names of the symbols, the last being "no data"; none for a question whose answers are not cells. */
  readonly symbols: readonly string[];
  /** The symbol that the report hides. For the device's own pages; never sent. */
  readonly trueSymbol: number;
  /** What it cost, in millionths of ε. */
  readonly epsilonMicronats: number;
  /** Probability that the report supports the true symbol; null for a mechanism that supports none. */
  readonly keepProbability: number | null;
  /** Probability that it supports any other given symbol. */
  readonly falseProbability: number | null;
  /** The bytes that leave. */
  readonly report: Uint8Array;
}

/** The sketch of a metric in one window. */
export interface MetricView {
  /** As the spec names it. */
  readonly name: string;
  /** For people; may be empty. */
  readonly unit: string;
  /** Names of the cells, in order. */
  readonly cells: readonly string[];
  /** Events in each cell. */
  readonly counts: readonly number[];
  /** Events without a value. */
  readonly missing: number;
  /** Events whose value is in no cell. */
  readonly other: number;
  /** All events of the window. */
  readonly events: number;
}

/** The sketches of a window. They stay on the device. */
export interface ProfileView {
  /** Which window. */
  readonly window: number;
  /** In the order of the spec. */
  readonly metrics: readonly MetricView[];
  /** Predictions that wait for their outcome. */
  readonly pending: number;
}

/** What was spent of one cap. */
export interface SpentOfCap {
  /** The period of the cap. */
  readonly periodSecs: number;
  /** Spent in the period that ends now. */
  readonly spentMicronats: number;
  /** The most that was spent in any such period. */
  readonly mostMicronats: number;
  /** The most that may be spent in any such period. */
  readonly capMicronats: number;
}

/** What was spent of each cap in the period that ends now, and the most in any such period, in millionths of ε. */
export interface LedgerView {
  /** The first window that may still be answered. */
  readonly nextWindow: number;
  /** One entry for each cap of the spec. */
  readonly spent: readonly SpentOfCap[];
}

/** A field of a report. */
export interface ReportField {
  /** As `docs/report-format.md` names it. */
  readonly name: string;
  /** Its first byte. */
  readonly offset: number;
  /** Its bytes. */
  readonly length: number;
}

/** A report taken apart. */
export interface ReportView {
  /** The spec that it was made under. */
  readonly specId: string;
  /** The release of the model that ran. */
  readonly arm: "stable" | "canary";
  /** The window that it is about. */
  readonly window: number;
  /** Index of the question in the spec. */
  readonly question: number;
  /** Index of the segment in the spec. */
  readonly segment: number;
  /** The symbols that the report supports; none for a mechanism that supports none. */
  readonly symbols: readonly number[];
  /** Where each field is in the bytes. */
  readonly fields: readonly ReportField[];
}

/** A report of this device. */
export interface ListedReport {
  /** The bytes that leave. */
  readonly bytes: Uint8Array;
  /** When it was made, in Unix seconds. */
  readonly createdSecs: number;
  /** Whether it waits to be sent. If not, it was sent, or given up; `totals` of {@link Monitor.status} count those. */
  readonly waiting: boolean;
}

/** Failures that were kept from the application. */
export interface Counters {
  /** Records and outcomes that could not be read. */
  malformedRecords: number;
  /** Outcomes whose prediction does not wait: never made, made too long ago, or known already. */
  unknownOutcomes: number;
  /** Windows that were not answered: a cap was reached, or the platform gave no entropy. */
  refusedAnswers: number;
}

/** What one body was answered. */
export interface UploadAnswer {
  /** HTTP status; undefined for a network error. */
  readonly status: number | undefined;
  /** The answer's JSON, if it had any. */
  readonly body: unknown;
}

/** What a flush did. */
export interface FlushResult {
  /** Reports sent. */
  sent: number;
  /** Reports that the centre counted. */
  accepted: number;
  /** Reports that it had counted before. */
  duplicate: number;
  /** Reports whose window was closed already. */
  late: number;
  /** Reports whose window, by its clock, is not over. */
  early: number;
  /** Reports that it will never take. */
  rejected: number;
  /** Reports that stay in the outbox, to be sent again as they are. */
  waiting: number;
  /** What each body was answered. */
  answers: UploadAnswer[];
}

/** Names and dimensions of inputs, null for a dimension that the caller chooses. */
export type InputShapes = readonly (readonly [name: string, dims: readonly (number | null)[]])[];

/** What the monitor must know of a model that another runtime runs. */
export interface ForeignModel {
  /** SHA-256 of the model file, in hexadecimal. */
  readonly sha256: string;
  /** Its inputs. Sessions of onnxruntime-web, TF.js models and pipelines of transformers.js tell them; functions do not. */
  readonly inputs?: InputShapes;
  /** Names of its outputs; told by the same. */
  readonly outputs?: readonly string[];
  /** How a call is read: needed for a function whose arguments or result are not values by name. */
  readonly read?: {
    /** Values of the arguments, by name. */
    inputs?(...args: never[]): Record<string, unknown>;
    /** Values of the result, by name. */
    outputs?(result: never): Record<string, unknown>;
  };
  /** Names the prediction of a call, for a target that takes no `{ key }` of its own. */
  readonly key?: (args: readonly never[], result: never) => string | readonly string[] | undefined;
}

/** How a call is joined with what turns out to be true. */
export interface RunOptions {
  /** Names this prediction, so that `monitor.outcome(key, value)` finds it. A list names the rows of a batch. */
  readonly key?: string | readonly string[];
}

/** A session whose `run` takes a key among its options. */
export interface WatchedSession<Feeds, Results> {
  /** Runs the model, and tells the monitor what it saw. */
  run(feeds: Feeds, options?: RunOptions & object): Promise<Results>;
  /** The same, with what onnxruntime-web takes second. */
  run(feeds: Feeds, fetches: object, options?: RunOptions & object): Promise<Results>;
}

/** Anything that runs feeds. */
interface Runs<Feeds, Results> {
  run(feeds: Feeds, ...rest: never[]): Promise<Results>;
}

/** What `monitor.wrap` makes of a target: the target, and for a session one whose `run` takes a key besides. */
export type Watched<Target> = Target extends Runs<infer Feeds, infer Results>
  ? Target & WatchedSession<Feeds, Results>
  : Target;

/** What is known of an input of a model. */
export interface InputMetadata {
  /** Name of the input. */
  readonly name: string;
  /** As in onnxruntime-web; every input is one. */
  readonly isTensor: true;
  /** Element type. */
  readonly type: string;
  /** Dimensions; a text names one that the caller chooses. */
  readonly shape: readonly (number | string)[];
}
