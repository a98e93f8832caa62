// The run of one engine.
//
// Time goes in rounds of one window. In a round each visit wakes some devices, which all owe an answer about the window before, and the page is ended while
// they are at it. Then one clean visit sends what is left, and what the browser keeps is read: each debit must have its report at the centre, counted once.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { can, launch } from "../../engines/engines.mjs";
import { debits, judge, theOracleCanFail } from "../oracle.mjs";
import { generator } from "../random.mjs";
import { Centre } from "./centre.mjs";
import { Gate, idOf } from "./gate.mjs";

const HOUR = 3600;
const STARTED_SECS = 360_000_000;
/** Tabs at a time. */
const TABS = 4;
/** Visits of a tab in a round, each with devices of its own. */
const VISITS = 8;
/** Devices of a visit. */
const DEVICES = 2;
/** Simulated seconds in a second: a wait of 15 seconds takes half a second, and the visits of a round do not outlast its window. */
const SPEED = 30;
/** In a round, when its visits begin, and when its clean visit does: by then any wait between attempts is over. */
const [VISITS_AT, SETTLES_AT] = [120, 2_400];
/** An engine that has not done by then what it was told is stuck. */
const PATIENCE_MS = 90_000;

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const SPEC = JSON.parse(readFileSync(new URL("../../vectors/spec-faults.json", import.meta.url))).base;
SPEC.measurement.window = { length_secs: HOUR, grace_secs: HOUR, join: "immediately" };
SPEC.measurement.questions.length = 2;
SPEC.detection.deltas = { late: 0.05, which: 0.05 };
/** Most windows can be paid for, and some cannot. */
const DEAREST = Math.max(...SPEC.measurement.questions.map(({ epsilon_micronats: cost }) => cost));
SPEC.measurement.privacy.caps = [
  { period_secs: 6 * HOUR, epsilon_micronats: 5 * DEAREST },
  { period_secs: 1_000 * HOUR, epsilon_micronats: 1_000_000_000 },
];

/**
 * How pages end (`ends`), how many show the same devices at a time, and what stands in the way of what they send (`fates`, see {@link Gate}). `needs` names what
 * the engine's driver must be able to do.
 */
const MODES = {
  close: { ends: ["close"], fates: ["pass"] },
  navigate: { ends: ["navigate"], fates: ["pass"] },
  crash: { ends: ["crash"], fates: ["pass"], needs: "crash" },
  offline: { ends: ["close", "navigate"], fates: ["cut"] },
  "status 503": { ends: ["close", "navigate"], fates: ["refuse", "refuse", "lose"] },
  "two tabs": { ends: ["close", "navigate"], fates: ["pass"], pages: 2 },
  "browser ended": { ends: ["browser"], fates: ["pass"], needs: "profile" },
};

const ALL = Array.from({ length: TABS }, (_, tab) => groups(tab)).flat();

export class Run {
  faults = [];
  rows = {};
  #fates = new Map();
  #charges = new Map();
  #last = 0;

  /** Kills as many pages and returns what came of it. */
  static async through({ engine, kills, seed, binary }) {
    const run = new Run();
    run.engine = engine;
    run.random = generator(seed);
    const folder = mkdtempSync(join(tmpdir(), "driftglass-kill-"));
    try {
      // A device is known by its app: to have many in one browser, each has its own, and so its own spec and key.
      run.centre = await Centre.start(binary, folder, ALL.map((device) => ({ ...SPEC, app: `kill-${device}` })), STARTED_SECS);
      run.keys = new Map(ALL.map((device, index) => [device, run.centre.keys[index]]));
      run.gate = await Gate.start({ root: ROOT, spec: SPEC, centre: run.centre, fate: (visit) => run.#fates.get(visit) ?? "pass" });
      run.profile = can(engine).profile ? join(folder, "profile") : undefined;
      await run.#launch();
      await run.#rounds(kills);
      await run.#judge();
      return run;
    } finally {
      await run.browser?.kill();
      run.gate?.stop();
      run.centre?.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    }
  }

  get uploads() {
    return this.gate.uploads;
  }

  async #launch() {
    this.browser = await launch(this.engine, this.profile === undefined ? {} : { profile: this.profile });
    this.version = this.browser.version;
  }

  async #rounds(kills) {
    const able = can(this.engine);
    const modes = Object.keys(MODES).filter((mode) => !MODES[mode].needs || able[MODES[mode].needs]);
    const without = Object.keys(MODES).filter((mode) => !modes.includes(mode));
    this.left = without.length === 0 ? "" : `; its driver cannot: ${without.join(", ")}`;
    for (const mode of modes) this.rows[mode] = { kills: 0, lossy: 0, reports: 0, delivered: 0, again: 0 };
    let killed = 0;
    for (let round = 0; killed < kills; round += 1) {
      const mode = modes[round % modes.length];
      killed += await this.#round(round, mode);
      console.log(`    ${this.engine}: ${killed} of ${kills} kills`);
    }
  }

  /** Lives through one window; returns the number of kills. */
  async #round(round, mode) {
    const startSecs = STARTED_SECS + (round + 1) * HOUR;
    await this.centre.advance(startSecs + 60);
    this.clock = { secs: startSecs + VISITS_AT, startedMs: Date.now(), speed: SPEED };
    const before = this.#sentAgain();
    let kills = 0;
    for (let visit = 0; visit < VISITS; visit += 1) kills += await inTime(this.#visits(visit, MODES[mode]), `a visit, ${mode}`);
    this.clock = { secs: startSecs + SETTLES_AT, startedMs: Date.now(), speed: SPEED };
    const row = this.rows[mode];
    for (let tab = 0; tab < TABS; tab += 1) this.#count(await inTime(this.#settle(tab), "the clean visit"), startSecs - HOUR, row);
    row.kills += kills;
    row.again += this.#sentAgain() - before;
    return kills;
  }

  /** One visit of every tab at a time, each ended; returns how many were. */
  async #visits(visit, { ends, fates, pages = 1 }) {
    const browserEnds = ends[0] === "browser";
    const tabs = Array.from({ length: TABS * pages }, (_, index) => index % TABS);
    const lives = tabs.map(async (tab) => {
      const url = this.#url(group(tab, visit), this.#pick(fates));
      const end = this.#pick(ends);
      // One in four is left while it loads, the others end some time after. The drivers cannot close a tab that loads.
      if (["navigate", "crash"].includes(end) && this.random() < 0.25) return this.#live(end, url, { loading: this.random() * 400 });
      return this.#live(end, url, { after: browserEnds ? 0 : this.random() * 700 });
    });
    await Promise.all(lives);
    if (browserEnds) {
      await sleep(this.random() * 500);
      await this.browser.kill();
      await this.#launch();
    }
    return tabs.length;
  }

  /** Opens a page and ends it. */
  async #live(end, url, { loading, after }) {
    const page = await this.browser.open(`${this.gate.pages}/elsewhere`);
    const loaded = page.goto(url).catch(() => undefined);
    if (loading === undefined) {
      await loaded;
      await sleep(after);
    } else {
      await sleep(loading);
    }
    if (end === "browser") return;
    if (end === "crash") await page.crash();
    if (end === "navigate") await page.goto(`${this.gate.pages}/elsewhere`).catch(() => undefined);
    // One that crashed has nothing to close in some engines.
    await page.close().catch(() => undefined);
  }

  /** Opens all devices of a tab, and waits until nothing is left to send. */
  async #settle(tab) {
    const page = await this.browser.open(this.#url(groups(tab), "pass", { spreadMs: 0, thread: "main" }));
    await page.waitFor(() => globalThis.settle !== undefined);
    const kept = await page.evaluate(() => globalThis.settle());
    await page.close();
    return kept;
  }

  /** Compares what devices paid for about a window with what the centre has. */
  #count(kept, atSecs, row) {
    const lossy = new Set();
    for (const [device, { state, waiting }] of Object.entries(kept)) {
      const paid = debits(Buffer.from(state));
      this.#charges.set(device, new Map([...(this.#charges.get(device) ?? []), ...paid.map((debit) => [debit.atSecs, debit])]));
      if (paid.length !== new Set(paid.map((debit) => debit.atSecs)).size) this.faults.push(`${device} paid twice for a window`);
      if (waiting > 0) this.faults.push(`${waiting} reports of ${device} still wait after the clean visit`);
      if (!paid.some((debit) => debit.atSecs === atSecs)) continue;
      row.reports += 1;
      const reports = (this.gate.received.get(device) ?? []).filter((report) => report.readUInt32BE(20) === atSecs / HOUR);
      if (reports.some((report) => this.gate.settled.has(idOf(report)))) row.delivered += 1;
      else lossy.add(device.slice(0, device.lastIndexOf("-")));
    }
    row.lossy += lossy.size;
  }

  async #judge() {
    const counters = (this.counters = await this.centre.counters());
    const distinct = new Set();
    for (const [device, sent] of this.gate.received) {
      const charged = [...(this.#charges.get(device)?.values() ?? [])];
      const found = judge(SPEC, sent, charged);
      for (const [name, count] of Object.entries(found)) if (count > 0) this.faults.push(`${device}: ${name} ${count}`);
      for (const report of sent) distinct.add(idOf(report));
      if (charged.length > 0) theOracleCanFail(SPEC, sent, charged);
    }
    this.faults.push(...this.gate.faults);
    if (counters.accepted !== this.gate.settled.size) this.faults.push(`the centre counts ${counters.accepted} of ${this.gate.settled.size} reports`);
    if (distinct.size < this.gate.settled.size) this.faults.push("the centre has reports that nobody sent");
  }

  /** How many reports arrived that had arrived before. */
  #sentAgain() {
    const all = [...this.gate.received.values()];
    return all.reduce((sum, sent) => sum + sent.length - new Set(sent.map(idOf)).size, 0);
  }

  #url(devices, fate, options = {}) {
    const visit = `visit-${(this.#last += 1)}`;
    this.#fates.set(visit, fate);
    const known = devices.map((device) => ({ device, key: this.keys.get(device) }));
    const settings = { devices: known, uploads: this.gate.uploadsAt, visit, clock: this.clock, spreadMs: 300, thread: this.#pick(["worker", "main"]), ...options };
    return `${this.gate.pages}/page.html?settings=${encodeURIComponent(JSON.stringify(settings))}`;
  }

  #pick(list) {
    return list[Math.floor(this.random() * list.length)];
  }
}

/** Names of the devices that a visit of a tab wakes. */
function group(tab, visit) {
  return Array.from({ length: DEVICES }, (_, device) => `${tab}-${visit}-${device}`);
}

/** Names of all devices of a tab. */
function groups(tab) {
  return Array.from({ length: VISITS }, (_, visit) => group(tab, visit)).flat();
}

async function inTime(work, what) {
  const patience = new AbortController();
  const late = sleep(PATIENCE_MS, undefined, { signal: patience.signal }).then(() => {
    throw new Error(`${what} did not end within ${PATIENCE_MS / 1000} s`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    patience.abort();
    late.catch(() => undefined);
  }
}
