// The package in a Chromium whose server, cache or policy does what servers, caches and policies do: a monitor is made all the same, or an error says what to type.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { file, serving, typeOf } from "./serving.mjs";

/** What the server does to a file of the package, by its name. */
const FAULTS = {
  "not found": (_, response) => response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not found</h1>"),
  "a page instead": (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>App</title>"),
  "server error": (_, response) => response.writeHead(500).end(),
  "no type": (bytes, response) => response.writeHead(200, { "content-type": "application/octet-stream" }).end(bytes),
  truncated: (bytes, response) => response.writeHead(200, { "content-type": "application/wasm" }).end(bytes.subarray(0, bytes.length >> 1)),
  aborted: (_, response) => response.destroy(),
  "another version": (bytes, response) => {
    const changed = Buffer.from(bytes);
    // The last byte of a module is the last of its build id; that of a script is a line's end, so its id is looked for.
    const at = changed.lastIndexOf(BUILD) + BUILD.length - 1;
    changed[at] = changed[at] === 0x30 ? 0x31 : 0x30;
    response.writeHead(200, { "content-type": bytes[0] === 0 ? "application/wasm" : "text/javascript" }).end(changed);
  },
};
const BUILD = file("js/dist/core.wasm").subarray(-16);

let faults = {};
let policy = "";
/** Names of files that were asked for in this visit. */
let asked = new Set();
let served;

before(async () => {
  served = await serving((path, response) => {
    if (path === "/") {
      const headers = { "content-type": "text/html", ...(policy && { "content-security-policy": policy }) };
      return response.writeHead(200, headers).end("<!doctype html><title>healing</title>");
    }
    const name = path.split("/").at(-1);
    const bytes = fileAt(path);
    asked.add(name);
    if (bytes && faults[name]) return FAULTS[faults[name]](bytes, response);
    response.writeHead(bytes ? 200 : 404, { "content-type": typeOf(name) }).end(bytes);
  });
});

after(() => served?.close());

function fileAt(path) {
  if (path === "/spec.json") return file("pkg-config.json");
  if (path === "/model.onnx") return file("demo/model/late-arrival-1.onnx");
  return file(`js${path.replace("/elsewhere/", "/dist/")}`);
}

/** Runs `use` in a page with a policy, while the server has its faults. Returns what it returns, and what the console said. */
async function visited({ faulty = {}, csp = "", use = watches, options = {} }) {
  [faults, policy, asked] = [faulty, csp, new Set()];
  const page = await (await served.browser.newContext()).newPage();
  const warnings = [];
  page.on("console", (message) => message.type() === "warning" && warnings.push(message.text()));
  try {
    await page.goto(served.origin);
    return { ...(await page.evaluate(use, options)), warnings, asked };
  } finally {
    await page.context().close();
    [faults, policy] = [{}, ""];
  }
}

/** In the page: makes a monitor, observes, and answers a window; or says why not. */
async function watches({ session: runs, wasm, worker, ...options }) {
  try {
    const { InferenceSession, Monitor, Tensor } = await import("/dist/browser.js");
    const spec = await (await fetch("/spec.json")).json();
    const rules = { createScriptURL: (url) => url };
    const hook = worker && { createWorker: () => new Worker(trustedTypes.createPolicy("app", rules).createScriptURL(worker), { type: "module" }) };
    const where = { ...(wasm && { wasm }), ...(options.thread && { thread: options.thread }), ...hook };
    const session = runs && (await InferenceSession.create("/model.onnx", where));
    const clock = { secs: 2265 * 604_800 };
    const monitor = await Monitor.create({ spec, key: "k", consent: "granted", store: "memory", now: () => clock.secs, ...options, ...where });
    if (session) {
      const numeric = new Tensor("float32", new Float32Array(8), [1, 8]);
      const code = new Tensor("int64", new BigInt64Array(1), [1]);
      await (await monitor.wrap(session)).run({ numeric, carrier: code, origin: code });
    } else {
      monitor.observe({ inputs: { numeric: new Float32Array(8) }, outputs: { probabilities: [0.5, 0.5] } });
    }
    const { metrics } = await monitor.inspect();
    clock.secs += 604_800;
    await monitor.close();
    clock.secs += 604_800;
    const answers = await monitor.close();
    const { thread, flavour, wasm: how } = await monitor.status();
    await monitor.dispose();
    return { thread, flavour, how, events: metrics[0].events, answers: answers.length };
  } catch (error) {
    return { code: error.code, message: error.message };
  }
}

const made = ({ thread, how, events, answers, message }) => assert.deepEqual({ thread, how, events, answers, message }, { ...expected, message: undefined });
let expected;
const expect = (thread, how) => (expected = { thread, how, events: 1, answers: 1 });

test("with nothing wrong, in both threads", async () => {
  for (const thread of ["worker", "main"]) {
    expect(thread, "url");
    made(await visited({ options: { thread } }));
  }
  expect("worker", "url");
  const found = await visited({});
  made(found);
  for (const name of ["worker-inline.js", "core-inline.js", "full.wasm"]) assert.ok(!found.asked.has(name), `${name} is not fetched`);
});

for (const thread of ["main", "worker"]) {
  for (const fault of Object.keys(FAULTS)) {
    const how = fault === "no type" ? "url" : "inline";
    test(`core.wasm, ${fault}: the ${thread} thread has it by ${how}`, async () => {
      expect(thread, how);
      made(await visited({ faulty: { "core.wasm": fault }, options: { thread } }));
    });
  }
}

for (const fault of ["not found", "a page instead", "server error", "no type", "aborted", "another version"]) {
  test(`worker.js, ${fault}: a worker from the copy inside the package`, async () => {
    // The id of the build stands in a chunk that the worker imports.
    const name = fault === "another version" ? chunkOfBuild() : "worker.js";
    expect("worker", "url");
    const found = await visited({ faulty: { [name]: fault } });
    made(found);
    assert.ok(found.asked.has("worker-inline.js"));
    assert.deepEqual(found.warnings, []);
  });
}

test("without a worker the main thread does, and says so; unless a worker was asked for", async () => {
  const csp = "script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'";
  expect("main", "url");
  const found = await visited({ csp });
  made(found);
  assert.match(found.warnings.join(), /works on the main thread.*worker-src/s);
  const asked = await visited({ csp, options: { thread: "worker" } });
  assert.equal(asked.code, "worker-unavailable");
  assert.match(asked.message, /worker-src blob:/);
});

test("a policy against WebAssembly is named, with what to add", async () => {
  for (const thread of ["main", "worker"]) {
    const found = await visited({ csp: "script-src 'self'; worker-src 'self' blob:", faulty: thread === "worker" ? { "worker.js": "not found" } : {}, options: { thread } });
    assert.equal(found.code, "wasm-forbidden");
    assert.match(found.message, /'wasm-unsafe-eval' to its script-src/);
  }
});

test("a policy against fetching is named, and the inline copy helps", async () => {
  expect("main", "inline");
  made(await visited({ csp: `connect-src ${served.origin}/spec.json`, options: { thread: "main" } }));
});

test("Trusted Types: our policy, or a worker of the application's own", async () => {
  const types = "script-src 'self' 'wasm-unsafe-eval'; require-trusted-types-for 'script'";
  expect("worker", "url");
  made(await visited({ csp: `${types}; worker-src 'self' blob:; trusted-types driftglass` }));
  made(await visited({ csp: `${types}; worker-src 'self'; trusted-types app`, options: { worker: "/dist/worker.js" } }));
  const neither = await visited({ csp: `${types}; worker-src 'self'; trusted-types other`, options: { thread: "worker" } });
  assert.equal(neither.code, "worker-unavailable");
});

test("a strict policy needs three words", async () => {
  expect("worker", "url");
  made(await visited({ csp: "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'" }));
});

test("full.wasm that is not where it should be: the error says what to type, and typing it helps", async () => {
  for (const thread of ["main", "worker"]) {
    const lost = await visited({ faulty: { "full.wasm": "a page instead" }, options: { session: true, thread } });
    assert.equal(lost.code, "wasm-unavailable");
    assert.match(lost.message, /full\.wasm was answered with a page of HTML.*Copy node_modules\/driftglass\/dist\/full\.wasm.*wasm: \{ full: "\/full\.wasm" \}/);
    expect(thread, "url");
    const found = await visited({ options: { session: true, thread, wasm: { full: "/elsewhere/full.wasm" } } });
    made(found);
    assert.equal(found.flavour, "full");
  }
});

test("with neither the module nor its copy, the first failure is told", async () => {
  const found = await visited({ faulty: { "core.wasm": "not found", "core-inline.js": "not found" } });
  assert.equal(found.code, "wasm-unavailable");
  assert.match(found.message, /core\.wasm was answered with status 404 and text\/html/);
});

function chunkOfBuild() {
  const [name] = /chunk-\w+\.js/.exec(file("js/dist/worker.js").toString().match(/import"\.\/chunk-\w+\.js"|from"\.\/chunk-\w+\.js"/g).find((text) => file(`js/dist/${/chunk-\w+\.js/.exec(text)[0]}`).includes(BUILD)));
  return name;
}
