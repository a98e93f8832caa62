// The vectors of docs/report-format.md in Node; tests/matrix and tests/browser run the same body elsewhere.
import assert from "node:assert/strict";
import { test } from "node:test";

import { LEAST, parts } from "../vectors/run.mjs";
import { file } from "./flights.mjs";
import * as build from "./seeded.mjs";

for (const [name, run] of Object.entries(parts(build, JSON.parse(file("tests/vectors/report-v1.json"))))) {
  test(name, () => assert.ok(run() >= LEAST[name]));
}

test("a difference is found", () => {
  const vectors = JSON.parse(file("tests/vectors/report-v1.json"));
  vectors.good.length = 1;
  vectors.good[0].report = vectors.good[0].report.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
  vectors.bad = [{ name: "a good one", spec: vectors.good[0].spec, bytes: hexOfGood() }];
  const ran = parts(build, vectors);
  assert.throws(ran["good reports, byte for byte"], /case 0: report/);
  assert.throws(ran["bad reports are refused"], /a good one: undefined is not malformed-report/);
});

function hexOfGood() {
  return JSON.parse(file("tests/vectors/report-v1.json")).good[0].report;
}
