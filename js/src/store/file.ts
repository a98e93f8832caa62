import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

import { DriftglassError } from "../errors.js";
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
 * Keeps state and outbox in one file, which is replaced as a whole: written beside, flushed to the disk, renamed, and the folder flushed. A lock file keeps
 * other processes and other stores on the same file out meanwhile. For Node, Deno and Bun.
 */
export class FileStore implements Store {
  readonly #path: string;
  #queue: Promise<unknown> = Promise.resolve();

  /** @param path the file; its folder is made if it does not exist */
  constructor(path: string) {
    this.#path = path;
  }

  transact(change: (state: StateBytes) => Commit | undefined): Promise<void> {
    return this.#exclusively(async () => {
      const contents = await this.#read();
      const commit = change(contents.state);
      if (!commit) return;
      contents.state = commit.state;
      if (commit.report) {
        contents.sequence += 1;
        const { bytes, createdSecs } = commit.report;
        contents.entries.push({ sequence: contents.sequence, report: bytes, createdSecs });
      }
      await this.#write(contents);
    });
  }

  outbox(limit: number): Promise<OutboxEntry[]> {
    return this.#exclusively(async () => (await this.#read()).entries.slice(0, limit));
  }

  remove(sequences: readonly number[]): Promise<void> {
    return this.#exclusively(async () => {
      const contents = await this.#read();
      const gone = new Set(sequences);
      contents.entries = contents.entries.filter((entry) => !gone.has(entry.sequence));
      await this.#write(contents);
    });
  }

  purge(): Promise<void> {
    return this.#exclusively(() => rm(this.#path, { force: true }));
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(() => this.#locked(work));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Holds the lock file while the work is done. */
  async #locked<T>(work: () => Promise<T>): Promise<T> {
    const lock = `${this.#path}.lock`;
    await mkdir(dirname(this.#path), { recursive: true }).catch((cause: unknown) => {
      throw failed(cause);
    });
    for (let waited = 0; !(await taken(lock)); waited += LOCK_POLL_MS) {
      if (waited >= LOCK_PATIENCE_MS) throw failed(new Error("the lock file is held by another process"));
      await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
    }
    try {
      return await work();
    } finally {
      await rm(lock, { force: true });
    }
  }

  async #read(): Promise<Contents> {
    let text: string;
    try {
      text = await readFile(this.#path, "utf8");
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return { state: undefined, sequence: 0, entries: [] };
      throw failed(cause);
    }
    try {
      return JSON.parse(text, revive) as Contents;
    } catch (cause) {
      throw failed(cause);
    }
  }

  async #write(contents: Contents): Promise<void> {
    const beside = `${this.#path}.new`;
    try {
      const file = await open(beside, "w", 0o600);
      await file.writeFile(JSON.stringify(contents, replace));
      await file.sync();
      await file.close();
      await rename(beside, this.#path);
      const folder = await open(dirname(this.#path));
      await folder.sync();
      await folder.close();
    } catch (cause) {
      throw failed(cause);
    }
  }
}

/** Makes the lock file; false if another holds it. One that outlived any transaction belongs to a process that died. */
async function taken(lock: string): Promise<boolean> {
  try {
    await (await open(lock, "wx")).close();
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw failed(cause);
    const age = await stat(lock).then(({ mtimeMs }) => Date.now() - mtimeMs, () => 0);
    if (age > LOCK_STALE_MS) await rm(lock, { force: true });
    return false;
  }
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
