// The statistics in WebAssembly give the bits that tests/it/drift_bits.rs writes and checks natively.
import assert from "node:assert/strict";
import { test } from "node:test";

import { file } from "./flights.mjs";
import { figureBits, figureNames } from "./seeded.mjs";

const { cases } = JSON.parse(file("tests/vectors/drift-v1.json"));

/** The outputs of a case, as the file writes them. */
function outputs({ figure, inputs }) {
  const bits = figureBits(figure, JSON.stringify(inputs));
  return Array.from(bits, (output) => output.toString(16).padStart(16, "0"));
}

for (const vector of cases) {
  test(`${vector.figure}: ${vector.name}`, () => {
    assert.deepEqual(outputs(vector), vector.outputs);
  });
}

test("every figure has a case", () => {
  assert.deepEqual(new Set(cases.map(({ figure }) => figure)), new Set(figureNames()));
  assert.ok(cases.length >= 60);
});

test("one changed bit is found", () => {
  for (const vector of cases.filter((_, at) => at % 11 === 0)) {
    const last = BigInt(`0x${vector.outputs.at(-1)}`) ^ 1n;
    const changed = [...vector.outputs.slice(0, -1), last.toString(16).padStart(16, "0")];
    assert.throws(() => assert.deepEqual(outputs(vector), changed), assert.AssertionError);
  }
});

test("unknown figures and inputs that are no JSON are refused", () => {
  assert.throws(() => figureBits("unheard_of", "{}"), { code: "malformed-figure" });
  assert.throws(() => figureBits("simplex", "{"), { code: "malformed-figure" });
});
