// Here and not below app/: with webpack, this version of Next builds no edge route there, not even an empty one.
import { Monitor } from "driftglass";

import { outcome, run } from "../../src/body.js";
import settings from "../../src/settings.js";

export const config = { runtime: "edge" };

export default async function handler(request) {
  const asked = new URL(request.url).searchParams.get("run");
  return Response.json(await outcome(() => run(Monitor, settings, { store: "memory", ...JSON.parse(asked) })));
}
