// Files of a folder on a port of its own, so that each test has an origin, and with it a device, of its own.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/**
 * Serves folders, the first that has a file wins; `answer(request, response)` may take a request before them by returning
 * true. `headers` go with everything.
 */
export async function serve(folders, { answer = () => false, headers = {} } = {}) {
  const server = createServer(async (request, response) => {
    for (const [name, value] of Object.entries({ "cache-control": "no-store", ...headers })) response.setHeader(name, value);
    if (await answer(request, response)) return;
    const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    const places = [folders].flat().flatMap((folder) => [join(folder, path), join(folder, path, "index.html")]);
    const file = places.find((place) => existsSync(place) && statSync(place).isFile());
    if (!file) return response.writeHead(404, { "content-type": "text/plain" }).end("not here");
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const close = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return { origin, close };
}
