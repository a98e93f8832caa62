// The vectors of docs/report-format.md through the seeded wasm build; tests/it/vectors.rs runs the same natively.
import assert from "node:assert/strict";
import { test } from "node:test";

import { file } from "./flights.mjs";
import { encodeBody, setEntropySeed, WasmMonitor } from "./seeded.mjs";

const vectors = JSON.parse(file("tests/vectors/report-v1.json"));
const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (data) => Buffer.from(data).toString("hex");

test("spec ids", () => {
  for (const { document, id } of vectors.specs) {
    assert.equal(monitorOf(document, document.measurement.segments[0], false).specId, id);
  }
});

test("good reports, byte for byte", () => {
  for (const [index, good] of vectors.good.entries()) {
    const { document, samples } = vectors.specs[good.spec];
    const { measurement } = document;
    const monitor = monitorOf(document, measurement.segments[good.segment], good.canary);
    fill(monitor, samples, good.profile, good.window * measurement.window.length_secs);
    setEntropySeed(bytes(good.seed));
    const answer = monitor.answer(bytes(good.state), good.window, good.now_secs);
    assert.equal(hex(answer.report), good.report, `case ${index}`);
    assert.deepEqual([answer.question.index, answer.trueSymbol], [good.question, good.true_symbol], `case ${index}`);
    assert.deepEqual(monitor.parseReport(answer.report).symbols, good.supports ?? [], `case ${index}`);
    monitor.free();
  }
  assert.ok(vectors.good.length >= 150);
});

test("bad reports are refused", () => {
  for (const { name, spec, bytes: bad } of vectors.bad) {
    const { document } = vectors.specs[spec];
    const monitor = monitorOf(document, document.measurement.segments[0], false);
    assert.throws(() => monitor.parseReport(bytes(bad)), { code: "malformed-report" }, name);
    monitor.free();
  }
  assert.ok(vectors.bad.length >= 200);
});

test("upload bodies", () => {
  for (const { reports, bytes: body } of vectors.bodies.good) {
    assert.equal(hex(encodeBody(reports.map(bytes))), body);
  }
});

function monitorOf(document, segment, canary) {
  return new WasmMonitor(JSON.stringify(document), segment, canary);
}

/** Observes each sample as often as the profile says. */
function fill(monitor, samples, profile, secs) {
  let key = 0;
  for (const [place, count] of (profile ?? []).entries()) {
    for (let event = 0; event < count; event += 1) {
      key += 1;
      const { input, outcome } = samples[place];
      const waits = outcome === undefined ? undefined : String(key);
      monitor.observe({ inputs: { x: [input] } }, waits, secs);
      if (waits !== undefined) assert.ok(monitor.outcome(waits, outcome, secs));
    }
  }
}
