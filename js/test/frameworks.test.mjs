// The React hooks and Vue composables with the real frameworks, in a DOM without a browser, around real monitors.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import { MemoryStore, Monitor } from "driftglass";
import { Window } from "happy-dom";

const window = new Window();
const { document } = window;
Object.assign(globalThis, { window, document, IS_REACT_ACT_ENVIRONMENT: true });
globalThis.navigator ??= window.navigator;
for (const name of ["addEventListener", "removeEventListener"]) globalThis[name] = window[name].bind(window);
for (const name of ["Element", "HTMLElement", "SVGElement", "Node", "Event", "MathMLElement"]) globalThis[name] ??= window[name];
// Frameworks look for a document as soon as they are loaded.
const forReact = await import("driftglass/react");
const forVue = await import("driftglass/vue");
const { act, createElement, StrictMode, useState } = await import("react");
const { createRoot } = await import("react-dom/client");
const { renderToString } = await import("react-dom/server");
const vue = await import("vue");
const { renderToString: renderVue } = await import("vue/server-renderer");
after(() => window.happyDOM.close());

const spec = JSON.parse(readFileSync(new URL("../../pkg-config.json", import.meta.url)));
const NOW = 2265 * 604_800 + 60;
const MODEL = {
  sha256: spec.models[0].sha256,
  inputs: [["numeric", [null, 8]], ["carrier", [null]], ["origin", [null]]],
  outputs: ["probabilities"],
};

/** Makes monitors, and keeps a book of who was started and who is gone. */
function book() {
  const made = [];
  const create = async () => {
    const options = { spec, key: "key", store: new MemoryStore(), consent: "granted", thread: "main", now: () => NOW };
    const monitor = await Monitor.create({ ...options, fetch: async () => new Response("{}", { status: 503 }) });
    const entry = { monitor, started: 0, disposed: 0 };
    const dispose = monitor.dispose?.bind(monitor);
    monitor.start = () => (entry.started += 1);
    monitor.dispose = async () => {
      entry.disposed += 1;
      await dispose?.();
    };
    made.push(entry);
    return monitor;
  };
  const states = () => made.map(({ started, disposed }) => [started, disposed]);
  return { made, create, states };
}

/** Until what is checked holds, or long enough for the check after it to fail with what there is. */
async function until(holds) {
  for (let waited = 0; waited < 5000 && !holds(); waited += 10) await new Promise((resolve) => setTimeout(resolve, 10));
}
const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const place = () => document.body.appendChild(document.createElement("div"));

test("React: one monitor lives, StrictMode or not, and goes with its component", async () => {
  const { made, create, states } = book();
  const seen = [];
  const App = () => {
    const { monitor } = forReact.useMonitor(create);
    seen.push(monitor);
    return createElement("p", null, monitor ? monitor.specId : "…");
  };
  const root = createRoot(place());
  await act(async () => root.render(createElement(StrictMode, null, createElement(App))));
  await act(() => until(() => equal(states(), [[0, 1], [1, 0]])));
  assert.deepEqual(states(), [[0, 1], [1, 0]], "the first of the two mounts is undone");
  assert.equal(seen[0], undefined);
  assert.equal(seen.at(-1), made[1].monitor);
  await act(async () => root.unmount());
  await until(() => equal(states(), [[0, 1], [1, 1]]));
  assert.deepEqual(states(), [[0, 1], [1, 1]]);
});

test("React: a target is watched once there is a monitor, and until then runs as it is", async () => {
  const { made, create } = book();
  const session = { run: async () => ({ probabilities: { data: Float32Array.of(0.9, 0.1), dims: [1, 2] } }) };
  const feeds = { numeric: { data: new Float32Array(8), dims: [1, 8] } };
  const App = () => {
    const { monitor } = forReact.useMonitor(create);
    App.session = forReact.useWatched(monitor, session, MODEL);
    return null;
  };
  const root = createRoot(place());
  await act(async () => root.render(createElement(App)));
  assert.ok((await (App.session ?? session).run(feeds)).probabilities);
  await act(() => until(() => made.length > 0));
  await act(() => until(() => App.session !== session));
  assert.notEqual(App.session, session);
  assert.ok((await App.session.run(feeds)).probabilities);
  const { metrics } = await made[0].monitor.inspect();
  assert.deepEqual(metrics.find(({ name }) => name === "prediction").counts, [1, 0]);
  await act(async () => root.unmount());
});

test("React: consent, dependencies and failures", async () => {
  const { made, create, states } = book();
  let again;
  const App = () => {
    const [epoch, setEpoch] = useState(0);
    again = () => setEpoch(epoch + 1);
    const { monitor, error } = forReact.useMonitor(epoch < 2 ? create : () => Promise.reject(new Error("no module")), [epoch]);
    const [consent, setConsent] = forReact.useConsent(monitor);
    App.setConsent = setConsent;
    return createElement("p", null, `${consent} ${error?.message ?? ""}`);
  };
  const host = place();
  const root = createRoot(host);
  const then = async (change, holds) => {
    await act(async () => void (await change()));
    for (let tries = 0; tries < 100 && !holds(); tries += 1) await act(() => new Promise((resolve) => setTimeout(resolve, 20)));
    assert.ok(holds(), `${host.textContent} ${states()}`);
  };
  await then(() => root.render(createElement(App)), () => host.textContent === "granted ");
  await then(() => App.setConsent("denied"), () => host.textContent === "denied ");
  assert.equal(made[0].monitor.consent, "denied");
  await then(() => again(), () => equal(states(), [[1, 1], [1, 0]]));
  await then(() => again(), () => host.textContent === "unknown no module");
  await act(async () => root.unmount());
});

test("a server makes no monitor", async () => {
  const { made, create } = book();
  const App = () => createElement("p", null, String(forReact.useMonitor(create).monitor));
  assert.equal(renderToString(createElement(App)), "<p>undefined</p>");
  const app = vue.createSSRApp({ setup: () => ({ monitor: forVue.useMonitor(create).monitor }), render() { return vue.h("p", String(this.monitor)); } });
  assert.equal(await renderVue(app), "<p>undefined</p>");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(made.length, 0);
});

test("Vue: one monitor lives and goes with its component", async () => {
  const { made, create, states } = book();
  let refs;
  const app = vue.createApp({
    setup: () => (refs = forVue.useMonitor(create)),
    render() { return vue.h("p", this.consent); },
  });
  const host = place();
  app.mount(host);
  await until(() => host.textContent === "granted");
  assert.equal(host.textContent, "granted");
  assert.equal(refs.monitor.value, made[0].monitor);
  await refs.setConsent("denied");
  await until(() => host.textContent === "denied");
  assert.equal(host.textContent, "denied");
  app.unmount();
  await until(() => equal(states(), [[1, 1]]));
  assert.deepEqual(states(), [[1, 1]]);
  assert.equal(refs.monitor.value, undefined);
});

test("Vue: unmounted before it was made, a monitor is disposed of and never started", async () => {
  const { create, states } = book();
  const app = vue.createApp({ setup: () => forVue.useMonitor(create), render: () => null });
  app.mount(place());
  app.unmount();
  await until(() => equal(states(), [[0, 1]]));
  assert.deepEqual(states(), [[0, 1]]);
});

test("Vue: a target is watched once there is a monitor", async () => {
  const { made, create } = book();
  const session = { run: async () => ({ probabilities: { data: Float32Array.of(0.9, 0.1), dims: [1, 2] } }) };
  let watched;
  const setup = () => {
    const { monitor } = forVue.useMonitor(create);
    watched = forVue.useWatched(monitor, session, MODEL);
    return {};
  };
  const app = vue.createApp({ setup, render: () => null });
  app.mount(place());
  assert.equal(watched.value, session);
  await until(() => watched.value !== session);
  assert.notEqual(watched.value, session);
  await watched.value.run({ numeric: { data: new Float32Array(8), dims: [1, 8] } });
  const { metrics } = await made[0].monitor.inspect();
  assert.deepEqual(metrics.find(({ name }) => name === "prediction").counts, [1, 0]);
  app.unmount();
});
