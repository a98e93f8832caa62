// Real processes, killed: for each device two Node processes share one FileStore and are ended with SIGKILL at random
// moments, while a server keeps every byte it is sent. Started by `cargo xtask kill-test`.
//
//   node tests/kill/main.mjs --kills 300 --seed 1
//
// The server answers some uploads with an error or not at all, so that devices send again. Clocks of single processes
// are set back and ahead. A lock that a killed or frozen process holds is aged by this program, once it has stood
// untouched for a while, instead of waiting the half minute after which the store breaks it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, utimes } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { debits, judge, split, theOracleCanFail } from "./oracle.mjs";
import { generator } from "./random.mjs";

const DEVICES = 3;
const PROCESSES = 2;
const HOUR = 3600;
/** Simulated seconds in a second: a window lasts 150 ms. */
const SPEED = HOUR / 0.15;
const STARTED_SECS = 360_000_000;
/** A transaction takes milliseconds: a lock that stands this long has lost its owner. */
const LOST_LOCK_MS = 1_000;

const { values } = parseArgs({ options: { kills: { type: "string", default: "300" }, seed: { type: "string" } } });
const kills = Number(values.kills);
const seed = values.seed === undefined ? Date.now() % 2 ** 32 : Number(values.seed);
const random = generator(seed);

const faults = JSON.parse(await readFile(new URL("../vectors/spec-faults.json", import.meta.url)));
const spec = faults.base;
spec.measurement.window = { length_secs: HOUR, grace_secs: HOUR, join: "immediately" };
spec.measurement.questions.length = 2;
spec.detection.deltas = { late: 0.05, which: 0.05 };
spec.measurement.privacy.caps = [
  { period_secs: 6 * HOUR, epsilon_micronats: 8_000_000 },
  { period_secs: 100 * HOUR, epsilon_micronats: 120_000_000 },
];

const received = Array.from({ length: DEVICES }, () => []);
const answers = { taken: 0, lost: 0, refused: 0 };
const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const reports = split(Buffer.concat(chunks));
    received[Number(new URL(request.url, "http://localhost").searchParams.get("key"))].push(...reports);
    const fate = random();
    if (fate < 0.2) {
      answers.lost += 1;
      request.socket.destroy();
    } else if (fate < 0.3) {
      answers.refused += 1;
      response.writeHead(503).end();
    } else {
      answers.taken += 1;
      response.writeHead(202, { "content-type": "application/json" }).end(JSON.stringify({ accepted: reports.length }));
    }
  });
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const directory = await mkdtemp(join(tmpdir(), "driftglass-kill-"));
const startedMs = Date.now();
const tally = { killed: 0, killedBeforeJoining: 0, frozen: 0, agedLocks: 0 };
const failures = [];
try {
  const lives = [];
  for (let device = 0; device < DEVICES; device += 1) {
    for (let process = 0; process < PROCESSES; process += 1) lives.push(live(device));
    lives.push(ageLostLocks(device));
  }
  await Promise.all(lives);
  const totals = {};
  let distinct = 0;
  for (let device = 0; device < DEVICES; device += 1) {
    const state = await storedState(device);
    const found = judge(spec, received[device], debits(state));
    for (const [name, count] of Object.entries(found)) totals[name] = (totals[name] ?? 0) + count;
    distinct += new Set(received[device].map((bytes) => bytes.toString("hex"))).size;
    theOracleCanFail(spec, received[device], debits(state));
  }
  const sent = received.flat().length;
  console.log(`    seed ${seed}; ${JSON.stringify(tally)}; uploads ${JSON.stringify(answers)}`);
  console.log(`    reports received ${sent}, distinct ${distinct}; ${JSON.stringify(totals)}`);
  assert.deepEqual(failures, [], "no process failed by itself");
  assert.ok(distinct > kills / 4 && sent > distinct, "reports were made, and some were sent again");
  assert.ok(Object.values(totals).every((count) => count === 0), "a promise was broken");
} finally {
  server.close();
  server.closeAllConnections();
  await rm(directory, { recursive: true, force: true });
}

/** Starts a process of a device and kills it, again and again. */
async function live(device) {
  while (tally.killed < kills && failures.length === 0) {
    // One process in eight has a clock that is some hours ahead or behind.
    const offsetSecs = random() < 0.125 ? Math.floor((random() * 8 - 4) * HOUR) : 0;
    const endpoint = `http://127.0.0.1:${server.address().port}/v1/reports`;
    const clock = { startedMs, startedSecs: STARTED_SECS, speed: SPEED, offsetSecs };
    const options = JSON.stringify({ spec, path: path(device), key: String(device), endpoint, ...clock });
    const child = spawn(process.execPath, [fileURLToPath(new URL("device.mjs", import.meta.url)), options]);
    let [joined, said] = [false, ""];
    const ended = new Promise((resolve) => child.on("exit", (code, signal) => resolve({ code, signal })));
    const ready = new Promise((resolve) => child.stdout.once("data", () => resolve((joined = true))));
    child.stderr.on("data", (text) => (said += text));
    // One in ten is killed while it starts, the others some time after they joined.
    if (random() < 0.1) await Promise.race([sleep(random() * 400), ended]);
    else await Promise.race([ready.then(() => lifetime(child)), ended]);
    if (child.exitCode === null && child.kill("SIGKILL")) {
      tally.killed += 1;
      if (!joined) tally.killedBeforeJoining += 1;
      if (tally.killed % 25 === 0) console.log(`    ${tally.killed} of ${kills} kills`);
    }
    const { code, signal } = await ended;
    if (signal !== "SIGKILL") failures.push(`exit ${code}: ${said}`);
  }
}

/** Lets a process live for a while. One in four is frozen on the way, as systems do, until others take it for dead. */
async function lifetime(child) {
  await sleep(random() * 900);
  if (random() < 0.75) return;
  child.kill("SIGSTOP");
  tally.frozen += 1;
  await sleep(2.5 * LOST_LOCK_MS);
  child.kill("SIGCONT");
  await sleep(random() * 300);
}

/** Ages the draft in a lock that stands untouched, whether its owner is dead or frozen. */
async function ageLostLocks(device) {
  const lock = `${path(device)}.lock`;
  let [before, since] = [undefined, 0];
  while (tally.killed < kills && failures.length === 0) {
    const [name] = await readdir(lock).catch(() => []);
    if (name !== before) [before, since] = [name, Date.now()];
    if (name !== undefined && Date.now() - since > LOST_LOCK_MS) {
      const past = new Date(Date.now() - 3_600_000);
      await utimes(join(lock, name), past, past).then(() => (tally.agedLocks += 1), () => undefined);
      since = Date.now();
    }
    await sleep(20);
  }
}

function path(device) {
  return join(directory, `device-${device}`, "store.json");
}

async function storedState(device) {
  const { state } = JSON.parse(await readFile(path(device), "utf8"));
  return Buffer.from(state.base64, "base64");
}
