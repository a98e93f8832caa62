/** Entry for edge-light, where modules are imported by the application: `import core from "driftglass/core.wasm?module"`. */
import { DriftglassError } from "../errors.js";
import { provide } from "../runtime.js";
import { hostedHere } from "./static.js";

const advice = (flavour: string, call: string) => `Import it and hand it over: import ${flavour} from "driftglass/${flavour}.wasm?module"; ${call}.`;

provide({
  thread: "main",
  wasm: {},
  local: hostedHere({
    store: () => {
      throw new DriftglassError("invalid-option", `An edge function keeps nothing by itself: pass a store, or store: "memory" to forget everything with it.`);
    },
    advice: {
      core: advice("core", "Monitor.create({ …, wasm: { core } })"),
      full: advice("full", "InferenceSession.create(model, { wasm: { full } })"),
    },
  }),
});

export * from "../index.js";
export { kvStore, type KvBinding } from "../device/store/kv.js";
