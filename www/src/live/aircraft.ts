// Step 1: which aircraft this browser plays, and how fast.

import { h, replace } from "../dom.ts";
import { capitalized, count, dateAndTime, integer, windowName } from "../format.ts";
import { SPEEDS, type Speed } from "./replay.ts";
import type { Setting } from "./setting.ts";

export interface AircraftChoice {
  element: HTMLElement;
  aircraft: () => number | undefined;
  speed: () => Speed;
  /** Keeps the choice of aircraft as it is. */
  lock: () => void;
}

export function aircraftChoice(setting: Setting, run: () => void): AircraftChoice {
  const { flights } = setting;
  const option = ([aircraft, of]: [number, unknown[]]): HTMLElement =>
    h("option", { value: aircraft }, `aircraft ${aircraft}: ${count(of.length, "flight")}`);
  const select = h("select", { id: "aircraft", disabled: flights.size === 0 }, ...[...flights].map(option));
  const button = h("button", { type: "button", class: "button button-main", click: run }, "Run");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const radio = (speed: string): HTMLElement =>
    h("label", {}, h("input", { type: "radio", name: "speed", value: speed, checked: speed === (still ? "at once" : "quick") }), speed);
  const form = h("form", { class: "choice", submit: (event: Event) => event.preventDefault() },
    h("label", { for: "aircraft" }, "Aircraft"), select,
    h("fieldset", { class: "speeds" }, h("legend", {}, "Speed"), ...Object.keys(SPEEDS).map(radio)),
    button);
  const element = h("div");
  replace(element, about(setting), form,
    h("p", { class: "small muted" }, "Running loads the module and the model into this browser and makes it a device: it keeps a secret and a ledger in its storage until you become a new device."));
  return {
    element,
    aircraft: () => (select.value === "" ? undefined : Number(select.value)),
    speed: () => new FormData(form).get("speed") as Speed,
    lock: () => {
      select.disabled = true;
      button.disabled = true;
    },
  };
}

function about(setting: Setting): HTMLElement {
  const { status, startSecs, lengthSecs, graceEndsSecs, flights } = setting;
  const name = windowName(startSecs, lengthSecs);
  const over = status.clock.now_secs >= graceEndsSecs;
  const until = dateAndTime(graceEndsSecs);
  return h("div", { class: "about-window" },
    h("p", {}, `The centre's clock says ${dateAndTime(status.clock.now_secs)}`,
      ...(status.clock.mode === "simulated" ? [" ", h("span", { class: "pill" }, "simulated clock")] : []), ". ",
      over ? `It took reports about ${name} until ${until}; a device will refuse to answer now.`
        : `${capitalized(name)} is over, and the centre takes reports about it until ${until}.`),
    h("p", {}, flights.size > 0
      ? `${integer(flights.size)} aircraft flew in it. Each is a device; this browser plays one of them, flight by flight.`
      : `No flight of the data left in that window.${over ? "" : " The device answers all the same: “no data” is an answer like any other."}`));
}
