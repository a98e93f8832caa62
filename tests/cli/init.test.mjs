// `driftglass init` on the demo's flights, and on tables as people have them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { InferenceSession, Monitor, Tensor } from "driftglass";

import { onnx } from "../adapters/onnx.mjs";
import { driftglass, root } from "./cli.mjs";

const folder = mkdtempSync(join(tmpdir(), "driftglass-"));
after(() => rmSync(folder, { recursive: true }));
const at = (name, content) => {
  const path = join(folder, name);
  if (content !== undefined) writeFileSync(path, content);
  return path;
};
const FLIGHTS = [join(root, "demo/model/late-arrival-1.onnx"), join(root, "demo/data/flights.csv.gz")];
const COLUMNS = "numeric=dep_delay,hour,distance,temp,wind_speed,precip,visib,pressure";

/** Probabilities of two classes: the softmax of x and its negative, for inputs `x` and `kind`. */
const MODEL = onnx({
  inputs: [{ name: "x", dims: ["N", 1] }, { name: "kind", type: "int64", dims: ["N"] }],
  outputs: [{ name: "p", dims: ["N", 2] }],
  initializers: [{ name: "w", dims: [1, 2], data: Float32Array.of(1, -1) }],
  nodes: [{ op: "MatMul", inputs: ["x", "w"], outputs: ["s"] }, { op: "Softmax", inputs: ["s"], outputs: ["p"] }],
});

test("the demo's model and data give a spec that the centre and a monitor take", async (t) => {
  const output = at("flights.json");
  const said = await driftglass("init", ...FLIGHTS, "-o", output, "--columns", COLUMNS, "--outcome", "late", "--epsilon", "3");
  assert.equal(said.status, 0, said.stderr);
  assert.match(said.stdout, /16 metrics from 326,747 rows/);
  const spec = JSON.parse(readFileSync(output));
  const names = spec.measurement.metrics.map(({ name }) => name);
  assert.deepEqual(names.slice(-6), ["prediction", "confidence", "latency", "failed", "outcome", "prediction_and_outcome"]);
  const cells = (name) => spec.measurement.metrics.find((metric) => metric.name === name).cells;
  assert.equal(cells("dep_delay").edges[2], -2, "the median");
  assert.deepEqual(cells("temp").missing, true);
  assert.equal(cells("carrier").labels.length, 16);
  assert.deepEqual(spec.measurement.questions[0].randomizer.weight_true, 86266724207, "the largest integer below e³ · 2³²");

  let secs = 2264 * 604_800;
  const monitor = await Monitor.create({ spec, key: "key", store: "memory", consent: "granted", thread: "main", now: () => secs });
  const session = await monitor.wrap(await InferenceSession.create(readFileSync(FLIGHTS[0]), { thread: "main" }));
  // A device answers from the window after the one it joined in.
  secs += 604_800;
  const numeric = new Tensor("float32", Float32Array.of(-5, 18, 733, 64.9, 8, 0, 10, 1012), [1, 8]);
  const code = (value) => new Tensor("int64", BigInt64Array.of(value), [1]);
  await session.run({ numeric, carrier: code(3n), origin: code(1n) }, { key: "a" });
  monitor.outcome("a", 1);
  const profile = await monitor.inspect();
  assert.ok(profile.metrics.every(({ events }) => events === 1), "each metric saw the flight");
  secs += 604_800;
  assert.equal((await monitor.close())[0].report.length, 45);

  const binary = join(root, "target/release/driftglass");
  if (!existsSync(binary)) return t.diagnostic("spec check was left out: target/release/driftglass is not built");
  const checked = spawnSync(binary, ["spec", "check", output], { encoding: "utf8" });
  assert.equal(checked.status, 0, checked.stderr);
  assert.match(checked.stdout, /valid/);
});

test("columns that cannot be found are asked for", async () => {
  const said = await driftglass("init", ...FLIGHTS, "-o", at("none.json"));
  assert.equal(said.status, 2);
  assert.match(said.stderr, /which columns are numeric\? The file has departure, .*--columns numeric=A,B,… \(8 of them\)/);
  assert.equal(existsSync(at("none.json")), false);
});

test("quotes, line ends, semicolons, texts and gaps are read", async () => {
  const rows = Array.from({ length: 200 }, (_, row) => `${row % 50 === 0 ? "" : (row - 100) / 50};"${["a;b", 'say ""c""', "d\ne"][row % 3]}";${row % 2 ? "yes" : "no"}`);
  const data = at("quoted.csv", `\ufeffX;kind;answer\r\n${rows.join("\r\n")}\r\n\r\n`);
  const output = at("quoted.json");
  const said = await driftglass("init", at("m.onnx", MODEL), data, "-o", output, "--outcome", "answer", "--app", "quoted");
  assert.equal(said.status, 0, said.stderr);
  assert.match(said.stdout, /kind holds text where the model takes numbers/);
  const { app, measurement } = JSON.parse(readFileSync(output));
  const cells = Object.fromEntries(measurement.metrics.map(({ name, cells }) => [name, cells]));
  assert.equal(app, "quoted");
  assert.deepEqual(cells.kind.labels, ["a;b", "d\ne", 'say "c"']);
  assert.equal(cells.x.missing, true);
  assert.deepEqual(cells.outcome.labels, ["no", "yes"]);
  assert.deepEqual(cells.prediction.labels, ["no", "yes"], "classes have the outcome's names");
});

test("what is there is not overwritten, and bad files are named with the place", async () => {
  const model = at("m.onnx", MODEL);
  const good = at("good.csv", `x,kind\n${Array.from({ length: 20 }, (_, row) => `${row},${row % 3}`).join("\n")}\n`);
  const output = at("kept.json", "{}");
  const fails = async (message, ...args) => {
    const said = await driftglass("init", ...args);
    assert.equal(said.status, 2, said.stdout);
    assert.match(said.stderr, message);
  };
  await fails(/--force replaces it/, model, good, "-o", output);
  assert.equal(readFileSync(output, "utf8"), "{}");
  assert.equal((await driftglass("init", model, good, "-o", output, "--force")).status, 0);
  await fails(/row 3 has 1 fields, the row of names has 2/, model, at("short.csv", "x,kind\n1,2\n3\n"), "-o", at("n.json"));
  await fails(/a quoted field has no end/, model, at("open.csv", 'x,kind\n"1,2\n'), "-o", at("n.json"));
  await fails(/two columns are named x/, model, at("twice.csv", "x,x\n1,2\n"), "-o", at("n.json"));
  await fails(/no rows below its names/, model, at("empty.csv", "x,kind\n"), "-o", at("n.json"));
  await fails(/--epsilon must be from 0.01 to 8/, model, good, "--epsilon", "9", "-o", at("n.json"));
  await fails(/there is no column z; there are x, kind/, model, good, "--columns", "x=z", "-o", at("n.json"));
  await fails(/model/i, good, good, "-o", at("n.json"));
  await fails(/init takes a model and a file of data/, model);
});
