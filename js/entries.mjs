// The one list of what the package can be imported as. `build.mjs` makes the files and the `exports` of package.json from it.

/** Facades that fetch their host when they need it: one file each. */
export const FACADES = ["browser", "node"];

/** Scripts that share chunks: hosts, workers, and facades that hold their host. Names of files by source. */
export const SHARED = {
  host: "src/host/page.ts",
  "host-disk": "src/host/disk.ts",
  worker: "src/entry/worker.ts",
  "worker-disk": "src/entry/worker-disk.ts",
  adapters: "src/adapters/index.ts",
  workerd: "src/entry/workerd.ts",
  edge: "src/entry/edge.ts",
  "service-worker": "src/entry/service-worker.ts",
};

/** What stands alone beside the facades; frameworks are the application's own. */
export const COMPANIONS = ["panel", "react", "vue"];

const entry = (name, types = name) => ({ types: `./dist/${types}.d.ts`, default: `./dist/${name}.js` });
const node = entry("node");

/** `exports`, most special condition first. */
export const EXPORTS = {
  ".": {
    workerd: entry("workerd"),
    "edge-light": entry("edge"),
    deno: node,
    bun: node,
    browser: entry("browser"),
    node: { import: node, require: { types: "./dist/node.d.cts", default: "./dist/node.cjs" } },
    default: entry("browser"),
  },
  "./service-worker": entry("service-worker"),
  "./service-worker.script": entry("service-worker.script", "script"),
  "./script": entry("script"),
  "./worker": entry("worker"),
  "./panel": entry("panel"),
  "./react": entry("react"),
  "./vue": entry("vue"),
  "./core.wasm": { types: "./dist/wasm.d.ts", default: "./dist/core.wasm" },
  "./full.wasm": { types: "./dist/wasm.d.ts", default: "./dist/full.wasm" },
  "./package.json": "./package.json",
};

/** Subpaths that are folders too, for bundlers that do not read `exports`. */
export const FOLDERS = ["service-worker", "worker", ...COMPANIONS];

/** Sources whose declarations are published, by the name of the file. */
export const DECLARATIONS = { browser: "entry/browser", node: "entry/node", workerd: "entry/workerd", edge: "entry/edge", "service-worker": "entry/service-worker", worker: "entry/worker", panel: "panel/index", react: "react/index", vue: "vue/index" };
