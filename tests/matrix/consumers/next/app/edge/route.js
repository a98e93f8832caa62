import { Monitor } from "driftglass";

import { outcome, run } from "../../src/body.js";
import settings from "../../src/settings.js";

export const runtime = "edge";

export async function GET(request) {
  const asked = new URL(request.url).searchParams.get("run");
  return Response.json(await outcome(() => run(Monitor, settings, { store: "memory", ...JSON.parse(asked) })));
}
