/** Entry for Node, Deno and Bun: the wasm file is read from disk. */
import { provideWasm } from "../wasm/module.js";

const wasm = new URL("../../wasm/full/driftglass_bg.wasm", import.meta.url);

provideWasm(async () => {
  const { readFile } = await import("node:fs/promises");
  return readFile(wasm);
});

export * from "../index.js";
export { FileStore } from "../device/store/file.js";
