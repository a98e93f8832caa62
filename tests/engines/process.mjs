// Finding and ending processes of a browser, by what Linux tells in /proc.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";

/** The engine is not installed here. */
export class EngineMissing extends Error {
  constructor(engine, path, debianPackage) {
    super(`${engine} is not here (${path}). On Debian or Ubuntu type:\n  apt-get install -y ${debianPackage}`);
    this.name = "EngineMissing";
  }
}

/** Throws `EngineMissing` unless the file exists. */
export function mustExist(engine, path, debianPackage) {
  if (!existsSync(path)) throw new EngineMissing(engine, path, debianPackage);
  return path;
}

/** All processes as `{ pid, parent, command }`; those that end meanwhile are left out. */
async function processes() {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(names.map(async (name) => {
    try {
      const [stat, command] = await Promise.all([readFile(`/proc/${name}/stat`, "utf8"), readFile(`/proc/${name}/cmdline`, "utf8")]);
      const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return { pid: Number(name), parent: Number(parent), command: command.replaceAll("\0", " ").trim() };
    } catch {
      return undefined;
    }
  }));
  return found.filter(Boolean);
}

/** A process and all that it started, the process first. */
export async function tree(pid) {
  const all = await processes();
  const found = all.filter((one) => one.pid === pid);
  for (const { pid: parent } of found) found.push(...all.filter((one) => one.parent === parent));
  return found;
}

/** The descendants of a process whose command line matches. */
export async function descendants(pid, pattern) {
  const [, ...below] = await tree(pid);
  return below.filter(({ command }) => pattern.test(command));
}

/** Ends processes at once; one that is gone already is no error. */
export function end(found) {
  for (const { pid } of found) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  }
}

/** Waits until none of the processes runs. */
export async function gone(found) {
  const pids = new Set(found.map(({ pid }) => pid));
  for (;;) {
    const still = (await processes()).some(({ pid, command }) => pids.has(pid) && command !== "");
    if (!still) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
