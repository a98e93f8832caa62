// The vectors of docs/report-format.md through the seeded wasm build, in any runtime: tests/it/vectors.rs runs the same
// natively. Nothing here is Node's own, so that browsers, Deno, Bun and workerd import it as it is.

/** At least so many cases, so that an emptied file is no success. */
export const LEAST = { "spec ids": 1, "good reports, byte for byte": 150, "bad reports are refused": 200, "upload bodies": 1 };

/** Connects the glue with its module, compiled or as bytes. */
export async function seeded(glue, module) {
  const made = await WebAssembly.instantiate(module, { "./driftglass_bg.js": glue });
  const { exports } = made.instance ?? made;
  glue.__wbg_set_wasm(exports);
  exports.__wasm_call_ctors?.();
  exports.__wbindgen_start();
  return glue;
}

/** The parts of the vectors, each a function that throws at the first difference and returns how many it compared. */
export function parts({ encodeBody, setEntropySeed, WasmMonitor }, vectors) {
  const monitorOf = (document, segment, canary) => new WasmMonitor(JSON.stringify(document), segment, canary);
  const first = ({ measurement }) => measurement.segments[0];

  const specIds = () => {
    for (const { document, id } of vectors.specs) same(monitorOf(document, first(document), false).specId, id, "spec id");
    return vectors.specs.length;
  };

  const goodReports = () => {
    for (const [index, good] of vectors.good.entries()) {
      const { document, samples } = vectors.specs[good.spec];
      const { measurement } = document;
      const monitor = monitorOf(document, measurement.segments[good.segment], good.canary);
      fill(monitor, samples, good.profile, good.window * measurement.window.length_secs);
      setEntropySeed(bytes(good.seed));
      const answer = monitor.answer(bytes(good.state), good.window, good.now_secs);
      same(hex(answer.report), good.report, `case ${index}: report`);
      same(answer.question.index, good.question, `case ${index}: question`);
      same(answer.trueSymbol, good.true_symbol, `case ${index}: symbol`);
      same(String(monitor.parseReport(answer.report).symbols), String(good.supports ?? []), `case ${index}: supports`);
      monitor.free();
    }
    return vectors.good.length;
  };

  const badReports = () => {
    for (const { name, spec, bytes: bad } of vectors.bad) {
      const { document } = vectors.specs[spec];
      const monitor = monitorOf(document, first(document), false);
      same(codeOf(() => monitor.parseReport(bytes(bad))), "malformed-report", name);
      monitor.free();
    }
    return vectors.bad.length;
  };

  const bodies = () => {
    for (const { reports, bytes: body } of vectors.bodies.good) same(hex(encodeBody(reports.map(bytes))), body, "body");
    return vectors.bodies.good.length;
  };

  return { "spec ids": specIds, "good reports, byte for byte": goodReports, "bad reports are refused": badReports, "upload bodies": bodies };
}

/** Runs all parts; returns how many cases each compared. */
export async function runAll(glue, module, vectors) {
  const ran = Object.entries(parts(await seeded(glue, module), vectors)).map(([name, run]) => [name, run()]);
  for (const [name, count] of ran) if (count < LEAST[name]) throw new Error(`${name}: only ${count} cases`);
  return Object.fromEntries(ran);
}

/** Observes each sample as often as the profile says. */
function fill(monitor, samples, profile, secs) {
  let key = 0;
  for (const [place, count] of (profile ?? []).entries()) {
    for (let event = 0; event < count; event += 1) {
      key += 1;
      const { input, outcome } = samples[place];
      const waits = outcome === undefined ? undefined : String(key);
      monitor.observe({ inputs: { x: [input] } }, waits, secs);
      if (waits !== undefined && !monitor.outcome(waits, outcome, secs)) throw new Error("the outcome joined no prediction");
    }
  }
}

function same(found, expected, what) {
  if (found !== expected) throw new Error(`${what}: ${found} is not ${expected}`);
}

/** What a call is refused with; nothing if it is not. */
function codeOf(call) {
  try {
    call();
  } catch ({ code }) {
    return code;
  }
  return undefined;
}

function bytes(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function hex(data) {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
