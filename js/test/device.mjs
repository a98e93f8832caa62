// A monitor whose clock the test moves, and a centre that answers what the test says: over HTTP, on a port of its own.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import { MemoryStore, Monitor } from "driftglass";

export const WEEK = 604_800;
/** The week in which devices join is the one before. */
export const FIRST = 2265;
/** Bytes of a report of the package's spec, with its length before it. */
export const FRAMED = 47;

export const spec = () => JSON.parse(readFileSync(new URL("../../pkg-config.json", import.meta.url)));

/** A centre that keeps what it is sent. Its answers are taken from a list, and are acceptances once that is empty. */
export async function centre(t, ...answers) {
  const requests = [];
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", async () => {
      const body = Buffer.concat(chunks);
      requests.push({ method: request.method, headers: request.headers, body });
      const answer = answers.shift() ?? { status: 202 };
      if (answer === "reset") return request.socket.destroy();
      const { status, headers = { "content-type": "application/json" } } = typeof answer === "function" ? await answer(body) : answer;
      const receipt = status === 202 ? { accepted: body.length / FRAMED } : {};
      const text = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body ?? receipt);
      response.writeHead(status, headers).end(text);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return { answers, requests, bodies: () => requests.map(({ body }) => body.toString("hex")), url: `http://127.0.0.1:${server.address().port}/v1/reports` };
}

/** A device that watches since before the first week, at the begin of which it stands. */
export async function device(endpoint, options = {}) {
  const clock = options.clock ?? { secs: (FIRST - 1) * WEEK };
  const store = options.store ?? new MemoryStore();
  const base = { spec: spec(), key: "key", store, consent: "granted", now: () => clock.secs, endpoint, thread: "main" };
  const monitor = await Monitor.create({ ...base, ...options.monitor });
  clock.secs = Math.max(clock.secs, FIRST * WEEK);
  return { monitor, clock, store };
}

/** Lets weeks pass; returns the answers that were made. */
export async function weeks({ monitor, clock }, count) {
  const made = [];
  for (let week = 0; week < count; week += 1) {
    clock.secs += WEEK;
    made.push(...(await monitor.close()));
  }
  return made;
}
