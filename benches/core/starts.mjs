// From nothing to a first result, once: each library from before its script is loaded, in a process or page of its own.
// What is the same in Node and in a browser; `files` says where things are and how their bytes are read.

/** The core module: a monitor, a joined device, one observation, its report. */
async function driftglass(files) {
  const [glue, bytes] = await Promise.all([import(files.glue), files.bytes(files.core)]);
  const { instance } = await WebAssembly.instantiate(bytes, { "./driftglass_bg.js": glue });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  const spec = files.spec;
  spec.measurement.window.join = "immediately";
  const week = spec.measurement.window.length_secs;
  const monitor = new glue.WasmMonitor(JSON.stringify(spec), "all", false);
  const state = monitor.join(undefined, 2265 * week);
  const inputs = { numeric: Float32Array.of(12, 9, 500, 60, 5, 0, 10, 1012), carrier: 3, origin: 1 };
  monitor.observe({ inputs, outputs: { probabilities: [0.25, 0.75] } }, undefined, 2265 * week);
  return monitor.answer(state, 2265, 2266 * week).report.length;
}

/** A document with one change, saved. */
async function automerge(files) {
  const { from, change, save } = await import(files.automerge);
  return save(change(from({ count: 0 }), (document) => (document.count = 1))).length;
}

/** The same. */
async function loro(files) {
  const { LoroDoc } = await import(files.loro);
  const document = new LoroDoc();
  document.getMap("root").set("count", 1);
  return document.export({ mode: "snapshot" }).length;
}

/** A session of the demo's model of 4 kB, and one run. */
async function onnxruntime(files) {
  const ort = await import(files.onnxruntime);
  ort.env.wasm.numThreads = 1;
  if (files.onnxruntimeWasm) ort.env.wasm.wasmPaths = files.onnxruntimeWasm;
  const session = await ort.InferenceSession.create(await files.bytes(files.model));
  const numeric = new ort.Tensor("float32", Float32Array.of(12, 9, 500, 60, 5, 0, 10, 1012), [1, 8]);
  const code = (index) => new ort.Tensor("int64", BigInt64Array.of(index), [1]);
  return Object.keys(await session.run({ numeric, carrier: code(3n), origin: code(1n) })).length;
}

export const STARTS = { driftglass, automerge, "loro-crdt": loro, "onnxruntime-web": onnxruntime };

/** Milliseconds of one start. */
export async function start(name, files) {
  const began = performance.now();
  const result = await STARTS[name](files);
  const took = performance.now() - began;
  if (!(result > 0)) throw new Error(`${name} gave no result`);
  return took;
}

/** Nanoseconds of one call of `observe` with 20 features of one tensor, through the bindings: the least of some rounds. */
export async function observing(files, rounds) {
  const [glue, bytes] = await Promise.all([import(files.glue), files.bytes(files.core)]);
  const { instance } = await WebAssembly.instantiate(bytes, { "./driftglass_bg.js": glue });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  const spec = structuredClone(files.spec);
  const edges = [-1, -0.5, 0, 0.5, 1];
  const metric = (index) => ({
    name: `x${index}`,
    source: { kind: "input", tensor: "x", index },
    cells: { kind: "numeric", edges, missing: true },
  });
  const [question] = spec.measurement.questions.filter(({ kind }) => kind === "threshold-bit");
  spec.measurement.metrics = Array.from({ length: 20 }, (_, index) => metric(index));
  spec.measurement.questions = [{ ...question, name: "q", metric: "x0", threshold: 0 }];
  spec.detection.deltas = { q: 0.05 };
  const monitor = new glue.WasmMonitor(JSON.stringify(spec), "all", false);
  const record = { inputs: { x: Float32Array.from({ length: 20 }, (_, index) => Math.sin(index)) } };
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    for (let call = 0; call < 500; call += 1) monitor.observe(record, undefined, 1e9);
    times.push(((performance.now() - began) / 500) * 1e6);
  }
  return Math.min(...times);
}
