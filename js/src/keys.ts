import type { RunOptions } from "./types.js";

/** Keys of a run, as text. */
export function keys(options: { readonly key?: RunOptions["key"] | undefined } | undefined): string[] {
  const key = options?.key;
  return key === undefined ? [] : (Array.isArray(key) ? key : [key]).map(String);
}
