// What hosts of this runtime do: they compile what is imported with `?module` beforehand, and make one script of the rest.
import { build } from "esbuild";

const modules = {
  name: "modules",
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, namespace: "module" }));
    onLoad({ filter: /./, namespace: "module" }, () => ({ contents: "export default globalThis.core;" }));
  },
};

const shape = { bundle: true, format: "iife", platform: "neutral", conditions: ["edge-light"], plugins: [modules] };
await build({ ...shape, entryPoints: ["main.js"], outfile: "out.js" });
