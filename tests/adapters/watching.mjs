// What the adapter tests share: a monitor for a spec of given metrics, and its counts by name.
import { readFileSync } from "node:fs";

import { MemoryStore, Monitor } from "driftglass";

const SHA256 = "ab".repeat(32);
const RANDOMIZER = { mechanism: "k-ary", weight_true: 86266724207, weight_false: 4294967296 };
/** A moment in the middle of a window. */
const NOW = 2265 * 604_800 + 1000;

/** A spec that reads `metrics`: `{ name: [source, cells] }`. */
export function specOf(metrics, sha256 = SHA256) {
  const spec = JSON.parse(readFileSync(new URL("../../pkg-config.json", import.meta.url)));
  spec.app = "adapters";
  spec.models = [{ version: "1", sha256 }];
  spec.measurement.metrics = Object.entries(metrics).map(([name, [source, cells]]) => ({ name, source, ...(cells && { cells }) }));
  const [metric, [, cells]] = Object.entries(metrics)[0];
  const base = { name: "asked", metric, weight: 1, epsilon_micronats: 3_000_000, randomizer: RANDOMIZER };
  const threshold = cells.kind === "numeric" ? { kind: "threshold-bit", threshold: cells.edges[0] } : { kind: "sampled-event" };
  spec.measurement.questions = [{ ...base, ...threshold }];
  spec.detection.deltas = { asked: 0.05 };
  return spec;
}

/** A monitor for these metrics; `counts()` are those of the current window. */
export async function watching(metrics, options = {}) {
  const spec = specOf(metrics, options.sha256);
  const base = { spec, key: "key", store: new MemoryStore(), consent: "granted", thread: "main", now: () => NOW };
  const monitor = await Monitor.create({ ...base, ...options.monitor });
  const counts = async () => {
    const profile = await monitor.inspect();
    return Object.fromEntries(profile.metrics.map(({ name, counts, missing }) => [name, missing > 0 ? [...counts, { missing }] : [...counts]]));
  };
  return { monitor, counts, sha256: options.sha256 ?? SHA256 };
}

export const numeric = (...edges) => ({ kind: "numeric", edges });
export const category = (...labels) => ({ kind: "category", labels });
export const FAILED = [{ kind: "error" }, category("ok", "failed")];
export const outcome = (...labels) => [{ kind: "outcome" }, category(...labels)];
export const pair = [{ kind: "pair", prediction: "prediction", outcome: "outcome" }];
