/**
 * The worker that hosts monitors and sessions of a page: `import "driftglass/worker"`. Nothing in it is loaded later, since bundlers make one file of a worker.
 */
import * as core from "../../wasm/core/driftglass_bg.js";
import * as full from "../../wasm/full/driftglass_bg.js";
import { IndexedDbStore } from "../device/store/indexeddb.js";
import { Host } from "../host/host.js";
import { serve } from "../host/serve.js";
import type { ToHost } from "../protocol.js";
import { compile } from "../wasm/compile.js";
import { Loader } from "../wasm/load.js";

const host = new Host({
  core: new Loader("core", async () => core, { compile }),
  full: new Loader("full", async () => full, { compile }),
  store: (app) => new IndexedDbStore(`driftglass ${app}`),
});
const scope = self as unknown as Worker;
serve(host, {
  post: (message, transfer) => scope.postMessage(message, transfer),
  listen: (heard) => scope.addEventListener("message", ({ data }) => heard(data as ToHost)),
});
