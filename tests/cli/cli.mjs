// Runs `driftglass` as a person would: the file that package.json names, in a process of its own.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

export const root = new URL("../../", import.meta.url).pathname;
const { bin } = JSON.parse(readFileSync(`${root}js/package.json`));

/** What it printed and how it ended. A server in this process goes on meanwhile. */
export function driftglass(...args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [`${root}js/${bin.driftglass}`, ...args]);
    const said = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"]) child[stream].on("data", (chunk) => (said[stream] += chunk));
    child.on("close", (status) => resolve({ status, ...said }));
  });
}
