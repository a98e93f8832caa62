"use client";
import { Monitor } from "driftglass";
import { useEffect } from "react";

import { outcome, run } from "../src/body.js";
import settings from "../src/settings.js";

let started = false;

export default function Page() {
  useEffect(() => {
    const asked = new URLSearchParams(location.search).get("run");
    if (!asked || started) return;
    started = true;
    outcome(() => run(Monitor, settings, JSON.parse(asked))).then((result) => (globalThis.outcome = result));
  }, []);
  return <p>client</p>;
}
