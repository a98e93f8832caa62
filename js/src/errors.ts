import type { PlainError } from "./protocol.js";

/** What can go wrong, as a stable word that code can branch on. */
export type ErrorCode =
  | "invalid-option"
  | "invalid-spec"
  | "unknown-segment"
  | "unreadable-state"
  | "foreign-state"
  | "unreadable-sketches"
  | "no-entropy"
  | "model-refused"
  | "malformed-model"
  | "model-unusable"
  | "model-unavailable"
  | "input-refused"
  | "inference-failed"
  | "malformed-record"
  | "malformed-report"
  | "not-due"
  | "budget-spent"
  | "ledger-refused"
  | "no-consent"
  | "wasm-unavailable"
  | "wasm-forbidden"
  | "worker-unavailable"
  | "disposed"
  | "store-failed";

/** The one error class. The message names limits and what to do, never an observed value. */
export class DriftglassError extends Error {
  /** What happened, as a stable word. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DriftglassError";
    this.code = code;
  }
}

/** Runs a call into the module and gives its errors their class. */
export function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw error instanceof Error && "code" in error ? coded(error) : error;
  }
}

/** An error of another bundle of this package, as the class of this one; any other as it is. */
export function revived(error: unknown): unknown {
  const ours = error instanceof Error && error.name === "DriftglassError" && !(error instanceof DriftglassError);
  return ours ? coded(error) : error;
}

function coded(error: Error): DriftglassError {
  return new DriftglassError((error as DriftglassError).code, error.message, { cause: error });
}

/** What crosses threads of an error. */
export function plain(error: unknown): PlainError {
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof DriftglassError ? error.code : undefined, message };
}

/** An error that came from another thread. */
export function crossed({ code, message }: PlainError): Error {
  return code ? new DriftglassError(code, message) : new Error(message);
}
