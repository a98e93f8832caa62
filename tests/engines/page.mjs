// What all engines' pages do in the same way. An engine gives `evaluateSource(source)`: it runs an expression that is a
// promise of a string, and returns that string.
import { setTimeout as sleep } from "node:timers/promises";

export class Page {
  /** Errors of the console, as far as the engine tells. */
  messages = [];

  /** Runs a function with JSON arguments, or an expression, in the page; returns its JSON value. */
  async evaluate(code, ...args) {
    const call = typeof code === "function" ? `(${code})(...${JSON.stringify(args)})` : `(${code})`;
    const source = `(async () => {
      try { return JSON.stringify({ value: await ${call} }); }
      catch (error) { return JSON.stringify({ error: error + "\\n" + (error?.stack ?? ""), name: error?.name, code: error?.code }); }
    })()`;
    const { value, error, ...rest } = JSON.parse(await this.evaluateSource(source));
    if (error !== undefined) throw Object.assign(new Error(`in the page: ${error}`), rest);
    return value;
  }

  /** Polls until the value is truthy, and returns it. A page that is navigating meanwhile is asked again. */
  async waitFor(code, { timeoutMs = 30_000, intervalMs = 50 } = {}) {
    const deadline = Date.now() + timeoutMs;
    let last;
    while (Date.now() < deadline) {
      last = await this.evaluate(code).catch((error) => ({ failed: error }));
      if (last && !last.failed) return last;
      await sleep(intervalMs);
    }
    const why = [last?.failed?.message, ...this.messages.slice(-5)].filter(Boolean).join("\n  ");
    throw new Error(`${code} did not become true in ${timeoutMs} ms\n  ${why}`);
  }
}
