// What stands before the centre: serves the page, hands uploads on, keeps every byte, and fails as it is told.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

import { split } from "../oracle.mjs";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };

/** A browser's cache makes one tab wait for another that loads the same and is ended meanwhile. */
const NO_STORE = { "cache-control": "no-store" };

export class Gate {
  /** What each device sent, retries included. */
  received = new Map();
  /** Visits that uploaded something. */
  seen = new Set();
  /** Ids of reports that the centre said it has. */
  settled = new Set();
  uploads = { handedOn: 0, refused: 0, cutOff: 0, answerLost: 0 };
  /** What must not be. */
  faults = [];

  /**
   * @param fate what becomes of an upload of a visit: `pass`, `refuse` (503), `cut` (the connection is reset), `lose` (handed on, and the answer is lost)
   */
  static async start({ root, spec, centre, fate }) {
    const gate = new Gate();
    gate.fate = fate;
    gate.centre = centre;
    const pages = createServer((request, response) => void gate.#page(request, response, root, spec));
    const uploads = createServer((request, response) => void gate.#upload(request, response));
    gate.servers = [pages, uploads];
    for (const server of gate.servers) {
      server.keepAliveTimeout = 60_000;
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    }
    [gate.pages, gate.uploadsAt] = gate.servers.map((server) => `http://127.0.0.1:${server.address().port}`);
    return gate;
  }

  stop() {
    for (const server of this.servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  async #page(request, response, root, spec) {
    const { pathname } = new URL(request.url, "http://localhost");
    if (pathname === "/elsewhere") return response.writeHead(200, { "content-type": "text/html", ...NO_STORE }).end("<!doctype html><title>elsewhere</title>");
    if (pathname === "/spec.json") return response.writeHead(200, { "content-type": TYPES[".json"], ...NO_STORE }).end(JSON.stringify(spec));
    const path = pathname.startsWith("/dist/") ? join(root, "js", normalize(pathname)) : join(root, "tests/kill/browser", normalize(pathname));
    const bytes = await readFile(path).catch(() => undefined);
    if (!bytes) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream", ...NO_STORE }).end(bytes);
  }

  async #upload(request, response) {
    const headers = { "access-control-allow-origin": "*", "access-control-expose-headers": "retry-after" };
    if (request.method !== "POST") {
      this.faults.push(`a request needed a preflight: ${request.method}`);
      return response.writeHead(405, headers).end();
    }
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return; // The page is gone, and its body with it.
    }
    const body = Buffer.concat(chunks);
    if (body.length !== Number(request.headers["content-length"])) return;
    const [, visit, device] = new URL(request.url, "http://localhost").pathname.split("/");
    const reports = split(body);
    this.seen.add(visit);
    if (!this.received.has(device)) this.received.set(device, []);
    this.received.get(device).push(...reports);
    const fate = this.fate(visit);
    if (fate === "cut") {
      this.uploads.cutOff += 1;
      return request.socket.destroy();
    }
    if (fate === "refuse") {
      this.uploads.refused += 1;
      return response.writeHead(503, { ...headers, "retry-after": "1" }).end();
    }
    const { search } = new URL(request.url, "http://localhost");
    const answer = await fetch(`${this.centre.url}/v1/reports${search}`, { method: "POST", headers: { "content-type": "text/plain" }, body });
    const text = await answer.text();
    const receipt = JSON.parse(text);
    if (receipt.accepted + receipt.duplicate === reports.length) for (const report of reports) this.settled.add(idOf(report));
    else this.faults.push(`the centre answered ${answer.status}: ${text}`);
    if (fate === "lose") {
      this.uploads.answerLost += 1;
      return request.socket.destroy();
    }
    this.uploads.handedOn += 1;
    response.writeHead(answer.status, { ...headers, "content-type": "application/json" }).end(text);
  }
}

/** The id of a report. */
export function idOf(report) {
  return report.toString("hex", 28, 44);
}
