// The same for formats that have no top-level await.
import { Monitor } from "driftglass";

import { outcome, run } from "./body.js";
import settings from "./settings.js";

const options = JSON.parse(new URLSearchParams(location.search).get("run"));
outcome(() => run(Monitor, settings, options)).then((result) => (globalThis.outcome = result));
