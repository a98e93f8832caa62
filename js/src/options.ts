/** Options as a host gets them: fit to cross threads. The host checks them. */
import { effective } from "./device/consent.js";
import { DriftglassError } from "./errors.js";
import type { Link } from "./link/link.js";
import type { DeviceSettings, Direct, WasmPlaces } from "./protocol.js";
import { runtime } from "./runtime.js";
import type { Flavour, MonitorOptions, WasmInput, WasmOptions } from "./types.js";

/** What stays in the page's thread, and what may leave it. */
export function settings(options: MonitorOptions, link: Link): [DeviceSettings, Direct?] {
  const { spec, key, consent, endpoint, segment, arm, store, fetch, now, thread } = options;
  const plain: DeviceSettings = {
    spec: typeof spec === "string" ? spec : JSON.stringify(spec ?? ""),
    key,
    consent: effective(consent),
    wasm: places(options.wasm),
    ...(now && { secs: now() }),
    ...(endpoint !== undefined && { endpoint: absolute(endpoint) }),
    ...(segment !== undefined && { segment }),
    ...(arm !== undefined && { arm }),
    ...(typeof store !== "object" && store !== undefined && { store }),
    ...(thread !== undefined && { thread }),
  };
  if (link.thread === "main") {
    return [plain, { ...(typeof store === "object" && { store }), ...(fetch && { fetch }), ...(now && { now }) }];
  }
  if (typeof store === "object") throw new DriftglassError("invalid-option", `a store of your own cannot cross threads: set thread: "main", or leave store out`);
  if (fetch) throw new DriftglassError("invalid-option", `a fetch of your own cannot cross threads: set thread: "main"`);
  return [plain];
}

/** Where the modules are: as the options say, or where the entry finds them. */
export function places(given: WasmOptions = {}): WasmPlaces {
  return { core: place("core", given.core)!, full: place("full", given.full)! };
}

function place(flavour: Flavour, given: WasmInput | undefined): WasmInput | undefined {
  const input = given ?? found(flavour);
  return typeof input === "string" || input instanceof URL ? absolute(String(input)) : input;
}

function found(flavour: Flavour): WasmInput | undefined {
  try {
    return runtime().wasm[flavour]?.();
  } catch {
    return undefined;
  }
}

/** An address by itself: a worker may have no base to resolve it against. */
export function absolute(url: string): string {
  return typeof location === "object" && location ? new URL(url, location.href).href : url;
}
