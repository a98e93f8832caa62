/** Entry for pages and workers: everything but this facade is fetched when it is first needed. */
import { LocalLink } from "../link/local.js";
import { once } from "../link/once.js";
import { connected, spawned } from "../link/spawn.js";
import { provide } from "../runtime.js";
import { unpacked } from "../wasm/inline.js";

// Spelled as bundlers expect it, so that they copy the files.
const file = () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" });

provide({
  thread: typeof window === "object" && typeof Worker === "function" ? "worker" : "main",
  wasm: { core: () => new URL("./core.wasm", import.meta.url), full: () => new URL("./full.wasm", import.meta.url) },
  local: once(async () => new LocalLink((await import("../host/page.js")).host())),
  ...(typeof Worker === "function" && { worker: (create) => (create ? connected(create) : spawned(file)) }),
  inline: async () => unpacked((await import("./core-inline.js")).default),
});

export * from "../index.js";
