/**
 * Instantiates a module by hand, so that no bundler needs a plug-in.
 *
 * The glue is what wasm-bindgen writes for bundlers: a plain module that exports the functions which the wasm file imports.
 */
import { DriftglassError } from "../errors.js";
import type { Flavour, WasmInput, WasmSource } from "../types.js";
import { BUILD_SECTION, buildIds } from "./build.js";
import { explained, type Failure } from "./diagnosis.js";
import type { Engine, Glue } from "./engine.js";

/** Reads a file of this package from disk, where there is one. */
export type ReadFile = (path: string | URL) => Promise<Uint8Array>;

/** Makes a module of its bytes. */
export type Compile = (bytes: BufferSource) => Promise<WebAssembly.Module>;

/** What a runtime says about its modules. */
export interface Place {
  /** Absent where nothing may be compiled, and every module is handed over. */
  readonly compile?: Compile;
  /** For runtimes that keep the package on disk. */
  readonly readFile?: ReadFile;
  /** What to type where the module was not found; what helps a website if absent. */
  readonly advice?: string | undefined;
}

/** Loads one flavour once; a failure may be tried again. */
export class Loader<G extends Glue> {
  readonly flavour: Flavour;
  readonly #glue: () => Promise<G>;
  readonly #place: Place;
  #loading: Promise<Engine<G>> | undefined;

  /**
   * @param glue the glue of the flavour, which may be one more chunk to fetch
   */
  constructor(flavour: Flavour, glue: () => Promise<G>, place: Place = {}) {
    this.flavour = flavour;
    this.#glue = glue;
    this.#place = place;
  }

  /** The engine, if it was loaded or is being loaded. */
  get started(): Promise<Engine<G>> | undefined {
    return this.#loading;
  }

  /** @throws DriftglassError `wasm-unavailable`, `wasm-forbidden` */
  load(from: WasmInput | undefined): Promise<Engine<G>> {
    this.#loading ??= this.#load(from).catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  async #load(from: WasmInput | undefined): Promise<Engine<G>> {
    const glue = await this.#glue();
    const [module, source] = await this.#compiled(from);
    const found = WebAssembly.Module.customSections(module, BUILD_SECTION).map((section) => new TextDecoder().decode(section))[0];
    const expected = buildIds[this.flavour];
    if (found !== expected) {
      throw this.#failed({ from: address(from), stage: "skew", cause: new Error(`it is of build ${found ?? "unknown"}, the script of ${expected}`) });
    }
    try {
      const instance = await WebAssembly.instantiate(module, { "./driftglass_bg.js": glue as unknown as WebAssembly.ModuleImports });
      start(glue, instance.exports);
    } catch (cause) {
      throw this.#failed({ from: address(from), stage: "compile", cause });
    }
    return { flavour: this.flavour, source, glue };
  }

  async #compiled(from: WasmInput | undefined): Promise<[WebAssembly.Module, WasmSource]> {
    if (isModule(from)) return [from, "module"];
    const { compile } = this.#place;
    if (!compile) throw this.#failed({ from: address(from), stage: "fetch", cause: from && new Error("this runtime compiles no modules") });
    const [bytes, source] = await this.#bytes(from);
    try {
      return [await compile(bytes), source];
    } catch (cause) {
      const [first] = ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset) : new Uint8Array(bytes);
      throw this.#failed({ from: address(from), stage: "compile", cause, html: first === "<".charCodeAt(0) });
    }
  }

  async #bytes(from: WasmInput | undefined): Promise<[BufferSource, WasmSource]> {
    if (from === undefined) throw this.#failed({ from: undefined, stage: "fetch", cause: undefined });
    if (typeof from !== "string" && !(from instanceof URL)) return [from as BufferSource, "inline"];
    const { readFile } = this.#place;
    if (readFile && !/^https?:/.test(String(from))) {
      try {
        return [(await readFile(String(from).startsWith("file:") ? new URL(from) : from)) as BufferSource, "file"];
      } catch (cause) {
        throw this.#failed({ from: address(from), stage: "read", cause });
      }
    }
    let response: Response;
    try {
      response = await fetch(from);
    } catch (cause) {
      throw this.#failed({ from: address(from), stage: "fetch", cause });
    }
    const type = response.headers.get("content-type") ?? "";
    if (!response.ok) throw this.#failed({ from: address(from), stage: "status", status: response.status, type, cause: undefined });
    return [await response.arrayBuffer(), "url"];
  }

  #failed(failure: Failure): DriftglassError {
    return explained(this.flavour, failure, this.#place.advice);
  }
}

/** By its brand: in some servers the class of this realm is not the one that made the module. */
function isModule(from: unknown): from is WebAssembly.Module {
  return Object.prototype.toString.call(from) === "[object WebAssembly.Module]";
}

function address(from: WasmInput | undefined): string | undefined {
  return typeof from === "string" || from instanceof URL ? String(from) : undefined;
}

function start(glue: Glue, exports: WebAssembly.Exports): void {
  (glue as unknown as { __wbg_set_wasm(exports: WebAssembly.Exports): void }).__wbg_set_wasm(exports);
  // Constructors of the inference engine's registry; once, and before anything else runs.
  for (const name of ["__wasm_call_ctors", "__wbindgen_start"]) (exports[name] as (() => void) | undefined)?.();
}
