// A site that uses the package without a bundler: its files below /driftglass, one page, one script.
import { fileURLToPath } from "node:url";

import { serve } from "../../harness/server.mjs";

/** The package as `cargo xtask build` leaves it. */
export const DIST = fileURLToPath(new URL("../../../js/dist", import.meta.url));
const MODEL = fileURLToPath(new URL("../../../demo/model", import.meta.url));

/** What the page offers to the tests: the package, a clock that they move, and a monitor by its settings. */
const SCRIPT = `
import * as driftglass from "/driftglass/browser.js";
globalThis.driftglass = driftglass;
globalThis.clock = { secs: 0 };
globalThis.monitorOf = ({ spec, key, endpoint, startSecs }, options = {}) => {
  clock.secs = Math.max(clock.secs, startSecs);
  return driftglass.Monitor.create({ spec, key, endpoint, consent: "granted", now: () => clock.secs, ...options });
};
globalThis.failure = (promise) => promise.then(() => "no error", ({ code, message }) => ({ code, message }));
globalThis.loaded = true;
`;

const page = (head) => `<!doctype html>\n<title>site</title>\n${head}<script type="module" src="/site.js"></script>\n`;

/**
 * Serves the site on a port of its own.
 *
 * @param options `headers` of every answer; `faults`: by path, what is done with the response instead of serving the file;
 * `files`: more files, by path; `head`: more of the page's HTML
 */
export async function site({ headers = {}, faults = {}, files = {}, head = "" } = {}) {
  const asked = [];
  const texts = { "/": page(head), "/site.js": SCRIPT, ...files };
  const answer = (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    asked.push(pathname);
    if (pathname in faults) {
      faults[pathname](response);
      return true;
    }
    if (!(pathname in texts)) return false;
    response.writeHead(200, { "content-type": pathname.endsWith(".js") ? "text/javascript" : "text/html" }).end(texts[pathname]);
    return true;
  };
  return { ...(await serve({ "/driftglass": DIST, "/model": MODEL }, { headers, answer })), asked };
}
