/**
 * The seam of `monitor.wrap`: one adapter for each kind of target. An adapter turns a call into what the monitor counts, and changes nothing of the call.
 */
import type { ModelShape } from "../protocol.js";
import type { ForeignModel, ObservedRecord } from "../types.js";
import type { Reads } from "./reads.js";

/** Takes one observation. Never throws. */
export type Seen = (record: ObservedRecord, key: string | undefined) => void;

/** What an adapter works with. */
export interface Watching {
  readonly model: ForeignModel;
  readonly shape: ModelShape;
  /** What the spec reads; nothing else is looked at. */
  readonly reads: Reads;
  /** Whether observations are wanted: without consent, calls are passed on untouched. */
  readonly active: () => boolean;
  readonly seen: Seen;
}

/** Knows one kind of target. */
export interface Adapter {
  /** Whether a target is of this kind. Adapters are asked in order. */
  matches(target: object): boolean;
  /** What the target itself says of its model. */
  shape(target: object): Partial<Pick<ModelShape, "inputs" | "outputs">>;
  /** The twin of a target that tells what it sees. */
  watched(target: object, watching: Watching): object;
}
