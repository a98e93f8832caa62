import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { FileStore, MemoryStore } from "driftglass";

import { centre, device, FRAMED, weeks, WEEK } from "./device.mjs";

const DAY = 86_400;
const NO_DROPS = { overCount: 0, overBytes: 0, expired: 0, refused: 0 };

test("every status has its consequence", async (t) => {
  const counts = (counted) => ({ "content-type": "application/problem+json", ...counted });
  const settled = { waiting: 0, refused: 0 };
  const dropped = { waiting: 0, refused: 2 };
  const soon = { waiting: 2, refused: 0, wait: [7, 15] };
  const late = { waiting: 2, refused: 0, wait: [1_800, 3_600] };
  const cases = [
    [{ status: 202, body: { accepted: 2 } }, settled],
    [{ status: 200, body: { accepted: 1, duplicate: 1 } }, settled],
    [{ status: 409, headers: counts(), body: { accepted: 0, duplicate: 2 } }, settled],
    [{ status: 400, headers: counts(), body: { accepted: 0, rejected: 2 } }, dropped],
    [{ status: 404 }, dropped],
    [{ status: 410 }, dropped],
    [{ status: 422, headers: counts(), body: { accepted: 0, late: 2 } }, dropped],
    [{ status: 401 }, late],
    [{ status: 403 }, late],
    ...[408, 421, 425, 429, 500, 502, 503, 504, 599].map((status) => [{ status }, soon]),
    ["reset", soon],
    // A captive portal: its page, or the way to it.
    [{ status: 200, headers: { "content-type": "text/html" }, body: "<html>Welcome!</html>" }, soon],
    [{ status: 200, body: { logged_in: false } }, soon],
    [{ status: 204, body: "" }, soon],
    [{ status: 302, headers: { location: "http://127.0.0.1:9/login" } }, soon],
    [{ status: 307, headers: { location: "http://127.0.0.1:9/login" } }, soon],
  ];
  for (const [answer, expected] of cases) {
    // Runtimes themselves ask again after a 421, on a new connection.
    const asked = answer.status === 421 ? 2 : 1;
    const server = await centre(t, ...Array(asked).fill(answer));
    const one = await device(server.url);
    await weeks(one, 2);
    const { waiting } = await one.monitor.flush();
    const { outbox, totals } = await one.monitor.status();
    const name = JSON.stringify(answer);
    assert.equal(server.requests.length, asked, name);
    assert.equal(new Set(server.bodies()).size, 1, name);
    assert.deepEqual([waiting, outbox.waiting, totals.dropped.refused], [expected.waiting, expected.waiting, expected.refused], name);
    const wait = outbox.nextAttemptSecs && outbox.nextAttemptSecs - one.clock.secs;
    if (expected.wait) assert.ok(wait >= expected.wait[0] && wait <= expected.wait[1], `${name} waits ${wait}`);
    else assert.equal(wait, undefined, name);
  }
});

test("the centre's counts become the device's", async (t) => {
  const server = await centre(t, { status: 202, body: { accepted: 1, duplicate: 1, late: 1, early: 1, rejected: 1 } });
  const one = await device(server.url);
  await weeks(one, 5);
  const result = await one.monitor.flush();
  assert.deepEqual([result.sent, result.accepted, result.late, result.rejected], [5, 1, 1, 1]);
  await weeks(one, 1);
  await one.monitor.flush();
  const { totals } = await one.monitor.status();
  assert.deepEqual(totals, { sent: 6, accepted: 2, duplicate: 1, late: 1, early: 1, rejected: 1, dropped: NO_DROPS });
});

test("a retry sends the same bytes", async (t) => {
  const server = await centre(t, "reset", { status: 503 }, { status: 429 }, { status: 202 });
  const one = await device(server.url);
  await weeks(one, 3);
  for (let attempt = 0; attempt < 4; attempt += 1) {
    await one.monitor.flush();
    one.clock.secs += DAY;
  }
  assert.equal(server.requests.length, 4);
  assert.equal(new Set(server.bodies()).size, 1);
  assert.equal(server.requests[0].body.length, 3 * FRAMED);
  assert.equal((await one.monitor.flush()).sent, 0);
});

test("waits double up to an hour and are spread; a success ends them", async (t) => {
  const server = await centre(t, ...Array(12).fill({ status: 503 }));
  const one = await device(server.url);
  await weeks(one, 1);
  const waits = [];
  for (let attempt = 0; attempt < 12; attempt += 1) {
    await one.monitor.flush();
    const { outbox } = await one.monitor.status();
    waits.push(outbox.nextAttemptSecs - one.clock.secs);
    one.clock.secs = outbox.nextAttemptSecs - 1;
    await one.monitor.flush();
    assert.equal(server.requests.length, attempt + 1, "nothing is sent before the time");
    one.clock.secs = outbox.nextAttemptSecs;
  }
  waits.forEach((wait, index) => {
    const whole = Math.min(15 * 2 ** index, 3_600);
    assert.ok(wait >= whole / 2 && wait <= whole, `wait ${index} is ${wait}`);
  });
  assert.equal(new Set(waits).size, waits.length, "no two waits are the same");
  assert.equal((await one.monitor.flush()).accepted, 1);
  assert.equal((await one.monitor.status()).outbox.nextAttemptSecs, undefined);
});

test("a person can send at once", async (t) => {
  const server = await centre(t, { status: 503 });
  const one = await device(server.url);
  await weeks(one, 1);
  await one.monitor.flush();
  assert.equal((await one.monitor.flush()).waiting, 1);
  assert.equal((await one.monitor.flush({ force: true })).accepted, 1);
});

test("restarts and other tabs wait too", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "driftglass-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "device.json");
  const server = await centre(t, { status: 503 });
  const one = await device(server.url, { store: new FileStore(path) });
  await weeks(one, 1);
  await one.monitor.flush();
  const { outbox } = await one.monitor.status();
  const restarted = await device(server.url, { store: new FileStore(path), clock: one.clock });
  assert.deepEqual((await restarted.monitor.status()).outbox, outbox);
  await restarted.monitor.flush();
  assert.equal(server.requests.length, 1, "the wait is in the store");
  one.clock.secs = outbox.nextAttemptSecs;
  assert.equal((await restarted.monitor.flush()).accepted, 1);
  assert.equal((await one.monitor.status()).totals.accepted, 1, "and so is what became of it");
});

test("Retry-After is held, in seconds and as a date", async (t) => {
  const check = async (header, least, most) => {
    const server = await centre(t, { status: 503, headers: { "retry-after": header } });
    const one = await device(server.url);
    await weeks(one, 1);
    await one.monitor.flush();
    const { nextAttemptSecs } = (await one.monitor.status()).outbox;
    const wait = nextAttemptSecs - one.clock.secs;
    assert.ok(wait >= least && wait <= most, `${header} waits ${wait}`);
  };
  await check("120", 120, 135);
  await check("0", 7, 15);
  await check(new Date(Date.now() + 600_000).toUTCString(), 598, 615);
  await check(new Date(Date.now() - 600_000).toUTCString(), 7, 15);
  await check("a while", 7, 15);
  await check("99999999", DAY, DAY);
});

test("a clock that was wrong does not silence a device", async (t) => {
  const server = await centre(t, { status: 503 });
  const one = await device(server.url);
  await weeks(one, 1);
  const now = one.clock.secs;
  one.clock.secs += 20 * DAY;
  await one.monitor.flush();
  one.clock.secs = now;
  assert.equal((await one.monitor.flush()).accepted, 1);
});

test("a body that is too large is cut until it fits", async (t) => {
  const check = async (answers, expected) => {
    const server = await centre(t, ...answers);
    const one = await device(server.url);
    await weeks(one, 5);
    const { accepted, waiting } = await one.monitor.flush();
    assert.deepEqual(server.requests.map(({ body }) => body.length / FRAMED), expected);
    assert.deepEqual([accepted, waiting], [5, 0]);
    const sent = server.requests.slice(answers.length).map(({ body }) => body.toString("hex")).join("");
    assert.equal(sent, server.bodies()[0], "the same reports, in the same order");
  };
  await check([{ status: 413 }], [5, 2, 2, 1]);
  await check([{ status: 413 }, { status: 413 }], [5, 2, 1, 1, 1, 1, 1]);
  await check([{ status: 413, body: { max_body_bytes: FRAMED } }], [5, 1, 1, 1, 1, 1]);
});

test("a report that no centre takes for its size is dropped", async (t) => {
  const server = await centre(t, { status: 413 });
  const one = await device(server.url);
  await weeks(one, 1);
  assert.equal((await one.monitor.flush()).rejected, 1);
  assert.equal((await one.monitor.status()).totals.dropped.refused, 1);
});

test("an unknown key is tried rarely, until its reports are of no use", async (t) => {
  const server = await centre(t, ...Array(100).fill({ status: 401 }));
  const one = await device(server.url);
  await weeks(one, 1);
  for (let hour = 0; hour < 31 * 24; hour += 1) {
    await one.monitor.flush();
    one.clock.secs += 3_600;
  }
  assert.ok(server.requests.length >= 31 && server.requests.length < 72, `asked ${server.requests.length} times in 31 days`);
  assert.equal(new Set(server.bodies()).size, 1);
  const { outbox, totals } = await one.monitor.status();
  assert.deepEqual([outbox.waiting, totals.dropped], [0, { ...NO_DROPS, expired: 1 }]);
});

test("beyond a cap the oldest is dropped and counted", async (t) => {
  const server = await centre(t, ...Array(9).fill({ status: 503 }));
  const capped = (caps) => Object.assign(new MemoryStore(), { caps: { maxReports: 1_000, maxBytes: 1 << 20, maxAgeSecs: 999 * DAY, ...caps } });
  const check = async (caps, expected, drops) => {
    const store = capped(caps);
    const one = await device(server.url, { store });
    const made = await weeks(one, 4);
    const left = (await store.outbox(10)).map(({ report }) => Buffer.from(report).toString("hex"));
    assert.deepEqual(left, made.slice(4 - expected).map(({ report }) => Buffer.from(report).toString("hex")));
    assert.deepEqual((await one.monitor.status()).totals.dropped, { ...NO_DROPS, ...drops });
  };
  await check({ maxReports: 3 }, 3, { overCount: 1 });
  await check({ maxBytes: 2 * 45 + 1 }, 2, { overBytes: 2 });
  await check({ maxAgeSecs: WEEK }, 2, { expired: 2 });
  await check({}, 4, {});
});

test("a store without caps and notes holds what it is given", async (t) => {
  const server = await centre(t, { status: 503 });
  const memory = new MemoryStore();
  const bare = {
    transact: (change) => memory.transact(change),
    outbox: (limit) => memory.outbox(limit),
    remove: (sequences) => memory.remove(sequences),
    purge: () => memory.purge(),
  };
  for (let report = 0; report < 5_000; report += 1) {
    await memory.transact((state) => ({ state: state ?? Uint8Array.of(), report: { bytes: new Uint8Array(45), createdSecs: 0 } }));
  }
  await memory.transact(() => ({ state: undefined }));
  const one = await device(server.url, { store: bare });
  assert.equal((await one.monitor.flush()).waiting, 5_000);
  assert.equal((await one.monitor.flush()).waiting, 5_000);
  assert.equal(server.requests.length, 1, "the wait is held in the process at least");
  one.clock.secs += DAY;
  assert.equal((await one.monitor.flush()).sent, 5_000);
  assert.ok(server.requests.every(({ body }) => body.length <= 49_152));
});

test("a request needs no preflight, carries no cookies, and outlives its page if it is small", async (t) => {
  const seen = [];
  const watch = async (url, request) => {
    seen.push(request);
    return new Response("{}", { status: 503 });
  };
  const one = await device("http://centre.test/v1/reports", { monitor: { fetch: watch } });
  await weeks(one, 1);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await one.monitor.flush();
    one.clock.secs += DAY;
  }
  for (const request of seen) {
    assert.equal(request.method, "POST");
    assert.deepEqual(request.headers, { "content-type": "text/plain" });
    assert.deepEqual([request.credentials, request.redirect], ["omit", "manual"]);
  }
  assert.deepEqual(seen.map(({ keepalive }) => keepalive), [true, false, true], "the next attempt does without, should the quota be used up");
  const many = await device("http://centre.test/v1/reports", { monitor: { fetch: watch } });
  for (let report = 0; report < 1_000; report += 1) {
    await many.store.transact((state) => ({ state, report: { bytes: new Uint8Array(60), createdSecs: many.clock.secs } }));
  }
  await many.monitor.flush();
  const { body, keepalive } = seen.at(-1);
  assert.ok(body.length > 48_000 && body.length <= 49_152 && keepalive, "48 KiB may outlive their page");
});

test("two that send at the same time send once", async (t) => {
  const server = await centre(t);
  const one = await device(server.url);
  const made = await weeks(one, 3);
  const results = await Promise.all([one.monitor.flush(), one.monitor.flush(), one.monitor.flush()]);
  assert.equal(made.length, 3);
  assert.equal(server.requests.length, 1);
  assert.equal(results.reduce((sum, { accepted }) => sum + accepted, 0), 3);
  assert.ok(results.every(({ waiting }) => waiting === 0), "each has waited for the one that sent");
});

test("a purge ends what is being sent, and what it settles afterwards is not the new device's", async (t) => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const server = await centre(t, async () => (await held, { status: 202 }));
  const folder = mkdtempSync(join(tmpdir(), "driftglass-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const store of [new MemoryStore(), new FileStore(join(folder, "device.json"))]) {
    server.answers.unshift(async () => (await held, { status: 202 }));
    const one = await device(server.url, { store });
    await weeks(one, 1);
    const sending = one.monitor.flush();
    while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await one.monitor.purge();
    assert.equal((await sending).sent, 0);
    const made = await weeks(one, 3);
    assert.ok(made.length > 0);
    assert.equal((await store.outbox(10)).length, made.length);
    server.requests.length = 0;
  }
  release();
});

test("consent that is taken back ends what is being sent", async (t) => {
  const server = await centre(t, () => new Promise(() => {}));
  const one = await device(server.url);
  await weeks(one, 1);
  const sending = one.monitor.flush();
  while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await one.monitor.setConsent("unknown");
  assert.deepEqual([(await sending).waiting, (await sending).sent], [1, 0]);
  await one.monitor.setConsent("granted");
  assert.equal((await one.monitor.flush()).accepted, 1, "and it goes on with the same report once it is given again");
  assert.equal(new Set(server.bodies()).size, 1);
});
