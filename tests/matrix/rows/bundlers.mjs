// Bundlers, without any configuration: the app is built, the output is served as it is and run in Chromium.
import { freePort } from "../../harness/port.mjs";
import { serve } from "../../harness/server.mjs";
import { pageCells } from "./page-cells.mjs";

const html = (script, attributes = 'type="module"') => `<!doctype html>\n<title>consumer</title>\n<script ${attributes} src="${script}"></script>\n`;

/**
 * A row whose consumer builds a folder.
 *
 * @param options `name`, `consumer` (folder and package), `build`: commands as lists, `output`: the folder served, `page`:
 * the HTML put there if the bundler makes none, `packageName` if the version is another package's
 */
function built({ name, consumer, build, output = "dist", page, packageName = consumer, quick }) {
  return {
    name,
    consumer,
    quick,
    setUp: async (project, browsers) => {
      project.write("index.html", html("./src/index.js"));
      for (const [command, ...args] of build) await project.exec(project.bin(command), args);
      if (page) project.write(`${output}/index.html`, page);
      const server = await serve({ "/": project.path(output) });
      return { version: project.version(packageName), cells: pageCells(browsers, `${server.origin}/`), tearDown: server.close };
    },
  };
}

/** Vite's own server, whose optimizer bundles dependencies when a page first asks for them. */
const viteDev = {
  name: "vite dev",
  consumer: "vite",
  setUp: async (project, browsers) => {
    project.write("index.html", html("./src/index.js"));
    const port = await freePort();
    const server = await project.start(project.bin("vite"), ["--host", "127.0.0.1", "--port", String(port), "--strictPort"], port);
    return { version: project.version("vite"), cells: pageCells(browsers, `http://127.0.0.1:${port}/`), tearDown: server.stop };
  },
};

const MAIN = "src/index.js";

export const bundlerRows = [
  viteDev,
  built({ name: "vite build", consumer: "vite", build: [["vite", "build"]], quick: true }),
  built({ name: "webpack", consumer: "webpack", build: [["webpack", "--mode", "production"]], page: html("main.js", "defer") }),
  built({ name: "rspack", consumer: "rspack", packageName: "@rspack/core", build: [["rspack", "build", "--mode", "production"]], page: html("main.js", "defer") }),
  built({ name: "parcel", consumer: "parcel", build: [["parcel", "build", "index.html", "--no-cache"]] }),
  built({ name: "esbuild", consumer: "esbuild", build: [["esbuild", MAIN, "--bundle", "--format=esm", "--outfile=dist/main.js"]], page: html("main.js"), quick: true }),
  built({ name: "esbuild (iife)", consumer: "esbuild", build: [["esbuild", "src/script.js", "--bundle", "--outfile=dist/main.js"]], page: html("main.js", "defer") }),
  built({ name: "esbuild --splitting", consumer: "esbuild", build: [["esbuild", MAIN, "--bundle", "--splitting", "--format=esm", "--outdir=dist"]], page: html("index.js"), quick: true }),
  built({ name: "rollup", consumer: "rollup", build: [["rollup", MAIN, "--plugin", "node-resolve={browser: true}", "--format", "es", "--dir", "dist"]], page: html("index.js") }),
  built({ name: "bun build", consumer: "bun", build: [["bun", "build", MAIN, "--outdir", "dist"]], page: html("index.js") }),
  built({ name: "bun build --splitting", consumer: "bun", build: [["bun", "build", MAIN, "--splitting", "--outdir", "dist"]], page: html("index.js") }),
];
