import { keys } from "../keys.js";
import type { RunOptions, SessionLike } from "../types.js";
import { measured, type Adapter } from "./adapter.js";

/** Anything with `run(feeds)`: sessions of onnxruntime-web, and of this package in another module than the monitor. */
export const sessions: Adapter = {
  matches: (target) => typeof (target as Partial<SessionLike<object, object>>).run === "function",
  watched: (target, seen) => {
    const session = target as SessionLike<object, object>;
    const run = (feeds: object, options?: RunOptions) =>
      measured(() => session.run(feeds), () => ({ ...feeds }), (results) => ({ ...results }), seen, keys(options)[0]);
    return { run };
  },
};
