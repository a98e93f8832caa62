// Sketches that outlive a page, through the bindings; tests/it/snapshots.rs looks at what they hold.
import assert from "node:assert/strict";
import { test } from "node:test";

import { file } from "./flights.mjs";
import { setEntropySeed, WasmMonitor } from "./seeded.mjs";

const spec = file("pkg-config.json").toString();
const WEEK = JSON.parse(spec).measurement.window.length_secs;
const NOW = 2265 * WEEK;

const monitor = () => new WasmMonitor(spec, "all", false);
const events = (view, metric) => view.metrics.find(({ name }) => name === metric).events;
const seen = {
  inputs: { numeric: [12, 9, 500, 60, 5, 0, 10, null], carrier: "AA", origin: 1 },
  outputs: { probabilities: [0.25, 0.75] },
};

test("a page that is reloaded goes on with its window", () => {
  const before = monitor();
  before.observe(seen, "flight", NOW);
  const { sketches, unknownOutcomes, discarded } = before.merged(undefined, before.takeDelta(), NOW);
  assert.deepEqual([unknownOutcomes, discarded], [0, false]);
  assert.equal(before.takeDelta(), undefined);

  const after = monitor();
  assert.equal(after.outcome("flight", "late", NOW + 9), false, "the prediction is in the store");
  assert.equal(events(after.inspect(2265), "hour"), 0);
  assert.equal(events(after.inspect(2265, sketches), "hour"), 1);
  const merged = after.merged(sketches, after.takeDelta(), NOW + 9);
  assert.equal(merged.unknownOutcomes, 0);
  const view = after.inspect(2265, merged.sketches);
  assert.deepEqual([events(view, "hour"), events(view, "prediction_outcome"), view.pending], [1, 1, 0]);
});

test("a delta that could not be stored is given back", () => {
  const device = monitor();
  device.observe(seen, undefined, NOW);
  const delta = device.takeDelta();
  device.observe(seen, undefined, NOW);
  device.giveBack(delta, NOW);
  assert.equal(events(device.inspect(2265), "hour"), 2);
});

test("what is stored may be anything", () => {
  const device = monitor();
  device.observe(seen, undefined, NOW);
  const { sketches, discarded } = device.merged(new Uint8Array([7, 7]), device.takeDelta(), NOW);
  assert.ok(discarded);
  assert.equal(events(device.inspect(2265, sketches), "hour"), 1);
  assert.throws(() => device.giveBack(new Uint8Array([7]), NOW), { code: "unreadable-sketches" });
  assert.throws(() => device.merged(undefined, new Uint8Array(), NOW), { code: "unreadable-sketches" });
});

test("an answer counts what is stored", () => {
  const device = monitor();
  device.observe(seen, undefined, NOW);
  const { sketches } = device.merged(undefined, device.takeDelta(), NOW);
  const answers = (stored) =>
    Array.from({ length: 40 }, (_, seed) => {
      setEntropySeed(new Uint8Array([seed]));
      const { question, symbols, trueSymbol } = device.answer(device.join(undefined, NOW - WEEK), 2265, NOW + WEEK, stored);
      return [question.name, symbols[trueSymbol]];
    });
  const hours = (stored) => answers(stored).filter(([name]) => name === "hour").map(([, symbol]) => symbol);
  assert.ok(hours(sketches).length > 0);
  assert.deepEqual(new Set(hours(sketches)), new Set(["(8, 12]"]));
  assert.deepEqual(new Set(hours(undefined)), new Set(["no data"]), "what was taken is not in the module any more");
});
