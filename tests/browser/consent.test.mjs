// What the package leaves in a browser, and when: nothing before consent, nothing after a purge, in no tab; what it counted while it may; and how tabs share it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { ENGINES, launch } from "../engines/engines.mjs";

const root = new URL("../../", import.meta.url);
const TYPES = { js: "text/javascript", wasm: "application/wasm", json: "application/json" };
const WEEK = 604_800;

let server;
let origin;
let uploads = 0;

before(async () => {
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    if (request.method === "POST") {
      uploads += 1;
      // Slowly, so that another tab finds this one sending.
      return setTimeout(() => response.writeHead(503).end(), 3_000);
    }
    if (pathname === "/") return response.writeHead(200, { "content-type": "text/html" }).end('<!doctype html><title>consent</title><link rel="icon" href="data:,">');
    try {
      const bytes = readFileSync(new URL(pathname === "/spec.json" ? "pkg-config.json" : `js${pathname}`, root));
      response.writeHead(200, { "content-type": TYPES[pathname.split(".").pop()] }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A port is an origin: each engine begins without storage.
  origin = `http://127.0.0.1:${server.address().port}/`;
});

after(() => {
  server.close();
  server.closeAllConnections();
});

/** Makes a monitor in the page, as `globalThis.monitor`. */
function start(page, consent, thread) {
  return page.evaluate(async (consent, thread, week) => {
    const { Monitor } = await import("/dist/browser.js");
    const spec = await (await fetch("/spec.json")).json();
    const clock = (globalThis.clock = { secs: 2265 * week });
    globalThis.monitor = await Monitor.create({ spec, key: "key", endpoint: "/v1/reports", consent, thread, now: () => clock.secs });
    globalThis.live = (times) => {
      const record = { inputs: { numeric: [12, 9, 500, 60, 5, 0, 10, 50], carrier: 3, origin: "JFK" }, outputs: { probabilities: [0.25, 0.75] } };
      for (let time = 0; time < times; time += 1) globalThis.monitor.observe(record);
    };
    return globalThis.monitor.consent;
  }, consent, thread, WEEK);
}

/** Everything that an origin can keep. */
function kept(page) {
  return page.evaluate(async () => ({
    databases: (await indexedDB.databases()).map(({ name }) => name),
    local: Object.keys(localStorage),
    session: Object.keys(sessionStorage),
    cookies: document.cookie,
    caches: typeof caches === "object" ? await caches.keys() : [],
    workers: navigator.serviceWorker ? (await navigator.serviceWorker.getRegistrations()).length : 0,
  }));
}

const NOTHING = { databases: [], local: [], session: [], cookies: "", caches: [], workers: 0 };
const EVERYTHING = { ...NOTHING, databases: ["driftglass nyc-late-arrival"] };

/** Lives and looks, answers after two weeks, of which the second is one of its own, and sends. */
const use = (page) => page.evaluate(async (week) => {
  globalThis.live(2);
  const { metrics } = await globalThis.monitor.inspect();
  let answers = 0;
  for (let weeks = 0; weeks < 2; weeks += 1) {
    globalThis.clock.secs += week;
    answers += (await globalThis.monitor.close()).length;
  }
  const { waiting } = await globalThis.monitor.flush();
  await globalThis.monitor.ledger();
  await globalThis.monitor.status();
  return { answers, waiting, events: metrics[0].events };
}, WEEK);

const events = (page) => page.evaluate(async () => (await globalThis.monitor.inspect()).metrics[0].events);

for (const engine of ENGINES) {
  for (const thread of ["worker", "main"]) {
    describe(`${engine}, ${thread}`, () => {
      let browser;
      before(async () => {
        browser = await launch(engine);
      });
      after(() => browser?.close());

      test("nothing is kept before consent, and nothing is sent", async () => {
        const page = await browser.open(origin);
        const before = uploads;
        for (const consent of ["unknown", "denied"]) {
          assert.equal(await start(page, consent, thread), consent);
          assert.deepEqual(await use(page), { answers: 0, waiting: 0, events: 0 });
          await page.evaluate(() => globalThis.monitor.dispose());
          assert.deepEqual(await kept(page), NOTHING);
        }
        assert.equal(uploads, before);
        await page.close();
      });

      test("what was counted survives a reload, and tabs add up", async () => {
        const [one, two] = [await browser.open(origin), await browser.open(origin)];
        for (const page of [one, two]) await start(page, "granted", thread);
        assert.deepEqual(await kept(one), EVERYTHING);
        await one.evaluate(() => globalThis.live(3));
        await two.evaluate(() => globalThis.live(4));
        assert.deepEqual([await events(one), await events(two)], [3, 4]);
        // What was counted in the last moments before a page goes may be lost with it; the rest is saved by then.
        await sleep(4_000);
        await one.reload();
        await start(one, "granted", thread);
        await one.waitFor(async () => (await globalThis.monitor.inspect()).metrics[0].events === 7);
        await two.waitFor(async () => (await globalThis.monitor.inspect()).metrics[0].events === 7);
        await two.close();
        await one.waitFor(async () => (await globalThis.monitor.inspect()).metrics[0].events === 7);
        await one.evaluate(() => globalThis.monitor.setConsent("denied"));
        await one.close();
      });

      test("a denial wipes everything, in all tabs, and nothing comes back", async () => {
        const [one, two] = [await browser.open(origin), await browser.open(origin)];
        for (const page of [one, two]) await start(page, "granted", thread);
        assert.deepEqual(await use(one), { answers: 1, waiting: 1, events: 2 });
        assert.deepEqual(await use(two), { answers: 0, waiting: 1, events: 2 }, "they are one device");
        await one.evaluate(() => globalThis.monitor.setConsent("denied"));
        assert.deepEqual(await kept(one), NOTHING);
        // The other tab does not know what the person said; it has nothing any more all the same.
        assert.deepEqual(await use(two), { answers: 0, waiting: 0, events: 0 });
        await two.evaluate(() => globalThis.monitor.dispose());
        assert.deepEqual([await kept(one), await kept(two)], [NOTHING, NOTHING]);
        await start(two, "granted", thread);
        assert.equal((await two.evaluate(() => globalThis.monitor.ledger())).spent[0].spentMicronats, 0, "a device that never was");
        await two.evaluate(() => globalThis.monitor.purge());
        assert.equal(await events(two), 0);
        await two.evaluate(() => globalThis.monitor.setConsent("denied"));
        assert.deepEqual(await kept(two), NOTHING);
        for (const page of [one, two]) await page.close();
      });

      test("one tab sends at a time, and the others hold its wait", async () => {
        const [one, two] = [await browser.open(origin), await browser.open(origin)];
        for (const page of [one, two]) await start(page, "granted", thread);
        assert.equal((await use(one)).waiting, 1);
        const before = uploads;
        await one.evaluate(() => void (globalThis.sending = globalThis.monitor.flush({ force: true })));
        while (uploads === before) await sleep(10);
        await two.evaluate((week) => void (globalThis.clock.secs += 2 * week), WEEK);
        assert.equal((await two.evaluate(() => globalThis.monitor.flush({ force: true }))).answers.length, 0);
        assert.equal((await one.evaluate(() => globalThis.sending)).answers.length, 1);
        await two.evaluate(() => globalThis.monitor.flush());
        assert.equal(uploads - before, 1);
        await one.evaluate(() => globalThis.monitor.setConsent("denied"));
        for (const page of [one, two]) await page.close();
      });

      test("Global Privacy Control denies where the person said nothing", async () => {
        const page = await browser.open(origin);
        await start(page, "granted", thread);
        await page.evaluate(() => globalThis.monitor.dispose());
        assert.deepEqual(await kept(page), EVERYTHING);
        await page.evaluate(() => void Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { value: true, configurable: true }));
        assert.equal(await start(page, "unknown", thread), "denied");
        assert.deepEqual(await kept(page), NOTHING);
        assert.equal(await start(page, "granted", thread), "granted", "who was asked and agreed is heard");
        await page.evaluate(() => globalThis.monitor.setConsent("unknown"));
        assert.deepEqual(await kept(page), NOTHING);
        await page.close();
      });
    });
  }
}
