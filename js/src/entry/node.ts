/** Entry for Node, Deno and Bun: modules and state are files. */
import { LocalLink } from "../link/local.js";
import { once } from "../link/once.js";
import { connected } from "../link/spawn.js";
import { ThreadWorker } from "../link/thread.js";
import { provide } from "../runtime.js";
import { unpacked } from "../wasm/inline.js";

// Put together at run time: bundlers for servers would otherwise make addresses of a website out of these.
const beside = (name: string) => new URL(["./", name].join(""), import.meta.url);

provide({
  thread: "main",
  wasm: { core: () => beside("core.wasm"), full: () => beside("full.wasm") },
  local: once(async () => new LocalLink((await import("../host/disk.js")).host())),
  worker: async (create) => {
    const { Worker: Thread } = await import("node:worker_threads");
    // Without the flags of this process, which may be about its main script alone.
    return connected(create ?? (() => new ThreadWorker(new Thread(beside("worker-disk.js"), { execArgv: [] }))));
  },
  inline: async () => unpacked((await import("./core-inline.js")).default),
});

export * from "../index.js";
export { FileStore } from "../device/store/file.js";
export { kvStore, type KvBinding } from "../device/store/kv.js";
