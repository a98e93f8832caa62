/**
 * Drift monitoring for models on people's own devices.
 *
 * @packageDocumentation
 */
export { DriftglassError, type ErrorCode } from "./errors.js";
export { Monitor } from "./monitor.js";
export type {
  Answer,
  AskedQuestion,
  Consent,
  Counters,
  Flavour,
  FlushResult,
  ForeignModel,
  HostOptions,
  InputMetadata,
  InputShapes,
  LedgerView,
  ListedReport,
  MetricView,
  MonitorOptions,
  ObservedRecord,
  ProfileView,
  ReportField,
  ReportView,
  RunOptions,
  Status,
  UploadAnswer,
  WasmInput,
  WasmOptions,
  WasmSource,
  Watched,
  WatchedSession,
  WorkerLike,
} from "./types.js";
export { referenceOf, type QuestionReference, type Reference } from "./reference.js";
export { InferenceSession } from "./session.js";
export { Tensor, type TensorData, type Tensors, type TensorType } from "./tensor.js";
export { MemoryStore } from "./device/store/memory.js";
export type { Caps, Commit, NewReport, OutboxEntry, SketchBytes, StateBytes, Store } from "./device/store/store.js";
export type { OutboxStatus } from "./device/status.js";
export type { Dropped, Totals, Uploads } from "./device/uploads.js";
