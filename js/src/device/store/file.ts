import { access, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

import { DriftglassError } from "../../errors.js";
import type { Uploads } from "../uploads.js";
import { decode, encode } from "./codec.js";
import { FileLock } from "./file-lock.js";
import { Parts, syncFolder } from "./parts.js";
import { DEVICE_CAPS, firstSequence, type Commit, type OutboxEntry, type SketchBytes, type StateBytes, type Store } from "./store.js";

/** Reports that the file itself holds. When there are more they move to a part, so that a commit writes a few kilobytes whatever waits. */
const YOUNG = 64;

/** What the file says. */
interface Head {
  readonly state: Uint8Array | undefined;
  readonly sequence: number;
  /** The youngest reports. */
  readonly entries: readonly OutboxEntry[];
  /** Parts with older reports, the oldest first. */
  readonly older: readonly Older[];
  /** Part that holds the sketches. */
  readonly sketches: string | undefined;
  readonly uploads: Uploads | undefined;
}

/** A part that holds reports, between two sequences. */
interface Older {
  readonly part: string;
  readonly first: number;
  readonly last: number;
}

const EMPTY: Omit<Head, "sequence"> = { state: undefined, entries: [], older: [], sketches: undefined, uploads: undefined };

/**
 * Keeps state, sketches and outbox in a file, which is replaced as a whole: written beside, flushed to the disk, renamed, and the
 * folder flushed. A lock keeps other processes and other stores on the same file out meanwhile (`FileLock`). Sketches and all but the youngest reports lie in parts beside it, which the file names
 * (`Parts`): replacing the file commits them too. For Node, Deno and Bun.
 *
 * Processes that share a file share one device. Each sends what waits: then a report may arrive twice, and counts once.
 */
export class FileStore implements Store {
  readonly caps = DEVICE_CAPS;
  readonly #path: string;
  readonly #lock: FileLock;
  readonly #parts: Parts;
  #queue: Promise<unknown> = Promise.resolve();

  /** @param path the file; its folder is made with it if it does not exist */
  constructor(path: string) {
    this.#path = path;
    this.#lock = new FileLock(path);
    this.#parts = new Parts(path);
  }

  /** As {@link Store} promises, among all processes that use the file. */
  async transact(change: (state: StateBytes, sketches?: SketchBytes) => Commit | undefined): Promise<void> {
    if (!(await this.#exists()) && !change(undefined)) return;
    let thrown: { error: unknown } | undefined;
    await this.#exclusively(async (draft) => {
      const head = await this.#read();
      const sketches = await this.#sketches(head);
      let commit: Commit | undefined;
      try {
        commit = change(head.state, sketches);
      } catch (error) {
        thrown = { error };
      }
      if (commit) await this.#write(await this.#after(head, commit), head, draft);
    });
    if (thrown) throw thrown.error;
  }

  async saveSketches(change: (state: StateBytes, sketches?: SketchBytes) => Uint8Array | undefined): Promise<void> {
    await this.transact((state, sketches) => {
      const after = state && change(state, sketches);
      return state && after && { state, sketches: after };
    });
  }

  /** Without the lock: the file is always whole, and so are its parts unless they are being replaced. */
  async outbox(limit: number): Promise<OutboxEntry[]> {
    let head = await this.#read();
    for (;;) {
      try {
        return await this.#waiting(head, limit);
      } catch (cause) {
        const now = await this.#read();
        if (encode(now.older) === encode(head.older)) throw failed(cause);
        head = now;
      }
    }
  }

  async remove(sequences: readonly number[], note?: (uploads: Uploads | undefined) => Uploads): Promise<void> {
    if (!(await this.#exists())) return;
    await this.#exclusively(async (draft) => {
      const head = await this.#read();
      if (head.state === undefined) return;
      const gone = new Set(sequences);
      const left = (entries: readonly OutboxEntry[]) => entries.filter((entry) => !gone.has(entry.sequence));
      const older: Older[] = [];
      for (const part of head.older) {
        if (!sequences.some((sequence) => sequence >= part.first && sequence <= part.last)) older.push(part);
        else older.push(...(await this.#moved(left(await this.#entries(part)))));
      }
      const uploads = note ? note(head.uploads) : head.uploads;
      await this.#write({ ...head, entries: left(head.entries), older, uploads }, head, draft);
    });
  }

  async uploads(): Promise<Uploads | undefined> {
    return (await this.#read()).uploads;
  }

  async purge(): Promise<void> {
    // A purge that was cut off may have left parts without a file.
    if ((await this.#exists()) || (await this.#parts.exists())) {
      await this.#exclusively(async () => {
        // The file first: with it the secret goes.
        await rm(this.#path, { force: true });
        await this.#parts.purge();
      });
    }
    await this.#lock.sweep();
  }

  #exists(): Promise<boolean> {
    return access(this.#path).then(() => true, (cause: unknown) => {
      if (isAbsent(cause)) return false;
      throw failed(cause);
    });
  }

  #exclusively(work: (draft: string) => Promise<void>): Promise<void> {
    const result = this.#queue.then(() => this.#lock.hold(work)).catch((cause: unknown) => {
      throw failed(cause);
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #read(): Promise<Head> {
    let text: string;
    try {
      text = await readFile(this.#path, "utf8");
    } catch (cause) {
      if (isAbsent(cause)) return { ...EMPTY, sequence: firstSequence() };
      throw failed(cause);
    }
    try {
      return { ...EMPTY, ...(decode(text) as Head) };
    } catch (cause) {
      throw failed(cause);
    }
  }

  /** Sketches whose part is gone are begun anew; the ledger does not depend on them. */
  async #sketches(head: Head): Promise<SketchBytes> {
    if (head.sketches === undefined) return undefined;
    return this.#parts.read(head.sketches).catch(() => undefined) as Promise<SketchBytes>;
  }

  async #waiting(head: Head, limit: number): Promise<OutboxEntry[]> {
    const entries: OutboxEntry[] = [];
    for (const older of head.older) {
      if (entries.length < limit) entries.push(...(await this.#entries(older)));
    }
    return [...entries, ...head.entries].slice(0, limit);
  }

  async #entries({ part }: Older): Promise<OutboxEntry[]> {
    return (await this.#parts.read(part)) as OutboxEntry[];
  }

  /** What the file will say after a commit. */
  async #after(head: Head, commit: Commit): Promise<Head> {
    const sketches = commit.sketches ? await this.#parts.write(commit.sketches) : head.sketches;
    const after = { ...head, state: commit.state, sketches };
    if (!commit.report) return after;
    const sequence = head.sequence + 1;
    const entries = [...head.entries, { sequence, report: commit.report.bytes, createdSecs: commit.report.createdSecs }];
    if (entries.length <= YOUNG) return { ...after, sequence, entries };
    return { ...after, sequence, entries: [], older: [...head.older, ...(await this.#moved(entries))] };
  }

  /** Moves reports to a part; to none if there are none. */
  async #moved(entries: readonly OutboxEntry[]): Promise<Older[]> {
    if (entries.length === 0) return [];
    return [{ part: await this.#parts.write(entries), first: entries[0]!.sequence, last: entries.at(-1)!.sequence }];
  }

  async #write(head: Head, before: Head, draft: string): Promise<void> {
    const [named, namedBefore] = [parts(head), parts(before)];
    await this.#parts.sweep(new Set([...named, ...namedBefore]));
    try {
      // Not made anew: a draft that is gone means that the lock was taken away.
      const file = await open(draft, "r+");
      try {
        await file.writeFile(encode(head));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, this.#path);
    } catch (cause) {
      await this.#parts.remove([...named].filter((part) => !namedBefore.has(part)));
      throw failed(cause);
    }
    await syncFolder(dirname(this.#path));
    await this.#parts.remove([...namedBefore].filter((part) => !named.has(part)));
  }
}

/** Names of the parts that count. */
function parts({ older, sketches }: Head): Set<string> {
  return new Set([...older.map(({ part }) => part), ...(sketches === undefined ? [] : [sketches])]);
}

function isAbsent(cause: unknown): boolean {
  return (cause as NodeJS.ErrnoException).code === "ENOENT";
}

function failed(cause: unknown): DriftglassError {
  if (cause instanceof DriftglassError) return cause;
  return new DriftglassError("store-failed", "The device's file could not be read or written; nothing was reported.", { cause });
}
