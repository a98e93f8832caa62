/** Every kind of target that `monitor.wrap` knows. Loaded with the first target that needs one. */
import { DriftglassError } from "../errors.js";
import type { ModelShape } from "../protocol.js";
import type { ForeignModel } from "../types.js";
import type { Adapter, Seen } from "./adapter.js";
import { functions } from "./function.js";
import { pipelines } from "./pipeline.js";
import { readsOf } from "./reads.js";
import { sessions } from "./session.js";
import { models } from "./tensorflow.js";

export { twin } from "./twin.js";

/** In the order in which they are asked: a pipeline is a function too. */
const ADAPTERS: readonly Adapter[] = [sessions, models, pipelines, functions];

/** How a target is to be watched. */
export interface WatchOptions {
  /** The parsed spec. */
  readonly spec: object;
  readonly model: ForeignModel;
  /** Whether observations are wanted. */
  readonly active: () => boolean;
  readonly seen: Seen;
}

/**
 * A model as specs admit it: what the caller said of it, and what the target says itself.
 *
 * @throws DriftglassError `invalid-option` for a target of no known kind, or one that says too little
 */
export function shapeOf(target: object, model: ForeignModel): ModelShape {
  const { inputs, outputs } = { ...adapterOf(target).shape(target), ...model };
  if (inputs && outputs) return { sha256: model.sha256, inputs, outputs };
  throw new DriftglassError("invalid-option", "wrap needs { sha256, inputs, outputs } of a model that does not tell its inputs and outputs itself");
}

/**
 * The twin of a target that tells what it sees.
 *
 * @throws DriftglassError `invalid-option` as {@link shapeOf}
 */
export function watched(target: object, { spec, ...watching }: WatchOptions): object {
  return adapterOf(target).watched(target, { ...watching, shape: shapeOf(target, watching.model), reads: readsOf(spec) });
}

function adapterOf(target: object): Adapter {
  const adapter = ADAPTERS.find(({ matches }) => matches(target));
  if (!adapter) throw new DriftglassError("invalid-option", "wrap takes a session, a model, a pipeline or a function");
  return adapter;
}
