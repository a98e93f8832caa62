import type { Link } from "./link/link.js";
import { lease, type Lease } from "./link/links.js";
import { keys } from "./keys.js";
import { absolute, places } from "./options.js";
import type { Id, Loaded } from "./protocol.js";
import { tensors, type Tensors } from "./tensor.js";
import type { HostOptions, InputMetadata, RunOptions } from "./types.js";

/** An ONNX model, run by this package. Named as in onnxruntime-web, so that trying it is one changed import. */
export class InferenceSession {
  readonly #lease: Lease;
  readonly #loaded: Loaded;

  private constructor(lease: Lease, loaded: Loaded) {
    this.#lease = lease;
    this.#loaded = loaded;
  }

  /**
   * Loads a model, and with the first one the module that runs models. Make the session before the monitor that is to watch it: then both share one module.
   *
   * @param model bytes of an ONNX file, or where to fetch them
   * @throws DriftglassError `model-unusable`, `model-unavailable`, `wasm-unavailable`, `wasm-forbidden`, `worker-unavailable`
   */
  static async create(model: Uint8Array | ArrayBuffer | string | URL, options: HostOptions = {}): Promise<InferenceSession> {
    const leased = await lease(options);
    try {
      const given = model instanceof ArrayBuffer ? new Uint8Array(model) : model;
      const from = given instanceof Uint8Array ? given : absolute(String(given));
      return new InferenceSession(leased, await leased.link.call("load", from, places(options.wasm)));
    } catch (error) {
      leased.release();
      throw error;
    }
  }

  /** @internal */
  get link(): Link {
    return this.#lease.link;
  }

  /** @internal */
  get id(): Id {
    return this.#loaded.session;
  }

  /** Names of the inputs, in the order of the model. */
  get inputNames(): readonly string[] {
    return this.#loaded.inputNames;
  }

  /** Names of the outputs, in the order of the model. */
  get outputNames(): readonly string[] {
    return this.#loaded.outputNames;
  }

  /** What each input is, in the order of the model. */
  get inputMetadata(): readonly InputMetadata[] {
    return this.#loaded.inputMetadata;
  }

  /** SHA-256 of the file, in hexadecimal. */
  get sha256(): string {
    return this.#loaded.sha256;
  }

  /**
   * Runs the model without monitoring. To monitor it, run what `monitor.wrap(session)` returns.
   *
   * @throws DriftglassError `input-refused`, `inference-failed`
   */
  async run(feeds: Tensors): Promise<Tensors> {
    return tensors(await this.link.call("run", this.id, feeds));
  }

  /** Frees the memory of the model. */
  async release(): Promise<void> {
    await this.link.call("release", this.id);
    this.#lease.release();
  }

  /**
   * Runs the model in a device of the same host, which counts each row of the batch.
   *
   * @internal
   */
  async runWatched(device: Id, feeds: Tensors, options: RunOptions | undefined): Promise<Tensors> {
    return tensors(await this.link.call("runWatched", device, this.id, feeds, keys(options)));
  }
}
