// What watching costs a page: `observe` of 20 features through the worker host and in the page's own thread, the start,
// in three engines. Started by `cargo xtask bench page`.
//
//   node benches/page/main.mjs [--quick] [--json FILE]
//
// Times are medians over bursts. Through the worker, a burst of 256 calls includes the message that carries them; a call
// alone includes a message of its own and the event that sends it, which is the most that one can cost.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { can, ENGINES, launch } from "../../tests/engines/engines.mjs";
import { spec, START_SECS } from "../../tests/harness/spec.mjs";
import { site } from "../../tests/browser/suite/site.mjs";

const FEATURES = 20;
/** What a call may cost the page through the worker, in microseconds. */
const BUDGET_US = 20;

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false }, json: { type: "string" } } });
const bursts = values.quick ? 20 : 200;

const [metric] = spec.measurement.metrics;
const wide = structuredClone(spec);
wide.measurement.metrics.push(
  ...Array.from({ length: FEATURES - 1 }, (_, index) => ({ ...metric, name: `feature_${index + 1}`, source: { ...metric.source, index: index + 1 } })),
);
const settings = { spec: wide, key: "bench", endpoint: "/nowhere", startSecs: START_SECS };
const record = { inputs: { x: Array.from({ length: FEATURES }, (_, index) => index - 3) }, outputs: { y: [0.2, 0.8] } };

const lines = [];
for (const engine of ENGINES) {
  // Firefox rounds its clock to a millisecond, unless told otherwise.
  const browser = await launch(engine, can(engine).prefs ? { prefs: { "privacy.reduceTimerPrecision": false } } : {});
  const served = await site();
  for (const thread of ["worker", "main"]) {
    const page = await browser.open(`${served.origin}/`);
    await page.waitFor(() => globalThis.loaded);
    lines.push({ engine, version: browser.version, thread, ...(await page.evaluate(measured, settings, record, thread, bursts)) });
    await page.close();
  }
  await served.close();
  await browser.close();
}

console.log(`observe of ${FEATURES} features, microseconds a call on the page's thread; ${bursts} bursts of 256 calls`);
console.log("engine    thread  in a burst   p95  alone  start ms");
for (const { engine, thread, burstUs, burstP95Us, aloneUs, startMs } of lines) {
  const figures = [burstUs.toFixed(2).padStart(10), burstP95Us.toFixed(2).padStart(6), aloneUs.toFixed(1).padStart(6), startMs.toFixed(0).padStart(9)];
  console.log(`${engine.padEnd(9)} ${thread.padEnd(7)} ${figures.join(" ")}`);
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(lines, undefined, 2)}\n`);
const over = lines.filter(({ thread, burstUs, aloneUs }) => thread === "worker" && Math.max(burstUs, aloneUs) > BUDGET_US);
for (const { engine } of over) console.log(`${engine}: above the budget of ${BUDGET_US} µs`);
process.exitCode = over.length === 0 ? 0 : 1;

/** Runs in the page. */
async function measured(given, seen, thread, count) {
  const began = performance.now();
  const monitor = await monitorOf(given, { store: "memory", thread });
  const startMs = performance.now() - began;
  const idle = () => new Promise((resolve) => setTimeout(resolve, 5));
  const timed = async (calls, call) => {
    const found = [];
    for (let burst = 0; burst < count + 10; burst += 1) {
      const since = performance.now();
      for (let made = 0; made < calls; made += 1) call();
      found.push(((performance.now() - since) / calls) * 1000);
      // The worker takes what was posted before the next burst.
      await monitor.status();
      await idle();
    }
    return found.slice(10).toSorted((a, b) => a - b);
  };
  const inBursts = await timed(256, () => monitor.observe(seen));
  const alone = await timed(64, () => {
    monitor.observe(seen);
    // Sends what was observed at once, as when a page is left.
    document.dispatchEvent(new Event("visibilitychange"));
  });
  const { counters } = await monitor.status();
  if (Object.values(counters).some(Boolean)) throw new Error(`records were refused: ${JSON.stringify(counters)}`);
  await monitor.dispose();
  const at = (sorted, share) => sorted[Math.floor(sorted.length * share)];
  return { burstUs: at(inBursts, 0.5), burstP95Us: at(inBursts, 0.95), aloneUs: at(alone, 0.5), startMs };
}
