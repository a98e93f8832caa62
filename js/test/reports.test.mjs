// The list of reports that pages show: what waits, and what was sent since the device was loaded.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { MemoryStore, Monitor } from "driftglass";

const spec = JSON.parse(readFileSync(new URL("../../pkg-config.json", import.meta.url)));
const WEEK = 604_800;

test("reports wait, then are sent, and a purge forgets them", async () => {
  let secs = 2265 * WEEK;
  let status = 503;
  const fetch = async (_, { body }) => new Response(JSON.stringify({ accepted: body.length / 47 }), { status });
  const monitor = await Monitor.create({ spec, key: "key", store: new MemoryStore(), consent: "granted", thread: "main", now: () => secs, fetch });
  assert.deepEqual(await monitor.reports(), []);
  const made = [];
  for (let week = 0; week < 3; week += 1) {
    secs += WEEK;
    made.push(...(await monitor.close()).map(({ report }) => report));
  }
  await monitor.flush({ force: true });
  const listed = await monitor.reports();
  assert.deepEqual(listed.map(({ bytes }) => bytes), made);
  assert.deepEqual(listed.map(({ waiting }) => waiting), made.map(() => true));
  status = 202;
  await monitor.flush({ force: true });
  secs += WEEK;
  const [latest] = await monitor.close();
  const after = await monitor.reports();
  assert.deepEqual(after.map(({ waiting }) => waiting), [...made.map(() => false), true]);
  assert.deepEqual(after.at(-1).bytes, latest.report);
  assert.deepEqual(after.map(({ createdSecs }) => createdSecs).toSorted(), after.map(({ createdSecs }) => createdSecs));
  await monitor.purge();
  assert.deepEqual(await monitor.reports(), []);
});
