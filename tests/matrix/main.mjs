// The packed tarball in an empty project of each consumer: create, observe, report, and the centre accepts. Started by
// `cargo xtask matrix`, which builds what this needs.
//
//   node tests/matrix/main.mjs --tarball FILE --binary target/release/driftglass [--only NAME] [--quick] [--json FILE]
//
// A cell passes when the app says that its report was accepted, by the thread that it asked for, and the centre counted
// exactly one report more, and nothing else. Cells run one after the other, so that the count is theirs. Cells called
// `vectors` run the shared vectors through the seeded build instead.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { launch } from "../engines/engines.mjs";
import { Centre } from "../harness/centre.mjs";
import { HOUR, record, spec, START_SECS } from "../harness/spec.mjs";
import { LEAST } from "../vectors/run.mjs";
import { Project } from "./project.mjs";
import { ROWS, UNTESTED } from "./rows.mjs";
import { failures, table } from "./table.mjs";

/** Windows between two cells, so that each is within the caps of the ledger though devices may be the same. */
const APART = 200;

const { values } = parseArgs({
  options: {
    tarball: { type: "string" },
    binary: { type: "string" },
    only: { type: "string", multiple: true },
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    base: { type: "string", default: join(tmpdir(), "driftglass-matrix") },
  },
});
const matches = ({ name }) => values.only.some((word) => name.includes(word));
const rows = ROWS.filter((row) => (values.only ? matches(row) : !values.quick || row.quick));
assert.ok(rows.length > 0, `no row is called ${values.only}; there are: ${ROWS.map(({ name }) => name).join(", ")}`);

/** Browsers are started when a cell first needs one, and stay. */
const browsers = {
  running: new Map(),
  get(engine) {
    if (!this.running.has(engine)) this.running.set(engine, launch(engine));
    return this.running.get(engine);
  },
  async close() {
    for (const starting of this.running.values()) await starting.then((browser) => browser.close(), () => undefined);
  },
};

const centre = await Centre.start({ binary: values.binary, spec, startSecs: START_SECS });
const settings = { spec, key: centre.key, endpoint: centre.endpoint, record };
const lines = [];
let secs = START_SECS;
try {
  for (const row of rows) lines.push(...(await runRow(row)));
} finally {
  await browsers.close();
  await centre.stop();
}

const untested = UNTESTED.map(([consumer, reason]) => ({ consumer, result: "untested", reason }));
console.log(`\n${table([...lines, ...(values.only || values.quick ? [] : untested)])}`);
const failed = lines.filter(({ result }) => result !== "ok");
if (failed.length > 0) console.log(failures(failed));
if (values.json) writeFileSync(values.json, `${JSON.stringify({ cells: lines, untested }, undefined, 2)}\n`);
console.log(`${lines.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** All cells of a row; a row that cannot be set up is one failure. */
async function runRow(row) {
  const began = performance.now();
  const took = (since) => (performance.now() - since) / 1000;
  let tearDown;
  try {
    const project = await Project.make(values.base, row.name.replaceAll(/[^a-z0-9]+/gi, "-"), row.consumer, resolve(values.tarball), settings);
    const set = await row.setUp(project, browsers);
    tearDown = set.tearDown;
    const setUpSecs = took(began);
    const found = [];
    for (const { where, thread, engine, run, vectors } of set.cells) {
      const since = performance.now();
      const line = { consumer: row.name, version: set.version, where, thread, engine, setUpSecs };
      const judged = vectors ? await vectorCell(run) : await cell(run, thread);
      found.push({ ...line, ...judged, secs: took(since) });
      say(found.at(-1));
    }
    return found;
  } catch (error) {
    const line = { consumer: row.name, where: "set-up", result: "FAILED", reason: String(error?.stack ?? error), secs: took(began) };
    say(line);
    return [line];
  } finally {
    await tearDown?.();
  }
}

async function cell(run, thread) {
  secs += APART * HOUR;
  await centre.advance(secs + HOUR);
  const before = await centre.counters();
  try {
    const { value, error } = await run({ startSecs: secs });
    if (error) throw Object.assign(new Error(`${error.code ?? error.name}: ${error.message}`), { stack: error.stack });
    const after = await centre.counters();
    const counted = Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - before[name]]).filter(([, more]) => more !== 0));
    assert.deepEqual(counted, { accepted: 1 }, "the centre counted something else than one accepted report");
    const { answers, window, accepted, waiting, flavour, counters } = value;
    const told = { answers, window, accepted, waiting, flavour, thread: value.thread, failures: Object.values(counters).filter(Number).length };
    assert.deepEqual(told, { answers: 1, window: secs / HOUR, accepted: 1, waiting: 0, flavour: "core", thread, failures: 0 });
    return { result: "ok", wasm: value.wasm, toReportMs: value.toReportMs };
  } catch (error) {
    return { result: "FAILED", reason: `${error.message}\n${error.stack ?? ""}` };
  }
}

/** The shared vectors need no centre: they say themselves whether every byte is right. */
async function vectorCell(run) {
  try {
    const { value, error } = await run({});
    if (error) throw Object.assign(new Error(error.message), { stack: error.stack });
    assert.deepEqual(Object.keys(value), Object.keys(LEAST));
    return { result: "ok", vectors: value };
  } catch (error) {
    return { result: "FAILED", reason: `${error.message}\n${error.stack ?? ""}` };
  }
}

function say({ consumer, where, thread = "", engine = "", result, secs: time }) {
  console.log(`    ${result.padEnd(6)} ${[consumer, where, thread, engine].filter(Boolean).join(", ")} (${time.toFixed(1)} s)`);
}
