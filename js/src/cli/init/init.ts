/** `driftglass init`: a spec to begin with, from a model and rows of its data. */
import { access, readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";

import { InferenceSession, Monitor } from "../../entry/node.js";
import { bind } from "./bind.js";
import { compose } from "./compose.js";
import { table } from "./csv.js";
import { probe } from "./probe.js";

/** What is asked. */
export interface InitOptions {
  readonly model: string;
  /** CSV, or the same with gzip. */
  readonly data: string;
  readonly output?: string;
  readonly app?: string;
  readonly columns?: readonly string[];
  readonly outcome?: string;
  readonly epsilon?: string;
  readonly endpoint?: string;
  readonly force?: boolean;
}

/** Where `driftglass serve` listens on one's own machine. */
const LOCAL = "http://127.0.0.1:8787/v1/reports";

/** Writes the spec, tried with the model, and returns what a person reads. */
export async function begin({ model, data, output = "pkg-config.json", columns = [], outcome, endpoint = LOCAL, force = false, ...given }: InitOptions): Promise<string> {
  const epsilon = Number(given.epsilon ?? 2);
  if (!(epsilon >= 0.01 && epsilon <= 8)) throw new Error("--epsilon must be from 0.01 to 8");
  if (!force && (await exists(output))) throw new Error(`${output} is there already: --force replaces it, -o writes elsewhere`);
  const app = given.app ?? basename(model).replace(/\.onnx$/, "").toLowerCase().replace(/[^a-z0-9-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 64);
  const session = await InferenceSession.create(new Uint8Array(await readFile(model)), { thread: "main" });
  try {
    const rows = table(await text(data));
    const bound = bind(session.inputMetadata, rows, columns, outcome === undefined ? [] : [outcome]);
    const outputs = await probe(session, bound, rows);
    const { spec, notes } = compose(session.sha256, bound, outputs, rows, { app, outcome, epsilon, endpoint });
    await tried(spec, session);
    await writeFile(output, `${JSON.stringify(spec, undefined, 2)}\n`);
    return said(output, spec as Composed, rows.total, notes, epsilon);
  } finally {
    await session.release();
  }
}

interface Composed {
  readonly measurement: { readonly metrics: readonly { readonly name: string }[]; readonly questions: readonly { readonly randomizer: object }[] };
}

/** Fails if a monitor would refuse the spec, or the spec the model. */
async function tried(spec: object, session: InferenceSession): Promise<void> {
  const monitor = await Monitor.create({ spec, key: "init", store: "memory", consent: "unknown", thread: "main" });
  try {
    await monitor.wrap(session);
  } finally {
    await monitor.dispose();
  }
}

function said(output: string, { measurement }: Composed, rows: number, notes: readonly string[], epsilon: number): string {
  const names = measurement.metrics.map(({ name }) => name).join(", ");
  return [
    `${output}: ${measurement.metrics.length} metrics from ${rows.toLocaleString("en")} rows, a question about each, ε = ${epsilon} an answer, one answer a week.`,
    `  ${names}`,
    ...notes.map((note) => `! ${note}`),
    "Next:",
    "  read it: bins, labels, weights and deltas are guesses from the data (docs/spec.md explains each field)",
    `  driftglass plan --spec ${output} --fleet N     which shifts a fleet of N devices can find`,
    `  driftglass spec check ${output}                after each change`,
    "  questions with many cells: remove their randomizer, and driftglass spec freeze chooses the best one",
  ].join("\n");
}

async function text(path: string): Promise<string> {
  const bytes = await readFile(path);
  return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString("utf8");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}
