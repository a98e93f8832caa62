// Makes dist/ from src/ and wasm/: scripts by esbuild, declarations by tsc.
//
// Facades (`browser.js`, `node.js`, …) are one small file each and fetch the rest when they need it. Hosts and workers share chunks, so that the glue of each
// flavour is in the package once; the copy of the worker for bundlers that do not emit workers, `worker-inline.js`, has one of its own.
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

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const dist = (name) => here(`dist/${name}`);

rmSync(here("dist"), { recursive: true, force: true });
mkdirSync(here("dist"));
const ids = Object.fromEntries(["core", "full"].map((flavour) => [flavour, module(flavour)]));

const common = {
  absWorkingDir: here("."),
  bundle: true,
  format: "esm",
  target: "es2022",
  platform: "neutral",
  minify: true,
  keepNames: false,
  legalComments: "none",
  logLevel: "warning",
  define: { BUILD_IDS: JSON.stringify(ids) },
  outdir: "dist",
};

// Hosts and what they share.
await build({ ...common, splitting: true, external: ["node:*"], chunkNames: "chunk-[hash]", entryPoints: { host: "src/host/page.ts", "host-disk": "src/host/disk.ts", worker: "src/entry/worker.ts", adapters: "src/adapters/index.ts" } });
// Facades.
for (const name of ["browser", "node"]) {
  await build({ ...common, plugins: [besides()], entryPoints: { [name]: `src/entry/${name}.ts` } });
}
const [worker] = (await build({ ...common, format: "iife", write: false, entryPoints: ["src/entry/worker.ts"] })).outputFiles;
writeFileSync(dist("worker-inline.js"), `export default ${JSON.stringify(worker.text)};\n`);
writeFileSync(dist("core-inline.js"), `export default ${JSON.stringify(gzipSync(readFileSync(dist("core.wasm")), { level: 9 }).toString("base64"))};\n`);

const tsc = createRequire(import.meta.url).resolve("typescript/package.json").replace("package.json", "bin/tsc");
const { status } = spawnSync(process.execPath, [tsc, "--project", here("tsconfig.json")], { stdio: "inherit" });
if (status !== 0) process.exit(1);

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

/** What facades leave to be fetched. */
function besides() {
  const names = { "../host/page.js": "host.js", "../host/disk.js": "host-disk.js", "./adapters/index.js": "adapters.js", "./core-inline.js": "core-inline.js", "./worker-inline.js": "worker-inline.js" };
  return {
    name: "besides",
    setup: ({ onResolve }) => {
      onResolve({ filter: /./ }, ({ path, kind }) => {
        if (kind === "dynamic-import" && path in names) return { path: `./${names[path]}`, external: true };
        if (path.startsWith("node:")) return { path, external: true };
        return undefined;
      });
    },
  };
}
