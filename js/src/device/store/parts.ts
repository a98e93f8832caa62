import { randomUUID } from "node:crypto";
import { access, mkdir, open, readdir, readFile, rm, unlink } from "node:fs/promises";
import { join } from "node:path";

import { decode, encode } from "./codec.js";

/**
 * Files beside the file of a store that hold what need not be written anew with every commit. A part is written once and never changed; the file names those that
 * count. One that it does not name was left by a process that ended before its commit, or by a commit that replaced it.
 */
export class Parts {
  readonly #folder: string;
  #swept = false;

  /** @param path the store's file */
  constructor(path: string) {
    this.#folder = `${path}.parts`;
  }

  /** Writes a part, down to the disk, and returns its name. */
  async write(value: unknown): Promise<string> {
    await mkdir(this.#folder, { recursive: true });
    const name = randomUUID();
    const file = await open(join(this.#folder, name), "wx", 0o600);
    try {
      await file.writeFile(encode(value));
      await file.sync();
    } finally {
      await file.close();
    }
    await syncFolder(this.#folder);
    return name;
  }

  async read(name: string): Promise<unknown> {
    return decode(await readFile(join(this.#folder, name), "utf8"));
  }

  /** Removes parts that do not count. */
  async remove(names: Iterable<string>): Promise<void> {
    for (const name of names) await unlink(join(this.#folder, name)).catch(() => undefined);
  }

  /** Removes all but the parts that count; once. Only the owner of the lock may ask for it: nobody else is about to name a part. */
  async sweep(named: ReadonlySet<string>): Promise<void> {
    if (this.#swept) return;
    this.#swept = true;
    const names = await readdir(this.#folder).catch(() => []);
    await this.remove(names.filter((name) => !named.has(name)));
  }

  exists(): Promise<boolean> {
    return access(this.#folder).then(() => true, () => false);
  }

  async purge(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Makes names in a folder last. Windows opens no folders; there it is left to the system. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => undefined);
  await folder?.sync();
  await folder?.close();
}
