// The drivers themselves, in each engine: what the other suites rest on.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { can, ENGINES, launch } from "./engines.mjs";

const STRICT = "default-src 'self'; require-trusted-types-for 'script'";
const beacons = [];
const folder = mkdtempSync(join(tmpdir(), "driftglass-engines-"));
let server;
let origin;

before(async () => {
  server = createServer((request, response) => {
    if (request.method === "POST") beacons.push(request.url);
    const headers = { "content-type": "text/html", "cache-control": "no-store" };
    if (request.url.startsWith("/strict")) headers["content-security-policy"] = STRICT;
    if (request.url === "/eval.js") {
      response.writeHead(200, { "content-type": "text/javascript" });
      response.end('try { globalThis.policy = eval("0"); } catch { globalThis.policy = "refused"; }');
    } else {
      response.writeHead(200, headers).end('<!doctype html><title>page</title><p>here<script src="/eval.js"></script>');
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${server.address().port}`;
});

after(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

for (const engine of ENGINES) {
  describe(engine, () => {
    let browser;
    before(async () => (browser = await launch(engine)));
    after(async () => browser?.close());

    test("evaluates, awaits, and reports what a page throws", async () => {
      const page = await browser.open(`${origin}/plain`);
      assert.equal(await page.evaluate(async (a, b) => a + (await b), 1, 2), 3);
      assert.equal(await page.evaluate("document.title"), "page");
      assert.equal(await page.evaluate(() => undefined), undefined);
      assert.equal(await page.evaluate(() => document.visibilityState), "visible");
      assert.ok(await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve))) > 0);
      const failing = page.evaluate(() => { throw new RangeError("too far"); });
      await assert.rejects(failing, { message: /too far/, name: "RangeError" });
      await page.evaluate(() => void setTimeout(() => (globalThis.outcome = { done: true }), 100));
      assert.deepEqual(await page.waitFor(() => globalThis.outcome), { done: true });
      await assert.rejects(page.waitFor(() => globalThis.never, { timeoutMs: 200 }), /did not become true in 200 ms/);
      await page.close();
    });

    test("evaluates under a strict policy, which holds", async () => {
      const page = await browser.open(`${origin}/strict`);
      assert.equal(await page.evaluate(() => 1 + 1), 2);
      assert.equal(await page.evaluate(() => globalThis.policy), "refused");
      await page.close();
    });

    test("tabs of one origin share storage; a reload keeps it", async () => {
      const [one, two] = [await browser.open(`${origin}/one`), await browser.open(`${origin}/two`)];
      await one.evaluate(() => localStorage.setItem("kept", "yes"));
      assert.equal(await two.evaluate(() => localStorage.getItem("kept")), "yes");
      await one.reload();
      assert.equal(await one.evaluate(() => localStorage.getItem("kept")), "yes");
      await one.close();
      assert.equal(await two.evaluate(() => location.pathname), "/two");
      await two.goto(`${origin}/three`);
      assert.equal(await two.evaluate(() => location.pathname), "/three");
      await two.close();
    });

    test("closing a tab and leaving a page fire pagehide", async () => {
      for (const leave of [(page) => page.close(), (page) => page.goto(`${origin}/elsewhere`)]) {
        beacons.length = 0;
        const page = await browser.open(`${origin}/leaving`);
        await page.evaluate(() => addEventListener("pagehide", () => navigator.sendBeacon("/beacon")));
        await leave(page);
        for (let tries = 0; beacons.length === 0 && tries < 100; tries += 1) await new Promise((resolve) => setTimeout(resolve, 20));
        assert.deepEqual(beacons, ["/beacon"]);
      }
    });

    test("takes a screenshot", async () => {
      const page = await browser.open(`${origin}/plain`);
      const path = join(folder, `${engine}.png`);
      await page.screenshot(path);
      assert.equal(readFileSync(path).subarray(1, 4).toString(), "PNG");
      await page.close();
    });

    test("is cut off from the network", { skip: !can(engine).offline }, async () => {
      const page = await browser.open(`${origin}/plain`);
      const reach = () => page.evaluate(() => fetch("/plain").then((response) => response.status, () => "unreachable"));
      await page.offline(true);
      assert.equal(await reach(), "unreachable");
      await page.offline(false);
      assert.equal(await reach(), 200);
      await page.close();
    });

    test("a page whose renderer is ended does not come back, a new one opens", { skip: !can(engine).crash }, async () => {
      const page = await browser.open(`${origin}/plain`);
      await page.evaluate(() => (globalThis.mark = 1));
      await page.crash();
      const next = await browser.open(`${origin}/plain`);
      assert.equal(await next.evaluate(() => globalThis.mark ?? "fresh"), "fresh");
      await next.close();
    });

    test("a killed browser's storage is there in the next one", { skip: !can(engine).profile }, async () => {
      const profile = mkdtempSync(join(folder, `${engine}-`));
      const first = await launch(engine, { profile });
      const page = await first.open(`${origin}/plain`);
      await page.evaluate(() => new Promise((resolve, reject) => {
        const opening = indexedDB.open("kept", 1);
        opening.onupgradeneeded = () => opening.result.createObjectStore("values");
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const transaction = opening.result.transaction("values", "readwrite", { durability: "strict" });
          transaction.objectStore("values").put("yes", "key");
          transaction.oncomplete = () => resolve();
        };
      }));
      await first.kill();
      const second = await launch(engine, { profile });
      const found = await (await second.open(`${origin}/plain`)).evaluate(() => new Promise((resolve, reject) => {
        const opening = indexedDB.open("kept", 1);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const asked = opening.result.transaction("values").objectStore("values").get("key");
          asked.onsuccess = () => resolve(asked.result);
        };
      }));
      await second.close();
      assert.equal(found, "yes");
    });
  });
}
