// Two static pages, built into dist/ and embedded in the centre's binary.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";

const here = import.meta.dirname;

export default defineConfig({
  root: here,
  plugins: [demoFiles(), livePath()],
  build: {
    target: "es2022",
    // The content security policy allows no data: URL for code or wasm.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: [join(here, "index.html"), join(here, "live.html")] },
  },
});

/** Serves the demo's data and model under /demo/, and copies them to dist/demo/. */
function demoFiles(): Plugin {
  const data = join(here, "../demo/data");
  const paths = new Map(readdirSync(data).map((name) => [name, join(data, name)]));
  paths.set("late-arrival-1.onnx", join(here, "../demo/model/late-arrival-1.onnx"));
  return {
    name: "driftglass-demo-files",
    configureServer(server) {
      server.middlewares.use("/demo/", (request, response, next) => {
        const path = paths.get((request.url ?? "").slice(1));
        return path ? response.end(readFileSync(path)) : next();
      });
    },
    generateBundle() {
      for (const [name, path] of paths) {
        this.emitFile({ type: "asset", fileName: `demo/${name}`, source: readFileSync(path) });
      }
    },
  };
}

/** Maps /live to live.html while developing, as the centre does. */
function livePath(): Plugin {
  return {
    name: "driftglass-live-path",
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        request.url = request.url?.replace(/^\/live(?=\?|$)/, "/live.html");
        next();
      });
    },
  };
}
