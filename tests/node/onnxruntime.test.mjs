// The module's inference against onnxruntime (PyPI, computed once; `demo/prepare.py` writes the values).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";

import { InferenceSession, Tensor } from "driftglass";

import { file, flights } from "./flights.mjs";

const model = file("demo/model/late-arrival-1.onnx");
const expected = JSON.parse(gunzipSync(file("demo/model/expected-outputs.json.gz")));

test("the expected values belong to this model and these flights", () => {
  const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
  assert.equal(sha256(model), expected.model_sha256);
  assert.equal(sha256(file("demo/data/flights.csv.gz")), expected.flights_sha256);
  assert.equal(expected.rows.length, 1000);
});

test("outputs equal onnxruntime's within 1e-5 on 1,000 flights", async () => {
  const session = await InferenceSession.create(model);
  const all = flights();
  let largest = 0;
  for (const [index, row] of expected.rows.entries()) {
    const { numeric, carrier, origin } = all[row];
    const { probabilities } = await session.run({
      numeric: new Tensor("float32", Float32Array.from(numeric), [1, 8]),
      carrier: new Tensor("int64", BigInt64Array.of(BigInt(carrier)), [1]),
      origin: new Tensor("int64", BigInt64Array.of(BigInt(origin)), [1]),
    });
    expected.probabilities[index].forEach((value, place) => {
      largest = Math.max(largest, Math.abs(value - probabilities.data[place]));
    });
  }
  console.log(`largest difference: ${largest}`);
  assert.ok(largest < 1e-5);
});

test("a batch gives the rows that single runs give", async () => {
  const session = await InferenceSession.create(model);
  const rows = flights().slice(0, 7);
  const feeds = (part) => ({
    numeric: new Tensor("float32", Float32Array.from(part.flatMap((row) => row.numeric)), [part.length, 8]),
    carrier: new Tensor("int64", BigInt64Array.from(part.map((row) => BigInt(row.carrier))), [part.length]),
    origin: new Tensor("int64", BigInt64Array.from(part.map((row) => BigInt(row.origin))), [part.length]),
  });
  const batch = (await session.run(feeds(rows))).probabilities;
  assert.deepEqual(batch.dims, [7, 2]);
  for (const [index, row] of rows.entries()) {
    const single = (await session.run(feeds([row]))).probabilities.data;
    assert.ok(Math.abs(single[0] - batch.data[2 * index]) < 1e-6);
  }
});

test("inputs that do not fit are refused with what they must be", async () => {
  const session = await InferenceSession.create(model);
  const good = {
    numeric: new Tensor("float32", new Float32Array(8), [1, 8]),
    carrier: new Tensor("int64", new BigInt64Array(1), [1]),
    origin: new Tensor("int64", new BigInt64Array(1), [1]),
  };
  const refused = (feeds, message) => assert.rejects(session.run(feeds), { code: "input-refused", message });
  const { origin: _, ...missing } = good;
  await refused(missing, 'input "origin" is missing');
  await refused({ ...good, origin: new Tensor("float32", new Float32Array(1), [1]) }, 'input "origin" must be int64');
  await refused({ ...good, numeric: new Tensor("float32", new Float32Array(7), [1, 7]) }, /must have dimensions \[any, 8\]/);
  assert.throws(() => new Tensor("float32", new Float32Array(7), [1, 8]), { code: "input-refused" });
  assert.ok((await session.run(good)).probabilities);
});

test("bytes that are no model are refused", async () => {
  for (const bytes of [new Uint8Array(0), new Uint8Array(100).fill(7), model.subarray(0, 1000), new TextEncoder().encode("model")]) {
    await assert.rejects(InferenceSession.create(bytes), { code: "model-unusable" });
  }
});
