// Next: a client component, a server component and an edge route, by both of its bundlers.
import { freePort } from "../../harness/port.mjs";
import { pageCells } from "./page-cells.mjs";

function next(name, flags) {
  return {
    name,
    consumer: "next",
    setUp: async (project, browsers) => {
      await project.exec(project.bin("next"), ["build", ...flags]);
      const port = await freePort();
      const server = await project.start(project.bin("next"), ["start", "--hostname", "127.0.0.1", "--port", String(port)], port);
      const origin = `http://127.0.0.1:${port}`;
      const query = (options) => `?run=${encodeURIComponent(JSON.stringify(options))}`;
      const ssr = async (options) => {
        const page = await (await fetch(`${origin}/ssr${query(options)}`)).text();
        const found = /<pre id="outcome">([^<]*)<\/pre>/.exec(page);
        if (!found) throw new Error(`the page has no outcome:\n${page.slice(0, 2000)}\n${server.said()}`);
        return JSON.parse(Buffer.from(found[1], "base64").toString());
      };
      const edge = async (options) => {
        const text = await (await fetch(`${origin}/api/edge${query(options)}`)).text();
        if (!text.startsWith("{")) throw new Error(`the route has no outcome: ${text.slice(0, 500)}\n${server.said()}`);
        return JSON.parse(text);
      };
      const cells = [
        ...pageCells(browsers, `${origin}/`, { where: "client" }),
        { where: "SSR", thread: "main", run: ssr },
        { where: "edge route", thread: "main", run: edge },
      ];
      return { version: project.version("next"), cells, tearDown: server.stop };
    },
  };
}

export const frameworkRows = [next("next (Turbopack)", []), next("next --webpack", ["--webpack"])];
