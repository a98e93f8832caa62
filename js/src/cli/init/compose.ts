/** A spec from what is known of inputs, outputs and outcome. */
import { codes, numeric, number, texts, type Cells } from "./cells.js";
import type { Bound } from "./bind.js";
import type { Table } from "./csv.js";
import type { Output } from "./probe.js";

/** What the person said. */
export interface Wishes {
  readonly app: string;
  readonly outcome?: string | undefined;
  readonly epsilon: number;
  readonly endpoint: string;
}

interface Metric {
  readonly name: string;
  readonly source: object;
  readonly cells?: Cells;
}

/** A spec and what a person should know of it. */
export interface Composed {
  readonly spec: object;
  readonly notes: readonly string[];
}

const WEEK = 604_800;
/** Most metrics of a spec, less those that are not inputs. */
const MOST_INPUTS = 48;
/** Denominator of the mechanism's law. */
const WEIGHT_FALSE = 2 ** 32;

/** Composes it. A metric for each input element, prediction, confidence, latency, failure, outcome; a question for each metric. */
export function compose(sha256: string, bound: readonly Bound[], outputs: readonly Output[], table: Table, wishes: Wishes): Composed {
  const notes: string[] = [];
  const outcome = wishes.outcome === undefined ? undefined : outcomeCells(table, wishes.outcome);
  const metrics = [
    ...inputMetrics(bound, table, notes),
    ...outputMetrics(outputs, outcome, notes),
    { name: "latency", unit: "ms", source: { kind: "latency" }, cells: { kind: "numeric", edges: [0.1, 1, 10, 100, 1000] } as const },
    { name: "failed", source: { kind: "error" }, cells: { kind: "category", labels: ["ok", "failed"] } as const },
  ] as Metric[];
  if (outcome) {
    const [prediction] = metrics.filter(({ name }) => name.startsWith("prediction"));
    const first = prediction?.name ?? metrics.find(({ source }) => (source as { kind: string }).kind === "output")?.name;
    metrics.push({ name: unused("outcome", metrics), source: { kind: "outcome" }, cells: outcome });
    const pair = { kind: "pair", prediction: first, outcome: metrics.at(-1)!.name };
    if (first !== undefined) metrics.push({ name: unused("prediction_and_outcome", metrics), source: pair });
  }
  const questions = metrics.map((metric) => question(metric, wishes.epsilon));
  const micronats = Math.round(wishes.epsilon * 1e6);
  const spec = {
    spec_version: 1,
    app: wishes.app,
    description: "Written by driftglass init: read it, and say here what is measured and why.",
    models: [{ version: "1.0.0", sha256 }],
    measurement: {
      window: { length_secs: WEEK, grace_secs: 86_400, join: "next_window" },
      privacy: {
        unit: "device-window",
        answers_per_window: 1,
        caps: [{ period_secs: 13 * WEEK, epsilon_micronats: 13 * micronats }, { period_secs: 31_536_000, epsilon_micronats: 53 * micronats }],
      },
      outcome: { horizon_secs: 172_800, max_pending: 256 },
      segments: ["all"],
      metrics,
      questions,
    },
    upload: { endpoint: wishes.endpoint, max_body_bytes: 49_152 },
    detection: { false_alarms_per_year: 1, span_windows: 4, deltas: Object.fromEntries(questions.map(({ name }) => [name, 0.05])) },
  };
  return { spec, notes };
}

function inputMetrics(bound: readonly Bound[], { names, rows }: Table, notes: string[]): Metric[] {
  const metrics: Metric[] = [];
  for (const { input, columns } of bound) {
    for (const [index, column] of columns.entries()) {
      const name = names[column]!;
      if (metrics.length === MOST_INPUTS) {
        notes.push(`Only the first ${MOST_INPUTS} columns are measured; ${name} and those after it are not.`);
        return metrics;
      }
      const fields = rows.map((row) => row[column]!);
      const values = fields.map(number);
      const isText = values.some((value) => value === undefined);
      if (isText) notes.push(`${name} holds text where the model takes numbers: its labels are in the order of the alphabet; put them in the order of your encoder.`);
      const numbers = values as number[];
      const coded = !input.type.startsWith("float") || new Set(numbers).size <= 2;
      const cells = isText ? texts(fields) : ((coded ? codes(numbers) : undefined) ?? numeric(numbers));
      if (cells) metrics.push({ name: unused(slug(name), metrics), source: { kind: "input", tensor: input.name, index }, cells });
      else notes.push(`${name} is not measured: all of its values are the same.`);
    }
  }
  return metrics;
}

function outputMetrics(outputs: readonly Output[], outcome: Cells | undefined, notes: string[]): Metric[] {
  const metrics: Metric[] = [];
  const labelled = outcome?.kind === "category" && !outcome.other ? outcome.labels : undefined;
  for (const { name, width, integers, values } of outputs) {
    const suffix = outputs.length > 1 ? `_${slug(name)}` : "";
    if (width > 1 && !integers && probabilities(width, values)) {
      const labels = labelled?.length === width ? labelled : Array.from({ length: width }, (_, index) => `class ${index}`);
      metrics.push({ name: unused(`prediction${suffix}`, metrics), source: { kind: "argmax", tensor: name }, cells: { kind: "category", labels } });
      const confidence = numeric(Array.from({ length: values.length / width }, (_, row) => Math.max(...values.slice(row * width, (row + 1) * width))));
      if (confidence) metrics.push({ name: unused(`confidence${suffix}`, metrics), source: { kind: "max", tensor: name }, cells: confidence });
    } else if (width === 1) {
      const cells = (integers ? codes(values) : undefined) ?? numeric(values);
      if (cells) metrics.push({ name: unused(`${integers ? "prediction" : "output"}${suffix}`, metrics), source: { kind: "output", tensor: name, index: 0 }, cells });
      else notes.push(`Output ${name} is not measured: it is the same for all rows.`);
    } else {
      notes.push(`Output ${name} is not measured: its ${width} elements are no probabilities. A codebook of vectors could measure it (docs/spec.md).`);
    }
  }
  return metrics;
}

function probabilities(width: number, values: readonly number[]): boolean {
  for (let at = 0; at < values.length; at += width) {
    const row = values.slice(at, at + width);
    if (row.some((value) => value < -1e-6) || Math.abs(row.reduce((sum, value) => sum + value, 0) - 1) > 1e-3) return false;
  }
  return width <= 1021;
}

function outcomeCells({ names, rows }: Table, column: string): Cells {
  const place = names.indexOf(column);
  if (place < 0) throw new Error(`there is no column ${column}; there are ${names.join(", ")}`);
  const fields = rows.map((row) => row[place]!);
  const values = fields.map(number);
  const numbers = values.filter((value): value is number => value !== undefined && !Number.isNaN(value));
  const cells = values.includes(undefined) ? texts(fields) : (codes(numbers) ?? numeric(numbers));
  if (!cells) throw new Error(`column ${column} has one value only, so nothing can be learned from it`);
  const { missing: _, ...told } = cells as Cells & { missing?: true };
  return told as Cells;
}

/** The bit above and below the middle for numbers, the cell for the rest; what says most is asked most. */
function question({ name, cells, source }: Metric, epsilon: number) {
  const { kind } = source as { kind: string };
  const weight = kind === "outcome" || kind === "pair" || kind === "argmax" ? 3 : kind === "max" ? 2 : 1;
  const asked = cells?.kind === "numeric" ? { kind: "threshold-bit", threshold: cells.edges[cells.edges.length >> 1] } : { kind: "sampled-event" };
  return { name, metric: name, ...asked, weight, epsilon_micronats: Math.round(epsilon * 1e6), randomizer: { mechanism: "k-ary", weight_true: weightTrue(epsilon), weight_false: WEIGHT_FALSE } };
}

/** The largest integer W with ln(W / 2^32) ≤ ε, or a little less: what floats may be wrong by is taken off. */
function weightTrue(epsilon: number): number {
  return Math.floor(Math.exp(epsilon) * WEIGHT_FALSE * (1 - 1e-14));
}

function slug(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 56) || "value";
}

function unused(name: string, metrics: readonly Metric[]): string {
  let candidate = name;
  for (let count = 2; metrics.some((metric) => metric.name === candidate); count += 1) candidate = `${name}_${count}`;
  return candidate;
}
