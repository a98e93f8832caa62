// A device over a store and a network that fail at any moment: no overspend, nothing lost, nothing twice.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { DriftglassError, FileStore, kvStore, MemoryStore } from "driftglass";

import { debits, judge, split } from "../../tests/kill/oracle.mjs";
import { generator } from "../../tests/kill/random.mjs";
import { device, spec, WEEK } from "./device.mjs";

/** A store whose calls fail: before they did anything, or after, when only the answer is lost. */
function failing(store, random, share) {
  const broken = () => new DriftglassError("store-failed", "The disk is full.");
  const call = (name) => async (...args) => {
    if (random() < share) throw broken();
    const result = await store[name](...args);
    if (random() < share) throw broken();
    return result;
  };
  const names = ["transact", "outbox", "remove", "uploads", "purge", "saveSketches"].filter((name) => store[name]);
  return Object.assign(Object.fromEntries(names.map((name) => [name, call(name)])), { caps: store.caps });
}

/** A centre that counts what it commits, and whose answers get lost. */
function unreliable(random, share) {
  const sent = [];
  const counted = new Map();
  const fetch = async (_, { body }) => {
    const fate = random();
    if (fate < share) throw new TypeError("fetch failed");
    const reports = split(Buffer.from(body));
    sent.push(...reports);
    if (fate < 1.2 * share && reports.length > 1) return new Response("{}", { status: 413 });
    if (fate < 2 * share) return new Response("{}", { status: [401, 408, 429, 500, 503][Math.floor(random() * 5)] });
    let accepted = 0;
    for (const bytes of reports) {
      const id = bytes.toString("hex", 28, 44);
      if (!counted.has(id)) accepted += 1;
      counted.set(id, (counted.get(id) ?? 0) + (counted.has(id) ? 0 : 1));
    }
    if (fate < 3 * share) throw new TypeError("the answer is lost");
    const receipt = { accepted, duplicate: reports.length - accepted };
    return new Response(JSON.stringify(receipt), { status: accepted > 0 ? 202 : 409 });
  };
  return { sent, counted, fetch };
}

const KINDS = {
  memory: () => {
    const store = new MemoryStore();
    return () => store;
  },
  file: (t) => {
    const folder = mkdtempSync(join(tmpdir(), "driftglass-"));
    t.after(() => rmSync(folder, { recursive: true }));
    return () => new FileStore(join(folder, "device.json"));
  },
  kv: () => {
    const values = new Map();
    const binding = { get: async (key) => values.get(key), put: async (key, value) => values.set(key, value), delete: async (key) => values.delete(key) };
    return () => kvStore(binding);
  },
};

/** Two tabs live through some windows; either may be restarted. Returns what the store and the centre have in the end. */
async function live(open, seed, windows) {
  const random = generator(seed);
  const clock = { secs: 2264 * WEEK };
  const centre = unreliable(random, 0.15);
  const quietly = async (work) => {
    try {
      return await work();
    } catch (error) {
      assert.equal(error.code, "store-failed");
      return undefined;
    }
  };
  const start = async () => {
    for (;;) {
      const made = await quietly(() => device("http://centre.test/", { clock, store: failing(open(), random, 0.1), monitor: { spec: SPEC, fetch: centre.fetch } }));
      if (made) return made.monitor;
    }
  };
  const tabs = [await start(), await start()];
  for (let step = 0; step < windows * 4; step += 1) {
    clock.secs += WEEK / 4;
    const tab = Math.floor(random() * 2);
    if (random() < 0.1) tabs[tab] = await start();
    await quietly(() => tabs[tab].close());
    await quietly(() => tabs[tab].flush());
  }
  const store = open();
  let state;
  await store.transact((held) => void (state = held));
  return { state: Buffer.from(state), waiting: await store.outbox(10_000), ...centre };
}

const SPEC = spec();
/** Half of the windows can be paid for. */
SPEC.measurement.privacy.caps = [{ period_secs: 4 * WEEK, epsilon_micronats: 6_000_000 }];

for (const [kind, make] of Object.entries(KINDS)) {
  test(`${kind}: no overspend, nothing lost, nothing twice`, async (t) => {
    const seed = (Date.now() % 2 ** 31) | 0;
    t.diagnostic(`seed ${seed}`);
    let [reports, retries] = [0, 0];
    for (let life = 0; life < 6; life += 1) {
      const { state, waiting, sent, counted } = await live(make(t), seed + life, 40);
      const charged = debits(state);
      const broken = judge(SPEC, sent, charged);
      assert.ok(Object.values(broken).every((count) => count === 0), JSON.stringify(broken));
      const waits = new Set(waiting.map(({ report }) => Buffer.from(report).toString("hex", 28, 44)));
      const kept = new Set([...counted.keys(), ...waits]);
      assert.equal(kept.size, charged.length, "each debit has its report: counted, or still waiting");
      assert.equal(waiting.length, waits.size);
      reports += counted.size;
      retries += sent.length - counted.size;
    }
    assert.ok(reports > 60 && retries > 10, `${reports} reports, ${retries} retries`);
  });
}
