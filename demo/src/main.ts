/**
 * The demo: a year of flights from New York, watched without being seen.
 *
 * 1. The reference: the fleet's winter and spring, from the training data.
 * 2. The stream: the rest of the year, week by week, 4,043 devices, reports over HTTP to a real centre; verdicts beside the truth.
 * 3. Two runs of the reference against itself: its weeks dealt at random, where nothing drifts, and in their own order.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { referenceOf, type ProfileView } from "driftglass";

import { Centre } from "./centre.js";
import { loadFlights } from "./flights.js";
import { judge, score, type Judged, type Score } from "./judge.js";
import { Pool } from "./pool.js";
import { printReplay, printVerdicts } from "./print.js";
import { Progress } from "./progress.js";
import { replay, type Replay } from "./replay.js";
import { dealt, inOrder, REFERENCE, STREAM, WEEK_SECS, type Shifts, type Weeks } from "./schedule.js";
import { QUESTION_NAMES, sharesOver, truthOf } from "./truth.js";

/** One aircraft, one device. */
const DEVICES = 4043;
/** Threads that host them: one for each core the figures are quoted for. */
const THREADS = 2;
/** Seed of the order in which the null run deals the weeks. */
const NULL_SEED = 20_130_103;

const { values: options } = parseArgs({
  options: {
    "centre-binary": { type: "string" },
    "work-dir": { type: "string" },
    port: { type: "string", default: "8787" },
    summary: { type: "string" },
    exit: { type: "boolean", default: false },
  },
});
const binary = required("centre-binary");
const workDir = required("work-dir");
const here = (path: string) => new URL(path, import.meta.url).pathname;
const specPath = here("../../pkg-config.json");
const referencePath = join(workDir, "reference.json");
const spec = JSON.parse(readFileSync(specPath, "utf8")) as object;
const model = new Uint8Array(readFileSync(here("../model/late-arrival-1.onnx")));
mkdirSync(workDir, { recursive: true });

const flightsPath = here("../data/flights.csv.gz");
const flights = loadFlights(flightsPath);
const pool = new Pool(flights, THREADS);
const reference = await buildReference();

const stream = await run("stream", inOrder(flights, STREAM), STREAM, `127.0.0.1:${options.port}`);
const none = await run("null", dealt(flights, REFERENCE, NULL_SEED), REFERENCE, "127.0.0.1:0");
const ordered = await run("in order", inOrder(flights, REFERENCE), REFERENCE, "127.0.0.1:0");
await Promise.all([none.centre.stop(), ordered.centre.stop(), pool.stop()]);

printVerdicts(stream.judged);
printReplay("The rest of the year against winter and spring", stream.replay, stream.score);
printReplay("Null run: the reference's weeks dealt at random, so that nothing drifts", none.replay, none.score);
printReplay("The reference's weeks in their own order", ordered.replay, ordered.score);

const sound = [stream, none, ordered].every(({ replay }) => isSound(replay));
if (options.summary) writeFileSync(options.summary, JSON.stringify(summary(), null, 2) + "\n");
if (!sound) console.error("\nA report was lost, a cap was exceeded, or a monitor failed: see above.");

if (options.exit) {
  await stream.centre.stop();
  process.exit(sound ? 0 : 1);
}
console.log(`\nDashboard: ${stream.centre.url}/\nLive page: ${stream.centre.url}/live\nCtrl-C ends the demo.`);
process.once("SIGINT", () => void stream.centre.stop().then(() => process.exit(sound ? 0 : 1)));

interface Run {
  readonly centre: Centre;
  readonly replay: Replay;
  readonly judged: Judged[];
  readonly score: Score;
}

async function run(name: string, shifts: Shifts, weeks: Weeks, listen: string): Promise<Run> {
  const startSecs = (weeks.first - 1) * WEEK_SECS;
  const dataDir = join(workDir, name.replaceAll(" ", "-"));
  const centre = await Centre.start({ binary, dataDir, listen, startSecs, spec: specPath, reference: referencePath });
  const progress = new Progress(name.padEnd(9));
  const result = await replay({ pool, centre, flights, shifts, weeks, devices: DEVICES, spec, model, progress });
  const truth = truthOf(flights, shifts, result.late);
  const judged = judge(result.verdicts, truth, reference);
  return { centre, replay: result, judged, score: score(judged) };
}

/**
 * Runs the reference through the module and averages its sketches into the file that the centres read. Returns the truth of the reference, which other code
 * computes from the raw rows.
 */
async function buildReference(): Promise<Map<string, number[]>> {
  const shifts = inOrder(flights, REFERENCE);
  const joinSecs = REFERENCE.first * WEEK_SECS;
  const specId = await pool.create({ shifts, spec, model, endpoint: "none", key: "none", joinSecs }, DEVICES);
  const late = new Float64Array(flights.count).fill(Number.NaN);
  const profiles: ProfileView[] = [];
  const progress = new Progress("reference");
  for (let window = REFERENCE.first; window <= REFERENCE.last; window += 1) {
    for (const lived of await pool.live(window)) lived.rows.forEach((row, index) => (late[row] = lived.late[index]!));
    profiles.push(...(await pool.profiles(window)));
    progress.update((window - REFERENCE.first + 1) / (REFERENCE.last - REFERENCE.first + 1), `${profiles.length} device-weeks`);
  }
  progress.done();
  const lineage = {
    dataset: "demo/data/flights.csv.gz",
    dataset_sha256: createHash("sha256").update(readFileSync(flightsPath)).digest("hex"),
    windows: [REFERENCE.first, REFERENCE.last],
    model: "1.0.0",
  };
  writeFileSync(referencePath, JSON.stringify(referenceOf(spec, specId, profiles, lineage)));
  const truth = truthOf(flights, shifts, late);
  return new Map(QUESTION_NAMES.map((name) => [name, sharesOver(truth, name, REFERENCE.first, REFERENCE.last)]));
}

/** Nothing lost, nothing overspent, nothing failed. */
function isSound({ reports, spent, failures }: Replay): boolean {
  return reports.lost === 0 && failures === 0 && spent.every((cap) => cap.maxMicronats <= cap.capMicronats);
}

function summary(): object {
  const replayed = ({ replay, judged, score: total }: Run) => ({
    inferences: replay.inferences,
    seconds: replay.seconds,
    inferences_per_second: replay.inferences / replay.seconds,
    reports: replay.reports,
    spent: replay.spent,
    failures: replay.failures,
    score: total,
    questions: [...new Set(judged.map((one) => one.question))].map((name) => {
      const rows = judged.filter((one) => one.question === name);
      return { name, first_alert_window: rows.find((one) => one.verdict === "drift")?.window ?? null, score: score(rows), verdicts: rows };
    }),
  });
  return {
    devices: DEVICES,
    threads: THREADS,
    epsilon_per_report: stream.replay.verdicts.questions[0]!.epsilon,
    stream: replayed(stream),
    null_run: { seed: NULL_SEED, alarms: none.score.alarms, ...replayed(none) },
    reference_in_order: replayed(ordered),
  };
}

function required(name: "centre-binary" | "work-dir"): string {
  const value = options[name];
  if (value === undefined) {
    console.error(`--${name} is needed; run \`cargo xtask demo\``);
    process.exit(2);
  }
  return value;
}
