// Three browser engines behind one interface, for the page suite, the matrix and the kill test.
//
//   import { launch } from "../engines/engines.mjs";
//
//   const browser = await launch("firefox");           // "chromium", "firefox" or "webkit"
//   const page = await browser.open("http://127.0.0.1:8080/page.html");
//   await page.evaluate((name) => localStorage.getItem(name), "x");   // any JSON value; promises are awaited
//   await page.waitFor(() => globalThis.outcome);      // polls until the value is truthy, and returns it
//   await page.screenshot("shot.png");
//   await page.close();                                // as a person closes a tab: pagehide fires
//   await browser.close();
//
// | Member | Meaning |
// | --- | --- |
// | `launch(engine, { profile, prefs })` | starts a browser; throws `EngineMissing` naming the Debian package if it is not installed |
// | `browser.engine`, `browser.version` | name and version |
// | `browser.pid` | the browser's main process |
// | `browser.open(url)` | a new tab, loaded |
// | `browser.close()` | ends the browser in order |
// | `browser.kill()` | ends all its processes at once, as a power failure would; with `profile` the next `launch` finds its storage |
// | `page.goto(url)`, `page.reload()` | navigate in the same tab |
// | `page.evaluate(function \| source, ...args)` | runs in the page's realm, also under a strict CSP |
// | `page.waitFor(function \| source, { timeoutMs })` | the first truthy value |
// | `page.offline(on)` | cuts the page off from the network |
// | `page.crash()` | ends the process that renders the page; in Firefox the processes of all open pages |
// | `page.close()`, `page.screenshot(path)` | |
// | `page.messages` | errors of the console, as far as the engine tells; for people, not for assertions |
// | `can(engine)` | which of `profile`, `offline`, `crash`, `prefs` the engine has; WebKit has none, the others all but Chromium's `prefs` |
//
// Pages of one browser share storage by origin, so a test that wants a fresh device serves its pages on a port of its
// own. WebKit keeps storage as long as the browser runs. `prefs` are Firefox's `about:config`.
import { Chromium } from "./chromium.mjs";
import { Firefox } from "./firefox.mjs";
import { WebKit } from "./webkit.mjs";

export { EngineMissing } from "./process.mjs";

const CLASSES = { chromium: Chromium, firefox: Firefox, webkit: WebKit };

export const ENGINES = Object.keys(CLASSES);

export function can(engine) {
  return CLASSES[engine].can;
}

export async function launch(engine, options = {}) {
  if (!Object.hasOwn(CLASSES, engine)) throw new TypeError(`no engine ${engine}; there are ${ENGINES.join(", ")}`);
  return CLASSES[engine].launch(options);
}
