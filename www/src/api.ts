// The centre's HTTP API, as docs/http-api.md states it.

export interface Clock {
  mode: "system" | "simulated";
  now_secs: number;
}

export interface Counters {
  accepted: number;
  duplicate: number;
  late: number;
  early: number;
  malformed: number;
  foreign: number;
  unknown_question: number;
  unknown_key: number;
  oversized: number;
}

export interface Status {
  version: string;
  clock: Clock;
  counters: Counters;
}

export interface SpecSummary {
  spec_id: string;
  app: string;
  description: string;
  registered_at_secs: number;
  ingest_key: string;
  has_reference: boolean;
}

/** The part of a registered spec that these pages read; see docs/spec.md. */
export interface SpecDocument {
  measurement: {
    window: { length_secs: number; grace_secs: number };
    segments: string[];
    metrics: { name: string; unit?: string }[];
    questions: { name: string; metric: string; kind: QuestionKind; threshold?: number; weight: number; epsilon_micronats: number }[];
  };
}

export interface Spec extends SpecSummary {
  document: SpecDocument;
}

export type QuestionKind = "sampled-event" | "threshold-bit";
export type Verdict = "drift" | "stable" | "inconclusive" | "waiting";

export interface Estimate {
  estimate: number;
  lower: number;
  upper: number;
}

export interface Effect extends Estimate {
  measure: "ks" | "l_infinity";
  /** The share that differs most; for `ks` the last cell of the cumulative share. */
  cell: number;
}

/** How large the effect is at least, in bands of the threshold that matters. */
export type Severity = "unknown" | "none" | "watch" | "moderate" | "large" | "severe";

/** What all closed windows up to one say together, however often one looks. */
export interface Evidence {
  /** Natural logarithm of the e-value against "nothing has moved since the reference". */
  log_e: number | null;
  log_detector: number | null;
  log_threshold: number;
  alarm: boolean;
  likeliest_start: number;
  effect: { lower: number; upper: number } | null;
}

export interface WindowVerdict {
  window: number;
  start_secs: number;
  end_secs: number;
  closed: boolean;
  reports: number;
  span_first_window: number;
  span_reports: number;
  answered_share: number | null;
  shares: Estimate[] | null;
  no_data: Estimate | null;
  wald: { statistic: number; df: number; p_value: number } | null;
  effect: Effect | null;
  verdict: Verdict;
  severity: Severity;
  evidence: Evidence | null;
  reports_needed: number | null;
}

export interface Question {
  index: number;
  name: string;
  metric: string;
  unit: string;
  kind: QuestionKind;
  threshold?: number | null;
  cells: string[];
  ordered: boolean;
  epsilon: number;
  weight: number;
  mechanism: string;
  payload_bits: number;
  delta: number;
  reference: { shares: number[]; device_windows: number } | null;
  first_alert_window: number | null;
  windows: WindowVerdict[];
}

export interface Verdicts {
  spec_id: string;
  app: string;
  clock: Clock;
  window_length_secs: number;
  false_alarms_per_year: number;
  span_windows: number;
  tests_per_year: number;
  level: number;
  /** What has moved since the reference; of these a share of `level` at most is expected to be wrong. */
  moved: { level: number; streams: { question: string; segment: string | null; arm: string | null; log_e: number | null }[] };
  questions: Question[];
  groups: Group[];
}

/** The questions in one segment and arm, against its own first windows and against all others. */
export interface Group {
  segment: string;
  arm: "stable" | "canary";
  questions: (Question & { against_rest: { effect: Effect; wald: WindowVerdict["wald"]; differs: boolean } | null })[];
}

/** A request that the centre refused or did not answer. */
export class ApiError extends Error {}

export const status = (): Promise<Status> => read("/v1/status");
export const specs = (): Promise<SpecSummary[]> => read("/v1/specs");
export const spec = (id: string): Promise<Spec> => read(`/v1/specs/${encodeURIComponent(id)}`);
export const verdicts = (id: string): Promise<Verdicts> => read(verdictsPath(id));
export const verdictsPath = (id: string): string => `/v1/specs/${encodeURIComponent(id)}/verdicts`;

async function read<T>(path: string): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { headers: { accept: "application/json" }, cache: "no-store" });
  } catch {
    throw new ApiError("The centre does not answer.");
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new ApiError(`The centre answered ${path} with status ${response.status}${problem.title ? `: ${problem.title}` : ""}.`);
  }
  return response.json();
}
