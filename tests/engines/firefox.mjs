// Firefox, by puppeteer-core and WebDriver BiDi, which needs no geckodriver.
import puppeteer from "puppeteer-core";

import { Page } from "./page.mjs";
import { descendants, end, gone, mustExist, tree } from "./process.mjs";

export class Firefox {
  static can = { profile: true, offline: true, crash: true, prefs: true };
  engine = "firefox";

  static async launch({ profile, prefs = {} } = {}) {
    const executablePath = mustExist("Firefox", process.env.FIREFOX || "/usr/bin/firefox-esr", "firefox-esr");
    const inner = await puppeteer.launch({
      browser: "firefox",
      executablePath,
      headless: true,
      userDataDir: profile,
      extraPrefsFirefox: prefs,
      timeout: 60_000,
    });
    const browser = new Firefox();
    browser.inner = inner;
    browser.version = (await inner.version()).replace("firefox/", "");
    browser.pid = inner.process().pid;
    return browser;
  }

  async open(url) {
    const page = new FirefoxPage(await this.inner.newPage(), this.pid);
    await page.goto(url);
    return page;
  }

  async close() {
    await this.inner.close();
  }

  async kill() {
    const all = await tree(this.pid);
    end(all);
    await gone(all);
    await this.inner.close().catch(() => undefined);
  }
}

class FirefoxPage extends Page {
  constructor(inner, browserPid) {
    super();
    this.inner = inner;
    this.browserPid = browserPid;
    inner.on("console", (message) => message.type() === "error" && this.messages.push(message.text()));
    inner.on("pageerror", (error) => this.messages.push(String(error)));
  }

  async goto(url) {
    await this.inner.goto(url, { waitUntil: "load" });
  }

  async reload() {
    await this.inner.reload({ waitUntil: "load" });
  }

  async evaluateSource(source) {
    return this.inner.evaluate(source);
  }

  async offline(on) {
    await this.inner.setOfflineMode(on);
  }

  async crash() {
    const renderers = await descendants(this.browserPid, /-contentproc\b.*\btab$/);
    end(renderers);
    await gone(renderers);
  }

  async close() {
    await this.inner.close();
  }

  async screenshot(path) {
    await this.inner.screenshot({ path });
  }
}
