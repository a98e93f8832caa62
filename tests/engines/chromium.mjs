// Chromium, by playwright-core and the DevTools protocol.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { chromium } from "playwright-core";

import { Page } from "./page.mjs";
import { descendants, end, gone, mustExist, tree } from "./process.mjs";

/** Without the last ones Chromium asks hosts of its maker at every start. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const CLOSES_WITHIN_MS = 2_000;

export class Chromium {
  static can = { profile: true, offline: true, crash: true, prefs: false };
  engine = "chromium";

  static async launch({ profile } = {}) {
    const executablePath = mustExist("Chromium", process.env.CHROMIUM || "/usr/bin/chromium", "chromium");
    const directory = profile ?? (await mkdtemp(join(tmpdir(), "driftglass-chromium-")));
    const context = await chromium.launchPersistentContext(directory, { executablePath, args: FLAGS, viewport: null });
    const browser = new Chromium();
    browser.context = context;
    browser.version = context.browser()?.version() ?? "unknown";
    browser.temporary = profile === undefined ? directory : undefined;
    const [main] = await descendants(process.pid, new RegExp(`^(?!.*--type=).*--user-data-dir=${escaped(directory)}( |$)`));
    browser.pid = main.pid;
    return browser;
  }

  async open(url) {
    const inner = await this.context.newPage();
    const page = new ChromiumPage(inner, await this.context.newCDPSession(inner));
    await page.goto(url);
    return page;
  }

  async close() {
    await this.context.close();
    await this.#forget();
  }

  async kill() {
    const all = await tree(this.pid);
    end(all);
    await gone(all);
    await this.context.close().catch(() => undefined);
    await this.#forget();
  }

  async #forget() {
    if (this.temporary) await rm(this.temporary, { recursive: true, force: true, maxRetries: 5 });
  }
}

class ChromiumPage extends Page {
  constructor(inner, session) {
    super();
    this.inner = inner;
    this.session = session;
    inner.on("console", (message) => message.type() === "error" && this.messages.push(message.text()));
    inner.on("pageerror", (error) => this.messages.push(String(error)));
  }

  async goto(url) {
    await this.inner.goto(url, { waitUntil: "load" });
  }

  async reload() {
    await this.inner.reload({ waitUntil: "load" });
  }

  /** Not through playwright's own evaluate, which needs `eval` and fails under a strict policy. */
  async evaluateSource(expression) {
    const options = { expression, awaitPromise: true, returnByValue: true, allowUnsafeEvalBlockedByCSP: false };
    const { result, exceptionDetails } = await this.session.send("Runtime.evaluate", options);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  async offline(on) {
    await this.inner.context().setOffline(on);
  }

  async crash() {
    const crashed = new Promise((resolve) => this.inner.once("crash", resolve));
    this.session.send("Page.crash").catch(() => undefined);
    await crashed;
  }

  /** By the page's own session, and with patience: a tab that is loading can take a minute to go, and playwright's own close then keeps others waiting. */
  async close() {
    if (this.inner.isClosed()) return;
    const closed = new Promise((resolve) => this.inner.once("close", resolve));
    await this.session.send("Page.close").catch(() => undefined);
    await Promise.race([closed, sleep(CLOSES_WITHIN_MS)]);
  }

  async screenshot(path) {
    await this.inner.screenshot({ path });
  }
}

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
