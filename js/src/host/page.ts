/** A host in the thread that asks for it, in a browser. The glue of each flavour is one more chunk. */
import { IndexedDbStore } from "../device/store/indexeddb.js";
import { compile } from "../wasm/compile.js";
import { Loader } from "../wasm/load.js";
import { Host } from "./host.js";

/** Makes the host. */
export const host = (): Host =>
  new Host({
    core: new Loader("core", () => import("../../wasm/core/driftglass_bg.js"), { compile }),
    full: new Loader("full", () => import("../../wasm/full/driftglass_bg.js"), { compile }),
    store: (app) => new IndexedDbStore(`driftglass ${app}`),
  });
