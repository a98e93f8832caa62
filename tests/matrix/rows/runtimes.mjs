// Runtimes without a page: Node, Deno, Bun, workerd, edge-light.
import { readdirSync } from "node:fs";
import { join } from "node:path";

import { freePort } from "../../harness/port.mjs";

const BOTH = ["main", "worker"];

const ESM = `
import { Monitor } from "driftglass";
import { outcome, run } from "./src/body.js";
import settings from "./src/settings.js";
console.log(JSON.stringify(await outcome(() => run(Monitor, settings, JSON.parse(process.argv[2])))));
`;

const CJS = `
const { Monitor } = require("driftglass");
(async () => {
  const { outcome, run } = await import("./src/body.js");
  const settings = (await import("./src/settings.js")).default;
  console.log(JSON.stringify(await outcome(() => run(Monitor, settings, JSON.parse(process.argv[2])))));
})();
`;

/** The app in a worker thread of its own, with Node's API. */
const NODE_WORKER = `
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { fileURLToPath } from "node:url";
if (isMainThread) {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: process.argv[2] });
  worker.once("message", (said) => console.log(said));
} else {
  const { Monitor } = await import("driftglass");
  const { outcome, run } = await import("./src/body.js");
  const { default: settings } = await import("./src/settings.js");
  parentPort.postMessage(JSON.stringify(await outcome(() => run(Monitor, settings, JSON.parse(workerData)))));
}
`;

/** The app in a worker of its own, with the API of the web. */
const WEB_WORKER_HOST = `
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data }) => { console.log(data); worker.terminate(); };
worker.onerror = (event) => { console.log(JSON.stringify({ error: { message: event.message } })); worker.terminate(); };
worker.postMessage(process.argv[2]);
`;
const WEB_WORKER = `
import { Monitor } from "driftglass";
import { outcome, run } from "./src/body.js";
import settings from "./src/settings.js";
onmessage = async ({ data }) => postMessage(JSON.stringify(await outcome(() => run(Monitor, settings, JSON.parse(data)))));
`;

/** Cells whose command prints the outcome in its last line. */
function commands(project, where, program, args, threads = ["main"]) {
  return threads.map((thread) => ({
    where,
    thread,
    run: async (options) => {
      const printed = await project.exec(program, [...args, JSON.stringify({ ...options, thread })]);
      return JSON.parse(printed.trim().split("\n").at(-1));
    },
  }));
}

function node(project) {
  project.write("main.js", ESM);
  project.write("main.cjs", CJS);
  project.write("threads.js", NODE_WORKER);
  const cells = (where, file, threads) => commands(project, where, process.execPath, [file], threads);
  return {
    version: process.versions.node,
    cells: [...cells("ESM", "main.js", BOTH), ...cells("CJS", "main.cjs", BOTH), ...cells("own worker", "threads.js"), ...vectors(project, process.execPath, [])],
  };
}

async function deno(project) {
  project.write("main.js", ESM);
  project.write("host.js", WEB_WORKER_HOST);
  project.write("worker.js", WEB_WORKER);
  const program = [project.bin("deno"), ["run", "--no-lock", "--allow-all"]];
  const cells = (where, file, threads) => commands(project, where, program[0], [...program[1], file], threads);
  return {
    version: project.version("deno"),
    cells: [...cells("ESM", "main.js", BOTH), ...cells("own worker", "host.js"), ...vectors(project, ...program)],
  };
}

async function bun(project) {
  project.write("main.js", ESM);
  project.write("main.cjs", CJS);
  project.write("host.js", WEB_WORKER_HOST);
  project.write("worker.js", WEB_WORKER);
  const cells = (where, file, threads) => commands(project, where, project.bin("bun"), ["run", file], threads);
  return {
    version: project.version("bun"),
    cells: [...cells("ESM", "main.js", BOTH), ...cells("CJS", "main.cjs", BOTH), ...cells("own worker", "host.js"), ...vectors(project, project.bin("bun"), ["run"])],
  };
}

/** The shared vectors through the seeded build, which is not in the package. */
const VECTORS = `
import { readFileSync } from "node:fs";
import { outcome } from "./src/body.js";
import * as glue from "./vectors/driftglass_bg.js";
import { runAll } from "./vectors/run.js";
const read = (name) => readFileSync(new URL("./vectors/" + name, import.meta.url));
console.log(JSON.stringify(await outcome(() => runAll(glue, read("driftglass_bg.wasm"), JSON.parse(read("report-v1.json"))))));
`;

function vectors(project, program, args) {
  bringVectors(project);
  project.write("vectors.js", VECTORS);
  return commands(project, "vectors", program, [...args, "vectors.js"]).map((cell) => ({ ...cell, vectors: true }));
}

function bringVectors(project) {
  const files = { "driftglass_bg.js": "js/wasm/seeded/driftglass_bg.js", "driftglass_bg.wasm": "js/wasm/seeded/driftglass_bg.wasm", "run.js": "tests/vectors/run.mjs", "report-v1.json": "tests/vectors/report-v1.json" };
  for (const [name, path] of Object.entries(files)) project.copy(new URL(`../../../${path}`, import.meta.url), `vectors/${name}`);
}

/** Options come in the address, the outcome is the body. */
const FETCH_HANDLER = `
import { Monitor } from "driftglass";
import { outcome, run } from "./src/body.js";
import settings from "./src/settings.js";
export default {
  async fetch(request) {
    const options = JSON.parse(new URL(request.url).searchParams.get("run") ?? "null");
    if (!options) return new Response("ready");
    return Response.json(await outcome(() => run(Monitor, settings, { store: "memory", ...options })));
  },
};
`;

function fetched(port, where, path = "/") {
  return {
    where,
    thread: "main",
    run: async (options) => (await fetch(`http://127.0.0.1:${port}${path}?run=${encodeURIComponent(JSON.stringify(options))}`)).json(),
  };
}

/** A configuration that serves modules; the first is the program. */
function capnp(modules, port) {
  const line = ({ name, kind, file }) => `    (name = ${JSON.stringify(name)}, ${kind} = embed ${JSON.stringify(file)}),`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "net", network = (allow = ["local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [
${modules.map(line).join("\n")}
  ],
  compatibilityDate = "2026-03-01",
  globalOutbound = "net",
);
`;
}

/** Every script and module of a folder, as the configuration names them. */
function modulesOf(project, folder) {
  const files = readdirSync(project.path(folder), { recursive: true }).filter((name) => /\.(js|wasm)$/.test(name));
  return files.map((name) => ({ name: join(folder, name), kind: name.endsWith(".wasm") ? "wasm" : "esModule", file: join(folder, name) }));
}

async function serveWorkerd(project, name, modules) {
  const port = await freePort();
  project.write(`${name}.capnp`, capnp(modules, port));
  const server = await project.start(project.bin("workerd"), ["serve", `${name}.capnp`], port);
  return { port, server };
}

const VECTORS_HANDLER = `
import { outcome } from "./src/body.js";
import * as glue from "./vectors/driftglass_bg.js";
import module from "./vectors/driftglass_bg.wasm";
import vectors from "./vectors/report-v1.json";
import { runAll } from "./vectors/run.js";
export default {
  async fetch(request) {
    if (!new URL(request.url).searchParams.has("run")) return new Response("ready");
    return Response.json(await outcome(() => runAll(glue, module, vectors)));
  },
};
`;

async function serveVectors(project) {
  bringVectors(project);
  project.write("vectors.js", VECTORS_HANDLER);
  return serveWorkerd(project, "vectors", [
    { name: "vectors.js", kind: "esModule", file: "vectors.js" },
    { name: "src/body.js", kind: "esModule", file: "src/body.js" },
    ...modulesOf(project, "vectors"),
    { name: "vectors/report-v1.json", kind: "json", file: "vectors/report-v1.json" },
  ]);
}

/** The package's files as they are, without a bundler: the runtime resolves nothing, so its name is one module more. */
async function workerd(project) {
  project.write("main.js", FETCH_HANDLER);
  const entry = project.manifest.exports["."].workerd;
  if (entry === undefined) throw new Error("the package has no entry for workerd");
  const target = typeof entry === "string" ? entry : entry.default;
  project.write("driftglass.js", `export * from ${JSON.stringify(`./${join("node_modules/driftglass", target)}`)};\n`);
  const app = ["src/body.js", "src/settings.js"].map((name) => ({ name, kind: "esModule", file: name }));
  const modules = [
    { name: "main.js", kind: "esModule", file: "main.js" },
    { name: "driftglass", kind: "esModule", file: "driftglass.js" },
    ...app,
    ...modulesOf(project, "node_modules/driftglass/dist"),
  ];
  const [{ port, server }, vectorServer] = [await serveWorkerd(project, "main", modules), await serveVectors(project)];
  const tearDown = () => Promise.all([server.stop(), vectorServer.server.stop()]);
  const cells = [fetched(port, "module worker"), { ...fetched(vectorServer.port, "vectors"), vectors: true }];
  return { version: project.version("workerd"), cells, tearDown };
}

/** What wrangler would upload, run in the runtime that it would be uploaded to. */
async function wrangler(project) {
  project.write("main.js", FETCH_HANDLER);
  await project.exec(project.bin("wrangler"), ["deploy", "main.js", "--dry-run", "--outdir", "out", "--name", "consumer", "--compatibility-date", "2026-03-01"]);
  const modules = modulesOf(project, "out").map(({ name, ...rest }) => ({ name: name.replace(/^out\//, ""), ...rest }));
  modules.sort((a, b) => (b.name === "main.js") - (a.name === "main.js"));
  const { port, server } = await serveWorkerd(project, "main", modules);
  return { version: project.version("wrangler"), cells: [fetched(port, "dry-run bundle")], tearDown: server.stop };
}

/** The virtual machine of the edge runtime takes one script and compiles nothing. */
async function edge(project) {
  project.write("main.js", `
    import { Monitor } from "driftglass";
    import { outcome, run } from "./src/body.js";
    import settings from "./src/settings.js";
    globalThis.start = (options) => outcome(() => run(Monitor, settings, { store: "memory", ...options }));
  `);
  await project.exec(process.execPath, ["build.js"]);
  project.write("vm.js", `
    import { readFileSync } from "node:fs";
    import { EdgeVM } from "@edge-runtime/vm";
    const vm = new EdgeVM();
    vm.context.core = new WebAssembly.Module(readFileSync(new URL(import.meta.resolve("driftglass/core.wasm"))));
    vm.evaluate(readFileSync("out.js", "utf8"));
    console.log(JSON.stringify(await vm.context.start(JSON.parse(process.argv[2]))));
  `);
  return { version: project.version("@edge-runtime/vm"), cells: commands(project, "EdgeVM", process.execPath, ["vm.js"]) };
}

export const runtimeRows = [
  { name: "node", consumer: "node", quick: true, setUp: node },
  { name: "deno", consumer: "deno", setUp: deno },
  { name: "bun", consumer: "bun", setUp: bun },
  { name: "workerd", consumer: "workerd", setUp: workerd },
  { name: "wrangler", consumer: "wrangler", setUp: wrangler },
  { name: "edge-light", consumer: "edge", setUp: edge },
];
