// The same monitor on a worker thread and in this one: what is counted, what crosses, what cannot, and when it ends.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { DriftglassError, InferenceSession, MemoryStore, Monitor, Tensor } from "driftglass";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url));
const spec = () => JSON.parse(read("pkg-config.json"));
const model = () => new Uint8Array(read("demo/model/late-arrival-1.onnx"));
const WEEK = 604_800;
const FIRST = 2265;
const THREADS = ["main", "worker"];

async function monitored(thread, options = {}) {
  const clock = { secs: (FIRST - 1) * WEEK };
  const monitor = await Monitor.create({ spec: spec(), key: "k", consent: "granted", store: "memory", thread, now: () => clock.secs, ...options });
  clock.secs = FIRST * WEEK;
  return { monitor, clock };
}

const counts = async (monitor) => Object.fromEntries((await monitor.inspect()).metrics.map(({ name, counts }) => [name, counts]));
const feeds = () => ({
  numeric: new Tensor("float32", Float32Array.of(12, 18, 733, 64.9, 8, 0, 10, 1012), [1, 8]),
  carrier: new Tensor("int64", BigInt64Array.of(3n), [1]),
  origin: new Tensor("int64", BigInt64Array.of(1n), [1]),
});

for (const thread of THREADS) {
  test(`${thread}: counts, answers, and takes a report apart`, async () => {
    const { monitor, clock } = await monitored(thread);
    assert.deepEqual([monitor.thread, (await monitor.status()).flavour], [thread, "core"]);
    const numeric = [12, 9, 500, 60, 5, 0, 10, null];
    monitor.observe({ inputs: { numeric, carrier: 3, origin: "JFK" }, outputs: { probabilities: [0.25, 0.75] } }, { key: "a" });
    // What was observed is what was there when it was observed.
    numeric.fill(1000);
    monitor.outcome("a", "late");
    const seen = await counts(monitor);
    assert.deepEqual([seen.dep_delay, seen.prediction_outcome], [[0, 0, 0, 1, 0, 0], [0, 0, 0, 1]]);
    clock.secs += WEEK;
    const [answer] = await monitor.close();
    assert.ok(answer.report instanceof Uint8Array);
    assert.equal((await monitor.parseReport(answer.report)).window, FIRST);
    assert.equal((await monitor.ledger()).spent[0].spentMicronats, 3_000_000);
    await monitor.dispose();
    await assert.rejects(monitor.inspect(), { code: "disposed" });
  });

  test(`${thread}: an event counts in the window of the page's clock, whenever it arrives`, async () => {
    const { monitor, clock } = await monitored(thread);
    monitor.observe({ inputs: { carrier: 3 } });
    clock.secs += WEEK;
    monitor.observe({ inputs: { carrier: 3 } });
    monitor.observe({ inputs: { carrier: 3 } });
    const carriers = async (window) => (await monitor.inspect(window)).metrics.find(({ name }) => name === "carrier").events;
    assert.deepEqual([await carriers(FIRST), await carriers(FIRST + 1)], [1, 2]);
    await monitor.dispose();
  });

  test(`${thread}: records that are none are counted, and harm nothing beside them`, async () => {
    const { monitor } = await monitored(thread);
    const bad = [undefined, null, 7, { inputs: { carrier: () => 1 } }, { inputs: { carrier: Symbol("x") } }, { inputs: { carrier: [{}] } },
      { inputs: { carrier: new DataView(new ArrayBuffer(8)) } }, { inputs: { carrier: new WeakMap() } }, { inputs: null }, { unknown: 1 }];
    for (const record of bad) monitor.observe(record);
    monitor.observe({ inputs: { carrier: 3 } });
    monitor.outcome("never predicted", 1);
    assert.equal((await counts(monitor)).carrier[3], 1);
    const { counters } = await monitor.status();
    assert.deepEqual([counters.malformedRecords, counters.unknownOutcomes], [bad.length, 1]);
    await monitor.dispose();
  });

  test(`${thread}: errors have their class and code`, async () => {
    const broken = spec();
    broken.measurement.questions[0].weight = 4711;
    await assert.rejects(monitored(thread, { spec: broken }), (error) => {
      assert.ok(error instanceof DriftglassError);
      assert.deepEqual([error.code, error.message], ["invalid-spec", "/measurement/questions/0/weight: must be an integer, from 1 to 1000"]);
      return true;
    });
    await assert.rejects(InferenceSession.create(new Uint8Array(9), { thread }), { name: "DriftglassError", code: "model-unusable" });
    await assert.rejects(InferenceSession.create("http://127.0.0.1:9/model.onnx", { thread }), { code: "model-unavailable" });
  });

  test(`${thread}: a session runs, watched and not, and ends`, async () => {
    const session = await InferenceSession.create(model(), { thread });
    const { monitor } = await monitored(thread);
    assert.equal((await monitor.status()).flavour, "full", "the session was first, so both share its module");
    const watched = await monitor.wrap(session);
    const [plain, seen] = [await session.run(feeds()), await watched.run(feeds(), { key: "a" })];
    assert.ok(plain.probabilities instanceof Tensor);
    assert.deepEqual(seen.probabilities.data, plain.probabilities.data);
    monitor.outcome("a", 1);
    const { prediction_outcome, dep_delay } = await counts(monitor);
    assert.equal(prediction_outcome[2] + prediction_outcome[3] + prediction_outcome[1] + prediction_outcome[0], 1);
    assert.equal(dep_delay.reduce((sum, count) => sum + count), 1, "only the watched run is counted");
    await monitor.dispose();
    await session.release();
    await assert.rejects(session.run(feeds()), { code: "disposed" });
  });
}

test("what cannot cross threads is refused by name", async () => {
  await assert.rejects(monitored("worker", { store: new MemoryStore() }), { code: "invalid-option", message: /store .* thread: "main"/ });
  await assert.rejects(monitored("worker", { fetch }), { code: "invalid-option", message: /fetch .* thread: "main"/ });
  const session = await InferenceSession.create(model(), { thread: "main" });
  const { monitor } = await monitored("worker");
  await assert.rejects(monitor.wrap(session), { code: "invalid-option", message: /same thread/ });
  await monitor.dispose();
  await session.release();
});

test("a worker thread holds the process only while a call waits", () => {
  const script = `
    import { Monitor } from "driftglass";
    const monitor = await Monitor.create({ spec: ${read("pkg-config.json")}, key: "k", consent: "granted", store: "memory", thread: "worker" });
    monitor.start();
    monitor.observe({ inputs: { carrier: 3 } });
    console.log((await monitor.inspect()).metrics.length > 0);`;
  const folder = new URL("..", import.meta.url).pathname;
  const said = execFileSync(process.execPath, ["--input-type=module", "--eval", script], { cwd: folder, timeout: 20_000 });
  assert.equal(said.toString().trim(), "true");
});

test("CommonJS has the same", () => {
  const script = `
    const { Monitor, DriftglassError } = require("driftglass");
    Monitor.create({ spec: ${read("pkg-config.json")}, key: "k", consent: "granted", store: "memory" })
      .then((monitor) => monitor.close())
      .then((answers) => console.log(answers.length, typeof DriftglassError));`;
  const folder = new URL("..", import.meta.url).pathname;
  assert.equal(execFileSync(process.execPath, ["--input-type=commonjs", "--eval", script], { cwd: folder }).toString().trim(), "0 function");
});
