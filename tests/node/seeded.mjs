// Loads the seeded test build: the same crate, with entropy from a seed. Never shipped.
import { readFileSync } from "node:fs";

import * as glue from "../../js/wasm/seeded/driftglass_bg.js";

const wasm = readFileSync(new URL("../../js/wasm/seeded/driftglass_bg.wasm", import.meta.url));
const { instance } = await WebAssembly.instantiate(wasm, { "./driftglass_bg.js": glue });
glue.__wbg_set_wasm(instance.exports);
instance.exports.__wasm_call_ctors?.();
instance.exports.__wbindgen_start();

export const { encodeBody, figureBits, figureNames, setEntropySeed, WasmMonitor } = glue;
