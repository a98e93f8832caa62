/** Entry for browsers: the wasm file is fetched from beside the package. */
import { provideWasm } from "../wasm/module.js";

const wasm = new URL("../../wasm/full/driftglass_bg.wasm", import.meta.url);

provideWasm(async () => {
  const response = await fetch(wasm);
  if (!response.ok) throw new Error(`the answer for driftglass_bg.wasm was ${response.status}`);
  return response;
});

export * from "../index.js";
