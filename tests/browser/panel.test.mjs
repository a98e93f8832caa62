// `<driftglass-panel>` in real browsers, around a real monitor in its worker, under a policy that allows no inline script, no inline style and no markup sink.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";

import { chromium } from "playwright-core";

import { launch } from "../engines/engines.mjs";

const root = new URL("../../", import.meta.url).pathname;
const shots = join(root, "target", "screenshots");
const POLICY = [
  "default-src 'none'", "img-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'none'", "connect-src 'self'", "worker-src 'self'",
  "require-trusted-types-for 'script'", "trusted-types driftglass",
].join("; ");
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };
const WEEK = 604_800;
/** The largest that the element may be, compressed. */
const LARGEST = 8 * 1024;

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>panel</title>
<script type="module" src="/page.js"></script><body><main><driftglass-panel></driftglass-panel></main>`;
const SCRIPT = `
import { Monitor } from "/js/dist/browser.js";
import "/js/dist/panel.js";
globalThis.violations = [];
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => violations.push(violatedDirective + " " + blockedURI));
const spec = await (await fetch("/pkg-config.json")).json();
let now = 2264 * ${WEEK};
const createWorker = () => {
  const policy = trustedTypes.createPolicy("driftglass", { createScriptURL: (url) => url });
  return new Worker(policy.createScriptURL("/js/dist/worker.js"), { type: "module" });
};
const monitor = await Monitor.create({
  spec, key: "key", store: "memory", consent: "granted", now: () => now, endpoint: "/v1/reports",
  ...(globalThis.trustedTypes ? { createWorker } : {}),
});
function flight(index) {
  const numeric = [Math.round(60 * Math.sin(index * index) ** 3), 5 + (index * 7) % 17, 500, 40 + (index * 13) % 45, 5, 0, 10, null];
  const late = 0.03 + (index % 7) / 20;
  monitor.observe({ inputs: { numeric, carrier: (index * index) % 16, origin: index % 3 }, outputs: { probabilities: [1 - late, late] }, latencyMs: 0.2 + index % 3 }, { key: "f" + index });
  if (index % 4) monitor.outcome("f" + index, index % 5 ? "on time" : "late");
}
for (let week = 0; week < 4; week += 1) {
  now += ${WEEK};
  for (let index = 0; index < 9; index += 1) flight(index + week);
  await monitor.close();
  if (week < 2) await monitor.flush({ force: true });
}
for (let index = 0; index < 37; index += 1) flight(index);
const panel = document.querySelector("driftglass-panel");
panel.spec = spec;
panel.monitor = monitor;
globalThis.said = [];
for (const name of ["driftglass-consent", "driftglass-purge"]) document.addEventListener(name, ({ type, detail }) => said.push([type, detail]));
await panel.refresh();
globalThis.monitor = monitor;
globalThis.ready = true;
`;

let server;
let url;
let browser;

before(async () => {
  mkdirSync(shots, { recursive: true });
  server = createServer((request, response) => {
    const path = request.url.split("?")[0];
    const answer = (body, type) => response.writeHead(200, { "content-type": type, "content-security-policy": POLICY }).end(body);
    if (path === "/") return answer(PAGE, "text/html");
    if (path === "/page.js") return answer(SCRIPT, "text/javascript");
    if (path === "/favicon.ico") return response.writeHead(204).end();
    if (path === "/v1/reports") {
      let bytes = 0;
      request.on("data", (chunk) => (bytes += chunk.length));
      return request.on("end", () => response.writeHead(202, { "content-type": "application/json" }).end(JSON.stringify({ accepted: bytes / 47 })));
    }
    const file = join(root, path);
    if (!/^\/(js\/dist\/[\w.-]+|pkg-config\.json)$/.test(path) || !existsSync(file)) return response.writeHead(404).end();
    return answer(readFileSync(file), TYPES[extname(file)] ?? "text/plain");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${server.address().port}/`;
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
});

after(async () => {
  await browser?.close();
  server.close();
  server.closeAllConnections();
});

async function open(options = {}) {
  const page = await (await browser.newContext({ viewport: { width: 780, height: 1000 }, ...options })).newPage();
  const problems = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(url);
  await page.waitForFunction(() => globalThis.ready, undefined, { timeout: 60_000 });
  return { page, problems };
}

test("shows what is kept, sent and left, without a word from the policy", async () => {
  const { page, problems } = await open();
  const panel = page.locator("driftglass-panel");
  assert.equal(await panel.getByRole("switch", { name: "Share noisy summaries" }).getAttribute("aria-checked"), "true");
  const text = await panel.evaluate((element) => element.shadowRoot.textContent);
  assert.match(text, /dep delay46 counted, most often up to −6 min \(\d+ %\)/);
  assert.match(text, /\d+ predictions wait for what turns out to be true/);
  assert.match(text, /All have 45 bytes/);
  assert.match(text, /\b1 sent so far, 2 waiting\./);
  assert.match(text, /ε \d+ of 39 spent in the last 13 weeks/);
  assert.equal(await panel.getByRole("meter").count(), 2);
  assert.deepEqual(await page.evaluate(() => globalThis.violations), []);
  assert.equal(await panel.evaluate((element) => element.shadowRoot.querySelectorAll("[style], style").length), 0);
  await page.screenshot({ path: join(shots, "panel.png"), fullPage: true });
  assert.deepEqual(problems, []);
});

test("a report is taken apart, and stays open when the panel looks again", async () => {
  const { page } = await open();
  const panel = page.locator("driftglass-panel");
  const summary = panel.locator("summary").first();
  await summary.focus();
  await page.keyboard.press("Enter");
  assert.equal(await panel.getByRole("row", { name: /report id 16/ }).isVisible(), true);
  const shown = await panel.locator("details[open] .hex").textContent();
  const newest = await page.evaluate(async () => (await globalThis.monitor.reports()).at(-1).bytes.join());
  assert.equal(shown.match(/[0-9a-f]{2}/g).map((byte) => Number.parseInt(byte, 16)).join(), newest);
  await page.evaluate(async () => {
    globalThis.monitor.observe({ outputs: { probabilities: [0.9, 0.1] } });
    await globalThis.monitor.flush({ force: true });
    await document.querySelector("driftglass-panel").refresh();
  });
  assert.equal(await panel.locator("details[open]").count(), 1);
  assert.equal(await panel.evaluate((element) => element.shadowRoot.activeElement?.tagName), "SUMMARY", "the focus stays where it was");
});

test("a person switches off with the keyboard, and on again", async () => {
  const { page } = await open();
  const toggle = page.locator("driftglass-panel").getByRole("switch");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await page.waitForFunction(() => globalThis.said.length === 1);
  assert.equal(await toggle.getAttribute("aria-checked"), "false");
  assert.equal(await page.evaluate(() => globalThis.monitor.consent), "denied");
  assert.equal(await page.evaluate(() => globalThis.monitor.ledger()), undefined);
  assert.match(await page.locator("driftglass-panel").evaluate((element) => element.shadowRoot.textContent), /Nothing was spent/);
  await page.keyboard.press("Space");
  await page.waitForFunction(() => globalThis.said.length === 2);
  assert.deepEqual(await page.evaluate(() => globalThis.said), [["driftglass-consent", { consent: "denied" }], ["driftglass-consent", { consent: "granted" }]]);
});

test("deleting asks once more, and then all is gone", async () => {
  const { page } = await open();
  const panel = page.locator("driftglass-panel");
  await panel.getByRole("button", { name: "Delete everything" }).click();
  assert.equal(await panel.evaluate((element) => element.shadowRoot.activeElement?.textContent), "Keep", "the safe answer has the focus");
  await page.keyboard.press("Escape");
  assert.equal(await panel.evaluate((element) => element.shadowRoot.activeElement?.textContent), "Delete everything");
  await page.keyboard.press("Enter");
  await panel.getByRole("button", { name: "Delete", exact: true }).click();
  await page.waitForFunction(() => globalThis.said.length === 1);
  assert.equal(await panel.getByRole("status").textContent(), "Everything on this device was deleted.");
  assert.deepEqual(await page.evaluate(() => globalThis.monitor.reports()), []);
  assert.ok((await page.evaluate(() => globalThis.monitor.inspect())).metrics.every(({ events }) => events === 0));
});

test("text has the contrast that WCAG AA asks for, light and dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const { page } = await open({ colorScheme });
    await page.locator("driftglass-panel summary").first().click();
    await page.screenshot({ path: join(shots, `panel-${colorScheme}.png`), fullPage: true });
    const poor = await page.evaluate(contrasts);
    assert.deepEqual(poor, [], colorScheme);
  }
});

test("nothing moves for who asks for less motion, and a narrow place is enough", async () => {
  const { page } = await open({ reducedMotion: "reduce", viewport: { width: 320, height: 900 } });
  const durations = await page.locator("driftglass-panel").evaluate((element) =>
    [...element.shadowRoot.querySelectorAll("*")].map((one) => getComputedStyle(one, "::after").transitionDuration + getComputedStyle(one).transitionDuration),
  );
  assert.deepEqual([...new Set(durations)], ["0s0s"]);
  assert.equal(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth), true);
  await page.screenshot({ path: join(shots, "panel-narrow.png"), fullPage: true });
});

for (const engine of ["firefox", "webkit"]) {
  test(`draws in ${engine} under the same policy`, async (t) => {
    const other = await launch(engine);
    t.after(() => other.close());
    const page = await other.open(url);
    await page.waitFor(() => globalThis.ready, { timeoutMs: 60_000 });
    const text = await page.evaluate(() => document.querySelector("driftglass-panel").shadowRoot.textContent);
    assert.match(text, /46 counted/);
    assert.deepEqual(await page.evaluate(() => globalThis.violations), []);
  });
}

test("the element is small, needs nothing, and a server may import it", async () => {
  const source = readFileSync(join(root, "js/dist/panel.js"));
  const size = gzipSync(source, { level: 9 }).length;
  console.log(`panel.js: ${size} bytes compressed`);
  assert.ok(size <= LARGEST);
  assert.doesNotMatch(source.toString(), /\bimport\b\s*[("'{]|\bfrom\s*["']/);
  assert.equal(typeof (await import("driftglass/panel")).DriftglassPanel, "function");
});

/** In the page: texts of the panel whose contrast with what is behind them is below 4.5. */
function contrasts() {
  const channels = (color) => {
    const context = new OffscreenCanvas(1, 1).getContext("2d");
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const linear = [r, g, b].map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement ?? one.getRootNode().host) {
      const color = channels(getComputedStyle(one).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelector("driftglass-panel").shadowRoot.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "");
    if (!own) continue;
    const [text, back] = [luminance(channels(getComputedStyle(element).color)), luminance(behind(element))].sort((a, b) => b - a);
    const ratio = (text + 0.05) / (back + 0.05);
    if (ratio < 4.5) poor.push(`${element.className} ${element.textContent.slice(0, 20)} ${ratio.toFixed(2)}`);
  }
  return poor;
}
