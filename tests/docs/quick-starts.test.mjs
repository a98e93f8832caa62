// The quick starts, taken out of their page and run as they stand, in the runtimes they name. Each must count one flight and its outcome.
//
// Deno, Bun and workerd come from the projects of the matrix, whose packages stay in the system's folder for temporary files. Next builds in the matrix
// (`cargo xtask matrix`); its component is rendered here on a server and in a browser.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";

import { build } from "esbuild";
import { chromium } from "playwright-core";

import { freePort } from "../harness/port.mjs";
import { Project } from "../matrix/project.mjs";

const root = new URL("../../", import.meta.url).pathname;
const base = join(tmpdir(), "driftglass-quick-starts");
const spec = readFileSync(join(root, "pkg-config.json"), "utf8");
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };
/** Metrics that one flight and its outcome are counted in: all but the latency, which nobody told. */
const ALL = ["dep_delay", "hour", "temperature", "carrier", "origin", "prediction", "confidence", "outcome", "prediction_outcome"];
const COUNT = "(await monitor.inspect()).metrics.filter(({ events }) => events > 0).map(({ name }) => name)";

const sections = new Map(
  readFileSync(join(root, "docs/quick-starts.md"), "utf8")
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf("\n")), [.../^```\w+ (\S+)\n([^]*?)^```$/gm[Symbol.matchAll](section)].map(([, name, text]) => ({ name, text }))]),
);
/** What is tried below; a section that is not is no quick start. */
const tried = new Set();

let tarball;
let folder;
let browser;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "driftglass-pack-"));
  const packed = spawnSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: join(root, "js"), encoding: "utf8" });
  assert.equal(packed.status, 0, packed.stderr);
  tarball = join(folder, packed.stdout.trim());
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A project of the section's files and the spec, with something added to the end of its program. */
async function project(section, consumer, addition = "") {
  tried.add(section);
  const made = await Project.make(base, consumer, consumer, tarball, {});
  made.write("pkg-config.json", spec);
  for (const { name, text } of sections.get(section)) made.write(name, text + addition);
  return made;
}

/** Serves folders by prefix, and hands a page of it over. */
async function served(folders, path, use) {
  const server = createServer((request, response) => {
    const asked = new URL(request.url, "http://localhost").pathname;
    const [prefix, place] = Object.entries(folders).find(([prefix]) => asked.startsWith(prefix)) ?? [];
    try {
      const file = join(place, asked.slice(prefix.length));
      const body = readFileSync(file);
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "text/plain" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const page = await (await browser.newContext()).newPage();
  try {
    await page.goto(`http://127.0.0.1:${server.address().port}${path}`);
    return await use(page);
  } finally {
    await page.close();
    server.close();
    server.closeAllConnections();
  }
}

const PRINT = `\nconsole.log(JSON.stringify(${COUNT}));\n`;
const lastLine = (printed) => JSON.parse(printed.trim().split("\n").at(-1));

test("Browser, with Vite", async () => {
  const made = await project("Browser, with Vite", "vite", `\nglobalThis.counted = ${COUNT};\nglobalThis.thread = monitor.thread;\n`);
  made.write("index.html", '<!doctype html><script type="module" src="/main.js"></script>');
  await made.exec(made.bin("vite"), ["build", "--logLevel", "error"]);
  const { counted, thread } = await served({ "/": made.path("dist") }, "/index.html", async (page) => {
    await page.waitForFunction(() => globalThis.counted, undefined, { timeout: 60_000 });
    return page.evaluate(() => ({ counted: globalThis.counted, thread: globalThis.thread }));
  });
  assert.deepEqual([counted, thread], [ALL, "worker"]);
});

test("Plain script", async () => {
  const made = await project("Plain script", "node");
  const folders = { "/driftglass/": made.path("node_modules/driftglass/dist"), "/": made.root };
  const counted = await served(folders, "/index.html", async (page) => {
    await page.waitForFunction(() => globalThis.monitor, undefined, { timeout: 60_000 });
    return page.evaluate(async () => {
      const names = async () => (await globalThis.monitor.inspect()).metrics.filter(({ events }) => events > 0).map(({ name }) => name);
      while ((await names()).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      return names();
    });
  });
  assert.deepEqual(counted, ALL);
});

for (const [section, consumer, command] of [
  ["Node", "node", () => [process.execPath, "main.mjs"]],
  ["Deno", "deno", (made) => [made.bin("deno"), "run", "--no-lock", "--allow-read", "--allow-write", "--allow-env", "--allow-net", "--allow-sys=uid", "main.js"]],
  ["Bun", "bun", (made) => [made.bin("bun"), "run", "main.js"]],
]) {
  test(section, async () => {
    const made = await project(section, consumer, PRINT);
    const [program, ...args] = command(made);
    const home = made.path("home");
    assert.deepEqual(lastLine(await made.exec(program, args, { env: { HOME: home, XDG_STATE_HOME: join(home, "state") } })), ALL);
  });
}

test("workerd", async () => {
  const made = await project("workerd", "workerd");
  const [{ name, text }] = sections.get("workerd");
  // KV is a service of the host, and this runtime alone has none: a map with its three calls stands in for it.
  made.write(name, text.replace("export default", "const handler =") + `
const kept = new Map();
const DRIFTGLASS = {
  get: async (key, type) => (type === "arrayBuffer" || type?.type === "arrayBuffer" ? kept.get(key) ?? null : kept.get(key) ?? null),
  put: async (key, value) => void kept.set(key, value),
  delete: async (key) => void kept.delete(key),
};
export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname !== "/predict") return new Response("ready");
    const response = await handler.fetch(request, { DRIFTGLASS }, context);
    return Response.json({ said: await response.text(), counted: ${COUNT}, kept: [...kept.keys()].length });
  },
};
`);
  made.write("driftglass.js", 'export * from "./node_modules/driftglass/dist/workerd.js";\n');
  const dist = readdirSync(made.path("node_modules/driftglass/dist")).filter((file) => /\.(js|wasm)$/.test(file)).map((file) => `node_modules/driftglass/dist/${file}`);
  const kind = (file) => (file.endsWith(".wasm") ? "wasm" : file.endsWith(".json") ? "json" : "esModule");
  const modules = [["main.js", "main.js"], ["driftglass", "driftglass.js"], ["pkg-config.json", "pkg-config.json"], ...dist.map((file) => [file, file])];
  const port = await freePort();
  made.write("config.capnp", `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), (name = "net", network = (allow = ["local"]))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [${modules.map(([name, file]) => `(name = ${JSON.stringify(name)}, ${kind(file)} = embed ${JSON.stringify(file)})`).join(", ")}],
  compatibilityDate = "2026-03-01",
  globalOutbound = "net",
);
`);
  const server = await made.start(made.bin("workerd"), ["serve", "config.capnp"], port);
  try {
    const answer = await (await fetch(`http://127.0.0.1:${port}/predict`)).json();
    assert.deepEqual([answer.said, answer.counted], ["predicted", ALL]);
    assert.ok(answer.kept > 0, "the device is kept in KV");
  } finally {
    await server.stop();
  }
});

test("Service worker", async () => {
  const made = await project("Service worker", "node", `
addEventListener("message", async ({ data, ports: [port] }) => {
  const monitor = await making;
  if (data.count) port.postMessage(${COUNT});
});
`);
  await build({ absWorkingDir: made.root, entryPoints: ["sw.js"], bundle: true, format: "esm", outfile: "public/sw.js", logLevel: "error" });
  made.write("public/index.html", "<!doctype html><title>page</title>");
  const counted = await served({ "/": made.path("public") }, "/index.html", (page) =>
    page.evaluate(async () => {
      const registration = await navigator.serviceWorker.register("/sw.js", { type: "module" });
      await navigator.serviceWorker.ready;
      const inputs = { numeric: [12, 18, 733, 64.9, 8, 0, 10, 1012], carrier: "UA", origin: "EWR" };
      registration.active.postMessage({ record: { inputs, outputs: { probabilities: [0.2, 0.8] } }, key: "f", outcome: "late" });
      const { port1, port2 } = new MessageChannel();
      registration.active.postMessage({ count: true, record: {}, key: "none" }, [port2]);
      return new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));
    }),
  );
  assert.deepEqual(counted, ALL);
});

test("Next", async () => {
  const made = await project("Next", "node");
  for (const name of ["react", "react-dom", "scheduler"]) symlinkSync(join(root, "node_modules", name), made.path(`node_modules/${name}`));
  const paths = { jsx: "automatic", bundle: true, logLevel: "error", absWorkingDir: made.root };
  made.write("server.mjs", 'import { renderToString } from "react-dom/server";\nimport { Watched } from "./app/watched.jsx";\nconsole.log(renderToString(<Watched />));\n');
  await build({ ...paths, entryPoints: ["server.mjs"], loader: { ".mjs": "jsx" }, platform: "node", format: "esm", outfile: "out/server.mjs", packages: "external" });
  assert.equal((await made.exec(process.execPath, ["out/server.mjs"])).trim(), "<button>…</button>");
  made.write("client.jsx", `
import { Monitor } from "driftglass";
import { createRoot } from "react-dom/client";
import { Watched } from "./app/watched.jsx";
const create = Monitor.create;
Monitor.create = async (options) => (globalThis.monitor = await create.call(Monitor, options));
createRoot(document.body.appendChild(document.createElement("div"))).render(<Watched />);
`);
  await build({ ...paths, entryPoints: ["client.jsx"], format: "esm", splitting: true, outdir: "public" });
  made.write("public/index.html", '<!doctype html><body><script type="module" src="/client.js"></script>');
  const counted = await served({ "/": made.path("public") }, "/index.html", async (page) => {
    await page.getByRole("button", { name: "Predict" }).click({ timeout: 60_000 });
    return page.evaluate(async () => (await globalThis.monitor.inspect()).metrics.filter(({ events }) => events > 0).map(({ name }) => name));
  });
  assert.deepEqual(counted, ALL.slice(0, 7), "its outcome is not told");
});

test("every quick start was tried, and none is longer than it may be", () => {
  assert.deepEqual([...tried].sort(), [...sections.keys()].sort());
  for (const [name, blocks] of sections) {
    for (const { text } of blocks) assert.ok(text.split("\n").filter((line) => line.trim() !== "").length <= 13, `${name} is too long`);
  }
});
