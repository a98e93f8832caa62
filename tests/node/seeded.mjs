// Loads the seeded test build: the same crate, with entropy from a seed. Never shipped.
import { readFileSync } from "node:fs";

import * as glue from "../../js/wasm/seeded/driftglass_bg.js";
import { seeded } from "../vectors/run.mjs";

await seeded(glue, readFileSync(new URL("../../js/wasm/seeded/driftglass_bg.wasm", import.meta.url)));

export const { encodeBody, figureBits, figureNames, setEntropySeed, WasmMonitor } = glue;
