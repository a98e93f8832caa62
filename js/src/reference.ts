import type { ProfileView } from "./types.js";

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

/** The parts of a spec that a reference needs. */
interface SpecDocument {
  readonly measurement: {
    readonly metrics: readonly { readonly name: string; readonly cells?: { readonly edges?: readonly number[] } }[];
    readonly questions: readonly { readonly name: string; readonly metric: string; readonly kind: string; readonly threshold?: number }[];
  };
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
export function referenceOf(
  spec: object,
  specId: string,
  profiles: Iterable<ProfileView>,
  lineage: Record<string, unknown>,
): Reference {
  const { metrics, questions } = (spec as SpecDocument).measurement;
  const readers = questions.map((question) => {
    const metric = metrics.findIndex((metric) => metric.name === question.metric);
    return { question, counts: (profile: ProfileView) => asked(question, metrics[metric]?.cells?.edges, profile.metrics[metric]!.counts) };
  });
  const sums = readers.map(() => new Moments());
  for (const profile of profiles) {
    readers.forEach(({ counts }, index) => sums[index]!.add(counts(profile)));
  }
  const entries = readers.map(({ question }, index) => [question.name, sums[index]!.reference()] as const);
  return { spec_id: specId, lineage, questions: Object.fromEntries(entries) };
}

/** The counts that a question sees. */
function asked(
  question: SpecDocument["measurement"]["questions"][number],
  edges: readonly number[] | undefined,
  counts: readonly number[],
): readonly number[] {
  if (question.kind !== "threshold-bit") return counts;
  const below = (edges ?? []).indexOf(question.threshold ?? Number.NaN) + 1;
  const seen = counts.slice(0, (edges ?? []).length + 1);
  const sum = (part: readonly number[]) => part.reduce((total, count) => total + count, 0);
  return [sum(seen.slice(0, below)), sum(seen.slice(below))];
}

/** Mean and covariance of shares, one vote per device-window. */
class Moments {
  #windows = 0;
  #sum: number[] = [];
  #products: number[][] = [];

  add(counts: readonly number[]): void {
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) return;
    if (this.#windows === 0) {
      this.#sum = counts.map(() => 0);
      this.#products = counts.map(() => counts.map(() => 0));
    }
    this.#windows += 1;
    const shares = counts.map((count) => count / total);
    shares.forEach((share, row) => {
      this.#sum[row]! += share;
      shares.forEach((other, column) => (this.#products[row]![column]! += share * other));
    });
  }

  /** The mean, and the covariance of the mean: that of one device-window over their number. */
  reference(): QuestionReference {
    const n = this.#windows;
    const shares = this.#sum.map((sum) => sum / n);
    const covariance = this.#products.map((row, i) =>
      row.map((product, j) => (product / n - shares[i]! * shares[j]!) / (n - 1)),
    );
    return { device_windows: n, shares, covariance };
  }
}
