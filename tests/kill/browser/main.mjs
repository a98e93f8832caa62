// Real browsers, whose pages are ended at random moments while their devices answer and send, in front of the real centre. Started by `cargo xtask kill-test --browser`.
//
//   node tests/kill/browser/main.mjs --kills 300 --seed 1 --binary target/release/driftglass --engines chromium,firefox,webkit
//
// With --minutes it ends earlier, with what was done by then.
import assert from "node:assert/strict";
import { parseArgs } from "node:util";

import { EngineMissing } from "../../engines/engines.mjs";
import { largestShare } from "./bound.mjs";
import { Run } from "./run.mjs";

/** Shares of the kills: Firefox takes longer to open a page, and WebKit's driver does one thing at a time. */
const SHARES = { chromium: 0.6, firefox: 0.25, webkit: 0.15 };
/** What has to arrive. */
const DELIVERED = 0.999;

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "300" },
    seed: { type: "string" },
    minutes: { type: "string", default: "Infinity" },
    binary: { type: "string" },
    engines: { type: "string", default: Object.keys(SHARES).join() },
  },
});
const engines = values.engines.split(",");
const seed = values.seed === undefined ? Date.now() % 2 ** 32 : Number(values.seed);
console.log(`    seed ${seed}`);

const all = engines.reduce((sum, engine) => sum + SHARES[engine], 0);
/** When to end with what was done by then. */
const untilMs = Date.now() + Number(values.minutes) * 60_000;
const runs = [];
const missing = [];
for (const engine of engines) {
  const kills = Math.ceil((Number(values.kills) * SHARES[engine]) / all);
  try {
    runs.push(await Run.through({ engine, kills, seed, binary: values.binary, untilMs }));
  } catch (error) {
    if (!(error instanceof EngineMissing)) throw error;
    missing.push(error.message);
  }
}

const sum = (rows) => rows.reduce((total, row) => ({
  kills: total.kills + row.kills, lossy: total.lossy + row.lossy, reports: total.reports + row.reports,
  delivered: total.delivered + row.delivered, again: total.again + row.again,
}));
const line = (cells) => console.log(`    ${cells.map((cell, index) => String(cell)[index < 2 ? "padEnd" : "padStart"](index < 2 ? 14 : 11)).join(" ")}`);
const percent = (part, whole) => (whole === 0 ? "" : `${((100 * part) / whole).toFixed(3)} %`);
const shown = (engine, mode, row) => {
  const { kills, reports, delivered, again, lossy } = row;
  line([engine, mode, kills, reports, delivered, percent(delivered, reports), again, lossy, percent(largestShare(lossy, kills), 1)]);
};

line(["engine", "ended by", "kills", "reports", "delivered", "share", "sent again", "lossy", "bound"]);
for (const { engine, rows } of runs) for (const [mode, row] of Object.entries(rows)) shown(engine, mode, row);
const total = sum(runs.flatMap(({ rows }) => Object.values(rows)));
shown("all", "", total);
console.log("    delivered: counted by the centre, once. sent again: reports that arrived before, byte for byte the same. lossy: kills that lost a");
console.log("    report. bound: the largest share of lossy kills that leaves so few a chance of one in twenty (95 % confidence).");
for (const { engine, version, uploads, counters, without, restarts, ended } of runs) {
  console.log(`    ${engine} ${version}: uploads ${JSON.stringify(uploads)}; centre accepted ${counters.accepted}, duplicate ${counters.duplicate}`);
  if (without.length > 0) console.log(`    ${engine}: its driver cannot do ${without.join(", ")}`);
  if (ended) console.log(`    ${engine}: its driver got ${ended}`);
  if (restarts > 0) console.log(`    ${engine}: its driver got stuck and was ended ${restarts} times`);
}
for (const reason of missing) console.log(`    not run: ${reason}`);

const faults = runs.flatMap(({ engine, faults }) => faults.map((fault) => `${engine}: ${fault}`));
assert.deepEqual(faults, [], "a promise was broken");
assert.ok(runs.length > 0, "no engine is installed");
assert.ok(total.delivered >= DELIVERED * total.reports, `${percent(total.delivered, total.reports)} arrived`);
