// No bundler at all: the files of the package as npm installed them, in three engines.
import { serve } from "../../harness/server.mjs";
import { pageCells } from "./page-cells.mjs";

const ENGINES = ["chromium", "firefox", "webkit"];
const PACKAGE = "/node_modules/driftglass";

/** What the package calls a file, as an address. */
function address(project, subpath, condition) {
  let target = project.manifest.exports[subpath];
  if (target === undefined) throw new Error(`the package does not export ${subpath}`);
  if (typeof target !== "string") target = target[condition] ?? target.default;
  if (typeof target !== "string") target = target.default;
  return `${PACKAGE}/${target.replace(/^\.\//, "")}`;
}

const RUN = 'JSON.parse(new URLSearchParams(location.search).get("run"))';

/** A program that runs the app wherever a message comes from, and answers with the outcome. */
const moduleWorker = (entry) => `
import { Monitor } from "${entry}";
import { outcome, run } from "/src/body.js";
import settings from "/src/settings.js";
const answer = async (options, port) => port.postMessage(await outcome(() => run(Monitor, settings, options)));
`;
/** The same without import statements; the app's own two modules are inlined by the server. */
const classicWorker = (project, subpath) => `
importScripts("${address(project, subpath, "default")}");
${project.read("src/body.js").replaceAll("export ", "")}
const settings = ${project.read("src/settings.js").replace("export default ", "")}
const answer = async (options, port) => port.postMessage(await outcome(() => run(driftglass.Monitor, settings, options)));
`;

const DEDICATED = "onmessage = ({ data }) => answer(data, self);\n";
const SHARED = "onconnect = ({ ports: [port] }) => (port.onmessage = ({ data }) => answer(data, port));\n";
const SERVICE = `
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("message", (event) => event.waitUntil(answer(event.data, event.ports[0])));
`;

/** Pages that hand the options to a worker of theirs and wait for its answer. */
const dedicatedPage = (type) => `<!doctype html>
<script type="module">
  const worker = new Worker("/worker.js", { type: "${type}" });
  worker.onmessage = ({ data }) => (globalThis.outcome = data);
  worker.onerror = (event) => (globalThis.outcome = { error: { message: event.message || "the worker did not load" } });
  worker.postMessage(${RUN});
</script>`;
const sharedPage = `<!doctype html>
<script type="module">
  const worker = new SharedWorker("/worker.js", { type: "module" });
  worker.port.onmessage = ({ data }) => (globalThis.outcome = data);
  worker.onerror = () => (globalThis.outcome = { error: { message: "the worker did not load" } });
  worker.port.postMessage(${RUN});
</script>`;
const servicePage = (type) => `<!doctype html>
<script type="module">
  try {
    await navigator.serviceWorker.register("/worker.js", { type: "${type}" });
    const { active } = await navigator.serviceWorker.ready;
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => (globalThis.outcome = data);
    active.postMessage(${RUN}, [port2]);
  } catch (error) {
    globalThis.outcome = { error: { message: String(error) } };
  }
</script>`;

/** A row whose pages are written into the project and served from its root. */
function page({ name, where = "page", threads, files, quick }) {
  return {
    name,
    consumer: "none",
    quick,
    setUp: async (project, browsers) => {
      for (const [path, text] of Object.entries(files(project))) project.write(path, text);
      const server = await serve({ "/": project.root });
      const cells = pageCells(browsers, `${server.origin}/`, { where, threads, engines: ENGINES });
      return { cells, tearDown: server.close };
    },
  };
}

const importMap = (project) => ({
  "index.html": `<!doctype html>
<script type="importmap">{"imports": {"driftglass": "${address(project, ".", "browser")}"}}</script>
<script type="module" src="/src/index.js"></script>`,
});

const script = (project) => ({
  "index.html": `<!doctype html>
<script src="${address(project, "./script", "default")}"></script>
<script type="module">
  import { outcome, run } from "/src/body.js";
  import settings from "/src/settings.js";
  globalThis.outcome = await outcome(() => run(driftglass.Monitor, settings, ${RUN}));
</script>`,
});

const entry = (project) => moduleWorker(address(project, ".", "browser"));
/** Service workers may not import anything later, so there is an entry that does not. */
const serviceEntry = (project) => moduleWorker(address(project, "./service-worker", "default"));

export const pageRows = [
  page({ name: "import map", files: importMap, quick: true }),
  page({ name: "<script>", files: script }),
  page({ name: "module worker", where: "own worker", threads: ["main"], files: (project) => ({ "index.html": dedicatedPage("module"), "worker.js": entry(project) + DEDICATED }) }),
  page({ name: "classic worker", where: "own worker", threads: ["main"], files: (project) => ({ "index.html": dedicatedPage("classic"), "worker.js": classicWorker(project, "./script") + DEDICATED }) }),
  page({ name: "SharedWorker", where: "own worker", threads: ["main"], files: (project) => ({ "index.html": sharedPage, "worker.js": entry(project) + SHARED }) }),
  page({ name: "module service worker", where: "service worker", threads: ["main"], files: (project) => ({ "index.html": servicePage("module"), "worker.js": serviceEntry(project) + SERVICE }) }),
  page({ name: "classic service worker", where: "service worker", threads: ["main"], files: (project) => ({ "index.html": servicePage("classic"), "worker.js": classicWorker(project, "./service-worker.script") + SERVICE }) }),
];
