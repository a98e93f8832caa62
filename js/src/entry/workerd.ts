/** Entry for workerd: the core module is imported, since nothing may be compiled there. */
import core from "./core.wasm";
import { DriftglassError } from "../errors.js";
import { provide } from "../runtime.js";
import { hostedHere } from "./static.js";

const full = `Import it and hand it over: import full from "driftglass/full.wasm"; InferenceSession.create(model, { wasm: { full } }).`;

provide({
  thread: "main",
  wasm: { core: () => core },
  local: hostedHere({
    store: () => {
      throw new DriftglassError("invalid-option", `A worker keeps nothing by itself: pass store: kvStore(env.NAME), or store: "memory" to forget everything with the isolate.`);
    },
    advice: { full },
  }),
});

export * from "../index.js";
export { kvStore, type KvBinding } from "../device/store/kv.js";
