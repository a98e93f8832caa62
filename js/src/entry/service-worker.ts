/**
 * Entry for service workers, which can import nothing later: everything is inside, the core module too, and happens in the calling thread.
 */
import core from "./core-inline.js";
import { IndexedDbStore } from "../device/store/indexeddb.js";
import { provide } from "../runtime.js";
import { compile } from "../wasm/compile.js";
import { unpacked } from "../wasm/inline.js";
import { hostedHere } from "./static.js";

provide({
  thread: "main",
  wasm: {},
  local: hostedHere({ compile, store: (app) => new IndexedDbStore(`driftglass ${app}`) }),
  inline: () => unpacked(core),
});

export * from "../index.js";
