import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, rmdir, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

const POLL_MS = 5;
const PATIENCE_MS = 60_000;
const STALE_MS = 30_000;

/**
 * Keeps other processes, and other stores on the same file, out while work is done.
 *
 * The lock is a folder that holds one draft, named by its owner alone. It is taken by renaming a folder with a draft in it
 * onto the lock, which succeeds only while there is none or it is empty. A commit renames the draft to the file: one step
 * that commits and gives the lock back. So a lock can be taken from an owner that seems dead by removing its draft: should
 * the owner only have slept, it has nothing left to commit with.
 */
export class FileLock {
  readonly #lock: string;

  /** @param path the file that is guarded */
  constructor(path: string) {
    this.#lock = `${path}.lock`;
  }

  /** Holds the lock while the work is done; gives it the path of the draft. */
  async hold<T>(work: (draft: string) => Promise<T>): Promise<T> {
    const draft = join(this.#lock, await this.#take());
    try {
      return await work(draft);
    } finally {
      // After a commit the draft is gone; a folder that another has taken meanwhile is not empty, and stays.
      await rm(draft, { force: true });
      await rmdir(this.#lock).catch(() => undefined);
    }
  }

  /** Removes what processes left behind that ended while they waited for the lock. */
  async sweep(): Promise<void> {
    const [folder, prefix] = [dirname(this.#lock), `${basename(this.#lock)}.`];
    for (const name of await readdir(folder).catch(() => [])) {
      if (name.startsWith(prefix) && (await age(join(folder, name, name.slice(prefix.length)))) > STALE_MS) {
        await rm(join(folder, name), { recursive: true, force: true });
      }
    }
  }

  /** Takes the lock and returns the name of the draft in it. */
  async #take(): Promise<string> {
    const name = randomUUID();
    const mine = `${this.#lock}.${name}`;
    await mkdir(mine, { recursive: true });
    try {
      await writeFile(join(mine, name), "", { mode: 0o600 });
      for (let waited = 0; waited < PATIENCE_MS; waited += POLL_MS) {
        // Its age is the age of the lock.
        const now = new Date();
        await utimes(join(mine, name), now, now);
        if (await renamed(mine, this.#lock)) return name;
        await removeStale(this.#lock);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      throw new Error(`the lock ${basename(this.#lock)} is held by another process`);
    } catch (cause) {
      await rm(mine, { recursive: true, force: true });
      throw cause;
    }
  }
}

/** Renames the folder onto the lock; false if that holds a draft. */
async function renamed(mine: string, lock: string): Promise<boolean> {
  try {
    await rename(mine, lock);
    return true;
  } catch (cause) {
    // Windows says EPERM, and also of a lock that is empty: removing it can only help.
    const { code } = cause as NodeJS.ErrnoException;
    if (!["ENOTEMPTY", "EEXIST", "EPERM"].includes(code ?? "")) throw cause;
    if (code === "EPERM") await rmdir(lock).catch(() => undefined);
    return false;
  }
}

/** Removes drafts that outlived any transaction. By name, so that a lock taken meanwhile is never meant. */
async function removeStale(lock: string): Promise<void> {
  for (const name of await readdir(lock).catch(() => [])) {
    if ((await age(join(lock, name))) > STALE_MS) await unlink(join(lock, name)).catch(() => undefined);
  }
}

/** Milliseconds since a file was touched; 0 if it is gone. */
function age(path: string): Promise<number> {
  return stat(path).then(({ mtimeMs }) => Date.now() - mtimeMs, () => 0);
}
