// What a device counted outlives its process, and tabs that share a store add up.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { DriftglassError, FileStore, MemoryStore } from "driftglass";

import { device, weeks, WEEK } from "./device.mjs";

const record = (delay, late = 0.75) => ({
  inputs: { numeric: [delay, 9, 500, 60, 5, 0, 10, 50], carrier: 3, origin: "JFK" },
  outputs: { probabilities: [1 - late, late] },
});

function path(t) {
  const folder = mkdtempSync(join(tmpdir(), "driftglass-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "device.json");
}

/** A tab on a store. */
const tab = (store, clock) => device("http://127.0.0.1:9/", { store, ...(clock && { clock }) });

/** Events of the metric that every record has, and the counts of a metric. */
async function counted({ monitor }, name = "dep_delay", window) {
  const { metrics } = await monitor.inspect(window);
  return metrics.find((metric) => metric.name === name);
}

/** Counts something for every question there is. */
function live({ monitor }) {
  monitor.observe(record(12), { key: "flight" });
  monitor.outcome("flight", "late");
}

/** The store, with what was asked of it. */
function watched(store, fault = () => undefined) {
  const calls = { saveSketches: 0, transact: 0 };
  const call = (name) => async (...args) => {
    calls[name] += 1;
    fault(name);
    return store[name](...args);
  };
  return {
    calls,
    store: {
      transact: call("transact"), saveSketches: call("saveSketches"), outbox: (limit) => store.outbox(limit),
      remove: (...args) => store.remove(...args), purge: () => store.purge(),
    },
  };
}

test("what was counted is there after a restart, and answers the window", async (t) => {
  const file = path(t);
  const before = await tab(new FileStore(file));
  for (let event = 0; event < 5; event += 1) live(before);
  await before.monitor.dispose();
  const after = await tab(new FileStore(file), before.clock);
  assert.equal((await counted(after)).events, 5);
  const [answer] = await weeks(after, 1);
  assert.notEqual(answer.trueSymbol, answer.symbols.length - 1, "there were data");
});

test("tabs add up while both are open", async (t) => {
  const file = path(t);
  const one = await tab(new FileStore(file));
  const two = await tab(new FileStore(file), one.clock);
  for (let event = 0; event < 3; event += 1) one.monitor.observe(record(12));
  for (let event = 0; event < 4; event += 1) two.monitor.observe(record(12));
  assert.deepEqual([(await counted(one)).events, (await counted(two)).events], [3, 4], "each sees its own at once");
  await two.monitor.dispose();
  assert.equal((await counted(one)).events, 7);
  await one.monitor.dispose();
  const later = await tab(new FileStore(file), one.clock);
  assert.equal((await counted(later)).events, 7, "and nothing is counted twice");
  later.monitor.observe(record(12));
  const [answer, ...others] = await weeks(later, 1);
  assert.equal(others.length, 0);
  assert.equal((await counted(later, "dep_delay", answer.window)).events, 8, "answering keeps what it answered from");
});

test("an outcome finds the prediction of an earlier page load", async (t) => {
  const file = path(t);
  const before = await tab(new FileStore(file));
  before.monitor.observe(record(12), { key: "flight" });
  await before.monitor.dispose();
  const after = await tab(new FileStore(file), before.clock);
  after.clock.secs += 3_600;
  after.monitor.outcome("flight", "late");
  after.monitor.outcome("unknown", "late");
  await after.monitor.dispose();
  const last = await tab(new FileStore(file), before.clock);
  assert.deepEqual((await counted(last, "prediction_outcome")).counts, [0, 0, 0, 1]);
  last.monitor.outcome("flight", "late");
  await weeks(last, 1);
  assert.equal((await last.monitor.status()).counters.unknownOutcomes, 1, "it waits no more");
});

test("counting writes now and then, not each time", async (t) => {
  const { store, calls } = watched(new FileStore(path(t)));
  const one = await tab(store);
  const began = performance.now();
  let seen = 0;
  while (performance.now() - began < 2_500) {
    one.monitor.observe(record(12));
    seen += 1;
    if (seen % 100 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  assert.equal(calls.saveSketches, 1, "once in two seconds");
  await one.monitor.dispose();
  const later = await tab(store, one.clock);
  assert.equal((await counted(later)).events, seen, "all of it is saved");
  assert.ok(seen > 1_000);
});

test("what could not be saved stays, and is saved later", async (t) => {
  const file = path(t);
  let broken = false;
  const { store } = watched(new FileStore(file), (name) => {
    if (broken && name === "saveSketches") throw new DriftglassError("store-failed", "The disk is full.");
  });
  const one = await tab(store);
  one.monitor.observe(record(12));
  broken = true;
  await new Promise((resolve) => setTimeout(resolve, 2_300));
  assert.equal((await counted(one)).events, 1);
  one.monitor.observe(record(12));
  broken = false;
  await one.monitor.dispose();
  assert.equal((await counted(await tab(new FileStore(file), one.clock))).events, 2);
});

test("an answer that is not committed costs nothing of what was counted", async (t) => {
  const file = path(t);
  let broken = false;
  const { store } = watched(new FileStore(file), (name) => {
    if (broken && name === "transact") throw new DriftglassError("store-failed", "The disk is full.");
  });
  const one = await tab(store);
  const { clock } = one;
  live(one);
  clock.secs += WEEK;
  broken = true;
  await assert.rejects(one.monitor.close(), { code: "store-failed" });
  broken = false;
  const [answer] = await one.monitor.close();
  assert.notEqual(answer.trueSymbol, answer.symbols.length - 1);
  assert.equal((await counted(one, "dep_delay", answer.window)).events, 1);
});

test("a purge wipes what was counted, in every tab, and it does not come back", async (t) => {
  const file = path(t);
  const one = await tab(new FileStore(file));
  const two = await tab(new FileStore(file), one.clock);
  one.monitor.observe(record(12));
  two.monitor.observe(record(12));
  await one.monitor.setConsent("denied");
  assert.deepEqual(readdirSync(join(file, "..")), []);
  assert.deepEqual(await weeks(two, 1), []);
  await two.monitor.dispose();
  await one.monitor.dispose();
  assert.deepEqual(readdirSync(join(file, "..")), [], "saving what another tab counted makes nothing");
  const fresh = await tab(new FileStore(file), one.clock);
  assert.equal((await counted(fresh)).events, 0);
});

test("a store that keeps none leaves them in memory", async () => {
  const one = await tab(new MemoryStore());
  live(one);
  one.monitor.outcome("b", "late");
  assert.equal((await counted(one)).events, 1);
  assert.equal((await one.monitor.status()).counters.unknownOutcomes, 1);
  const [answer] = await weeks(one, 1);
  assert.notEqual(answer.trueSymbol, answer.symbols.length - 1);
});
