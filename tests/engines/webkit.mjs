// WebKitGTK, by the WebDriver protocol over fetch: MiniBrowser under a virtual display and a message bus of its own.
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { freePort } from "../harness/port.mjs";
import { Page } from "./page.mjs";
import { end, gone, mustExist, tree } from "./process.mjs";

const DRIVER = "/usr/bin/WebKitWebDriver";
const BROWSER = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";
const PACKAGES = "webkit2gtk-driver xvfb dbus";
const STARTS_WITHIN_MS = 60_000;

export class WebKit {
  static can = { profile: false, offline: false, crash: false, prefs: false };
  engine = "webkit";
  #commands = Promise.resolve();
  #current;

  static async launch() {
    for (const path of [DRIVER, BROWSER, "/usr/bin/xvfb-run", "/usr/bin/dbus-run-session"]) mustExist("WebKit", path, PACKAGES);
    const browser = new WebKit();
    const port = await freePort();
    // Containers and root have no user namespaces for the sandbox; the pages are the tests' own.
    const env = { ...process.env, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1" };
    const command = ["-a", "-s", "-screen 0 1280x1024x24", "dbus-run-session", "--", DRIVER, `--port=${port}`];
    const driver = spawn("xvfb-run", command, { env, stdio: "ignore", detached: true });
    browser.pid = driver.pid;
    const group = () => end([{ pid: -driver.pid }]);
    process.once("exit", group);
    driver.once("exit", () => process.off("exit", group));
    browser.url = `http://127.0.0.1:${port}`;
    try {
      const { sessionId, capabilities } = await browser.#newSession();
      browser.session = `${browser.url}/session/${sessionId}`;
      browser.version = capabilities.browserVersion;
      await browser.send("POST", "/timeouts", { script: 120_000, pageLoad: 60_000 });
      [browser.first] = await browser.send("GET", "/window/handles");
    } catch (error) {
      await browser.kill();
      throw error;
    }
    return browser;
  }

  async open(url) {
    // A window and not a tab, which would be hidden: without frames, and with a screenshot that never comes.
    const { handle } = await this.send("POST", "/window/new", { type: "window" }, this.first);
    const page = new WebKitPage(this, handle);
    await page.goto(url);
    return page;
  }

  async close() {
    await this.send("DELETE", "").catch(() => undefined);
    await this.kill();
  }

  async kill() {
    const all = await tree(this.pid);
    end(all);
    await gone(all);
  }

  /** One command after the other, in a window if one is named: the protocol has one current window for all. */
  send(method, path, body, handle) {
    const run = async () => {
      if (handle !== undefined && handle !== this.#current) {
        await this.#request("POST", `${this.session}/window`, { handle });
        this.#current = handle;
      }
      return this.#request(method, this.session + path, body);
    };
    const result = this.#commands.then(run);
    this.#commands = result.catch(() => undefined);
    return result;
  }

  /** Closes a window; the driver has no current one after that. */
  async closeWindow(handle) {
    await this.send("DELETE", "/window", undefined, handle);
    this.#current = undefined;
  }

  async #newSession() {
    const browserOptions = { binary: BROWSER, args: ["--automation"] };
    const body = { capabilities: { alwaysMatch: { "webkitgtk:browserOptions": browserOptions } } };
    const deadline = Date.now() + STARTS_WITHIN_MS;
    for (;;) {
      const answer = await this.#request("POST", `${this.url}/session`, body).catch((error) => error);
      if (!(answer instanceof Error)) return answer;
      if (!(answer instanceof TypeError) || Date.now() > deadline) throw answer;
      await sleep(100);
    }
  }

  async #request(method, url, body) {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method, headers, body: method === "POST" ? JSON.stringify(body ?? {}) : undefined });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`WebDriver ${method} ${new URL(url).pathname}: ${value.error}: ${value.message}`);
    return value;
  }
}

class WebKitPage extends Page {
  constructor(browser, handle) {
    super();
    this.browser = browser;
    this.handle = handle;
  }

  async goto(url) {
    await this.#send("POST", "/url", { url });
  }

  async reload() {
    await this.#send("POST", "/refresh");
  }

  async evaluateSource(source) {
    const script = `const done = arguments[arguments.length - 1]; ${source}.then(done);`;
    return this.#send("POST", "/execute/async", { script, args: [] });
  }

  async offline() {
    throw new Error("WebKit's driver cannot cut a page off; stop the server instead");
  }

  async crash() {
    throw new Error("WebKit's driver ends the session when a renderer crashes");
  }

  async close() {
    await this.browser.closeWindow(this.handle);
  }

  async screenshot(path) {
    await writeFile(path, Buffer.from(await this.#send("GET", "/screenshot"), "base64"));
  }

  #send(method, path, body) {
    return this.browser.send(method, path, body, this.handle);
  }
}
