/**
 * Entry with everything inside, the core module too: for service workers, which can import nothing later, and for whoever wants one file. Everything happens in
 * the calling thread.
 */
import core from "./core-inline.js";
import { IndexedDbStore } from "../device/store/indexeddb.js";
import { provide } from "../runtime.js";
import { unpacked } from "../wasm/inline.js";
import { hostedHere } from "./static.js";

provide({
  thread: "main",
  wasm: {},
  local: hostedHere({ store: (app) => new IndexedDbStore(`driftglass ${app}`) }),
  inline: () => unpacked(core),
});

export * from "../index.js";
