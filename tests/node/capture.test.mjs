// What leaves a device. Every connection of the process is captured while a small fleet lives through three weeks with the shipped module; then the
// seeded build shows that data reach nothing but the payload.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";

import { InferenceSession, MemoryStore, Monitor, Tensor } from "driftglass";

import { file, flights, spec } from "./flights.mjs";
import { encodeBody, setEntropySeed, WasmMonitor } from "./seeded.mjs";

const WEEK = 604_800;
const FIRST = 2265;
const HEADER = 44;

test("only reports leave, and all have one length", async (t) => {
  const requests = [];
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      requests.push({ method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks) });
      response.writeHead(202, { "content-type": "application/json" }).end('{"accepted": 0}');
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = server.address().port;

  const connections = [];
  const { connect } = Socket.prototype;
  Socket.prototype.connect = function (...options) {
    connections.push(JSON.stringify(options[0]));
    return connect.apply(this, options);
  };
  t.after(() => {
    Socket.prototype.connect = connect;
    server.close();
    server.closeAllConnections();
  });

  let now = (FIRST - 1) * WEEK;
  const session = await InferenceSession.create(file("demo/model/late-arrival-1.onnx"));
  const monitors = [];
  for (let device = 0; device < 20; device += 1) {
    const options = { spec: spec(), key: "k", store: new MemoryStore(), consent: "granted", now: () => now };
    monitors.push(await Monitor.create({ ...options, endpoint: `http://127.0.0.1:${port}/v1/reports` }));
  }
  const rows = flights().slice(0, 600);
  for (let week = FIRST; week < FIRST + 3; week += 1) {
    for (const [index, row] of rows.entries()) {
      now = week * WEEK + 60 * index;
      const monitor = monitors[(index + week) % 19]; // the last device never has data
      await (await monitor.wrap(session)).run(feeds(row), { key: `${week} ${index}` });
      if (row.late !== undefined) monitor.outcome(`${week} ${index}`, row.late);
    }
    now = (week + 1) * WEEK + 60;
    for (const monitor of monitors) {
      assert.equal((await monitor.close()).length, 1, "every device answers every week, data or not");
      await monitor.flush();
    }
  }

  assert.equal(requests.length, 60, "one request for each device and week, and no other");
  assert.ok(connections.length > 0);
  assert.ok(connections.every((options) => options.includes(String(port))), "no other address is contacted");
  for (const { method, url, headers, body } of requests) {
    assert.deepEqual([method, url, headers["content-type"]], ["POST", "/v1/reports?key=k", "text/plain"]);
    assert.equal(body.length, 2 + HEADER + 1);
    assert.equal(body.readUInt16BE(0), HEADER + 1);
    assert.equal(body.subarray(2, 4).toString(), "DG");
    assert.equal(headers.cookie, undefined);
  }
  const ids = new Set(requests.map(({ body }) => body.subarray(30, 46).toString("hex")));
  assert.equal(ids.size, 60, "no report id occurs twice");
});

test("with the same entropy, different data change the payload and nothing else", () => {
  const all = flights();
  const seen = { reports: 0, differing: 0 };
  for (let device = 0; device < 200; device += 1) {
    const seed = new TextEncoder().encode(`device ${device}`);
    const first = report(seed, all.slice(20 * device, 20 * device + 20));
    const other = report(seed, all.slice(200_000 + 3 * device, 200_000 + 3 * device + 3));
    const idle = report(seed, []);
    assert.equal(first.length, other.length);
    for (const one of [other, idle]) {
      assert.deepEqual(one.subarray(0, HEADER), first.subarray(0, HEADER));
      seen.reports += 1;
      seen.differing += Buffer.compare(one, first) === 0 ? 0 : 1;
    }
    assert.deepEqual(report(seed, all.slice(20 * device, 20 * device + 20)), first, "and the same data give the same bytes");
  }
  assert.ok(seen.differing > 0.2 * seen.reports, "the comparison can see a difference");
});

/** The report of one device that saw these flights in one week. */
function report(seed, rows) {
  setEntropySeed(seed);
  const monitor = new WasmMonitor(JSON.stringify(spec()), "all", false);
  const joined = monitor.join(undefined, (FIRST - 1) * WEEK);
  rows.forEach((row, index) => {
    const late = row.numeric[0] > 20 ? 1 : 0;
    const inputs = { numeric: row.numeric, carrier: row.carrier, origin: row.origin };
    monitor.observe({ inputs, outputs: { probabilities: [1 - late, late] }, latencyMs: 1 }, String(index), FIRST * WEEK + index);
    if (row.late !== undefined) monitor.outcome(String(index), row.late, FIRST * WEEK + index + 1);
  });
  const { report: bytes } = monitor.answer(joined, FIRST, (FIRST + 1) * WEEK);
  assert.equal(encodeBody([bytes]).length, bytes.length + 2);
  monitor.free();
  return Buffer.from(bytes);
}

function feeds({ numeric, carrier, origin }) {
  return {
    numeric: new Tensor("float32", Float32Array.from(numeric), [1, 8]),
    carrier: new Tensor("int64", BigInt64Array.of(BigInt(carrier)), [1]),
    origin: new Tensor("int64", BigInt64Array.of(BigInt(origin)), [1]),
  };
}
