// One measurement in this process: `node node.mjs start <library>` or `node node.mjs observe`. Prints a number.
import { readFile } from "node:fs/promises";

import { observing, start } from "./starts.mjs";

const at = (path) => new URL(path, import.meta.url);
const files = {
  glue: at("../../target/pack/bindings/core/driftglass_bg.js"),
  core: at("../../target/pack/optimized/core/driftglass_bg.wasm"),
  automerge: "@automerge/automerge",
  loro: "loro-crdt",
  onnxruntime: "onnxruntime-web",
  model: at("../../demo/model/late-arrival-1.onnx"),
  spec: JSON.parse(await readFile(at("../../pkg-config.json"), "utf8")),
  bytes: (url) => readFile(url),
};
const [what, name] = process.argv.slice(2);
console.log(what === "observe" ? await observing(files, 1_000) : await start(name, files));
process.exit();
