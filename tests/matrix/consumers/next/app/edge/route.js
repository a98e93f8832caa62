import { Monitor } from "driftglass";
import core from "driftglass/core.wasm?module";

import { outcome, run } from "../../src/body.js";
import settings from "../../src/settings.js";

export const runtime = "edge";

export async function GET(request) {
  const asked = new URL(request.url).searchParams.get("run");
  const options = { store: "memory", wasm: { core }, ...JSON.parse(asked) };
  return Response.json(await outcome(() => run(Monitor, settings, options)));
}
