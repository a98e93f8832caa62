/**
 * Drift monitoring for models on people's own devices.
 *
 * @packageDocumentation
 */
export { DriftglassError, type ErrorCode } from "./errors.js";
export { Device as Monitor } from "./device/device.js";
export type {
  Answer,
  Consent,
  Counters,
  FlushResult,
  LedgerView,
  MetricView,
  MonitorOptions,
  ObservedRecord,
  ProfileView,
  ReportView,
  UploadAnswer,
} from "./types.js";
export { referenceOf, type QuestionReference, type Reference } from "./reference.js";
export { InferenceSession, type ForeignModel, type RunOptions, type SessionLike, type WatchedSession } from "./session.js";
export { Tensor, type TensorData, type Tensors, type TensorType } from "./tensor.js";
export { IndexedDbStore } from "./device/store/indexeddb.js";
export { MemoryStore } from "./device/store/memory.js";
export type { Commit, OutboxEntry, StateBytes, Store } from "./device/store/store.js";
