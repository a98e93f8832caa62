// What `wrap` costs around onnxruntime-web: plain and watched calls in turn, in one process, on a small and a large model.
//
//   node tests/adapters/overhead.mjs [--quick]
//
// A difference is taken for each pair of neighbors, whose order alternates, so that a busy machine slows both alike. The bound: a median of 20 µs or 1 %.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import * as ort from "onnxruntime-web";

import { dense } from "./onnx.mjs";
import { category, numeric, watching } from "./watching.mjs";

const BOUND_US = 20;
const BOUND_SHARE = 0.01;
const quick = process.argv.includes("--quick");

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "fatal";

const flight = readFileSync(new URL("../../demo/model/late-arrival-1.onnx", import.meta.url));
const CASES = [
  {
    name: "small: the demo's model",
    bytes: flight,
    calls: 4000,
    metrics: {
      dep_delay: [{ kind: "input", tensor: "numeric", index: 0 }, numeric(-6, -3, 0, 15, 45)],
      hour: [{ kind: "input", tensor: "numeric", index: 1 }, numeric(8, 12, 15, 18)],
      temperature: [{ kind: "input", tensor: "numeric", index: 3 }, numeric(35, 47, 60, 75)],
      carrier: [{ kind: "input", tensor: "carrier", index: 0 }, category("9E", "AA", "AS", "B6", "DL", "EV")],
      prediction: [{ kind: "argmax", tensor: "probabilities" }, category("on time", "late")],
      confidence: [{ kind: "max", tensor: "probabilities" }, numeric(0.75, 0.9, 0.97)],
      latency: [{ kind: "latency" }, numeric(0.1, 1, 10, 100)],
    },
    feeds: () => ({
      numeric: new ort.Tensor("float32", Float32Array.of(-5, 18, 733, 64.9, 8, 0, 10, 1012), [1, 8]),
      carrier: new ort.Tensor("int64", BigInt64Array.of(3n), [1]),
      origin: new ort.Tensor("int64", BigInt64Array.of(1n), [1]),
    }),
  },
  {
    name: "large: three dense layers of 1024 × 1024",
    bytes: dense(1024, 3),
    calls: 400,
    metrics: {
      first: [{ kind: "input", tensor: "x", index: 0 }, numeric(0)],
      prediction: [{ kind: "argmax", tensor: "y" }, category(...Array.from({ length: 1021 }, (_, index) => `class ${index}`))],
      latency: [{ kind: "latency" }, numeric(0.1, 1, 10, 100)],
    },
    feeds: () => ({ x: new ort.Tensor("float32", Float32Array.from({ length: 1024 }, (_, at) => Math.sin(at)), [1, 1024]) }),
  },
];

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const us = (value) => value.toFixed(1).padStart(9);

let held = true;
console.log(`${"".padEnd(42)} plain µs  watched µs  difference µs     share`);
for (const { name, bytes, calls, metrics, feeds } of CASES) {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const session = await ort.InferenceSession.create(bytes);
  const { monitor, counts } = await watching(metrics, { sha256 });
  const watched = await monitor.wrap(session, { sha256 });
  const input = feeds();
  const timed = async (target) => {
    const began = performance.now();
    await target.run(input);
    return (performance.now() - began) * 1000;
  };
  const count = quick ? calls / 10 : calls;
  const pairs = [];
  for (let call = -count / 10; call < count; call += 1) {
    const first = call % 2 === 0;
    const one = await timed(first ? session : watched);
    const other = await timed(first ? watched : session);
    if (call >= 0) pairs.push(first ? [one, other] : [other, one]);
  }
  const seen = Object.values(await counts())[0].reduce((sum, count) => sum + (typeof count === "number" ? count : 0), 0);
  if (seen !== Math.round(count * 1.1)) throw new Error(`${seen} calls were counted of ${count * 1.1}`);
  const [plain, wrapped] = [median(pairs.map(([plain]) => plain)), median(pairs.map(([, wrapped]) => wrapped))];
  const difference = median(pairs.map(([plain, wrapped]) => wrapped - plain));
  held &&= difference <= Math.max(BOUND_US, plain * BOUND_SHARE);
  const mb = `${(bytes.length / 1e6).toFixed(2)} MB`;
  console.log(`${`${name}, ${mb}`.padEnd(42)}${us(plain)}   ${us(wrapped)}      ${us(difference)}   ${((100 * difference) / plain).toFixed(2).padStart(6)} %`);
}
console.log(held ? `within ${BOUND_US} µs or ${100 * BOUND_SHARE} %, whichever is larger` : `above ${BOUND_US} µs and ${100 * BOUND_SHARE} %`);
process.exitCode = held ? 0 : 1;
