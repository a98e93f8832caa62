/**
 * Drift monitoring for models on people's own devices.
 *
 * @packageDocumentation
 */
/** What became of the reports of a device, and when the next may be sent. Kept in the store, so that restarts and other tabs know it. */
/** Reports by what became of them. */
export interface Totals {
    /** Reports that the centre answered for. */
    readonly sent: number;
    /** Reports that the centre counted. */
    readonly accepted: number;
    /** Reports that it had counted before. */
    readonly duplicate: number;
    /** Reports whose window was closed already. */
    readonly late: number;
    /** Reports whose window, by its clock, was not over. */
    readonly early: number;
    /** Sent, and refused by the centre. */
    readonly rejected: number;
    /** Reports that were given up, by reason. */
    readonly dropped: Dropped;
}
/** Reports that were given up, by cause. */
export interface Dropped {
    /** Too many waited. */
    readonly overCount: number;
    /** Too many bytes waited. */
    readonly overBytes: number;
    /** Too old to be of use. */
    readonly expired: number;
    /** The centre will never take them. */
    readonly refused: number;
}
/** What a device notes of its uploads. */
export interface Uploads {
    /** Attempts in a row that failed. */
    readonly failures: number;
    /** When the next attempt may be, in Unix seconds. */
    readonly nextAttemptSecs: number;
    /** What became of all reports so far. */
    readonly totals: Totals;
}
/** What the centre's answer counted. */
type Receipt = Pick<Totals, "accepted" | "duplicate" | "late" | "early" | "rejected">;
/** Before the first attempt. */
declare const NO_UPLOADS: Uploads;
/** Reports were sent and answered for: the next attempt may be at once. */
declare function delivered(before: Uploads, sent: number, receipt: Receipt, refused: number): Uploads;
/** An attempt failed. */
declare function postponed(before: Uploads, nextAttemptSecs: number): Uploads;
/** Reports were given up unsent. */
declare function gaveUp(before: Uploads, excess: Excess): Uploads;
/** Sequences of the entries that are beyond a cap, by the cap. */
interface Excess {
    readonly overCount: number[];
    readonly overBytes: number[];
    readonly expired: number[];
}
/** What has to go from an outbox, oldest first: what is too old, then what is too many, then what is too much. */
declare function excess(entries: readonly OutboxEntry[], caps: Caps, nowSecs: number): Excess;
/** A report that waits to be sent. */
export interface OutboxEntry {
    /** Grows with each report; never given twice, not even after a purge. */
    readonly sequence: number;
    /** The bytes that leave, the same on every retry. */
    readonly report: Uint8Array;
    /** When it was made, in Unix seconds. */
    readonly createdSecs: number;
}
/** The device state that a transaction reads; undefined if no device has joined. */
export type StateBytes = Uint8Array | undefined;
/** The sketches that a transaction reads; undefined if none are kept. */
export type SketchBytes = Uint8Array | undefined;
/** A report that a transaction puts into the outbox. */
export interface NewReport {
    /** The bytes that leave, the same on every retry. */
    readonly bytes: Uint8Array;
    /** When it was made, in Unix seconds. */
    readonly createdSecs: number;
}
/** What a transaction commits, all or nothing. */
export interface Commit {
    /** The new device state. */
    readonly state: Uint8Array;
    /** The report that the state paid for, if one was made. */
    readonly report?: NewReport;
    /** The new sketches, if they changed. */
    readonly sketches?: Uint8Array;
}
/** Most that may wait in an outbox. What is beyond is dropped, oldest first, and counted. */
export interface Caps {
    /** Most reports that wait. */
    readonly maxReports: number;
    /** Most bytes that wait. */
    readonly maxBytes: number;
    /** Longest time that a report waits. */
    readonly maxAgeSecs: number;
}
/**
 * The caps of the stores of this package; they are for one device. A device answers once in a window, which lasts an hour at least, and the centre takes a
 * report until one window after its end at most. So thirty days of age outlast every report of use but those of windows of weeks, and hold 720 reports
 * of the shortest; a report has some 50 bytes and 4 KiB at most.
 */
declare const DEVICE_CAPS: Caps;
/**
 * Sequence before the first, for a store that begins: from the time, so that none is given again after a purge. What was on its way then must not settle a
 * report that was made since.
 */
declare function firstSequence(): number;
/**
 * Where a device keeps its state, its sketches and its outbox.
 *
 * `transact` runs `change` on the current state and commits what it returns: the new state and the report it paid for, together, or
 * neither. `change` is synchronous and runs inside the open transaction; two transactions never overlap. It may run more than once, and its last run counts.
 * Bytes may be sent only after the promise is fulfilled. If `change` returns nothing, nothing is committed; if it throws, nothing is and the error is passed on.
 *
 * Nothing is created, no database and no file, before `change` returns something to commit. Reading what is not there creates nothing either.
 */
export interface Store {
    /** What the tabs that share this store know it by. With it, one of them sends at a time. */
    readonly name?: string;
    /** None if absent. */
    readonly caps?: Caps;
    /** Runs `change` on what is kept, and commits what it returns. */
    transact(change: (state: StateBytes, sketches?: SketchBytes) => Commit | undefined): Promise<void>;
    /** Up to `limit` waiting reports, oldest first. */
    outbox(limit: number): Promise<OutboxEntry[]>;
    /** Forgets reports that are settled or dropped; a store with `uploads` also commits what `note` makes of those, in the same transaction. */
    remove(sequences: readonly number[], note?: (uploads: Uploads | undefined) => Uploads): Promise<void>;
    /** Wipes everything: afterwards there is no database and no file. */
    purge(): Promise<void>;
    /** What the device notes of its uploads. A store without it forgets at the end of the process when to try again and what was sent. */
    uploads?(): Promise<Uploads | undefined>;
    /**
     * Replaces the sketches of a device that has joined. A store without it keeps none: `transact` never gives any, and a device has
     * its sketches in memory. May be less durable than `transact`.
     */
    saveSketches?(change: (state: StateBytes, sketches?: SketchBytes) => Uint8Array | undefined): Promise<void>;
    /** Calls back when another tab wiped the store; returns what ends that. */
    watch?(wiped: () => void): () => void;
    /** Lets go of connections; the next call opens them again. */
    close?(): void;
}
/** What applications hand over and get back: plain data, the same in every thread. */
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
interface SpentOfCap {
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
export type Watched<Target> = Target extends Runs<infer Feeds, infer Results> ? Target & WatchedSession<Feeds, Results> : Target;
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
/** What waits to be sent. Moments are Unix seconds. */
export interface OutboxStatus {
    /** Reports that wait. */
    readonly waiting: number;
    /** Their bytes together. */
    readonly bytes: number;
    /** When the oldest waiting report was made; undefined if none waits. */
    readonly oldestSecs: number | undefined;
    /** When the next attempt may be, after one that failed; undefined if it may be at once. */
    readonly nextAttemptSecs: number | undefined;
}
/** How a device is doing. */
interface DeviceStatus {
    readonly counters: Readonly<Counters>;
    readonly outbox: OutboxStatus;
    /** What became of all reports so far; of this process alone if the store keeps no record. */
    readonly totals: Totals;
}
/** What a store knows of the uploads. */
declare function uploadStatus(store: Store): Promise<Pick<DeviceStatus, "outbox" | "totals">>;
/** Element types that a tensor can have, named as in onnxruntime-web. */
export type TensorType = "float32" | "float64" | "int32" | "int64" | "uint8" | "bool";
/** Elements of a tensor; `bool` keeps a byte each. */
export type TensorData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;
/** A dense tensor, row by row. */
export declare class Tensor {
    /** Element type. */
    readonly type: TensorType;
    /** Elements, row by row. */
    readonly data: TensorData;
    /** Dimensions. */
    readonly dims: readonly number[];
    /**
     * @param type element type
     * @param data elements, row by row, in the typed array of that type
     * @param dims dimensions; one row of all elements if absent
     */
    constructor(type: TensorType, data: TensorData, dims?: readonly number[]);
}
/** Tensors by name. */
export type Tensors = Record<string, Tensor>;
/** Gives plain tensors their class. */
declare function tensors(plain: object): Tensors;
/**
 * What a page and a host say to each other. All of it can be cloned into another thread, but for what {@link Direct} names.
 *
 * A call is answered once. A note is never answered; notes and calls arrive in the order in which they were sent.
 */
/** A device or a session of a host. */
type Id = number;
/** Where the modules are, as far as the page knows. Addresses are absolute: a host may have no base of its own. */
type WasmPlaces = {
    readonly [flavour in Flavour]?: WasmInput;
};
/** What a device is made of. */
interface DeviceSettings {
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
interface Direct {
    readonly store?: Store;
    readonly fetch?: typeof fetch;
    readonly now?: () => number;
}
/** A device that was made. */
interface Created {
    readonly device: Id;
    readonly specId: string;
    readonly flavour: Flavour;
    readonly wasm: WasmSource;
}
/** A model that was loaded. */
interface Loaded {
    readonly session: Id;
    readonly sha256: string;
    readonly inputNames: readonly string[];
    readonly outputNames: readonly string[];
    readonly inputMetadata: readonly InputMetadata[];
}
/** What a spec is asked to admit. */
interface ModelShape {
    readonly sha256: string;
    readonly inputs: readonly (readonly [name: string, dims: readonly (number | null)[]])[];
    readonly outputs: readonly string[];
}
/** Everything that is answered. */
interface Calls {
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
type Note = {
    readonly kind: "observe";
    readonly device: Id;
    readonly secs: number;
    readonly record: ObservedRecord;
    readonly key?: string | undefined;
} | {
    readonly kind: "outcome";
    readonly device: Id;
    readonly secs: number;
    readonly key: string;
    readonly value: string | number | boolean;
} | {
    readonly kind: "clock";
    readonly device: Id;
    readonly secs: number;
};
/** From page to host. */
type ToHost = {
    readonly notes: readonly Note[];
} | {
    readonly call: number;
    readonly name: keyof Calls;
    readonly args: readonly unknown[];
};
/** From host to page. */
type FromHost = 
/** Once, when the host listens; names the build it is of. */
{
    readonly ready: string;
} | {
    readonly answer: number;
    readonly value: unknown;
} | {
    readonly answer: number;
    readonly error: PlainError;
};
/** An error as it crosses threads. */
interface PlainError {
    /** Undefined for an error that is none of ours. */
    readonly code: ErrorCode | undefined;
    readonly message: string;
}
/** What can go wrong, as a stable word that code can branch on. */
export type ErrorCode = "invalid-option" | "invalid-spec" | "unknown-segment" | "unreadable-state" | "foreign-state" | "unreadable-sketches" | "no-entropy" | "model-refused" | "malformed-model" | "model-unusable" | "model-unavailable" | "input-refused" | "inference-failed" | "malformed-record" | "malformed-report" | "not-due" | "budget-spent" | "ledger-refused" | "no-consent" | "wasm-unavailable" | "wasm-forbidden" | "worker-unavailable" | "disposed" | "store-failed";
/** The one error class. The message names limits and what to do, never an observed value. */
export declare class DriftglassError extends Error {
    /** What happened, as a stable word. */
    readonly code: ErrorCode;
    constructor(code: ErrorCode, message: string, options?: ErrorOptions);
}
/** Runs a call into the module and gives its errors their class. */
declare function guarded<T>(call: () => T): T;
/** An error of another bundle of this package, as the class of this one; any other as it is. */
declare function revived(error: unknown): unknown;
/** What crosses threads of an error. */
declare function plain(error: unknown): PlainError;
/** An error that came from another thread. */
declare function crossed({ code, message }: PlainError): Error;
/**
 * Watches a model: counts what it sees, and once a window answers one question about it under noise.
 *
 * Monitoring never breaks the host: once a monitor exists, its failures are counted in {@link Monitor.status} and not thrown, and a call of a watched model fails
 * only if the model does.
 */
export declare class Monitor {
    #private;
    private constructor();
    /**
     * Makes a monitor. With consent the device joins, that is it makes its secret and its ledger, unless it has them; after a denial it
     * wipes what there is.
     *
     * @throws DriftglassError `invalid-option`, `invalid-spec`, `unknown-segment`, `wasm-unavailable`, `wasm-forbidden`, `worker-unavailable`, `store-failed`,
     * `unreadable-state`, `foreign-state`
     */
    static create(options: MonitorOptions): Promise<Monitor>;
    /** Hash of the measured part of the spec. */
    get specId(): string;
    /** What the person said, after Global Privacy Control. */
    get consent(): Consent;
    /** Where the monitor lives. */
    get thread(): "worker" | "main";
    /** Takes a new word from the person. `denied` wipes everything. */
    setConsent(consent: Consent): Promise<void>;
    /**
     * Counts values by hand: what {@link Monitor.wrap} does for each call of a model. Never throws and never waits.
     *
     * @param record values by name; arrays in it may be changed afterwards
     * @param options a key names the prediction, so that {@link Monitor.outcome} finds it
     */
    observe(record: ObservedRecord, options?: {
        readonly key?: string;
    }): void;
    /**
     * Tells what turned out to be true.
     *
     * @param key the key of the prediction
     * @param value a label of the outcome's metric, its index, or a number
     */
    outcome(key: string, value: string | number | boolean): void;
    /**
     * Watches a session of this package or of onnxruntime-web, a TF.js model, a pipeline of transformers.js, or any function. What comes back is called like the
     * target and has all of its members; a `key` among the options of a call names the prediction.
     *
     * @param model for anything but a session of this package: what its model is
     * @throws DriftglassError `model-refused` when the spec does not admit the model
     */
    wrap<Target extends object>(target: Target, model?: ForeignModel): Promise<Watched<Target>>;
    /** The sketches of a window, the current one if none is named. For pages on this device. */
    inspect(window?: number): Promise<ProfileView>;
    /** What was spent of each cap; undefined before the device joined. */
    ledger(): Promise<LedgerView | undefined>;
    /** How the monitor is doing. */
    status(): Promise<Status>;
    /**
     * Answers every window that is over: for each, one transaction debits the ledger and puts the report into the outbox.
     *
     * @throws DriftglassError `store-failed`, `unreadable-state`, `foreign-state`
     */
    close(): Promise<Answer[]>;
    /**
     * Sends what waits in the outbox, as long as there is consent. A retry sends the same bytes. After an attempt that failed, nothing is sent for a while, which
     * restarts and other tabs know too.
     *
     * @param options `force` sends at once: for a button that a person presses
     * @throws DriftglassError `store-failed`
     */
    flush({ force }?: {
        readonly force?: boolean;
    }): Promise<FlushResult>;
    /**
     * The reports of this device: all that wait, and the latest of those made since the page was opened that do not, oldest first. For pages that show people what
     * is sent.
     */
    reports(): Promise<ListedReport[]>;
    /** Closes and flushes now and then until stopped. */
    start(intervalMs?: number): void;
    /** Ends what `start` began. */
    stop(): void;
    /**
     * Takes a report of this spec apart.
     *
     * @throws DriftglassError `malformed-report`
     */
    parseReport(report: Uint8Array): Promise<ReportView>;
    /** Wipes sketches, secret, ledger and outbox. With consent the device joins anew, as one that never was. */
    purge(): Promise<void>;
    /** Ends the monitor and frees its memory; what is stored stays for the next one. The worker ends with the last of its monitors and sessions. */
    dispose(): Promise<void>;
}
/** The stored reference of a spec, as `driftglass spec add --reference` reads it. */
export interface Reference {
    /** The spec that the profiles were made under. */
    readonly spec_id: string;
    /** Where it comes from, for people. */
    readonly lineage: Record<string, unknown>;
    /** By name of the question. */
    readonly questions: Record<string, QuestionReference>;
}
/** Shares of a question's cells, averaged over device-windows with data, with the covariance of that average. */
export interface QuestionReference {
    /** How many device-windows with data they are averaged over. */
    readonly device_windows: number;
    /** Average share of each cell. */
    readonly shares: number[];
    /** Covariance of these averages. */
    readonly covariance: number[][];
}
/**
 * Averages profiles of your own data into a reference.
 *
 * For data that may be looked at, such as a training set, cut by device and window as the fleet's will be. Each device-window has one vote, as it has in the
 * reports: a question asks for one event drawn uniformly from the window.
 *
 * @param spec the monitor spec
 * @param specId its id, `monitor.specId`
 * @param profiles one per device-window, from `monitor.inspect`
 * @param lineage where the data come from
 */
export declare function referenceOf(spec: object, specId: string, profiles: Iterable<ProfileView>, lineage: Record<string, unknown>): Reference;
/** An ONNX model, run by this package. Named as in onnxruntime-web, so that trying it is one changed import. */
export declare class InferenceSession {
    #private;
    private constructor();
    /**
     * Loads a model, and with the first one the module that runs models. Make the session before the monitor that is to watch it: then both share one module.
     *
     * @param model bytes of an ONNX file, or where to fetch them
     * @throws DriftglassError `model-unusable`, `model-unavailable`, `wasm-unavailable`, `wasm-forbidden`, `worker-unavailable`
     */
    static create(model: Uint8Array | ArrayBuffer | string | URL, options?: HostOptions): Promise<InferenceSession>;
    /** Names of the inputs, in the order of the model. */
    get inputNames(): readonly string[];
    /** Names of the outputs, in the order of the model. */
    get outputNames(): readonly string[];
    /** What each input is, in the order of the model. */
    get inputMetadata(): readonly InputMetadata[];
    /** SHA-256 of the file, in hexadecimal. */
    get sha256(): string;
    /**
     * Runs the model without monitoring. To monitor it, run what `monitor.wrap(session)` returns.
     *
     * @throws DriftglassError `input-refused`, `inference-failed`
     */
    run(feeds: Tensors): Promise<Tensors>;
    /** Frees the memory of the model. */
    release(): Promise<void>;
}
/**
 * Keeps everything in memory: a reload makes a new device, and reports that were not sent are lost. For tests and replays; an application has to ask for it
 * by name. Sketches stay where they are, which is in memory too.
 */
export declare class MemoryStore implements Store {
    #private;
    readonly caps: Caps;
    /** As {@link Store} promises, for as long as this object lives. */
    transact(change: (state: StateBytes) => Commit | undefined): Promise<void>;
    outbox(limit: number): Promise<OutboxEntry[]>;
    remove(sequences: readonly number[], note?: (uploads: Uploads | undefined) => Uploads): Promise<void>;
    uploads(): Promise<Uploads | undefined>;
    purge(): Promise<void>;
}
/**
 * Keeps state, sketches and outbox in a file, which is replaced as a whole: written beside, flushed to the disk, renamed, and the
 * folder flushed. A lock keeps other processes and other stores on the same file out meanwhile (`FileLock`). Sketches and all but the youngest reports lie in parts beside it, which the file names
 * (`Parts`): replacing the file commits them too. For Node, Deno and Bun.
 *
 * Processes that share a file share one device. Each sends what waits: then a report may arrive twice, and counts once.
 */
export declare class FileStore implements Store {
    #private;
    readonly caps: Caps;
    /** @param path the file; its folder is made with it if it does not exist */
    constructor(path: string);
    /** As {@link Store} promises, among all processes that use the file. */
    transact(change: (state: StateBytes, sketches?: SketchBytes) => Commit | undefined): Promise<void>;
    saveSketches(change: (state: StateBytes, sketches?: SketchBytes) => Uint8Array | undefined): Promise<void>;
    /** Without the lock: the file is always whole, and so are its parts unless they are being replaced. */
    outbox(limit: number): Promise<OutboxEntry[]>;
    remove(sequences: readonly number[], note?: (uploads: Uploads | undefined) => Uploads): Promise<void>;
    uploads(): Promise<Uploads | undefined>;
    purge(): Promise<void>;
}
/** What a store needs of a KV binding of workerd; the storage of a Durable Object has it too. */
export interface KvBinding {
    /** The text under a key, or null. */
    get(key: string, options: {
        readonly type: "text";
    }): Promise<unknown>;
    /** Keeps text under a key. */
    put(key: string, value: string): Promise<unknown>;
    /** Forgets a key. */
    delete(key: string): Promise<unknown>;
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
export declare function kvStore(binding: KvBinding, key?: string): Store;
export {};
