// What the build made: sizes that are promised, files that exports name, modules and glue that are there once.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

const root = new URL("../", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("package.json", root)));
const dist = readdirSync(new URL("dist/", root));
const text = (name) => readFileSync(new URL(`dist/${name}`, root), "utf8");

/** All that a page's own thread runs before it asks for more. */
const MAIN_THREAD_BUDGET = 5_000;

test(`browser.js is at most ${MAIN_THREAD_BUDGET} bytes after gzip, and imports nothing but on demand`, (t) => {
  const bytes = gzipSync(text("browser.js"), { level: 9 }).length;
  t.diagnostic(`${bytes} bytes`);
  assert.ok(bytes <= MAIN_THREAD_BUDGET, `${bytes} bytes`);
  assert.doesNotMatch(text("browser.js"), /\bimport\s*["'{*]|\bfrom\s*["']/);
});

test("exports name files that are there, and every folder for bundlers without exports leads to one", () => {
  const targets = (entry) => (typeof entry === "string" ? [entry] : Object.values(entry).flatMap(targets));
  for (const path of [...targets(manifest.exports), manifest.main, manifest.module, manifest.types]) {
    assert.ok(existsSync(new URL(path, root)), path);
  }
  for (const name of manifest.files.filter((name) => manifest.exports[`./${name}`])) {
    const folder = new URL(`${name}/`, root);
    const { main, types } = JSON.parse(readFileSync(new URL("package.json", folder)));
    for (const path of [main, types]) assert.ok(existsSync(new URL(path, folder)), `${name}: ${path}`);
  }
});

test("entries that do something when they are loaded are listed as such", () => {
  const listed = new Set(manifest.sideEffects);
  for (const name of ["browser.js", "node.js", "node.cjs", "workerd.js", "edge.js", "service-worker.js", "worker.js"]) assert.ok(listed.has(`./dist/${name}`), name);
});

test("each module is there once, each glue once for all that can share it", () => {
  assert.deepEqual(dist.filter((name) => name.endsWith(".wasm")).toSorted(), ["core.wasm", "full.wasm"]);
  // Classes of the module free what they own through one: only glue has such registries.
  const glue = dist.filter((name) => /\.c?js$/.test(name) && text(name).includes("FinalizationRegistry"));
  const alone = ["service-worker.script.js", "worker-inline.js"];
  assert.deepEqual(glue.filter((name) => !name.startsWith("chunk-")), alone);
  assert.equal(glue.length - alone.length, 2, "one for each flavour");
});

test("nothing that the package ships names a place of the machine that built it", () => {
  for (const name of dist.filter((name) => /\.(c?js|d\.c?ts)$/.test(name))) assert.doesNotMatch(text(name), /\/(home|root|Users)\//, name);
});

test("declarations lead nowhere inside", () => {
  for (const name of dist.filter((name) => /\.d\.c?ts$/.test(name) && name !== "script.d.ts")) assert.doesNotMatch(text(name), /\bfrom "\.|\bimport\(/, name);
});
