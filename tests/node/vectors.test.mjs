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
    const { document } = vectors.specs[good.spec];
    const { measurement } = document;
    const monitor = monitorOf(document, measurement.segments[good.segment], good.canary);
    const question = measurement.questions[good.question];
    fill(monitor, measurement, question, good.profile, good.window * measurement.window.length_secs);
    setEntropySeed(bytes(good.seed));
    const answer = monitor.answer(bytes(good.state), good.window, good.now_secs);
    assert.equal(hex(answer.report), good.report, `case ${index}`);
    assert.deepEqual([answer.question.index, answer.trueSymbol], [good.question, good.true_symbol], `case ${index}`);
    assert.deepEqual(monitor.parseReport(answer.report).symbols, good.subset, `case ${index}`);
    monitor.free();
  }
  assert.ok(vectors.good.length >= 60);
});

test("bad reports are refused", () => {
  for (const { name, spec, bytes: bad } of vectors.bad) {
    const { document } = vectors.specs[spec];
    const monitor = monitorOf(document, document.measurement.segments[0], false);
    assert.throws(() => monitor.parseReport(bytes(bad)), { code: "malformed-report" }, name);
    monitor.free();
  }
  assert.ok(vectors.bad.length >= 20);
});

test("upload bodies", () => {
  for (const { reports, bytes: body } of vectors.bodies.good) {
    assert.equal(hex(encodeBody(reports.map(bytes))), body);
  }
});

function monitorOf(document, segment, canary) {
  return new WasmMonitor(JSON.stringify(document), segment, canary);
}

/** Observes events until the cells of the question's metric have these counts. */
function fill(monitor, { metrics }, question, profile, secs) {
  const metric = metrics.find(({ name }) => name === question.metric);
  let key = 0;
  for (const [cell, count] of (profile ?? []).entries()) {
    for (let event = 0; event < count; event += 1) {
      key += 1;
      if (metric.source.kind === "pair") {
        const [prediction, outcome] = ["prediction", "outcome"].map((side) => metrics.find(({ name }) => name === metric.source[side]));
        const columns = outcome.cells.labels.length;
        observe(monitor, prediction.source, valueIn(prediction.cells, Math.floor(cell / columns)), String(key), secs);
        assert.ok(monitor.outcome(String(key), cell % columns, secs));
      } else {
        observe(monitor, metric.source, valueIn(metric.cells, cell), undefined, secs);
      }
    }
  }
}

function observe(monitor, source, value, key, secs) {
  const elements = Array(source.index + 1).fill(null);
  elements[source.index] = value;
  monitor.observe({ inputs: { [source.tensor]: elements } }, key, secs);
}

/** A value that falls into a cell. */
function valueIn({ kind, edges, labels, other }, cell) {
  const base = kind === "numeric" ? edges.length + 1 : labels.length;
  if (cell < base) return kind === "category" ? cell : cell < edges.length ? edges[cell] : edges.at(-1) + 1;
  return other && cell === base ? 1e9 : null;
}
