// The shared vectors in a page: the same file and the same body as everywhere.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

import { serve } from "../../harness/server.mjs";
import { LEAST } from "../../vectors/run.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const PAGE = `<!doctype html>
<script type="module">
  import * as glue from "/seeded/driftglass_bg.js";
  import { runAll } from "/vectors/run.mjs";
  const bytes = await (await fetch("/seeded/driftglass_bg.wasm")).arrayBuffer();
  const vectors = await (await fetch("/vectors/report-v1.json")).json();
  globalThis.outcome = await runAll(glue, bytes, vectors).then((ran) => ({ ran }), (error) => ({ error: String(error) }));
</script>`;

/** Runs them in a browser. */
export async function vectorsIn(browser) {
  const folders = { "/seeded": here("../../../js/wasm/seeded"), "/vectors": here("../../vectors") };
  const answer = ({ url }, response) => url === "/" && Boolean(response.writeHead(200, { "content-type": "text/html" }).end(PAGE));
  const served = await serve(folders, { answer });
  try {
    const page = await browser.open(`${served.origin}/`);
    const { ran, error } = await page.waitFor(() => globalThis.outcome);
    assert.equal(error, undefined);
    assert.deepEqual(Object.keys(ran), Object.keys(LEAST));
    await page.close();
  } finally {
    await served.close();
  }
}
