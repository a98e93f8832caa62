// Makes dist/ from src/ and wasm/: scripts by esbuild, declarations by tsc. What is made is in `entries.mjs`.
//
// Facades are one small file each and fetch the rest when they need it. Hosts and workers share chunks, so that the glue of each flavour is in the package once;
// only the copy of the worker for bundlers that do not emit workers, `worker-inline.js`, and the classic scripts have their own.
//
// The id of a build is the hash of a module and its glue. It is written into the module as a custom section and into every script, and a loader that finds two
// ids says so instead of failing somewhere.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

import { flattened } from "./declarations.mjs";
import { COMPANIONS, DECLARATIONS, EXPORTS, FACADES, FOLDERS, SHARED } from "./entries.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const dist = (name) => here(`dist/${name}`);

rmSync(here("dist"), { recursive: true, force: true });
mkdirSync(here("dist"));
const ids = Object.fromEntries(["core", "full"].map((flavour) => [flavour, module(flavour)]));
const packed = gzipSync(readFileSync(dist("core.wasm")), { level: 9 });
// The system that zlib was built for: without it, the same bytes everywhere.
packed[9] = 255;
writeFileSync(dist("core-inline.js"), `export default ${JSON.stringify(packed.toString("base64"))};\n`);

/** Files beside a script that it names, by how sources name them. */
const BESIDE = {
  "../host/page.js": "./host.js",
  "../host/disk.js": "./host-disk.js",
  "./adapters/index.js": "./adapters.js",
  "./core-inline.js": "./core-inline.js",
  "./worker-inline.js": "./worker-inline.js",
  "./core.wasm": "./core.wasm",
  "./core.wasm?module": "./core.wasm?module",
  "../../entry/node.js": "./node.js",
};

const common = {
  absWorkingDir: here("."),
  outdir: "dist",
  bundle: true,
  format: "esm",
  target: "es2022",
  platform: "neutral",
  external: ["node:*"],
  minify: true,
  // Node prints the line of an uncaught error.
  lineLimit: 160,
  legalComments: "none",
  logLevel: "warning",
  define: { BUILD_IDS: JSON.stringify(ids) },
  plugins: [resolving((path) => (path in BESIDE ? { path: BESIDE[path], external: true } : undefined))],
};
const script = { ...common, format: "iife", globalName: "driftglass" };

await build({ ...common, splitting: true, chunkNames: "chunk-[hash]", entryPoints: SHARED });
// Size is no matter on servers, and errors that programs there print should be readable.
for (const name of FACADES) await build({ ...common, minify: name !== "node", entryPoints: { [name]: `src/entry/${name}.ts` } });
await build({
  ...common,
  minify: false,
  format: "cjs",
  outExtension: { ".js": ".cjs" },
  banner: { js: `const thisUrl = require("node:url").pathToFileURL(__filename).href;` },
  define: { ...common.define, "import.meta.url": "thisUrl" },
  entryPoints: { node: "src/entry/node.ts" },
});
await build({ ...common, external: ["react", "vue"], entryPoints: Object.fromEntries(COMPANIONS.map((name) => [name, `src/${name}/index.ts`])) });
// The command line; what it looks at and what it writes are loaded when they are asked for.
await build({ ...common, splitting: true, chunkNames: "cli-[hash]", banner: { js: "#!/usr/bin/env node" }, entryPoints: { cli: "src/cli/main.ts" } });
// Classic scripts: one that fetches what it needs from where it lies, one with everything inside.
await build({
  ...script,
  banner: { js: `var driftglassUrl = globalThis.document?.currentScript?.src ?? location.href;` },
  define: { ...common.define, "import.meta.url": "driftglassUrl" },
  entryPoints: { script: "src/entry/browser.ts" },
});
const inside = resolving((path) => (path === "./core-inline.js" ? { path: dist("core-inline.js") } : undefined));
await build({ ...script, plugins: [inside], entryPoints: { "service-worker.script": "src/entry/service-worker.ts" } });
const [worker] = (await build({ ...common, format: "iife", write: false, entryPoints: ["src/entry/worker.ts"] })).outputFiles;
writeFileSync(dist("worker-inline.js"), `export default ${JSON.stringify(worker.text)};\n`);

const tsc = createRequire(import.meta.url).resolve("typescript/package.json").replace("package.json", "bin/tsc");
const { status } = spawnSync(process.execPath, [tsc, "--project", here("tsconfig.json")], { stdio: "inherit" });
if (status !== 0) process.exit(1);
for (const [name, source] of Object.entries(DECLARATIONS)) writeFileSync(dist(`${name}.d.ts`), flattened(here(`types/${source}`)));
writeFileSync(dist("node.d.cts"), readFileSync(dist("node.d.ts")));
writeFileSync(dist("script.d.ts"), `export * from "./browser.js";\nexport as namespace driftglass;\n`);
writeFileSync(dist("wasm.d.ts"), "declare const module: WebAssembly.Module;\nexport default module;\n");
rmSync(here("types"), { recursive: true });

describe();

/** Writes a module with its id into dist/ and returns the id. */
function module(flavour) {
  const [glue, wasm] = ["js", "wasm"].map((kind) => readFileSync(here(`wasm/${flavour}/driftglass_bg.${kind}`)));
  const id = createHash("sha256").update(glue).update(wasm).digest("hex").slice(0, 16);
  writeFileSync(dist(`${flavour}.wasm`), Buffer.concat([wasm, section("driftglass-build", id)]));
  return id;
}

/** A custom section; each length is below 128, so that it is one byte. */
function section(name, text) {
  const body = [name.length, ...Buffer.from(name), ...Buffer.from(text)];
  return Buffer.from([0, body.length, ...body]);
}

/** Says what relative imports mean. */
function resolving(resolve) {
  return { name: "resolving", setup: ({ onResolve }) => onResolve({ filter: /^\.\.?\// }, ({ path }) => resolve(path)) };
}

/** Keeps `exports` of package.json true, and makes the folders of subpaths. */
function describe() {
  const file = here("package.json");
  const text = readFileSync(file, "utf8");
  const manifest = JSON.parse(text);
  manifest.exports = EXPORTS;
  const now = `${JSON.stringify(manifest, undefined, 2)}\n`;
  if (now !== text) writeFileSync(file, now);
  for (const name of FOLDERS) {
    mkdirSync(here(name), { recursive: true });
    const { types, default: main } = EXPORTS[`./${name}`];
    const up = (path) => path.replace("./", "../");
    writeFileSync(here(`${name}/package.json`), `${JSON.stringify({ type: "module", main: up(main), module: up(main), types: up(types) }, undefined, 2)}\n`);
  }
}
