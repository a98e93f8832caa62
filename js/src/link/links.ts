import { DriftglassError } from "../errors.js";
import { runtime } from "../runtime.js";
import type { HostOptions } from "../types.js";
import type { Link } from "./link.js";

interface Shared {
  readonly link: Promise<Link>;
  users: number;
}

/** Hosts in use, by what makes them: all monitors and sessions of a page share one. */
const shared = new Map<unknown, Shared>();

/** A host that somebody uses. */
export interface Lease {
  readonly link: Link;
  /** Ends the host once nobody uses it. */
  release(): void;
}

/**
 * Finds or makes the host that the options ask for. Where nobody asked for a worker and there can be none, the host is in this thread.
 *
 * @throws DriftglassError `worker-unavailable`
 */
export async function lease(options: HostOptions): Promise<Lease> {
  const { thread, local, worker } = runtime();
  if ((options.thread ?? (options.createWorker ? "worker" : thread)) === "main") return leased("main", local);
  if (!worker) throw new DriftglassError("worker-unavailable", `This runtime has no workers: leave out thread: "worker".`);
  try {
    return await leased(options.createWorker ?? "worker", () => worker(options.createWorker));
  } catch (error) {
    if (options.thread || options.createWorker) throw error;
    console.warn(`Driftglass works on the main thread. ${(error as Error).message}`);
    return leased("main", local);
  }
}

async function leased(key: unknown, make: () => Promise<Link>): Promise<Lease> {
  let entry = shared.get(key);
  if (!entry) shared.set(key, (entry = { link: make(), users: 0 }));
  const mine = entry;
  mine.users += 1;
  let held = true;
  const release = () => {
    if (!held) return;
    held = false;
    mine.users -= 1;
    if (mine.users > 0) return;
    if (shared.get(key) === mine) shared.delete(key);
    mine.link.then((link) => link.close(), () => undefined);
  };
  try {
    return { link: await mine.link, release };
  } catch (error) {
    release();
    throw error;
  }
}
