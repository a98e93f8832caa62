// `wrap` around models of TF.js, layers and graphs, made here.
import assert from "node:assert/strict";
import { test } from "node:test";

import * as tf from "@tensorflow/tfjs";

import { category, FAILED, numeric, outcome, pair, watching } from "./watching.mjs";

await tf.setBackend("cpu");

/** Says "large" when the sum of its two inputs is above zero. */
function layers() {
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 2, activation: "softmax" })] });
  model.setWeights([tf.tensor2d([-9, 9, -9, 9], [2, 2]), tf.tensor1d([0, 0])]);
  return model;
}

/** The same as a graph, as a converter would write it. */
async function graph() {
  const floats = Float32Array.from([-9, 9, -9, 9]);
  const attribute = { dtype: { type: "DT_FLOAT" }, T: { type: "DT_FLOAT" } };
  const shape = (...sizes) => ({ shape: { dim: sizes.map((size) => ({ size: String(size) })) } });
  const modelTopology = {
    node: [
      { name: "x", op: "Placeholder", attr: { dtype: attribute.dtype, shape: shape(-1, 2) } },
      { name: "w", op: "Const", attr: { dtype: attribute.dtype, value: { tensor: { dtype: "DT_FLOAT", tensorShape: shape(2, 2).shape } } } },
      { name: "sum", op: "MatMul", input: ["x", "w"], attr: { T: attribute.T } },
      { name: "p", op: "Softmax", input: ["sum"], attr: { T: attribute.T } },
    ],
    versions: { producer: 1 },
  };
  const weightSpecs = [{ name: "w", shape: [2, 2], dtype: "float32" }];
  return tf.loadGraphModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData: floats.buffer }));
}

const metrics = (input, output) => ({
  prediction: [{ kind: "argmax", tensor: output }, category("small", "large")],
  first: [{ kind: "input", tensor: input, index: 0 }, numeric(0)],
  failed: FAILED,
  outcome: outcome("small", "large"),
  joined: pair,
});

const settled = () => new Promise((resolve) => setTimeout(resolve, 10));

test("a layers model is watched, row by row", async () => {
  const model = layers();
  const [input, output] = [model.inputs[0].name, model.outputs[0].name];
  const { monitor, counts, sha256 } = await watching(metrics(input, output));
  const watched = await monitor.wrap(model, { sha256 });
  const x = tf.tensor2d([1, 1, -1, -1, 2, -1], [3, 2]);
  const [seen, plain] = [watched.predict(x, { key: ["a", "b", "c"] }), model.predict(x)];
  assert.ok(seen instanceof tf.Tensor, "what was synchronous still is");
  assert.deepEqual(await seen.data(), await plain.data());
  await settled();
  monitor.outcome("b", "large");
  assert.deepEqual(await counts(), { prediction: [1, 2], first: [1, 2], failed: [3, 0], outcome: [0, 1], joined: [0, 1, 0, 0] });
});

test("tensors are neither kept nor awaited", async () => {
  const model = layers();
  const { monitor, counts, sha256 } = await watching(metrics(model.inputs[0].name, model.outputs[0].name));
  const watched = await monitor.wrap(model, { sha256 });
  watched.predict(tf.zeros([1, 2])).dispose();
  const before = tf.memory().numTensors;
  for (let call = 0; call < 50; call += 1) {
    tf.tidy(() => {
      const sync = tf.Tensor.prototype.dataSync;
      tf.Tensor.prototype.dataSync = () => assert.fail("dataSync blocks");
      watched.predict(tf.ones([1, 2]));
      tf.Tensor.prototype.dataSync = sync;
    });
  }
  assert.equal(tf.memory().numTensors, before);
  await settled();
  assert.deepEqual((await counts()).prediction, [1, 50], "values are read before the tensors go");
});

test("a graph model is watched by predict, execute and executeAsync", async () => {
  const model = await graph();
  const { monitor, counts, sha256 } = await watching(metrics("x", "p"));
  const watched = await monitor.wrap(model, { sha256 });
  const x = tf.tensor2d([1, 1], [1, 2]);
  const rows = (tensor) => [...tensor.dataSync()];
  assert.deepEqual(rows(watched.predict(x)), rows(model.predict(x)));
  assert.deepEqual(rows(watched.execute({ x }, "p")), rows(model.execute({ x }, "p")));
  assert.deepEqual(rows(await watched.executeAsync({ x: tf.tensor2d([-1, 0], [1, 2]) }, ["p"])), rows(model.execute({ x: tf.tensor2d([-1, 0], [1, 2]) })));
  await settled();
  const { prediction, first } = await counts();
  assert.deepEqual([prediction, first], [[1, 2], [1, 2]]);
  assert.deepEqual(watched.inputs[0].name, model.inputs[0].name);
});

test("a failure is counted, and thrown as it was", async () => {
  const model = layers();
  const { monitor, counts, sha256 } = await watching(metrics(model.inputs[0].name, model.outputs[0].name));
  const watched = await monitor.wrap(model, { sha256 });
  const wide = tf.zeros([1, 3]);
  let plain;
  try {
    model.predict(wide);
  } catch (error) {
    plain = error;
  }
  assert.throws(() => watched.predict(wide), { name: plain.name, message: plain.message });
  await settled();
  assert.deepEqual((await counts()).failed, [0, 1]);
});
