// A page: options come in its address, the outcome is left where the harness finds it.
import { Monitor } from "driftglass";

import { outcome, run } from "./body.js";
import settings from "./settings.js";

const options = JSON.parse(new URLSearchParams(location.search).get("run"));
globalThis.outcome = await outcome(() => run(Monitor, settings, options));
