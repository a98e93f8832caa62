// Runs one module as it will be shipped: `node module.mjs <folder with the bindings> <module>`. Throws unless it works; else
// prints its sizes and the spec id of pkg-config.json as JSON.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliCompressSync, gunzipSync, gzipSync } from "node:zlib";

import { refused } from "./refused.mjs";

const folder = resolve(process.argv[2]);
const file = (path) => readFileSync(new URL(`../../${path}`, import.meta.url));
const bytes = readFileSync(process.argv[3]);
const glue = await import(pathToFileURL(join(folder, "driftglass_bg.js")));

const compiled = new WebAssembly.Module(bytes);
const found = refused(compiled, glue);
assert.deepEqual(found, [], `the module exports ${found}, which must not be shipped`);

const { exports } = new WebAssembly.Instance(compiled, { "./driftglass_bg.js": glue });
glue.__wbg_set_wasm(exports);
exports.__wasm_call_ctors?.();
exports.__wbindgen_start();

const specId = monitors();
if (glue.WasmSession) infers();
const [gzip, brotli] = [gzipSync(bytes, { level: 9 }).length, brotliCompressSync(bytes).length];
console.log(JSON.stringify({ specId, raw: bytes.length, gzip, brotli }));

/** Joins, observes a week, answers it, and reads the answer back. Returns the spec id. */
function monitors() {
  const spec = JSON.parse(file("pkg-config.json"));
  const week = spec.measurement.window.length_secs;
  const monitor = new glue.WasmMonitor(JSON.stringify(spec), "all", false);
  const state = monitor.join(undefined, 2264 * week);
  const inputs = { numeric: [12, 9, 500, 60, 5, 0, 10, null], carrier: 3, origin: 1 };
  monitor.observe({ inputs, outputs: { probabilities: [0.25, 0.75] } }, undefined, 2265 * week);
  const answer = monitor.answer(state, 2265, 2266 * week);
  const report = monitor.parseReport(answer.report);
  assert.equal(answer.report.length, 45);
  assert.deepEqual([report.window, report.specId], [2265, monitor.specId]);
  assert.notDeepEqual(answer.state, state, "the answer was debited");
  return monitor.specId;
}

/** Runs the demo's model on 20 flights; onnxruntime's outputs lie beside it. */
function infers() {
  const session = new glue.WasmSession(file("demo/model/late-arrival-1.onnx"));
  const expected = JSON.parse(gunzipSync(file("demo/model/expected-outputs.json.gz")));
  const [header, ...lines] = gunzipSync(file("demo/data/flights.csv.gz")).toString().split("\n");
  const names = header.split(",");
  const columns = ["dep_delay", "hour", "distance", "temp", "wind_speed", "precip", "visib", "pressure"];
  for (let index = 0; index < 20; index += 1) {
    const cells = lines[expected.rows[index]].split(",");
    const cell = (name) => Number(cells[names.indexOf(name)] || Number.NaN);
    const code = (name) => ({ type: "int64", data: BigInt64Array.of(BigInt(cell(name))), dims: [1] });
    const { probabilities } = session.run({
      numeric: { type: "float32", data: Float32Array.from(columns.map(cell)), dims: [1, 8] },
      carrier: code("carrier"),
      origin: code("origin"),
    });
    for (const [place, value] of expected.probabilities[index].entries()) {
      const found = probabilities.data[place];
      assert.ok(Math.abs(value - found) < 1e-5, `flight ${index}: ${found} is not ${value}`);
    }
  }
}
