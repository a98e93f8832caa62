/** Why a module did not load, in words that say what to do. */
import { DriftglassError } from "../errors.js";
import type { Flavour } from "../types.js";

/** What was tried and how far it came. */
export interface Failure {
  /** Where the module was looked for; undefined if nothing says where it is, or if it was handed over. */
  readonly from: string | undefined;
  readonly stage: "read" | "fetch" | "status" | "compile" | "skew";
  readonly cause: unknown;
  readonly status?: number;
  readonly type?: string;
  /** Whether what was answered looks like a page. */
  readonly html?: boolean;
}

/** `wasm-forbidden` if the page's policy is why, since then no other place helps; else `wasm-unavailable`, with advice what to type. */
export function explained(flavour: Flavour, failure: Failure, advice = forWebsites(flavour, failure)): DriftglassError {
  const text = failure.cause instanceof Error ? failure.cause.message : "";
  if (failure.stage === "compile" && /unsafe-eval|Content.Security.Policy|blocked by CSP|disallowed by embedder/i.test(text)) {
    const message = "The page's Content-Security-Policy forbids WebAssembly: add 'wasm-unsafe-eval' to its script-src.";
    return new DriftglassError("wasm-forbidden", message, { cause: failure.cause });
  }
  const message = `Driftglass could not load ${flavour}.wasm: ${what(flavour, failure)}. ${advice}`;
  return new DriftglassError("wasm-unavailable", message, { cause: failure.cause });
}

function what(flavour: Flavour, { from, stage, status, type, html, cause }: Failure): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const place = from ?? "what was handed over";
  if (from === undefined && cause === undefined) return "nothing says where it is";
  if (stage === "status") return `${place} was answered with status ${status}${type ? ` and ${type}` : ""}`;
  if (stage === "read") return `${place} could not be read (${text})`;
  if (stage === "fetch") return `${place} could not be fetched (${text}); a Content-Security-Policy needs its origin in connect-src`;
  if (stage === "skew") return `${place} belongs to another version of the script: ${text}`;
  if (html) return `${place} was answered with a page of HTML and not with ${flavour}.wasm`;
  return `${place} is no module for this script (${text})`;
}

function forWebsites(flavour: Flavour, { stage }: Failure): string {
  if (stage === "skew") return "Deploy the script and the module together, and let no cache keep one without the other.";
  const file = `node_modules/driftglass/dist/${flavour}.wasm`;
  const call = flavour === "full" ? `InferenceSession.create(model, { wasm: { full: "/full.wasm" } })` : `Monitor.create({ …, wasm: { core: "/core.wasm" } })`;
  return `Copy ${file} to where your server's files are, and say where: ${call}.`;
}
