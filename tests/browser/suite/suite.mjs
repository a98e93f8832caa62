// One suite of pages for every engine: what an application does, and what servers and policies do to it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { can, launch } from "../../engines/engines.mjs";
import { Centre } from "../../harness/centre.mjs";
import { HOUR, record, spec, START_SECS } from "../../harness/spec.mjs";
import { staysSmooth } from "./long-tasks.mjs";
import { DIST, site } from "./site.mjs";
import { vectorsIn } from "./vectors.mjs";

const THREADS = ["main", "worker"];
const CORE = "/driftglass/core.wasm";

/** Files that a page asks for before it may refuse the rest. */
const strict = (centre, scripts = "") =>
  `default-src 'none'; script-src 'self' ${scripts}; worker-src 'self'; connect-src 'self' ${centre.url}`;

/** All tests in one engine. */
export function pageSuite(engine) {
  describe(engine, () => {
    let browser;
    let centre;
    let settings;
    before(async () => {
      centre = await Centre.start({ binary: process.env.DRIFTGLASS_BINARY, spec, startSecs: START_SECS + 9.75 * HOUR });
      settings = { spec, key: centre.key, endpoint: centre.endpoint, record, startSecs: START_SECS + 8.5 * HOUR };
      browser = await launch(engine);
    });
    after(async () => {
      await browser?.close();
      await centre?.stop();
    });

    /** Opens a site with an origin, and thus a device, of its own. */
    async function visit(options, work) {
      const served = await site(options);
      try {
        const page = await opened(served);
        await work(page, served);
        await page.close();
      } finally {
        await served.close();
      }
    }

    async function opened(served) {
      const page = await browser.open(`${served.origin}/`);
      await page.waitFor(() => globalThis.loaded);
      return page;
    }

    /** What the centre counted while something was done. */
    async function counted(work) {
      const earlier = await centre.counters();
      await work();
      const later = await centre.counters();
      return Object.fromEntries(Object.keys(later).map((name) => [name, later[name] - earlier[name]]).filter(([, more]) => more !== 0));
    }

    /** A whole life: returns what the monitor says of itself at its end. */
    const lives = async (given, options) => {
      const monitor = await monitorOf(given, options);
      monitor.observe(given.record);
      clock.secs += 3600;
      const answers = await monitor.close();
      const { accepted, waiting } = await monitor.flush();
      const { thread, flavour, wasm, counters } = await monitor.status();
      await monitor.dispose();
      const failures = Object.values(counters).filter(Number).length;
      return { answers: answers.length, accepted, waiting, thread, flavour, wasm, failures };
    };
    const lived = (thread, wasm = "url") => ({ answers: 1, accepted: 1, waiting: 0, thread, flavour: "core", wasm, failures: 0 });

    /** Runs a whole life on a site; the monitor and the centre must say the same. */
    async function reports(options, expected, own = {}) {
      await visit(options, async (page) => {
        let said;
        const counts = await counted(async () => (said = await page.evaluate(lives, settings, own)));
        assert.deepEqual(said, expected);
        assert.deepEqual(counts, { accepted: 1 });
      });
    }

    for (const thread of THREADS) {
      describe(`on the ${thread} thread`, () => {
        test("creates, observes and reports; the ledger is debited once", async () => {
          await visit({}, async (page) => {
            const counts = await counted(async () => {
              const found = await page.evaluate(async (given, options) => {
                const monitor = (globalThis.monitor = await monitorOf(given, options));
                const fresh = await monitor.ledger();
                for (let event = 0; event < 200; event += 1) monitor.observe(given.record, { key: `event ${event}` });
                monitor.outcome("event 7", "yes");
                const window = Math.floor(clock.secs / 3600);
                const { metrics, pending } = await monitor.inspect(window);
                clock.secs += 3600;
                const [answer, ...more] = await monitor.close();
                const again = await monitor.close();
                const { accepted } = await monitor.flush();
                const report = await monitor.parseReport(answer.report);
                const paid = (await monitor.ledger()).spent.map(({ spentMicronats }) => spentMicronats);
                return {
                  thread: monitor.thread, specIds: [monitor.specId, report.specId], fresh: fresh.spent.map(({ spentMicronats }) => spentMicronats),
                  events: metrics.find(({ name }) => name === "delay").events, pending, window: report.window - window,
                  more: [more.length, again.length], accepted, epsilon: answer.epsilonMicronats, paid,
                };
              }, settings, { thread });
              const { specIds, epsilon, paid, ...rest } = found;
              assert.equal(specIds[0], specIds[1]);
              assert.ok(epsilon > 0 && paid.every((spent) => spent === epsilon), `${paid} is not ${epsilon}`);
              assert.deepEqual(rest, { thread, fresh: paid.map(() => 0), events: 200, pending: 199, window: 0, more: [0, 0], accepted: 1 });
            });
            assert.deepEqual(counts, { accepted: 1 });
          });
        });

        test("a reload loses neither the report that waits nor the ledger", async () => {
          await visit({}, async (page) => {
            const counts = await counted(async () => {
              const made = await page.evaluate(async (given, options) => {
                const monitor = await monitorOf(given, options);
                monitor.observe(given.record);
                clock.secs += 3600;
                const [{ report }] = await monitor.close();
                return { report: [...report], ledger: await monitor.ledger() };
              }, settings, { thread });
              await page.reload();
              await page.waitFor(() => globalThis.loaded);
              const found = await page.evaluate(async (given, options) => {
                clock.secs = given.startSecs + 3600;
                const monitor = await monitorOf(given, options);
                const { outbox } = await monitor.status();
                const ledger = await monitor.ledger();
                const again = await monitor.close();
                const { sent, accepted } = await monitor.flush();
                return { waiting: outbox.waiting, ledger, again: again.length, sent, accepted };
              }, settings, { thread });
              assert.deepEqual(found, { waiting: 1, ledger: made.ledger, again: 0, sent: 1, accepted: 1 });
            });
            assert.deepEqual(counts, { accepted: 1 });
          });
        });

        test("purge leaves nothing behind", async () => {
          await visit({}, async (page) => {
            const counts = await counted(async () => {
              const found = await page.evaluate(async (given, options) => {
                const monitor = await monitorOf(given, options);
                monitor.observe(given.record);
                clock.secs += 3600;
                await monitor.close();
                await monitor.purge();
                const { outbox } = await monitor.status();
                const { spent } = await monitor.ledger();
                await monitor.setConsent("denied");
                const { sent } = await monitor.flush();
                return { waiting: outbox.waiting, spent: spent.map(({ spentMicronats }) => spentMicronats), ledger: (await monitor.ledger()) ?? "none", sent };
              }, settings, { thread });
              assert.deepEqual(found, { waiting: 0, spent: found.spent.map(() => 0), ledger: "none", sent: 0 });
              assert.deepEqual(await page.evaluate(kept), []);
            });
            assert.deepEqual(counts, {});
          });
        });

        for (const consent of ["unknown", "denied"]) {
          test(`consent ${consent}: nothing is kept, nothing is sent, until it is granted`, async () => {
            await visit({}, async (page) => {
              const before = await counted(async () => {
                const found = await page.evaluate(async (given, options) => {
                  const monitor = (globalThis.monitor = await monitorOf(given, options));
                  monitor.observe(given.record);
                  clock.secs += 3600;
                  return { answers: (await monitor.close()).length, sent: (await monitor.flush()).sent, ledger: (await monitor.ledger()) ?? "none" };
                }, settings, { thread, consent });
                assert.deepEqual(found, { answers: 0, sent: 0, ledger: "none" });
                assert.deepEqual(await page.evaluate(kept), []);
              });
              assert.deepEqual(before, {});
              const after = await counted(async () => {
                const accepted = await page.evaluate(async (given) => {
                  clock.secs = given.startSecs;
                  await monitor.setConsent("granted");
                  monitor.observe(given.record);
                  clock.secs += 3600;
                  await monitor.close();
                  return (await monitor.flush()).accepted;
                }, settings);
                assert.equal(accepted, 1);
              });
              assert.deepEqual(after, { accepted: 1 });
            });
          });
        }

        test("Global Privacy Control: silence is a denial, a word is a word", async () => {
          const head = '<script src="/gpc.js"></script>\n';
          const files = { "/gpc.js": 'Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { get: () => true });' };
          await visit({ head, files }, async (page) => {
            const found = await page.evaluate(async (given, options) => {
              const silent = await monitorOf(given, { ...options, consent: "unknown" });
              const asked = await monitorOf(given, { ...options, consent: "granted" });
              return [silent.consent, asked.consent];
            }, settings, { thread });
            assert.deepEqual(found, ["denied", "granted"]);
          });
        });

        test("a strict policy with 'wasm-unsafe-eval'", async () => {
          const headers = { "content-security-policy": strict(centre, "'wasm-unsafe-eval'") };
          await reports({ headers }, lived(thread), { thread });
        });

        test("a policy without 'wasm-unsafe-eval' is named in plain words", async () => {
          await visit({ headers: { "content-security-policy": strict(centre) } }, async (page) => {
            const { code, message } = await page.evaluate((given, options) => failure(monitorOf(given, options)), settings, { thread });
            assert.equal(code, "wasm-forbidden", message);
            assert.match(message, /'wasm-unsafe-eval'.*script-src/);
          });
        });

        for (const [name, fault] of Object.entries(FAULTS)) {
          test(`core.wasm ${name}: the copy in the package takes over`, async () => {
            await reports({ faults: { [CORE]: fault } }, lived(thread, "inline"), { thread });
          });
        }

        test("core.wasm as application/octet-stream loads as it is", async () => {
          const plain = (response) => response.writeHead(200, { "content-type": "application/octet-stream" }).end(readFileSync(join(DIST, "core.wasm")));
          await reports({ faults: { [CORE]: plain } }, lived(thread), { thread });
        });

        test("core.wasm of another build and no copy: both builds are named", async () => {
          const gone = (response) => response.writeHead(404).end();
          await visit({ faults: { [CORE]: FAULTS["of another build"], "/driftglass/core-inline.js": gone } }, async (page) => {
            const { code, message } = await page.evaluate((given, options) => failure(monitorOf(given, options)), settings, { thread });
            assert.equal(code, "wasm-unavailable");
            assert.match(message, /core\.wasm belongs to another version of the script: it is of build 0{16}, the script of [0-9a-f]{16}/);
            assert.match(message, /Deploy the script and the module together/);
          });
        });
      });
    }

    test("Trusted Types on the main thread", async () => {
      const headers = { "content-security-policy": `${strict(centre, "'wasm-unsafe-eval'")}; require-trusted-types-for 'script'; trusted-types 'none'` };
      await reports({ headers }, lived("main"), { thread: "main" });
    });

    test("Trusted Types with a worker that the page makes", async () => {
      const headers = { "content-security-policy": `${strict(centre, "'wasm-unsafe-eval'")}; require-trusted-types-for 'script'; trusted-types site` };
      await visit({ headers }, async (page) => {
        const found = await page.evaluate(async (given) => {
          const policy = globalThis.trustedTypes?.createPolicy("site", { createScriptURL: (url) => url });
          const address = "/driftglass/worker.js";
          const createWorker = () => new Worker(policy ? policy.createScriptURL(address) : address, { type: "module" });
          const monitor = await monitorOf(given, { createWorker });
          monitor.observe(given.record);
          clock.secs += 3600;
          await monitor.close();
          return { accepted: (await monitor.flush()).accepted, thread: monitor.thread };
        }, settings);
        assert.deepEqual(found, { accepted: 1, thread: "worker" });
      });
    });

    test("Trusted Types and nothing said: the page is watched all the same", async () => {
      const headers = { "content-security-policy": `${strict(centre, "'wasm-unsafe-eval'")}; require-trusted-types-for 'script'` };
      await visit({ headers }, async (page) => {
        const { accepted } = await page.evaluate(lives, settings);
        assert.equal(accepted, 1);
      });
    });

    test("worker.js is nowhere: the copy in the package takes over", async () => {
      const gone = (response) => response.writeHead(404).end();
      await reports({ faults: { "/driftglass/worker.js": gone } }, lived("worker"), { thread: "worker" });
    });

    test("no worker is allowed: the error says what a policy needs; a page that did not ask for one is watched all the same", async () => {
      const none = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'; connect-src 'self' ${centre.url}`;
      await visit({ headers: { "content-security-policy": none } }, async (page) => {
        const { code, message } = await page.evaluate((given) => failure(monitorOf(given, { thread: "worker" })), settings);
        assert.equal(code, "worker-unavailable");
        assert.match(message, /worker-src/);
        const { accepted, thread } = await page.evaluate(lives, settings);
        assert.deepEqual({ accepted, thread }, { accepted: 1, thread: "main" });
      });
    });

    test("a model runs in the worker; full.wasm that is nowhere is told where to go", async () => {
      await visit({}, async (page) => {
        const sum = await page.evaluate(async () => {
          const { InferenceSession, Tensor } = driftglass;
          const session = await InferenceSession.create("/model/late-arrival-1.onnx");
          const numeric = new Tensor("float32", Float32Array.of(12, 18, 733, 64.9, 8, 0, 10, 1012), [1, 8]);
          const code = (index) => new Tensor("int64", BigInt64Array.of(index), [1]);
          const { probabilities } = await session.run({ numeric, carrier: code(3n), origin: code(1n) });
          await session.release();
          return probabilities.data[0] + probabilities.data[1];
        });
        assert.ok(Math.abs(sum - 1) < 1e-6);
      });
      await visit({ faults: { "/driftglass/full.wasm": (response) => response.writeHead(404).end() } }, async (page) => {
        const { code, message } = await page.evaluate(() => failure(driftglass.InferenceSession.create("/model/late-arrival-1.onnx")));
        assert.equal(code, "wasm-unavailable");
        assert.match(message, /full\.wasm was answered with status 404/);
        assert.match(message, /InferenceSession\.create\(model, \{ wasm: \{ full: /);
      });
    });

    test("two tabs are one device: one report of a window", async () => {
      await visit({}, async (one, served) => {
        const two = await opened(served);
        const counts = await counted(async () => {
          for (const page of [one, two]) {
            await page.evaluate(async (given) => {
              globalThis.monitor = await monitorOf(given);
              monitor.observe(given.record);
              clock.secs += 3600;
            }, settings);
          }
          const closing = [one, two].map((page) => page.evaluate(async () => (await monitor.close()).length));
          const [first, second] = await Promise.all(closing);
          assert.equal(first + second, 1);
          for (const page of [one, two]) await page.evaluate(async () => void (await monitor.flush()));
        });
        assert.deepEqual(counts, { accepted: 1 });
        await two.close();
      });
    });

    test("nothing but the page's own files is asked for, and no copy that is not needed", async () => {
      await visit({}, async (page, { asked }) => {
        await page.evaluate(lives, settings, { thread: "worker" });
        const needless = asked.filter((path) => /inline|full|adapters/.test(path));
        assert.deepEqual(needless, []);
      });
    });

    test("no task of the page lasts 50 ms while a model of 10 MB loads and runs in the worker", async (t) => {
      const found = await staysSmooth(browser, settings);
      t.diagnostic(`${engine}, longest task of each phase in ms: ${JSON.stringify(found)}`);
    });

    test("the shared vectors, byte for byte", async () => {
      await vectorsIn(browser);
    });

    test("Global Privacy Control as the browser itself sends it", { skip: !can(engine).prefs }, async () => {
      const prefs = { "privacy.globalprivacycontrol.enabled": true, "privacy.globalprivacycontrol.functionality.enabled": true };
      const controlled = await launch(engine, { prefs });
      const served = await site();
      try {
        const page = await controlled.open(`${served.origin}/`);
        await page.waitFor(() => globalThis.loaded);
        const consent = await page.evaluate(async (given) => (await monitorOf(given, { consent: "unknown" })).consent, settings);
        assert.equal(consent, "denied");
        assert.equal(await page.evaluate(() => navigator.globalPrivacyControl), true);
      } finally {
        await controlled.close();
        await served.close();
      }
    });
  });
}

/** What servers do to core.wasm; none of it is a module of this build. */
const FAULTS = {
  "is not found": (response) => response.writeHead(404, { "content-type": "text/plain" }).end("not here"),
  "is a page of HTML": (response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>app</title>"),
  "fails with 500": (response) => response.writeHead(500).end(),
  "is cut short": (response) => {
    const whole = readFileSync(join(DIST, "core.wasm"));
    response.writeHead(200, { "content-type": "application/wasm" }).end(whole.subarray(0, whole.length / 2));
  },
  "is aborted": (response) => response.destroy(),
  "of another build": (response) => {
    const bytes = readFileSync(join(DIST, "core.wasm"));
    const section = bytes.lastIndexOf("driftglass-build") + "driftglass-build".length;
    bytes.fill("0", section, section + 16);
    response.writeHead(200, { "content-type": "application/wasm" }).end(bytes);
  },
};

/** What is stored for this origin, as the names of databases that hold anything. Runs in the page. */
async function kept() {
  const found = [];
  for (const { name } of await indexedDB.databases()) {
    const database = await new Promise((resolve, reject) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error);
    });
    for (const store of database.objectStoreNames) {
      const count = await new Promise((resolve, reject) => {
        const asked = database.transaction(store).objectStore(store).count();
        asked.onsuccess = () => resolve(asked.result);
        asked.onerror = () => reject(asked.error);
      });
      if (count > 0) found.push(`${name}/${store}`);
    }
    database.close();
  }
  return [...found, ...Object.keys(localStorage), ...Object.keys(sessionStorage)];
}
