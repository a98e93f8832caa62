// Core to first report beside other modules, each time in a new process and in a new page, the libraries in turn; and observing.
// `node main.mjs [--quick]`; CHROMIUM names the browser, without it there are no pages.
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

import { STARTS } from "./starts.mjs";

const quick = process.argv.includes("--quick");
const ROUNDS = quick ? 3 : 21;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

function inNode(...words) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [here("node.mjs"), ...words], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

/** Files by their address: the module as it is packed, and the peers bundled into one script each, as an application would. */
async function served() {
  const { build } = await import("esbuild");
  const bundled = async (entry) => {
    // The condition is the one under which automerge, like loro-crdt's entry, carries its module in the script.
    const conditions = ["webpack"];
    const options = { bundle: true, conditions, format: "esm", minify: true, write: false, platform: "browser", absWorkingDir: here(".") };
    const { outputFiles } = await build({ ...options, stdin: { contents: `export * from "${entry}";`, resolveDir: here(".") } });
    return outputFiles[0].contents;
  };
  const file = (path) => readFile(here(path));
  const ort = "node_modules/onnxruntime-web/dist";
  return {
    "/page.html": [`<!doctype html><script type="module" src="/page.mjs"></script>`, "text/html"],
    "/page.mjs": [await file("page.mjs"), "text/javascript"],
    "/starts.mjs": [await file("starts.mjs"), "text/javascript"],
    "/spec.json": [await file("../../pkg-config.json"), "application/json"],
    "/model.onnx": [await file("../../demo/model/late-arrival-1.onnx"), "application/octet-stream"],
    "/core/glue.js": [await file("../../target/pack/bindings/core/driftglass_bg.js"), "text/javascript"],
    "/core/module.wasm": [await file("../../target/pack/optimized/core/driftglass_bg.wasm"), "application/wasm"],
    "/automerge.js": [await bundled("@automerge/automerge"), "text/javascript"],
    "/loro.js": [await bundled("loro-crdt/base64"), "text/javascript"],
    "/ort/ort.wasm.min.mjs": [await file(`${ort}/ort.wasm.min.mjs`), "text/javascript"],
    "/ort/ort-wasm-simd-threaded.mjs": [await file(`${ort}/ort-wasm-simd-threaded.mjs`), "text/javascript"],
    "/ort/ort-wasm-simd-threaded.wasm": [await file(`${ort}/ort-wasm-simd-threaded.wasm`), "application/wasm"],
  };
}

/** Measures in pages of a browser that was started for this. */
async function browser(executablePath) {
  const { chromium } = await import("playwright-core");
  const files = await served();
  const server = createServer((request, response) => {
    const found = files[new URL(request.url, "http://localhost").pathname];
    response.writeHead(found ? 200 : 404, { "content-type": found?.[1] ?? "text/plain", "cache-control": "no-store" });
    response.end(found?.[0]);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"];
  const chromiumProcess = await chromium.launch({ executablePath, args });
  return {
    async measure(query) {
      const context = await chromiumProcess.newContext();
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${server.address().port}/page.html?${query}`);
      await page.waitForFunction(() => document.title !== "", undefined, { timeout: 120_000 });
      const title = await page.title();
      await context.close();
      if (!(Number(title) > 0)) throw new Error(title);
      return Number(title);
    },
    async close() {
      await chromiumProcess.close();
      server.close();
    },
  };
}

const times = Object.fromEntries(Object.keys(STARTS).map((name) => [name, { node: [], chromium: [] }]));
const observe = { node: [], chromium: [] };
const pages = process.env.CHROMIUM ? await browser(process.env.CHROMIUM) : undefined;
for (let round = 0; round < ROUNDS; round += 1) {
  for (const name of Object.keys(STARTS)) {
    times[name].node.push(inNode("start", name));
    if (pages) times[name].chromium.push(await pages.measure(`start=${name}`));
  }
  if (round % 5 === 0) observe.node.push(inNode("observe"));
  if (pages && round % 5 === 0) observe.chromium.push(await pages.measure("observe"));
}
await pages?.close();

const shown = (list, digits) => (list.length ? median(list).toFixed(digits) : "not run").padStart(12);
console.log(`\nto a first result, median of ${ROUNDS} starts, ms`);
console.log(`${"".padEnd(18)}${"Node".padStart(12)}${"Chromium".padStart(12)}`);
for (const [name, { node, chromium }] of Object.entries(times)) {
  console.log(`${name.padEnd(18)}${shown(node, 1)}${shown(chromium, 1)}`);
}
console.log(`\nobserve() of 20 features, through the bindings, ns: the median over starts of the least of 1,000 rounds of 500 calls`);
console.log(`${"driftglass".padEnd(18)}${shown(observe.node, 0)}${shown(observe.chromium, 0)}`);
