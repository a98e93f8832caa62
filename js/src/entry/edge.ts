/** Entry for edge-light: the core module is imported, since nothing may be compiled there. Runtimes of this kind know `?module`. */
import core from "./core.wasm?module";
import { DriftglassError } from "../errors.js";
import { provide } from "../runtime.js";
import { hostedHere } from "./static.js";

const full = `Copy node_modules/driftglass/dist/full.wasm beside the function and hand it over: import full from "./full.wasm?module"; InferenceSession.create(model, { wasm: { full } }).`;

provide({
  thread: "main",
  wasm: { core: () => core },
  local: hostedHere({
    store: () => {
      throw new DriftglassError("invalid-option", `An edge function keeps nothing by itself: pass a store, or store: "memory" to forget everything with it.`);
    },
    advice: { full },
  }),
});

export * from "../index.js";
export { kvStore, type KvBinding } from "../device/store/kv.js";
