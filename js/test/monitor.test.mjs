import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { DriftglassError, FileStore, InferenceSession, MemoryStore, Monitor, Tensor } from "driftglass";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url));
const spec = () => JSON.parse(read("pkg-config.json"));
const WEEK = 604_800;
const FIRST = 2265;

/** A monitor with a clock that the test moves, and a centre that answers what the test says. */
async function device(options = {}) {
  const clock = { secs: (FIRST - 1) * WEEK };
  const sent = [];
  const answers = options.answers ?? [];
  const centre = async (url, request) => {
    sent.push({ url, body: Buffer.from(request.body) });
    const answer = answers.shift() ?? { status: 202, body: { accepted: request.body.length / 47 } };
    if (answer === "offline") throw new TypeError("fetch failed");
    return new Response(JSON.stringify(answer.body ?? {}), { status: answer.status });
  };
  const store = options.store ?? new MemoryStore();
  const base = { spec: spec(), key: "key & co", store, consent: "granted", now: () => clock.secs, fetch: centre };
  const monitor = await Monitor.create({ ...base, endpoint: "http://centre.test/v1/reports", ...options.monitor });
  return { monitor, clock, sent, store };
}

/** Lets weeks pass; returns the answers that were made. */
async function weeks({ monitor, clock }, count) {
  const made = [];
  for (let week = 0; week < count; week += 1) {
    clock.secs += WEEK;
    made.push(...(await monitor.close()));
  }
  return made;
}

const record = { inputs: { numeric: [12, 9, 500, 60, 5, 0, 10, null], carrier: 3, origin: "JFK" }, outputs: { probabilities: [0.25, 0.75] } };

test("observes, answers, sends", async () => {
  const one = await device();
  one.clock.secs = FIRST * WEEK;
  one.monitor.observe(record, { key: "a" });
  one.monitor.outcome("a", "late");
  const counts = Object.fromEntries((await one.monitor.inspect()).metrics.map((metric) => [metric.name, metric.counts]));
  assert.deepEqual(counts.dep_delay, [0, 0, 0, 1, 0, 0]);
  assert.deepEqual(counts.origin, [0, 1, 0]);
  assert.deepEqual(counts.prediction, [0, 1]);
  assert.deepEqual(counts.prediction_outcome, [0, 0, 0, 1]);
  const [answer, ...others] = await weeks(one, 1);
  assert.equal(others.length, 0);
  assert.equal(answer.window, FIRST);
  assert.equal(answer.report.length, 45);
  assert.notEqual(answer.trueSymbol, answer.symbols.length - 1, "there were data");
  assert.equal((await one.monitor.parseReport(answer.report)).window, FIRST);
  const flushed = await one.monitor.flush();
  assert.equal(flushed.sent, 1);
  assert.equal(one.sent[0].url, "http://centre.test/v1/reports?key=key%20%26%20co");
  assert.deepEqual(one.sent[0].body.subarray(2), Buffer.from(answer.report));
  assert.equal((await one.monitor.flush()).sent, 0, "nothing is sent twice");
});

test("a new device first answers the week after the one it joined in", async () => {
  const one = await device();
  assert.deepEqual(await one.monitor.close(), []);
  one.clock.secs += WEEK;
  assert.deepEqual(await one.monitor.close(), [], "the week it joined in is not answered");
  one.clock.secs += WEEK;
  assert.equal((await one.monitor.close()).length, 1);
  assert.deepEqual(await one.monitor.close(), [], "a week is answered once");
});

test("weeks that take no more reports are not answered", async () => {
  const one = await device();
  one.clock.secs += 20 * WEEK + 2 * 86_400; // past the grace of the week before
  assert.deepEqual(await one.monitor.close(), []);
});

test("the ledger holds its caps and says what was spent", async () => {
  const tight = spec();
  tight.measurement.privacy.caps = [{ period_secs: 4 * WEEK, epsilon_micronats: 6_000_000 }];
  const one = await device({ monitor: { spec: tight } });
  one.clock.secs = FIRST * WEEK;
  const answered = [];
  for (let week = 0; week < 12; week += 1) answered.push((await weeks(one, 1)).length);
  assert.deepEqual(answered.slice(0, 8), [1, 1, 0, 0, 1, 1, 0, 0]);
  const { spent } = await one.monitor.ledger();
  assert.ok(spent[0].spentMicronats <= 6_000_000);
  assert.ok((await one.monitor.status()).counters.refusedAnswers > 0);
});

test("nothing is created before consent, and denying it wipes all", async () => {
  const store = new MemoryStore();
  const one = await device({ store, monitor: { consent: "unknown" } });
  one.clock.secs = FIRST * WEEK;
  one.monitor.observe(record);
  assert.deepEqual(await weeks(one, 2), []);
  assert.equal(await one.monitor.ledger(), undefined);
  assert.equal((await one.monitor.inspect(FIRST)).metrics[0].events, 0);
  await one.monitor.setConsent("granted");
  assert.equal((await weeks(one, 2)).length, 1);
  await one.monitor.setConsent("denied");
  assert.equal(await one.monitor.ledger(), undefined);
  assert.deepEqual(await store.outbox(10), []);
});

test("a purged device is a new one, and answers from the week after", async () => {
  const one = await device();
  one.clock.secs = FIRST * WEEK;
  const [before] = await weeks(one, 1);
  await one.monitor.purge();
  assert.equal((await weeks(one, 1)).length, 0, "it joined in this week");
  const [after] = await weeks(one, 1);
  assert.equal((await one.monitor.ledger()).spent[0].spentMicronats, 3_000_000);
  const id = ({ report }) => Buffer.from(report.subarray(28, 44)).toString("hex");
  assert.notEqual(id(before), id(after));
});

test("without consent nothing is sent, whatever waits", async () => {
  const store = new MemoryStore();
  const one = await device({ store });
  one.clock.secs = FIRST * WEEK;
  await weeks(one, 1);
  await one.monitor.setConsent("unknown");
  assert.deepEqual([(await one.monitor.flush()).waiting, one.sent.length], [1, 0]);
  const later = await device({ store, monitor: { consent: "denied" } });
  await later.monitor.flush();
  assert.equal(later.sent.length, 0);
  assert.deepEqual(await store.outbox(10), [], "a denial wipes what waited");
});

test("a denial in one tab ends reporting in the others", async () => {
  const store = new MemoryStore();
  const [one, other] = [await device({ store }), await device({ store })];
  one.clock.secs = other.clock.secs = FIRST * WEEK;
  await one.monitor.setConsent("denied");
  assert.deepEqual(await weeks(other, 3), []);
  assert.equal(await other.monitor.ledger(), undefined);
});

test("two stores on one file take turns", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "driftglass-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "device.json");
  const devices = await Promise.all(Array.from({ length: 8 }, () => device({ store: new FileStore(path) })));
  for (const { clock } of devices) clock.secs = (FIRST + 1) * WEEK;
  const answers = await Promise.all(devices.map(({ monitor }) => monitor.close()));
  assert.equal(answers.flat().length, 1, "one of them answers the week");
});

test("options are checked", async () => {
  for (const wrong of [{ consent: "yes" }, { arm: "canry" }, { key: undefined }]) {
    await assert.rejects(device({ monitor: wrong }), { code: "invalid-option" });
  }
});

test("a clock that jumps far ahead and back makes no report twice", async () => {
  const one = await device();
  one.clock.secs = FIRST * WEEK;
  assert.equal((await weeks(one, 1)).length, 1);
  const then = one.clock.secs;
  one.clock.secs = 250_000_000 * WEEK + 60;
  assert.equal((await one.monitor.close()).length, 1, "only the week that still takes reports");
  one.clock.secs = then;
  assert.deepEqual(await weeks(one, 3), [], "what lies before the last answer is past");
  one.clock.secs = Number.NaN;
  assert.deepEqual(await one.monitor.close(), []);
});

test("a model that the spec does not admit is refused", async () => {
  const { monitor } = await device();
  const bytes = new Uint8Array(read("demo/model/late-arrival-1.onnx"));
  const session = await InferenceSession.create(bytes);
  await monitor.wrap(session);
  const other = spec();
  other.models[0].sha256 = "0".repeat(64);
  const { monitor: strict } = await device({ monitor: { spec: other } });
  await assert.rejects(strict.wrap(session), { code: "model-refused", message: /not on the spec's list/ });
  const fitting = spec();
  fitting.measurement.metrics[0].source.index = 8;
  const { monitor: misfit } = await device({ monitor: { spec: fitting } });
  await assert.rejects(misfit.wrap(session), { code: "model-refused", message: /"dep_delay" reads one beyond/ });
});

test("a session of another runtime is watched", async () => {
  const one = await device();
  one.clock.secs = FIRST * WEEK;
  const model = {
    sha256: spec().models[0].sha256,
    inputs: [["numeric", [null, 8]], ["carrier", [null]], ["origin", [null]]],
    outputs: ["probabilities"],
  };
  const foreign = { run: async () => ({ probabilities: { data: Float32Array.of(0.9, 0.1) } }) };
  const watched = await one.monitor.wrap(foreign, model);
  const feeds = { numeric: { data: Float32Array.from([-4, 9, 500, 60, 5, 0, 10, 1010]) }, carrier: { data: BigInt64Array.of(4n) }, origin: { data: BigInt64Array.of(1n) } };
  assert.ok((await watched.run(feeds, { key: "x" })).probabilities);
  one.monitor.outcome("x", 0);
  const counts = Object.fromEntries((await one.monitor.inspect()).metrics.map((metric) => [metric.name, metric.counts]));
  assert.deepEqual(counts.dep_delay, [0, 1, 0, 0, 0, 0]);
  assert.equal(counts.carrier[4], 1);
  assert.deepEqual(counts.prediction_outcome, [1, 0, 0, 0]);
  await assert.rejects(one.monitor.wrap(foreign, { ...model, outputs: ["other"] }), { code: "model-refused" });
});

test("monitoring never breaks the host", async () => {
  const { monitor } = await device();
  monitor.observe({ inputs: { numeric: { nested: {} } } });
  monitor.observe(undefined);
  monitor.observe({ inputs: null });
  monitor.outcome("never predicted", 1);
  assert.deepEqual((await monitor.status()).counters, { malformedRecords: 3, unknownOutcomes: 1, refusedAnswers: 0 });
});

test("an invalid spec names pointer, rule and limit", async () => {
  const broken = spec();
  broken.measurement.questions[0].weight = 4711;
  const message = "/measurement/questions/0/weight: must be an integer, from 1 to 1000";
  await assert.rejects(device({ monitor: { spec: broken } }), (error) => {
    assert.ok(error instanceof DriftglassError);
    assert.deepEqual([error.code, error.message], ["invalid-spec", message]);
    return true;
  });
  await assert.rejects(device({ monitor: { spec: "{" } }), { code: "invalid-spec" });
  await assert.rejects(device({ monitor: { segment: "nowhere" } }), { code: "unknown-segment" });
});

test("a file keeps state and outbox across restarts", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "driftglass-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "app", "device.json");
  const before = await device({ store: new FileStore(path) });
  before.clock.secs = FIRST * WEEK;
  const [answer] = await weeks(before, 1);
  const after = await device({ store: new FileStore(path) });
  after.clock.secs = (FIRST + 1) * WEEK;
  assert.deepEqual(await after.monitor.close(), [], "the week is answered already");
  await after.monitor.flush();
  assert.deepEqual(after.sent[0].body.subarray(2), Buffer.from(answer.report), "the same bytes are sent");
  assert.equal((await after.monitor.ledger()).spent[0].spentMicronats, 3_000_000);
  writeFileSync(path, "{");
  await assert.rejects(after.monitor.close(), { code: "store-failed" });
});

test("a lock that was taken away leaves nothing to commit with", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "driftglass-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "device.json");
  const [frozen, other] = [new FileStore(path), new FileStore(path)];
  const report = { bytes: Uint8Array.of(7), createdSecs: 0 };
  await frozen.transact(() => ({ state: Uint8Array.of(1) }));
  // What another process does to an owner that slept for longer than any transaction takes.
  const overtaken = frozen.transact(() => {
    const [draft] = readdirSync(`${path}.lock`);
    rmSync(join(`${path}.lock`, draft));
    return { state: Uint8Array.of(2), report };
  });
  const later = other.transact(([version]) => ({ state: Uint8Array.of(version + 2) }));
  await assert.rejects(overtaken, { code: "store-failed" });
  await later;
  await other.transact((state) => void assert.deepEqual(state, Uint8Array.of(3)));
  assert.deepEqual(await frozen.outbox(10), []);
  assert.deepEqual(readdirSync(folder), ["device.json"], "and no lock or draft is left");
});

test("the state of another app is refused", async () => {
  const one = await device();
  const other = { ...spec(), app: "another-app" };
  await assert.rejects(device({ store: one.store, monitor: { spec: other } }), { code: "foreign-state" });
  one.clock.secs = FIRST * WEEK;
  assert.equal((await weeks(one, 1)).length, 1, "and nothing happened to it");
});

test("a commit that fails leaves no report to send", async () => {
  class Failing extends MemoryStore {
    failing = false;
    async transact(change) {
      if (this.failing) {
        await super.transact((state) => void change(state));
        throw new DriftglassError("store-failed", "The disk is full.");
      }
      return super.transact(change);
    }
  }
  const store = new Failing();
  const one = await device({ store });
  one.clock.secs = (FIRST + 1) * WEEK;
  store.failing = true;
  await assert.rejects(one.monitor.close(), { code: "store-failed" });
  store.failing = false;
  assert.equal((await one.monitor.flush()).sent, 0);
  assert.equal((await one.monitor.ledger()).spent[0].spentMicronats, 0, "debit and report are committed together");
  assert.equal((await one.monitor.close()).length, 1);
});
