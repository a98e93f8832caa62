// A centre of its own for a test: the real binary, a real port, a simulated clock, an empty database.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class Centre {
  /** Registers a spec and starts serving it. `reference` is the path of one, if there is one. */
  static async start({ binary, spec, startSecs, reference }) {
    const centre = new Centre();
    centre.directory = mkdtempSync(join(tmpdir(), "driftglass-centre-"));
    const [file, data] = [join(centre.directory, "spec.json"), join(centre.directory, "data")];
    writeFileSync(file, typeof spec === "string" ? spec : JSON.stringify(spec));
    const add = ["spec", "add", file, "--data-dir", data, "--json", ...(reference ? ["--reference", reference] : [])];
    const added = spawnSync(binary, add, { encoding: "utf8" });
    if (added.status !== 0) throw new Error(`driftglass spec add failed: ${added.stderr ?? added.error}`);
    centre.key = JSON.parse(added.stdout).ingest_key;
    const clock = ["--clock", "simulated", "--start-secs", String(startSecs)];
    const serve = ["serve", "--data-dir", data, "--listen", "127.0.0.1:0", ...clock];
    centre.process = spawn(binary, serve, { stdio: ["ignore", "pipe", "inherit"] });
    centre.url = await addressOf(centre.process);
    centre.token = readFileSync(join(data, "admin-token"), "utf8").trim();
    return centre;
  }

  /** Where reports go. */
  get endpoint() {
    return `${this.url}/v1/reports`;
  }

  /** Moves the clock forward. */
  async advance(nowSecs) {
    const headers = { authorization: `Bearer ${this.token}`, "content-type": "application/json" };
    const body = JSON.stringify({ now_secs: nowSecs });
    const response = await fetch(`${this.url}/v1/clock`, { method: "POST", headers, body });
    if (!response.ok) throw new Error(`the clock was not moved: ${await response.text()}`);
  }

  /** Reports accepted, duplicate, late and the rest, since the start. */
  async counters() {
    return (await (await fetch(`${this.url}/v1/status`)).json()).counters;
  }

  async stop() {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGTERM");
    await ended;
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The address in the line that the centre prints when it is ready. */
function addressOf(process) {
  return new Promise((resolve, reject) => {
    let printed = "";
    process.once("error", reject);
    process.once("exit", (status) => reject(new Error(`driftglass serve ended with status ${status}`)));
    process.stdout.on("data", (chunk) => {
      const found = /http:\/\/[^\s/]+/.exec((printed += chunk));
      if (found) resolve(found[0]);
    });
  });
}
