/**
 * The compiled module behind the facade: one glue, one wasm file, instantiated by hand so that no bundler needs a plug-in.
 *
 * The glue is what wasm-bindgen writes for bundlers; it exports the functions that the wasm file imports. The entry of each runtime says
 * where the wasm file is; nothing is loaded before the first use.
 */
import * as glue from "../../wasm/full/driftglass_bg.js";
import { DriftglassError } from "../errors.js";

export { disposition, encodeBody, WasmMonitor, WasmSession } from "../../wasm/full/driftglass_bg.js";

/** Fetches the wasm file. */
export type WasmSource = () => Promise<Response | Uint8Array | WebAssembly.Module>;

let source: WasmSource | undefined;
let loading: Promise<void> | undefined;

/** Says where the wasm file is. Called once, by the entry of the runtime. */
export function provideWasm(from: WasmSource): void {
  source = from;
}

/** Loads the module on first use. A failure may be tried again. */
export function ready(): Promise<void> {
  loading ??= load().catch((cause: unknown) => {
    loading = undefined;
    throw unavailable(cause);
  });
  return loading;
}

async function load(): Promise<void> {
  if (!source) throw new Error("no entry of the package was loaded");
  const imports = { "./driftglass_bg.js": glue as unknown as WebAssembly.ModuleImports };
  const exports = await instantiate(await source(), imports);
  const hooks = glue as unknown as { __wbg_set_wasm(exports: WebAssembly.Exports): void };
  hooks.__wbg_set_wasm(exports);
  // Constructors of the inference engine's registry; once, and before anything else runs.
  call(exports["__wasm_call_ctors"]);
  call(exports["__wbindgen_start"]);
}

function call(exported: WebAssembly.ExportValue | undefined): void {
  if (typeof exported === "function") exported();
}

async function instantiate(
  from: Response | Uint8Array | WebAssembly.Module,
  imports: WebAssembly.Imports,
): Promise<WebAssembly.Exports> {
  if (from instanceof Uint8Array) return fromBytes(from, imports);
  if ("arrayBuffer" in from) return fromBytes(new Uint8Array(await from.arrayBuffer()), imports);
  return (await WebAssembly.instantiate(from, imports)).exports;
}

async function fromBytes(bytes: Uint8Array, imports: WebAssembly.Imports): Promise<WebAssembly.Exports> {
  return (await WebAssembly.instantiate(bytes as BufferSource, imports)).instance.exports;
}

function unavailable(cause: unknown): DriftglassError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const advice = /unsafe-eval|Content Security Policy/i.test(text)
    ? "The page's Content-Security-Policy forbids WebAssembly: add 'wasm-unsafe-eval' to script-src."
    : "Check that driftglass_bg.wasm is served beside the package.";
  return new DriftglassError("wasm-unavailable", `The Driftglass module could not be loaded. ${advice}`, { cause });
}
