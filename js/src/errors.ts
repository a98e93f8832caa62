/** What can go wrong, as a stable word that code can branch on. */
export type ErrorCode =
  | "invalid-option"
  | "invalid-spec"
  | "unknown-segment"
  | "unreadable-state"
  | "foreign-state"
  | "no-entropy"
  | "model-refused"
  | "malformed-model"
  | "model-unusable"
  | "input-refused"
  | "inference-failed"
  | "malformed-record"
  | "malformed-report"
  | "not-due"
  | "budget-spent"
  | "ledger-refused"
  | "no-consent"
  | "wasm-unavailable"
  | "store-failed";

/** The one error class. The message names limits and what to do, never an observed value. */
export class DriftglassError extends Error {
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
    if (error instanceof Error && "code" in error) {
      throw new DriftglassError(error.code as ErrorCode, error.message, { cause: error });
    }
    throw error;
  }
}
