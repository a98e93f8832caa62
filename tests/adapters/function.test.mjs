// `wrap` around plain functions.
import assert from "node:assert/strict";
import { test } from "node:test";

import { category, FAILED, numeric, outcome, pair, watching } from "./watching.mjs";

const METRICS = {
  prediction: [{ kind: "output", tensor: "answer", index: 0 }, category("no", "yes")],
  age: [{ kind: "input", tensor: "age", index: 0 }, numeric(18, 65)],
  failed: FAILED,
  outcome: outcome("no", "yes"),
  joined: pair,
};
const MODEL = { inputs: [["age", [1]]], outputs: ["answer"] };

test("arguments and results are read by name", async () => {
  const { monitor, counts, sha256 } = await watching(METRICS);
  const named = await monitor.wrap(({ age }) => ({ answer: age < 18 ? "no" : "yes" }), { sha256, ...MODEL });
  assert.deepEqual(named({ age: 12 }), { answer: "no" });
  const placed = await monitor.wrap(async (age) => (age < 18 ? "no" : "yes"), { sha256, ...MODEL });
  assert.equal(await placed(30), "yes");
  const { prediction, age, failed } = await counts();
  assert.deepEqual([prediction, age, failed], [[1, 1], [1, 1, 0], [2, 0]]);
});

test("a model may say how calls are read and named", async () => {
  const { monitor, counts, sha256 } = await watching(METRICS);
  const read = { inputs: (person) => ({ age: 2013 - person.born }), outputs: (known) => ({ answer: known.get("answer") }) };
  const key = ([person]) => person.id;
  const ask = await monitor.wrap(() => new Map([["answer", "yes"]]), { sha256, ...MODEL, read, key });
  ask({ born: 1940, id: "p" });
  monitor.outcome("p", "no");
  const { age, joined } = await counts();
  assert.deepEqual([age, joined], [[0, 0, 1], [0, 0, 1, 0]]);
});

test("failures, synchronous or not, are counted and thrown as they were", async () => {
  const { monitor, counts, sha256 } = await watching(METRICS);
  const error = new RangeError("too old");
  const sync = await monitor.wrap(() => { throw error; }, { sha256, ...MODEL });
  assert.throws(() => sync(80), (thrown) => thrown === error);
  const later = await monitor.wrap(async () => { throw error; }, { sha256, ...MODEL });
  await assert.rejects(later(80), (thrown) => thrown === error);
  const { failed, age } = await counts();
  assert.deepEqual([failed, age], [[0, 2], [0, 0, 2]]);
});

test("what cannot be read never reaches the caller", async () => {
  const { monitor, counts, sha256 } = await watching(METRICS);
  const read = { inputs: () => { throw new Error("ours"); }, outputs: (result) => result.missing.field };
  const wrapped = await monitor.wrap((value) => value, { sha256, ...MODEL, read });
  assert.equal(wrapped(7), 7);
  const halves = await monitor.wrap((value) => value, { sha256, ...MODEL, read: { outputs: read.outputs } });
  assert.equal(halves(7), 7);
  const odd = await monitor.wrap(() => ({ answer: { nested: true } }), { sha256, ...MODEL });
  assert.deepEqual(odd(7), { answer: { nested: true } });
  const { failed } = await counts();
  assert.deepEqual(failed, [0, 0], "none of them was an observation");
});

test("this, properties and what is no promise are left alone", async () => {
  const { monitor, sha256 } = await watching(METRICS);
  function counter() {
    return this?.base;
  }
  counter.version = 3;
  const wrapped = await monitor.wrap(counter, { sha256, ...MODEL });
  assert.equal(wrapped.call({ base: 5 }), 5);
  assert.equal(wrapped.version, 3);
  let begun = 0;
  const lazy = { then: () => (begun += 1) };
  const query = await monitor.wrap(() => lazy, { sha256, ...MODEL });
  assert.equal(query(1), lazy);
  assert.equal(begun, 0, "a thenable may begin its work when asked");
});

test("a function must say what its inputs and outputs are", async () => {
  const { monitor, sha256 } = await watching(METRICS);
  await assert.rejects(async () => monitor.wrap(() => 1, { sha256 }), { code: "invalid-option", message: /inputs, outputs/ });
});
