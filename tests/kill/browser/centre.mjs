// The real centre, with a clock that the test moves.
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export class Centre {
  /** Registers specs in an empty folder and serves them. `keys` are their ingest keys, in order. */
  static async start(binary, folder, specs, startSecs) {
    const data = join(folder, "centre");
    const centre = new Centre();
    centre.keys = specs.map((spec, index) => {
      const file = join(folder, `spec-${index}.json`);
      writeFileSync(file, JSON.stringify(spec));
      const added = spawnSync(binary, ["spec", "add", file, "--data-dir", data, "--json"], { encoding: "utf8" });
      if (added.status !== 0) throw new Error(`driftglass spec add failed: ${added.stderr}`);
      return JSON.parse(added.stdout).ingest_key;
    });
    const clock = ["--clock", "simulated", "--start-secs", String(startSecs)];
    centre.process = spawn(binary, ["serve", "--data-dir", data, "--listen", "127.0.0.1:0", ...clock], { stdio: ["ignore", "pipe", "inherit"] });
    centre.url = await new Promise((resolve, reject) => {
      let printed = "";
      centre.process.once("exit", (status) => reject(new Error(`driftglass serve ended with status ${status}`)));
      centre.process.stdout.on("data", (chunk) => {
        const found = /http:\/\/[^\s/]+/.exec((printed += chunk));
        if (found) resolve(found[0]);
      });
    });
    centre.token = readFileSync(join(data, "admin-token"), "utf8").trim();
    return centre;
  }

  async advance(nowSecs) {
    const headers = { authorization: `Bearer ${this.token}`, "content-type": "application/json" };
    const response = await fetch(`${this.url}/v1/clock`, { method: "POST", headers, body: JSON.stringify({ now_secs: nowSecs }) });
    if (!response.ok) throw new Error(`the clock was answered with ${response.status}`);
  }

  /** What it counted: accepted, duplicate, late and the rest. */
  async counters() {
    return (await (await fetch(`${this.url}/v1/status`)).json()).counters;
  }

  stop() {
    this.process.removeAllListeners("exit");
    this.process.kill("SIGTERM");
  }
}
