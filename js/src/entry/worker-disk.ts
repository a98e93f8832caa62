/** The worker thread that hosts monitors and sessions on Node, Deno and Bun. */
import { parentPort } from "node:worker_threads";

import { host } from "../host/disk.js";
import { serve } from "../host/serve.js";
import type { ToHost } from "../protocol.js";

const port = parentPort!;
serve(host(), {
  post: (message, transfer) => port.postMessage(message, transfer as never),
  listen: (heard) => port.on("message", (message: ToHost) => heard(message)),
});
