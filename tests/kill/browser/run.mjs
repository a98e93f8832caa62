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
const TABS = 8;
/** Visits of a tab in a round, each with devices of its own. */
const VISITS = 8;
/** Devices of a visit. */
const DEVICES = 1;
/** Simulated seconds in a second: a wait of 15 seconds takes half a second, and the visits of a round do not outlast its window. */
const SPEED = 30;
/** In a round, when its visits begin, and when its clean visit does: by then any wait between attempts is over. */
const [VISITS_AT, SETTLES_AT] = [120, 2_400];
/** An engine that has not done by then what it was told is stuck. */
const [OPENS_WITHIN_MS, ENDS_WITHIN_MS, SETTLES_WITHIN_MS] = [60_000, 3_000, 120_000];
/** A page that has sent nothing by then has nothing to send, or is slow. */
const UPLOADS_WITHIN_MS = 3_000;
/** As often may that be. */
const MOST_RESTARTS = 30;

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

const TAB_NUMBERS = Array.from({ length: TABS }, (_, tab) => tab);
const ALL = TAB_NUMBERS.flatMap(groups);

/** An engine that does not do what it is told. */
class Stuck extends Error {}

export class Run {
  faults = [];
  rows = {};
  restarts = 0;
  #fates = new Map();
  #charges = new Map();
  #last = 0;
  /** Start of the first window whose debits were not read. */
  #unread = Infinity;

  /** Kills as many pages and returns what came of it. */
  static async through({ engine, kills, seed, binary, untilMs }) {
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
      await run.#rounds(kills, untilMs);
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

  async #rounds(kills, untilMs) {
    const able = can(this.engine);
    const modes = Object.keys(MODES).filter((mode) => !MODES[mode].needs || able[MODES[mode].needs]);
    const without = Object.keys(MODES).filter((mode) => !modes.includes(mode));
    this.without = without;
    for (const mode of modes) this.rows[mode] = { kills: 0, lossy: 0, reports: 0, delivered: 0, again: 0 };
    // Most devices join in peace, so that they owe an answer in the first round; those of the first visit join when they are killed.
    this.clock = { secs: STARTED_SECS, startedMs: Date.now(), speed: SPEED };
    await Promise.all(TAB_NUMBERS.map((tab) => this.#settle(groups(tab).slice(DEVICES))));
    let killed = 0;
    for (let round = 0; killed < kills && Date.now() < untilMs; round += 1) {
      const mode = modes[round % modes.length];
      try {
        killed += await this.#round(round, mode);
      } catch (error) {
        if (!(error instanceof Stuck)) throw error;
        // Nothing of this round can be read any more.
        this.ended = `stuck after ${killed} kills, the rest was not run`;
        this.#unread = STARTED_SECS + round * HOUR;
        return;
      }
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
    for (let visit = 0; visit < VISITS; visit += 1) kills += await this.#visits(visit, MODES[mode]);
    this.clock = { secs: startSecs + SETTLES_AT, startedMs: Date.now(), speed: SPEED };
    const row = this.rows[mode];
    for (const kept of await this.#settled()) this.#count(kept, startSecs - HOUR, row);
    row.kills += kills;
    row.again += this.#sentAgain() - before;
    return kills;
  }

  /** One visit of every tab at a time, each ended; returns how many were. */
  async #visits(visit, { ends, fates, pages = 1 }) {
    const tabs = Array.from({ length: TABS * pages }, (_, index) => index % TABS);
    // All at once: with their browser, or, in Firefox, with the processes that render its pages.
    const together = ends[0] === "browser" || (ends[0] === "crash" && this.engine === "firefox");
    const lives = tabs.map((tab) => this.#live(together ? "together" : this.#pick(ends), this.#visit(group(tab, visit), this.#pick(fates))));
    const outcomes = await Promise.allSettled(lives);
    const stuck = outcomes.find(({ status }) => status === "rejected");
    if (stuck) this.#stuck(new Stuck(String(stuck.reason)));
    if (together) await sleep(this.random() * 500);
    if (ends[0] === "browser" || stuck) {
      await this.browser.kill();
      await this.#launch();
    } else if (together) {
      const opened = outcomes.map(({ value }) => value);
      await within(ENDS_WITHIN_MS, opened[0].crash()).catch(() => undefined);
      await Promise.all(opened.map((page) => within(ENDS_WITHIN_MS, page.close()).catch(() => undefined)));
    }
    return tabs.length;
  }

  /** A driver got stuck: where what is stored outlives the browser, the browser ends too, and the run goes on. */
  #stuck(reason) {
    if (!(reason instanceof Stuck) || !this.profile || (this.restarts += 1) > MOST_RESTARTS) throw reason;
  }

  /** Opens a page and ends it; one that ends together with others is returned. */
  async #live(end, { url, visit, fate }) {
    const elsewhere = `${this.gate.pages}/elsewhere`;
    const page = await within(OPENS_WITHIN_MS, this.browser.open("about:blank"));
    const loaded = within(OPENS_WITHIN_MS, page.goto(url));
    // One in four is left while it loads, the others end some time after. Drivers take long to close a tab that loads.
    if (["navigate", "crash"].includes(end) && this.random() < 0.25) {
      loaded.catch(() => undefined);
      await sleep(this.random() * 400);
    } else {
      await loaded;
      // Where something stands in the way, half of the pages first run into it.
      if (fate !== "pass" && this.random() < 0.5) await this.#uploaded(visit);
      await sleep(end === "together" ? 0 : this.random() * 600);
    }
    if (end === "together") return page;
    // What an engine makes of the last command to a page is its own matter: the page is gone, or about to be.
    if (end === "crash") await within(ENDS_WITHIN_MS, page.crash()).catch(() => undefined);
    if (end === "navigate") await within(ENDS_WITHIN_MS, page.goto(elsewhere)).catch(() => undefined);
    await within(ENDS_WITHIN_MS, page.close()).catch(() => undefined);
    return undefined;
  }

  /** Waits until a visit has uploaded something; some have nothing to upload. */
  async #uploaded(visit) {
    for (let waited = 0; waited < UPLOADS_WITHIN_MS && !this.gate.seen.has(visit); waited += 20) await sleep(20);
  }

  /** The clean visit of every tab. */
  async #settled() {
    const all = () => Promise.all(TAB_NUMBERS.map((tab) => within(SETTLES_WITHIN_MS, this.#settle(groups(tab)))));
    try {
      return await all();
    } catch (error) {
      this.#stuck(error);
      await this.browser.kill();
      await this.#launch();
      return all();
    }
  }

  /** Opens devices and waits until nothing of them is left to send. */
  async #settle(devices) {
    const page = await this.browser.open(this.#visit(devices, "pass", { spreadMs: 0, thread: "main" }).url);
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
    for (const [device, all] of this.gate.received) {
      const sent = all.filter((report) => report.readUInt32BE(20) * HOUR < this.#unread);
      const charged = [...(this.#charges.get(device)?.values() ?? [])];
      const found = judge(SPEC, sent, charged);
      for (const [name, count] of Object.entries(found)) if (count > 0) this.faults.push(`${device}: ${name} ${count}`);
      for (const report of all) distinct.add(idOf(report));
      if (sent.length > 0 && charged.length > 0) theOracleCanFail(SPEC, sent, charged);
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

  /** A visit: where its page is, and what becomes of its uploads. */
  #visit(devices, fate, options = {}) {
    const visit = `visit-${(this.#last += 1)}`;
    this.#fates.set(visit, fate);
    const known = devices.map((device) => ({ device, key: this.keys.get(device) }));
    const settings = { devices: known, uploads: this.gate.uploadsAt, visit, clock: this.clock, spreadMs: 300, thread: this.#pick(["worker", "main"]), ...options };
    return { visit, fate, url: `${this.gate.pages}/page.html?settings=${encodeURIComponent(JSON.stringify(settings))}` };
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

async function within(milliseconds, work) {
  const patience = new AbortController();
  const late = sleep(milliseconds, undefined, { signal: patience.signal }).then(() => {
    throw new Stuck(`the engine was stuck for ${milliseconds / 1000} s`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    patience.abort();
  }
}
