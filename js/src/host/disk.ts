/** A host on Node, Deno and Bun: modules and state are files. */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

import { FileStore } from "../device/store/file.js";
import { compile } from "../wasm/compile.js";
import { Loader } from "../wasm/load.js";
import { Host } from "./host.js";

/** Makes the host. */
export const host = (): Host =>
  new Host({
    core: new Loader("core", () => import("../../wasm/core/driftglass_bg.js"), { compile, readFile }),
    full: new Loader("full", () => import("../../wasm/full/driftglass_bg.js"), { compile, readFile }),
    store: (app) => new FileStore(join(stateFolder(), "driftglass", `${encodeURIComponent(app)}.json`)),
  });

/** Where programs of this system keep their state. */
function stateFolder(): string {
  const { XDG_STATE_HOME: state, LOCALAPPDATA: local } = process.env;
  if (process.platform === "win32" && local) return local;
  if (process.platform === "darwin") return join(homedir(), "Library", "Application Support");
  return state || join(homedir(), ".local", "state");
}

export { FileStore };
