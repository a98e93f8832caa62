/**
 * The seam of `monitor.wrap`: one adapter for each kind of target. An adapter turns a call into what the monitor counts, and changes nothing of the call.
 */
import type { ObservedRecord } from "../types.js";

/** Takes what a call came to. Never throws. */
export type Seen = (record: ObservedRecord, key: string | undefined) => void;

/** Knows one kind of target. */
export interface Adapter {
  /** Whether a target is of this kind. Adapters are asked in order. */
  matches(target: object): boolean;
  /** The twin of a target that tells what it sees. */
  watched(target: object, seen: Seen): object;
}

/** Runs a call of a model and measures it; what the model throws is thrown on, once it is counted. */
export async function measured<Results>(
  call: () => Results | Promise<Results>,
  inputs: () => Record<string, unknown>,
  outputs: (results: Results) => Record<string, unknown>,
  seen: Seen,
  key: string | undefined,
): Promise<Results> {
  const started = performance.now();
  let results: Results;
  try {
    results = await call();
  } catch (error) {
    const latencyMs = performance.now() - started;
    quietly(() => seen({ inputs: inputs(), latencyMs, failed: true }, undefined));
    throw error;
  }
  const latencyMs = performance.now() - started;
  quietly(() => seen({ inputs: inputs(), outputs: outputs(results), latencyMs }, key));
  return results;
}

/** What cannot be read is counted by the monitor, as a record that is none. */
function quietly(tell: () => void): void {
  try {
    tell();
  } catch {
    // Nothing of the target's may reach the application through us.
  }
}
