// The flights as the model sees them: inputs, P(late), and the outcome when it arrives.

import { h, replace } from "../dom.ts";
import { dateAndTime, integer, weekdayAndTime } from "../format.ts";
import { type Flight, NUMERIC, type Vocabulary } from "./flights.ts";
import type { Step } from "./replay.ts";

export interface FlightView {
  element: HTMLElement;
  show: (step: Step, atSecs: number) => void;
}

/** The flight at the model, above a table of all that were seen. `endSecs` is the end of the window. */
export function flightView(vocabulary: Vocabulary, endSecs: number): FlightView {
  const moment = h("div", { class: "moment", "aria-live": "off" });
  const body = h("tbody");
  const rows = new Map<string, HTMLElement>();
  const table = h("div", { class: "flight-log", tabindex: 0, role: "region", "aria-label": "Flights replayed" },
    h("table", { class: "numbers" },
      h("thead", {}, h("tr", {}, ...["Departure", "From", "Carrier", "Delay", "P(late)", "Outcome"].map((name) => h("th", { scope: "col" }, name)))),
      body));

  const show = (step: Step, atSecs: number): void => {
    const { flight } = step;
    if (step.kind === "prediction") {
      replace(moment, atTheModel(flight, step.late, vocabulary, atSecs));
      const outcome = h("td", { class: "muted" }, pendingOutcome(flight, endSecs));
      rows.set(flight.key, outcome);
      body.prepend(h("tr", {},
        h("th", { scope: "row" }, weekdayAndTime(flight.departureSecs)),
        h("td", {}, vocabulary.origins[flight.origin]!),
        h("td", {}, vocabulary.carriers[flight.carrier]!),
        h("td", { class: "number" }, `${integer(flight.numeric[0]!).replace("-", "−")} min`),
        h("td", {}, meter(step.late)),
        outcome));
      return;
    }
    const outcome = rows.get(flight.key);
    outcome?.replaceChildren(flight.late ? "late" : "on time");
    outcome?.setAttribute("class", flight.late ? "is-late arrived" : "arrived");
  };
  return { element: h("div", { class: "flights" }, moment, table), show };
}

function atTheModel(flight: Flight, late: number, vocabulary: Vocabulary, atSecs: number): HTMLElement {
  const input = (name: string, value: string): HTMLElement => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  const numeric = NUMERIC.map(([name, unit], i) => {
    const value = flight.numeric[i]!;
    return input(name, Number.isNaN(value) ? "missing" : `${Number(value.toFixed(2))} ${unit}`.replace("-", "−"));
  });
  return h("div", { class: "at-the-model" },
    h("p", { class: "muted" }, `${dateAndTime(atSecs)}: a departure. The model's inputs`),
    h("dl", { class: "inputs" }, ...numeric,
      input("carrier", vocabulary.carriers[flight.carrier]!), input("origin", vocabulary.origins[flight.origin]!)),
    h("p", { class: "prediction" }, h("span", {}, "P(late)"), h("b", {}, late.toFixed(3)), meter(late)),
  );
}

function meter(value: number): HTMLElement {
  return h("span", { class: "probability" },
    h("span", { class: "probability-bar", "aria-hidden": "true" }, h("span", { style: `width:${(value * 100).toFixed(1)}%` })),
    value.toFixed(2));
}

function pendingOutcome(flight: Flight, endSecs: number): string {
  if (flight.arrivalSecs === null) return "never known";
  return flight.arrivalSecs < endSecs ? "in the air" : "next window";
}
