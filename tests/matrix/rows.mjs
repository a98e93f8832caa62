// One row of the matrix for each way to consume the package.
//
// A row has a `name`, the folder of its `consumer`, and `setUp(project, tools)`, which builds and returns `{ version, cells }`.
// A cell runs the app in one place: `{ where, thread, engine?, run(options) }`, where `thread` is where the monitor must
// live, and `run` returns what the app returned. Rows know nothing of how outcomes are judged.
import { bundlerRows } from "./rows/bundlers.mjs";
import { frameworkRows } from "./rows/frameworks.mjs";
import { pageRows } from "./rows/pages.mjs";
import { runtimeRows } from "./rows/runtimes.mjs";

export const ROWS = [...runtimeRows, ...frameworkRows, ...bundlerRows, ...pageRows];

/** What cannot be had here, so that nobody takes silence for success. */
export const UNTESTED = [
  ["Fastly Compute (viceroy)", "no binary in the package registries; JavaScript there cannot load WebAssembly"],
  ["Spin", "no binary in the package registries"],
  ["WasmEdge", "no binary in the package registries"],
  ["Safari on macOS and iOS", "needs Apple hardware; WebKitGTK runs the same engine"],
  ["Chrome and WebView on Android", "needs a device; Chromium runs the same engine"],
  ["React Native (Hermes)", "has no WebAssembly"],
  ["Cloudflare's own network", "needs an account; workerd is its runtime, and wrangler's bundle runs in it"],
  ["Vercel's own network", "needs an account; @edge-runtime/vm and Next run its edge runtime"],
];
