// Cells of pages: a browser opens the page, and the outcome is read from it.

/**
 * One cell for each thread and engine.
 *
 * @param browsers gives a running browser by engine
 * @param address of the page; options are appended
 */
export function pageCells(browsers, address, { where = "page", threads = ["main", "worker"], engines = ["chromium"] } = {}) {
  return engines.flatMap((engine) => threads.map((thread) => ({
    where,
    thread,
    engine,
    run: async (options) => {
      const browser = await browsers.get(engine);
      const page = await browser.open(`${address}?run=${encodeURIComponent(JSON.stringify({ ...options, thread }))}`);
      try {
        return await page.waitFor(() => globalThis.outcome, { timeoutMs: 60_000 });
      } finally {
        await page.close();
      }
    },
  })));
}
