/** Options as a host gets them: checked, and fit to cross threads. */
import { effective } from "./device/consent.js";
import { DriftglassError } from "./errors.js";
import type { Link } from "./link/link.js";
import type { DeviceSettings, Direct, WasmPlaces } from "./protocol.js";
import { runtime } from "./runtime.js";
import type { Flavour, MonitorOptions, WasmInput, WasmOptions } from "./types.js";

const invalid = (rule: string) => new DriftglassError("invalid-option", rule);

/** Plain JavaScript callers get a clear error for what a type would have told them. */
export function check({ consent, arm = "stable", key, spec, thread = "main", store = "memory" }: MonitorOptions): void {
  const one = (name: string, value: unknown, of: string[]) => {
    if (!of.includes(value as string)) throw invalid(`${name} must be one of: ${of.join(", ")}`);
  };
  one("consent", consent, ["unknown", "granted", "denied"]);
  one("arm", arm, ["stable", "canary"]);
  one("thread", thread, ["worker", "main"]);
  if (typeof store !== "object") one("store", store, ["memory"]);
  if (typeof key !== "string" || key === "") throw invalid("key must be the ingest key of the spec");
  if (!spec) throw invalid("spec must be the monitor spec, or its text");
}

/** What stays in the page's thread, and what may leave it. */
export function settings(options: MonitorOptions, link: Link): [DeviceSettings, Direct?] {
  const { spec, key, consent, endpoint, segment, arm, store, fetch, now } = options;
  const plain: DeviceSettings = {
    spec: typeof spec === "string" ? spec : JSON.stringify(spec),
    key,
    consent: effective(consent),
    wasm: places(options.wasm),
    ...(now && { secs: now() }),
    ...(endpoint !== undefined && { endpoint: absolute(endpoint) }),
    ...(segment !== undefined && { segment }),
    ...(arm !== undefined && { arm }),
    ...(store === "memory" && { store }),
  };
  if (link.thread === "main") {
    return [plain, { ...(typeof store === "object" && { store }), ...(fetch && { fetch }), ...(now && { now }) }];
  }
  if (typeof store === "object") throw invalid(`a store of your own cannot cross threads: set thread: "main", or leave store out`);
  if (fetch) throw invalid(`a fetch of your own cannot cross threads: set thread: "main"`);
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
