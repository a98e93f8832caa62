import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { DriftglassError } from "../../errors.js";
import type { Commit, OutboxEntry, StateBytes, Store } from "./store.js";

const LOCK_POLL_MS = 5;
const LOCK_PATIENCE_MS = 60_000;
const LOCK_STALE_MS = 30_000;

interface Contents {
  state: Uint8Array | undefined;
  sequence: number;
  entries: OutboxEntry[];
}

/**
 * Keeps state and outbox in one file, which is replaced as a whole: written beside, flushed to the disk, renamed, and the
 * folder flushed. A lock keeps other processes and other stores on the same file out meanwhile. For Node, Deno and Bun.
 *
 * The lock is a folder that holds one draft, named by its owner alone. It is taken by renaming a folder with a draft in it
 * onto the lock, which succeeds only while there is none or it is empty. A commit renames the draft to the file: one step
 * that commits and gives the lock back. So a lock can be taken from an owner that seems dead by removing its draft: should
 * the owner only have slept, it has nothing left to commit with.
 */
export class FileStore implements Store {
  readonly #path: string;
  #queue: Promise<unknown> = Promise.resolve();

  /** @param path the file; its folder is made if it does not exist */
  constructor(path: string) {
    this.#path = path;
  }

  transact(change: (state: StateBytes) => Commit | undefined): Promise<void> {
    return this.#exclusively(async (draft) => {
      const contents = await this.#read();
      const commit = change(contents.state);
      if (!commit) return;
      contents.state = commit.state;
      if (commit.report) {
        contents.sequence += 1;
        const { bytes, createdSecs } = commit.report;
        contents.entries.push({ sequence: contents.sequence, report: bytes, createdSecs });
      }
      await this.#write(contents, draft);
    });
  }

  outbox(limit: number): Promise<OutboxEntry[]> {
    return this.#exclusively(async () => (await this.#read()).entries.slice(0, limit));
  }

  remove(sequences: readonly number[]): Promise<void> {
    return this.#exclusively(async (draft) => {
      const contents = await this.#read();
      const gone = new Set(sequences);
      contents.entries = contents.entries.filter((entry) => !gone.has(entry.sequence));
      await this.#write(contents, draft);
    });
  }

  purge(): Promise<void> {
    return this.#exclusively(() => rm(this.#path, { force: true }));
  }

  #exclusively<T>(work: (draft: string) => Promise<T>): Promise<T> {
    const result = this.#queue.then(() => this.#locked(work));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Holds the lock while the work is done; gives it the path of the draft. */
  async #locked<T>(work: (draft: string) => Promise<T>): Promise<T> {
    const lock = `${this.#path}.lock`;
    const name = await taken(lock).catch((cause: unknown) => {
      throw failed(cause);
    });
    const draft = join(lock, name);
    try {
      return await work(draft);
    } finally {
      // After a commit the draft is gone; a folder that another has taken meanwhile is not empty, and stays.
      await rm(draft, { force: true });
      await rmdir(lock).catch(() => undefined);
    }
  }

  async #read(): Promise<Contents> {
    let text: string;
    try {
      text = await readFile(this.#path, "utf8");
    } catch (cause) {
      if (code(cause) === "ENOENT") return { state: undefined, sequence: 0, entries: [] };
      throw failed(cause);
    }
    try {
      return JSON.parse(text, revive) as Contents;
    } catch (cause) {
      throw failed(cause);
    }
  }

  async #write(contents: Contents, draft: string): Promise<void> {
    try {
      // Not made anew: a draft that is gone means that the lock was taken away.
      const file = await open(draft, "r+");
      try {
        await file.writeFile(JSON.stringify(contents, replace));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, this.#path);
      const folder = await open(dirname(this.#path));
      await folder.sync();
      await folder.close();
    } catch (cause) {
      throw failed(cause);
    }
  }
}

/** Takes the lock and returns the name of the draft in it. */
async function taken(lock: string): Promise<string> {
  const name = randomUUID();
  const mine = `${lock}.${name}`;
  await mkdir(mine, { recursive: true });
  try {
    await writeFile(join(mine, name), "", { mode: 0o600 });
    for (let waited = 0; waited < LOCK_PATIENCE_MS; waited += LOCK_POLL_MS) {
      // Its age is the age of the lock.
      const now = new Date();
      await utimes(join(mine, name), now, now);
      if (await renamed(mine, lock)) return name;
      await removeStale(lock);
      await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
    }
    throw new Error(`the lock ${basename(lock)} is held by another process`);
  } catch (cause) {
    await rm(mine, { recursive: true, force: true });
    throw cause;
  }
}

/** Renames the folder onto the lock; false if that holds a draft. */
async function renamed(mine: string, lock: string): Promise<boolean> {
  try {
    await rename(mine, lock);
    return true;
  } catch (cause) {
    // Windows says EPERM, and also of a lock that is empty: removing it can only help.
    if (!["ENOTEMPTY", "EEXIST", "EPERM"].includes(code(cause) ?? "")) throw cause;
    if (code(cause) === "EPERM") await rmdir(lock).catch(() => undefined);
    return false;
  }
}

/** Removes drafts that outlived any transaction. By name, so that a lock taken meanwhile is never meant. */
async function removeStale(lock: string): Promise<void> {
  for (const name of await readdir(lock).catch(() => [])) {
    const draft = join(lock, name);
    const age = await stat(draft).then(({ mtimeMs }) => Date.now() - mtimeMs, () => 0);
    if (age > LOCK_STALE_MS) await unlink(draft).catch(() => undefined);
  }
}

function code(cause: unknown): string | undefined {
  return (cause as NodeJS.ErrnoException).code;
}

function replace(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? { base64: Buffer.from(value).toString("base64") } : value;
}

function revive(_key: string, value: unknown): unknown {
  const bytes = typeof value === "object" && value !== null && "base64" in value ? value.base64 : undefined;
  return typeof bytes === "string" ? new Uint8Array(Buffer.from(bytes, "base64")) : value;
}

function failed(cause: unknown): DriftglassError {
  return new DriftglassError("store-failed", "The device's file could not be read or written; nothing was reported.", { cause });
}
