/** A centre of its own for each replay: the real binary, a real port, a simulated clock. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Verdicts as `GET /v1/specs/{spec_id}/verdicts` gives them; see docs/http-api.md. */
export interface Verdicts {
  readonly level: number;
  readonly questions: readonly QuestionVerdicts[];
}

export interface QuestionVerdicts {
  readonly name: string;
  readonly metric: string;
  readonly delta: number;
  readonly epsilon: number;
  readonly first_alert_window: number | null;
  readonly windows: readonly WindowVerdict[];
}

export interface WindowVerdict {
  readonly window: number;
  readonly span_first_window: number;
  readonly span_reports: number;
  readonly wald: { readonly p_value: number } | null;
  readonly effect: { readonly estimate: number; readonly lower: number; readonly upper: number } | null;
  readonly verdict: "drift" | "stable" | "inconclusive" | "waiting";
}

export class Centre {
  readonly url: string;
  readonly key: string;
  #process: ChildProcess;
  #token: string;

  private constructor(url: string, key: string, process: ChildProcess, token: string) {
    this.url = url;
    this.key = key;
    this.#process = process;
    this.#token = token;
  }

  /** Registers the spec in an empty data directory and starts serving it. */
  static async start(options: {
    binary: string;
    dataDir: string;
    listen: string;
    startSecs: number;
    spec: string;
    reference: string;
  }): Promise<Centre> {
    rmSync(options.dataDir, { recursive: true, force: true });
    mkdirSync(options.dataDir, { recursive: true });
    const add = ["spec", "add", options.spec, "--data-dir", options.dataDir, "--reference", options.reference, "--json"];
    const added = spawnSync(options.binary, add, { encoding: "utf8" });
    if (added.status !== 0) throw new Error(`driftglass spec add failed: ${added.stderr}`);
    const { ingest_key: key } = JSON.parse(added.stdout) as { ingest_key: string };
    const serve = ["serve", "--data-dir", options.dataDir, "--listen", options.listen];
    const clock = ["--clock", "simulated", "--start-secs", String(options.startSecs)];
    const process = spawn(options.binary, [...serve, ...clock], { stdio: ["ignore", "pipe", "inherit"] });
    const url = await addressOf(process);
    const token = readFileSync(join(options.dataDir, "admin-token"), "utf8").trim();
    return new Centre(url, key, process, token);
  }

  /** Moves the simulated clock forward. */
  async advance(nowSecs: number): Promise<void> {
    await this.#json("/v1/clock", {
      method: "POST",
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
      body: JSON.stringify({ now_secs: nowSecs }),
    });
  }

  async verdicts(specId: string): Promise<Verdicts> {
    return (await this.#json(`/v1/specs/${specId}/verdicts`)) as Verdicts;
  }

  /** What the centre counted: accepted, duplicate, late and the rest. */
  async counters(): Promise<Record<string, number>> {
    return ((await this.#json("/v1/status")) as { counters: Record<string, number> }).counters;
  }

  /** Asks it to end, and waits until it has. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGTERM");
    await ended;
  }

  async #json(path: string, request?: RequestInit): Promise<unknown> {
    const response = await fetch(this.url + path, request);
    if (!response.ok) throw new Error(`${path} was answered with ${response.status}: ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  }
}

/** The address in the line that the centre prints when it is ready. */
function addressOf(process: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = "";
    process.once("exit", (status) => reject(new Error(`driftglass serve ended with status ${status}`)));
    process.stdout!.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      const found = /http:\/\/[^\s/]+/.exec(printed);
      if (found) resolve(found[0]);
    });
  });
}
