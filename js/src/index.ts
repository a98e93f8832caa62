/**
 * Drift monitoring for models on people's own devices.
 *
 * @packageDocumentation
 */
export { DriftglassError, type ErrorCode } from "./errors.js";
export {
  Monitor,
  type Answer,
  type Consent,
  type Counters,
  type LedgerView,
  type MetricView,
  type MonitorOptions,
  type ObservedRecord,
  type ProfileView,
  type ReportView,
} from "./monitor.js";
export { referenceOf, type QuestionReference, type Reference } from "./reference.js";
export { InferenceSession, type ForeignModel, type RunOptions, type SessionLike, type WatchedSession } from "./session.js";
export { Tensor, type TensorData, type Tensors, type TensorType } from "./tensor.js";
export type { FlushResult, UploadAnswer } from "./upload.js";
export { IndexedDbStore } from "./store/indexeddb.js";
export { MemoryStore } from "./store/memory.js";
export type { Commit, OutboxEntry, StateBytes, Store } from "./store/store.js";
