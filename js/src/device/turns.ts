import type { Store } from "./store/store.js";

const queues = new WeakMap<Store, Promise<unknown>>();

/**
 * Runs `work` while nothing else that shares the store does so: in this thread one after the other; where there are Web Locks also in no other tab or
 * worker. If another tab is at it, `work` is not run: that tab does it.
 */
export function inTurn(store: Store, work: () => Promise<void>): Promise<void> {
  const before = queues.get(store) ?? Promise.resolve();
  const done = before.then(() => unlessElsewhere(store.name, work));
  queues.set(store, done.catch(() => undefined));
  return done;
}

async function unlessElsewhere(name: string | undefined, work: () => Promise<void>): Promise<void> {
  const locks = typeof navigator === "object" && "locks" in navigator ? navigator.locks : undefined;
  if (name === undefined || !locks) return work();
  let began = false;
  try {
    await locks.request(`driftglass-drain:${name}`, { ifAvailable: true }, async (lock) => {
      began = true;
      if (lock) await work();
    });
  } catch (error) {
    if (began) throw error;
    // Locks are refused to documents without an origin of their own. Then two tabs may both send: the centre counts a report once.
    await work();
  }
}
