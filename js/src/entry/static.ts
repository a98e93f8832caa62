/** What entries share that load nothing later: all of a host is in them from the start. */
import * as core from "../../wasm/core/driftglass_bg.js";
import * as full from "../../wasm/full/driftglass_bg.js";
import type { Store } from "../device/store/store.js";
import { Host } from "../host/host.js";
import { LocalLink } from "../link/local.js";
import { once } from "../link/once.js";
import { type Compile, Loader } from "../wasm/load.js";

/** What differs between them. */
export interface StaticPlatform {
  /** The runtime's own store for an app. */
  store(app: string): Store;
  /** Absent where nothing may be compiled. */
  readonly compile?: Compile;
  /** What to type where no module was found. */
  readonly advice?: Partial<Record<"core" | "full", string>>;
}

/** A host in this thread. */
export const hostedHere = ({ store, compile, advice = {} }: StaticPlatform) =>
  once(async () => {
    const host = new Host({
      core: new Loader("core", async () => core, { ...(compile && { compile }), advice: advice.core }),
      full: new Loader("full", async () => full, { ...(compile && { compile }), advice: advice.full }),
      store,
    });
    return new LocalLink(host);
  });
