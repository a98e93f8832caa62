/** The module of one flavour, once it runs: its glue. */
import type * as core from "../../wasm/core/driftglass_bg.js";
import type * as full from "../../wasm/full/driftglass_bg.js";

import type { Flavour, WasmSource } from "../types.js";

/** What every flavour can do. */
export type Glue = Pick<typeof core, "WasmMonitor" | "disposition" | "encodeBody">;
/** What the full flavour can do besides. */
export type FullGlue = Pick<typeof full, "WasmMonitor" | "WasmSession" | "disposition" | "encodeBody">;

/** A pipeline of a device inside a module. */
export type WasmMonitor = core.WasmMonitor;
/** The same in the full flavour, which runs sessions too. */
export type FullMonitor = full.WasmMonitor;
/** A model inside the full flavour. */
export type WasmSession = full.WasmSession;

/** A module that runs. */
export interface Engine<G extends Glue = Glue> {
  readonly flavour: Flavour;
  readonly source: WasmSource;
  readonly glue: G;
}
