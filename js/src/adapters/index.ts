/** Every kind of target that `monitor.wrap` knows. Loaded with the first target that needs one. */
import type { Adapter, Seen } from "./adapter.js";
import { sessions } from "./session.js";

const ADAPTERS: readonly Adapter[] = [sessions];

/** The twin of a target that tells what it sees; undefined for a target of no known kind. */
export function watched(target: object, seen: Seen): object | undefined {
  return ADAPTERS.find(({ matches }) => matches(target))?.watched(target, seen);
}
