import type { Link } from "./link/link.js";
import type { Flavour, HostOptions, WasmInput } from "./types.js";

/** What the entry of a runtime knows, and nothing else does. */
export interface Runtime {
  /** Where a monitor lives if nobody says. */
  readonly thread: "worker" | "main";
  /** Where the modules are, if the options do not say. Asked when one is needed: an address may not even be spelled where a bundler took away its base. */
  readonly wasm: { readonly [flavour in Flavour]?: () => WasmInput };
  /** A host in this thread. */
  local(): Promise<Link>;
  /** A host in a worker; absent where there are none. */
  worker?(create: HostOptions["createWorker"]): Promise<Link>;
  /** The core module from inside the package, for when its address gives none. */
  inline?(): Promise<Uint8Array>;
}

let current: Runtime | undefined;

/** Called once, by the entry. */
export function provide(runtime: Runtime): void {
  current = runtime;
}

/** The runtime that this bundle is for. */
export function runtime(): Runtime {
  // Every entry provides one before anything can be called.
  return current!;
}
