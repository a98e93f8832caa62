// `wrap` around sessions of onnxruntime-web.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as ort from "onnxruntime-web";

import { dense } from "./onnx.mjs";
import { category, FAILED, numeric, outcome, pair, watching } from "./watching.mjs";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "fatal";

const bytes = readFileSync(new URL("../../demo/model/late-arrival-1.onnx", import.meta.url));
const sha256 = createHash("sha256").update(bytes).digest("hex");
const session = await ort.InferenceSession.create(bytes);

const METRICS = {
  dep_delay: [{ kind: "input", tensor: "numeric", index: 0 }, numeric(-3, 0, 15)],
  carrier: [{ kind: "input", tensor: "carrier", index: 0 }, category("9E", "AA", "AS", "B6", "DL")],
  prediction: [{ kind: "argmax", tensor: "probabilities" }, category("on time", "late")],
  failed: FAILED,
  latency: [{ kind: "latency" }, numeric(0.000001, 60_000)],
  outcome: outcome("on time", "late"),
  joined: pair,
};

/** Feeds of flights: rows of [departure delay, carrier]. */
function feeds(...rows) {
  return {
    numeric: new ort.Tensor("float32", Float32Array.from(rows.flatMap(([delay]) => [delay, 18, 733, 64.9, 8, 0, 10, 1012])), [rows.length, 8]),
    carrier: new ort.Tensor("int64", BigInt64Array.from(rows.map(([, carrier]) => BigInt(carrier))), [rows.length]),
    origin: new ort.Tensor("int64", new BigInt64Array(rows.length), [rows.length]),
  };
}

const flights = () => watching(METRICS, { sha256 });

test("results are those of the session, and what went in and came out is counted", async () => {
  const { monitor, counts } = await flights();
  const watched = await monitor.wrap(session, { sha256 });
  const input = feeds([-5, 3]);
  const [seen, plain] = [await watched.run(input, { key: "a" }), await session.run(input)];
  assert.deepEqual(seen.probabilities.data, plain.probabilities.data);
  monitor.outcome("a", "late");
  assert.deepEqual(await counts(), {
    dep_delay: [1, 0, 0, 0],
    carrier: [0, 0, 0, 1, 0],
    prediction: [1, 0],
    failed: [1, 0],
    latency: [0, 1, 0],
    outcome: [0, 1],
    joined: [0, 1, 0, 0],
  });
});

test("rows of a batch are observations of their own, with keys of their own", async () => {
  const { monitor, counts } = await flights();
  const watched = await monitor.wrap(session, { sha256 });
  await watched.run(feeds([-5, 0], [200, 1], [10, 1]), { key: ["a", "b", "c"] });
  monitor.outcome("b", "late");
  const seen = await counts();
  assert.deepEqual(seen.dep_delay, [1, 0, 1, 1]);
  assert.deepEqual(seen.carrier, [1, 2, 0, 0, 0]);
  assert.deepEqual(seen.prediction, [2, 1]);
  assert.deepEqual(seen.latency, [0, 3, 0]);
  assert.deepEqual(seen.joined, [0, 0, 0, 1]);
});

test("all arguments are passed on but the key", async () => {
  const { monitor } = await flights();
  const given = [];
  const spied = new Proxy(session, {
    get: (target, name) => (name === "run" ? async (...args) => (given.push(structuredClone(args.slice(1))), target.run(...args)) : Reflect.get(target, name, target)),
  });
  const watched = await monitor.wrap(spied, { sha256 });
  await watched.run(feeds([0, 0]), ["probabilities"], { tag: "t", key: "k" });
  await watched.run(feeds([0, 0]), ["probabilities"]);
  await watched.run(feeds([0, 0]), { key: "k" });
  await watched.run(feeds([0, 0]), { logVerbosityLevel: 0 });
  await watched.run(feeds([0, 0]));
  assert.deepEqual(given, [[["probabilities"], { tag: "t" }], [["probabilities"]], [], [{ logVerbosityLevel: 0 }], []]);
});

test("a failure is counted, and thrown as it was", async () => {
  const { monitor, counts } = await flights();
  const watched = await monitor.wrap(session, { sha256 });
  const { origin: _, ...lacking } = feeds([-5, 3]);
  const plain = await session.run(lacking).catch((error) => error);
  const seen = await watched.run(lacking, { key: "a" }).catch((error) => error);
  assert.deepEqual([seen.constructor, seen.message], [plain.constructor, plain.message]);
  const wide = { ...feeds([-5, 3]), numeric: new ort.Tensor("float32", new Float32Array(7), [1, 7]) };
  await assert.rejects(watched.run(wide), /invalid dimensions/i);
  await assert.rejects(watched.run(undefined), /feeds/);
  monitor.outcome("a", "late");
  const { failed, joined } = await counts();
  assert.deepEqual(failed, [0, 2], "what has no inputs is no observation");
  assert.deepEqual(joined, [0, 0, 0, 0], "what failed waits for no outcome");
});

test("the rest of a session stays within reach", async () => {
  const { monitor } = await flights();
  const own = await ort.InferenceSession.create(bytes);
  const watched = await monitor.wrap(own, { sha256 });
  assert.ok(watched instanceof ort.InferenceSession);
  assert.deepEqual(watched.inputNames, ["numeric", "carrier", "origin"]);
  assert.equal(watched.run, watched.run);
  watched.note = "mine";
  assert.equal(own.note, "mine");
  await watched.release();
  await assert.rejects(own.run(feeds([0, 0])));
});

test("without consent nothing is looked at", async () => {
  const { monitor, counts } = await flights();
  await monitor.setConsent("unknown");
  const watched = await monitor.wrap(session, { sha256 });
  assert.ok((await watched.run(feeds([0, 0]), { key: "a" })).probabilities);
  assert.deepEqual((await counts()).dep_delay, [0, 0, 0, 0]);
});

test("a model that the spec does not admit is refused", async () => {
  const { monitor } = await flights();
  await assert.rejects(async () => monitor.wrap(session, { sha256: "0".repeat(64) }), { code: "model-refused" });
  const other = await ort.InferenceSession.create(dense(4, 1));
  await assert.rejects(async () => monitor.wrap(other, { sha256 }), { code: "model-refused" });
  await assert.rejects(async () => monitor.wrap({}, { sha256 }), { code: "invalid-option" });
});

test("of a large input only what the spec reads is copied", async () => {
  const model = dense(2048, 1);
  const sha256 = createHash("sha256").update(model).digest("hex");
  const { monitor, counts } = await watching({ first: [{ kind: "input", tensor: "x", index: 0 }, numeric(0)] }, { sha256 });
  const large = await ort.InferenceSession.create(model);
  const watched = await monitor.wrap(large, { sha256 });
  const lengths = [];
  const x = new Proxy(new ort.Tensor("float32", new Float32Array(2048).fill(1), [1, 2048]), {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name !== "data") return value;
      return Object.assign(value, { slice: (...range) => (lengths.push(range), Float32Array.prototype.slice.apply(value, range)) });
    },
  });
  await watched.run({ x });
  assert.deepEqual(lengths, [[0, 1]]);
  assert.deepEqual(await counts(), { first: [0, 1] });
});
