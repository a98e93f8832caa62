// One measurement in this page: `page.html?start=<library>` or `?observe`. The title becomes the number.
import { observing, start } from "./starts.mjs";

const served = (path) => new URL(path, location.href).href;
const files = {
  glue: served("/core/glue.js"),
  core: served("/core/module.wasm"),
  automerge: served("/automerge.js"),
  loro: served("/loro.js"),
  onnxruntime: served("/ort/ort.wasm.min.mjs"),
  onnxruntimeWasm: served("/ort/"),
  model: served("/model.onnx"),
  spec: await (await fetch("/spec.json")).json(),
  bytes: async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer()),
};
const asked = new URLSearchParams(location.search);
try {
  document.title = String(asked.has("observe") ? await observing(files, 1_000) : await start(asked.get("start"), files));
} catch (error) {
  document.title = `failed: ${error}`;
}
