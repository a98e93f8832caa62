// The tarball that `cargo xtask pack` made, as those get it who install it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { refused } from "./refused.mjs";

const tarball = process.env.DRIFTGLASS_TARBALL;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "driftglass-"));
after(() => rmSync(folder, { recursive: true }));
const installed = (path) => join(folder, "node_modules/driftglass", path);
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const json = (path) => JSON.parse(readFileSync(path));

// Offline: the package needs no other.
const install = ["install", "--offline", "--no-package-lock", "--prefix", folder, tarball];
execFileSync("npm", install, { shell: process.platform === "win32" });

test("works in an empty folder", () => {
  copyFileSync(here("consumer.mjs"), join(folder, "consumer.mjs"));
  const args = ["consumer.mjs", here("../../pkg-config.json"), here("../../demo/model/late-arrival-1.onnx")];
  const said = JSON.parse(execFileSync(process.execPath, args, { cwd: folder }));
  assert.ok(Math.abs(said.sum - 1) < 1e-6);
  assert.deepEqual([said.joined, said.bytes, said.window], [[], 45, 2265]);
  assert.match(said.specId, /^[0-9a-f]{32}$/);
});

test("holds what package.json lists, and nothing else", () => {
  const { files } = json(installed("package.json"));
  const listed = new Set([...files.map((entry) => entry.split("/")[0]), "package.json"]);
  assert.deepEqual(readdirSync(installed(".")).toSorted(), [...listed].toSorted());
  const modules = readdirSync(installed("dist"), { recursive: true }).filter((name) => name.endsWith(".wasm"));
  assert.deepEqual(modules.toSorted(), ["core.wasm", "full.wasm"], "each module once");
  for (const name of ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "pkg-config.json"]) {
    assert.deepEqual(readFileSync(installed(name)), readFileSync(here(`../../${name}`)), name);
  }
});

test("checksums are those of the files", () => {
  const beside = dirname(tarball);
  const lines = readFileSync(join(beside, "SHA256SUMS"), "utf8").trimEnd().split("\n");
  const sums = lines.map((line) => line.split("  "));
  assert.ok(sums.length >= 3);
  for (const [sum, name] of sums) assert.equal(sha256(readFileSync(join(beside, name))), sum, name);
});

test("the bill of materials is about this package", () => {
  const bill = json(installed("sbom.cdx.json"));
  assert.deepEqual([bill.bomFormat, bill.specVersion, bill.version], ["CycloneDX", "1.6", 1]);
  assert.equal(bill.metadata.component.purl, `pkg:npm/driftglass@${json(installed("package.json")).version}`);
  const references = new Set([bill.metadata.component, ...bill.components].map((component) => component["bom-ref"]));
  assert.equal(references.size, bill.components.length + 1, "references are unique");
  for (const component of bill.components) {
    assert.ok(component.name && ["library", "file"].includes(component.type), component.name);
    const hash = component.hashes?.[0].content;
    if (component.type === "file") assert.equal(hash, sha256(readFileSync(installed(component.name))));
    else assert.ok(component.version && component.licenses, component.name);
    const fromRegistry = component.purl?.startsWith("pkg:cargo/") && component.name !== "driftglass";
    if (fromRegistry) assert.match(hash, /^[0-9a-f]{64}$/);
  }
  for (const { ref, dependsOn } of bill.dependencies) {
    for (const reference of [ref, ...dependsOn]) assert.ok(references.has(reference), reference);
  }
  const names = new Set(bill.components.map(({ name }) => name));
  for (const linked of ["hmac", "libm", "sha2", "tract-onnx", "wasm-bindgen"]) assert.ok(names.has(linked), linked);
  const elsewhere = ["axum", "proptest", "serde_derive", "wasm-bindgen-cli-support"];
  for (const name of elsewhere) assert.ok(!names.has(name), name);
});

test("a module that lets its seed be set is found", () => {
  const name = new TextEncoder().encode("setEntropySeed");
  // One function without parameters or results, exported under the name.
  const exporting = [0x07, name.length + 4, 1, name.length, ...name, 0, 0];
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const [type, declared, body] = [[1, 4, 1, 0x60, 0, 0], [3, 2, 1, 0], [0x0a, 4, 1, 2, 0, 0x0b]];
  const seeded = new WebAssembly.Module(Uint8Array.from([...header, ...type, ...declared, ...exporting, ...body]));
  const plain = new WebAssembly.Module(Uint8Array.from(header));
  assert.deepEqual(refused(seeded, {}), ["setEntropySeed"]);
  assert.deepEqual(refused(plain, { setEntropySeed() {} }), ["setEntropySeed"]);
  assert.deepEqual(refused(plain, {}), []);
});
