// The dashboard and the live page, from the real binary, in a real Chromium.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

import { Centre } from "../harness/centre.mjs";

const WEEK = 604_800;
/** The last window of the data is over and still takes reports. */
const NOW = 2296 * WEEK + 3600;
const root = new URL("../../", import.meta.url).pathname;
const shots = join(root, "target", "screenshots");

let centre;
let url;
let browser;

before(async () => {
  mkdirSync(shots, { recursive: true });
  const spec = readFileSync(join(root, "pkg-config.json"), "utf8");
  const reference = join(root, "target/demo/reference.json");
  centre = await Centre.start({ binary: process.env.DRIFTGLASS_BINARY, spec, reference, startSecs: NOW });
  ({ url } = centre);
  const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: [...flags, "--disable-component-update", "--disable-sync"] });
});

after(async () => {
  await browser?.close();
  await centre?.stop();
});

/** Opens a page that fails the test if the console shows an error or anything but the centre is asked. */
async function open(path) {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 1000 } })).newPage();
  const problems = [];
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(url)) problems.push(`asked ${request.url()}`);
  });
  await page.goto(url + path, { waitUntil: "networkidle" });
  return { page, problems };
}

test("the visitor's browser becomes a device: it runs the model, answers, sends once", async () => {
  const { page, problems } = await open("/live");
  await page.getByRole("button", { name: /^run/i }).click();
  const close = page.getByRole("button", { name: /close the window/i }).first();
  await close.waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll("button")].some((one) => /close the window/i.test(one.textContent) && !one.disabled), undefined, { timeout: 60_000 });
  await close.click();
  await page.getByText(/report id/i).first().waitFor();
  const posted = page.waitForResponse((response) => response.url().includes("/v1/reports"));
  await page.getByRole("button", { name: /^send$/i }).first().click();
  const response = await posted;
  assert.equal(response.status(), 202);
  assert.deepEqual((await response.json()).accepted, 1);
  assert.equal(response.request().postDataBuffer().length, 47);
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(shots, "live.png"), fullPage: true });
  assert.deepEqual(problems, []);
});

test("the dashboard shows the report that the browser sent", async () => {
  const { page, problems } = await open("/");
  await page.getByText("departed_late").first().waitFor();
  await page.screenshot({ path: join(shots, "dashboard.png"), fullPage: true });
  assert.equal((await centre.counters()).accepted, 1);
  assert.match(await page.locator("body").innerText(), /simulated/i);
  assert.deepEqual(problems, []);
});

test("both pages forbid everything that is not theirs", async () => {
  for (const path of ["/", "/live"]) {
    const policy = (await fetch(url + path)).headers.get("content-security-policy");
    assert.match(policy, /default-src 'self'/);
    assert.doesNotMatch(policy, /'unsafe-eval'/);
  }
});

test("the reference that the pages use is the demo's", () => {
  const reference = JSON.parse(readFileSync(join(root, "target/demo/reference.json"), "utf8"));
  assert.deepEqual(reference.lineage.windows, [2244, 2264]);
});
