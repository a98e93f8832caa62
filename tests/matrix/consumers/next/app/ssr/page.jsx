import { Monitor } from "driftglass";

import { outcome, run } from "../../src/body.js";
import settings from "../../src/settings.js";

export const dynamic = "force-dynamic";

export default async function Page({ searchParams }) {
  const { run: asked } = await searchParams;
  const result = await outcome(() => run(Monitor, settings, JSON.parse(asked)));
  return <pre id="outcome">{btoa(JSON.stringify(result))}</pre>;
}
