// Files of folders on a port of its own, so that each test has an origin, and with it a device, of its own.
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
 * Serves folders by the path below which they stand: `{ "/": "dist" }`. `answer(request, response)` may take a request
 * before them by returning true. `headers` go with everything.
 */
export async function serve(folders, { answer = () => false, headers = {} } = {}) {
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries({ "cache-control": "no-store", ...headers })) response.setHeader(name, value);
    if (answer(request, response)) return;
    const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    const below = Object.entries(folders).filter(([prefix]) => path.startsWith(prefix));
    const places = below.map(([prefix, folder]) => join(folder, path.slice(prefix.length)));
    const file = places.flatMap((place) => [place, join(place, "index.html")]).find((place) => existsSync(place) && statSync(place).isFile());
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
