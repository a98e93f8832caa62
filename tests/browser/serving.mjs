// What tests of the package in a browser share: a server, files of the package, a Chromium.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import { chromium } from "playwright-core";

const TYPES = { js: "text/javascript", wasm: "application/wasm" };

/** A file of the workspace; undefined if there is none. */
export function file(path) {
  try {
    return readFileSync(new URL(`../../${path}`, import.meta.url));
  } catch {
    return undefined;
  }
}

/** The type that a server gives a file. */
export const typeOf = (name) => TYPES[name.split(".").at(-1)] ?? "text/html";

/** A server that answers with `answer(path, response)`, and a browser. */
export async function serving(answer) {
  const server = createServer(({ url }, response) => answer(new URL(url, "http://localhost").pathname, response));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  const close = async () => {
    await browser.close();
    server.close();
    server.closeAllConnections();
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, browser, close };
}
