import { guarded } from "./errors.js";
import { Tensor, type Tensors, type TensorType, type TensorData } from "./tensor.js";
import { ready, WasmSession } from "./wasm/module.js";

/** An ONNX model, run by the module. Named as in onnxruntime-web, so that trying it is one changed import. */
export class InferenceSession {
  /** @internal */
  readonly wasm: WasmSession;

  private constructor(wasm: WasmSession) {
    this.wasm = wasm;
  }

  /**
   * Loads a model.
   *
   * @param model bytes of an ONNX file, or where to fetch them
   * @throws DriftglassError `model-unusable`
   */
  static async create(model: Uint8Array | string | URL): Promise<InferenceSession> {
    await ready();
    const bytes = model instanceof Uint8Array ? model : await fetched(model);
    return new InferenceSession(guarded(() => new WasmSession(bytes)));
  }

  get inputNames(): readonly string[] {
    return this.wasm.inputNames;
  }

  get outputNames(): readonly string[] {
    return this.wasm.outputNames;
  }

  /** SHA-256 of the file, in hexadecimal. */
  get sha256(): string {
    return this.wasm.sha256;
  }

  /**
   * Runs the model without monitoring. To monitor it, run what `monitor.wrap(session)` returns.
   *
   * @throws DriftglassError `input-refused`, `inference-failed`
   */
  async run(feeds: Tensors): Promise<Tensors> {
    return tensors(guarded(() => this.wasm.run(feeds)));
  }

  /** Frees the memory of the model. */
  release(): void {
    this.wasm.free();
  }
}

/** Any session of another runtime: onnxruntime-web's, for example. */
export interface SessionLike<Feeds, Results> {
  run(feeds: Feeds): Promise<Results>;
}

/** What the monitor must know of a model that another runtime runs. */
export interface ForeignModel {
  /** SHA-256 of the model file, in hexadecimal. */
  readonly sha256: string;
  /** Names and dimensions of its inputs, null for a dimension that the caller chooses. */
  readonly inputs: readonly (readonly [name: string, dims: readonly (number | null)[]])[];
  /** Names of its outputs. */
  readonly outputs: readonly string[];
}

/** How a run is joined with what turns out to be true. */
export interface RunOptions {
  /** Names this prediction, so that `monitor.outcome(key, value)` finds it. A list names the rows of a batch. */
  readonly key?: string | readonly string[];
}

/** A session that is watched. */
export interface WatchedSession<Feeds, Results> {
  run(feeds: Feeds, options?: RunOptions): Promise<Results>;
}

/** Gives plain tensors of the module their class. */
export function tensors(plain: object): Tensors {
  const entries = Object.entries(plain as Record<string, { type: TensorType; data: TensorData; dims: number[] }>);
  return Object.fromEntries(entries.map(([name, { type, data, dims }]) => [name, new Tensor(type, data, dims)]));
}

async function fetched(url: string | URL): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`The model could not be fetched: the answer was ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}
