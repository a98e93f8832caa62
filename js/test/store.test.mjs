// What every store promises, and what a file promises under faults: every single step of its work fails once, and once is the last that the process does.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { DriftglassError, FileStore, kvStore, MemoryStore } from "driftglass";

/** A KV binding: one write a second of a key, as the real one. */
function binding() {
  const values = new Map();
  return {
    values,
    get: async (key) => values.get(key) ?? null,
    put: async (key, value) => void values.set(key, value),
    delete: async (key) => void values.delete(key),
  };
}

function folder(t) {
  const path = mkdtempSync(join(tmpdir(), "driftglass-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** Each store: how to open it, again and again, and what there is where it keeps things. */
const KINDS = {
  memory: () => {
    const store = new MemoryStore();
    return { open: () => store, kept: () => [] };
  },
  file: (t) => {
    const path = folder(t);
    return { open: () => new FileStore(join(path, "app", "device.json")), kept: () => readdirSync(path, { recursive: true }) };
  },
  kv: () => {
    const kv = binding();
    return { open: () => kvStore(kv), kept: () => [...kv.values.keys()] };
  },
};

const report = (number, bytes = 45) => ({ bytes: new Uint8Array(bytes).fill(number), createdSecs: number });
const state = (number) => Uint8Array.of(number, 2, 3);
const bytesOf = (entries) => entries.map(({ report }) => report[0]);

for (const [kind, make] of Object.entries(KINDS)) {
  test(`${kind}: a commit is all or nothing`, async (t) => {
    const { open } = make(t);
    await open().transact((before) => (assert.equal(before, undefined), { state: state(1), report: report(1) }));
    await open().transact((before) => void assert.deepEqual(before, state(1)));
    await assert.rejects(open().transact(() => { throw new RangeError("of the caller"); }), RangeError);
    await open().transact((before) => (assert.deepEqual(before, state(1)), { state: state(2) }));
    await open().transact((before) => void assert.deepEqual(before, state(2)));
    const [entry, ...others] = await open().outbox(10);
    assert.deepEqual([entry.report, entry.createdSecs, others.length], [report(1).bytes, 1, 0]);
  });

  test(`${kind}: reports wait in order until they are removed, a thousand and more of them`, async (t) => {
    const { open } = make(t);
    const store = open();
    const all = Array.from({ length: 300 }, (_, number) => number % 256);
    for (const number of all) await store.transact(() => ({ state: state(1), report: report(number) }));
    const entries = await store.outbox(1_000);
    assert.deepEqual(bytesOf(entries), all);
    assert.ok(entries.every(({ sequence }, index) => index === 0 || sequence > entries[index - 1].sequence));
    assert.deepEqual(bytesOf(await open().outbox(70)), all.slice(0, 70));
    const some = entries.filter((_, index) => index < 100 || index % 7 === 0).map(({ sequence }) => sequence);
    await store.remove(some);
    await store.remove(some);
    assert.deepEqual(bytesOf(await open().outbox(1_000)), all.filter((_, index) => index >= 100 && index % 7 !== 0));
    await store.transact(() => ({ state: state(1), report: report(7) }));
    assert.equal((await open().outbox(1_000)).at(-1).report[0], 7);
    await store.remove((await store.outbox(1_000)).map(({ sequence }) => sequence));
    assert.deepEqual(await open().outbox(1_000), []);
  });

  test(`${kind}: notes of uploads are kept with what is removed`, async (t) => {
    const { open } = make(t);
    const store = open();
    await store.transact(() => ({ state: state(1), report: report(1) }));
    assert.equal(await store.uploads(), undefined);
    await store.remove([], () => ({ failures: 1 }));
    await store.remove([(await store.outbox(1))[0].sequence], (uploads) => ({ failures: uploads.failures + 1 }));
    assert.deepEqual([await open().uploads(), await open().outbox(1)], [{ failures: 2 }, []]);
  });

  test(`${kind}: transactions take turns`, async (t) => {
    const { open } = make(t);
    const store = open();
    const add = (before) => ({ state: Uint8Array.of((before?.[0] ?? 0) + 1), report: report(1) });
    await Promise.all(Array.from({ length: 40 }, () => store.transact(add)));
    await store.transact(([count]) => void assert.equal(count, 40));
    assert.equal((await store.outbox(100)).length, 40);
  });

  test(`${kind}: nothing is made before a commit, and nothing is left after a purge`, async (t) => {
    const { open, kept } = make(t);
    const before = kept();
    await open().transact(() => undefined);
    assert.deepEqual(await open().outbox(10), []);
    await open().remove([1], () => ({ failures: 1 }));
    assert.equal(await open().uploads(), undefined);
    await open().saveSketches?.(() => Uint8Array.of(1));
    await open().purge();
    assert.deepEqual(kept(), before, "reading, and wiping what is not there, makes nothing");
    for (let number = 0; number < 70; number += 1) await open().transact(() => ({ state: state(1), report: report(number) }));
    await open().saveSketches?.(() => Uint8Array.of(1));
    const { sequence } = (await open().outbox(100)).at(-1);
    if (kind !== "memory") assert.ok(kept().length > before.length, "there was something to wipe");
    await open().purge();
    assert.deepEqual(kept().filter((path) => path !== "app"), before);
    await open().transact((after, sketches) => (assert.deepEqual([after, sketches], [undefined, undefined]), { state: state(9), report: report(9) }));
    assert.ok((await open().outbox(1))[0].sequence > sequence, "no sequence is given twice");
  });
}

for (const kind of ["file", "kv"]) {
  test(`${kind}: sketches are kept beside the state, and only with one`, async (t) => {
    const { open } = KINDS[kind](t);
    await open().saveSketches(() => assert.fail("there is no state"));
    await open().transact(() => ({ state: state(1) }));
    await open().saveSketches((before, sketches) => (assert.deepEqual([before, sketches], [state(1), undefined]), Uint8Array.of(1)));
    await open().saveSketches(() => undefined);
    await open().transact((_, sketches) => (assert.deepEqual(sketches, Uint8Array.of(1)), { state: state(2) }));
    await open().transact((_, sketches) => ({ state: state(2), sketches: Uint8Array.of(sketches[0] + 1), report: report(1) }));
    await open().transact((_, sketches) => void assert.deepEqual(sketches, Uint8Array.of(2)));
  });
}

test("file: what a commit writes does not grow with what waits", async (t) => {
  const path = join(folder(t), "device.json");
  const store = new FileStore(path);
  const sizes = [];
  for (let number = 0; number < 200; number += 1) {
    await store.transact(() => ({ state: new Uint8Array(4_000), report: report(number, 500) }));
    sizes.push(statSync(path).size);
  }
  assert.ok(Math.max(...sizes) < 64 * 800 + 8_000, `${Math.max(...sizes)} bytes at most`);
  assert.equal((await store.outbox(500)).length, 200);
});

test("file: text that is none of its own is refused and kept", async (t) => {
  const path = join(folder(t), "device.json");
  await fs.writeFile(path, "{");
  const store = new FileStore(path);
  await assert.rejects(store.transact(() => ({ state: state(1) })), { code: "store-failed" });
  assert.equal(readFileSync(path, "utf8"), "{");
});

test("kv: an old value is not taken for the last, and a write that is refused once is tried again", async () => {
  const kv = binding();
  const store = kvStore(kv);
  await store.transact(() => ({ state: state(1) }));
  const old = kv.values.get("driftglass");
  await store.transact(() => ({ state: state(2) }));
  kv.values.set("driftglass", old);
  await store.transact((before) => (assert.deepEqual(before, state(2)), { state: state(3) }));
  await store.purge();
  kv.values.set("driftglass", old);
  await store.transact((before) => (assert.equal(before, undefined), { state: state(4) }));
  kv.values.set("driftglass", old);
  await store.transact((before) => void assert.deepEqual(before, state(4)));
  const { put } = kv;
  kv.put = async () => {
    kv.put = put;
    throw new Error("KV PUT failed: 429 Too Many Requests");
  };
  await store.transact(() => ({ state: state(5) }));
  kv.put = async () => { throw new Error("KV PUT failed: 500"); };
  await assert.rejects(store.transact(() => ({ state: state(6), report: report(1) })), { code: "store-failed" });
  kv.put = put;
  assert.deepEqual(await store.outbox(1), [], "what was not written is not sent");
  await store.transact((before) => void assert.deepEqual(before, state(5)));
});

// --- faults ---

/** Work of a device, with what must be in the store once it is done. */
const WORK = [
  ...[1, 2, 3].map((number) => [(store) => store.transact(() => ({ state: state(number), report: report(number) })), (model) => {
    model.state = number;
    model.reports.push(number);
  }]),
  [(store) => store.saveSketches(() => Uint8Array.of(5)), (model) => (model.sketches = 5)],
  [(store) => store.transact(() => ({ state: state(7), sketches: Uint8Array.of(6), report: report(9) })), (model) => {
    Object.assign(model, { state: 7, sketches: 6 });
    model.reports.push(9);
  }],
  [async (store) => store.remove((await store.outbox(5)).map(({ sequence }) => sequence), () => ({ failures: 4 })), (model) => {
    model.reports.splice(0, 5);
    model.failures = 4;
  }],
  [async (store) => store.remove((await store.outbox(65)).map(({ sequence }) => sequence)), (model) => model.reports.splice(0, 65)],
];

/** What a store of a restarted process finds. */
async function found(path) {
  const store = new FileStore(path);
  const model = { reports: bytesOf(await store.outbox(1_000)), failures: (await store.uploads())?.failures };
  await store.transact((before, sketches) => void Object.assign(model, { state: before?.[0], sketches: sketches?.[0] }));
  return model;
}

/** Counts steps of the file system; from one step on, calls fail, or nothing happens any more. */
function faulty(at, kind) {
  const names = ["mkdir", "open", "readFile", "readdir", "rename", "rm", "rmdir", "unlink", "writeFile", "utimes", "stat", "access"];
  const real = Object.fromEntries(names.map((name) => [name, fs[name]]));
  let step = 0;
  const never = new Promise(() => {});
  let died;
  const death = new Promise((resolve) => (died = resolve));
  const stepped = (call, torn) => async (...args) => {
    step += 1;
    if (kind === "fails" && step === at) throw Object.assign(new Error("EIO"), { code: "EIO" });
    if (kind === "dies" && step >= at) {
      if (step === at && torn) await torn(...args);
      died();
      return never;
    }
    return call(...args);
  };
  const opened = [];
  const handle = (file) => {
    opened.push(file);
    return {
      writeFile: stepped((text) => file.writeFile(text), (text) => file.writeFile(text.slice(0, text.length >> 1))),
      sync: stepped(async () => undefined),
      close: stepped(() => file.close()),
    };
  };
  for (const name of names) fs[name] = stepped(real[name]);
  fs.open = stepped(async (...args) => handle(await real.open(...args)));
  syncBuiltinESMExports();
  const restore = async () => {
    Object.assign(fs, real);
    syncBuiltinESMExports();
    for (const file of opened) await file.close().catch(() => undefined);
  };
  return { death, steps: () => step, restore };
}

for (const kind of ["fails", "dies"]) {
  test(`file: any step ${kind}, and every commit is there as a whole or not at all`, async (t) => {
    const begun = folder(t);
    const numbers = Array.from({ length: 62 }, (_, number) => number);
    for (const number of numbers) await new FileStore(join(begun, "device.json")).transact(() => ({ state: state(1), report: report(number) }));
    let [at, last, runs] = [1, false, 0];
    for (; !last; at += 1) {
      const copy = folder(t);
      cpSync(begun, copy, { recursive: true });
      const path = join(copy, "device.json");
      const model = { reports: [...numbers], failures: undefined, state: 1, sketches: undefined };
      const faults = faulty(at, kind);
      const store = new FileStore(path);
      let uncertain;
      try {
        for (const [work, effect] of WORK) {
          uncertain = effect;
          const outcome = await Promise.race([work(store).then(() => "done", (error) => error), faults.death.then(() => "dead")]);
          if (outcome === "dead") break;
          if (outcome !== "done") {
            assert.ok(outcome instanceof DriftglassError && outcome.code === "store-failed", String(outcome));
            break;
          }
          effect(model);
          uncertain = undefined;
        }
      } finally {
        await faults.restore();
      }
      last = at > faults.steps();
      runs += 1;
      // What a dead owner holds is aged, instead of waiting until others take it for dead.
      if (existsSync(`${path}.lock`)) for (const name of readdirSync(`${path}.lock`)) utimesSync(join(`${path}.lock`, name), 1, 1);
      const real = await found(path);
      const after = structuredClone(model);
      uncertain?.(after);
      const candidates = [model, after].map((one) => JSON.stringify(sorted(one)));
      assert.ok(candidates.includes(JSON.stringify(sorted(real))), `step ${at}: ${JSON.stringify(real)}`);
      // And it goes on; parts that do not count are gone with the next commit.
      const next = new FileStore(path);
      await next.transact((held) => ({ state: held, report: report(99), sketches: Uint8Array.of(1) }));
      assert.equal((await next.outbox(1_000)).length, real.reports.length + 1);
      const { older, sketches } = JSON.parse(readFileSync(path, "utf8"));
      assert.deepEqual(readdirSync(`${path}.parts`).sort(), [...older.map(({ part }) => part), sketches].sort(), `step ${at}`);
    }
    assert.ok(runs > 80, `${runs} steps`);
    t.diagnostic(`${runs - 1} steps`);
  });
}

function sorted(model) {
  return Object.fromEntries(Object.entries(model).sort());
}
