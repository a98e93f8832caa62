// The mark of a verdict: a shape as well as a colour, so that neither is the only sign.

import type { Verdict } from "../api.ts";
import { h, s } from "../dom.ts";

export const VERDICTS: Verdict[] = ["drift", "stable", "inconclusive", "waiting"];

export const MEANING: Record<Verdict, string> = {
  drift: "the whole interval of the effect is above the threshold",
  stable: "the whole interval is at or below it",
  inconclusive: "the interval holds the threshold",
  waiting: "no report, or no reference",
};

/** ▲ drift, ● stable, ○ inconclusive, · waiting */
export function mark(verdict: Verdict): SVGElement {
  return s("svg", { class: `mark mark-${verdict}`, viewBox: "0 0 16 16", "aria-hidden": "true" }, shape(verdict));
}

/** The mark with its word. */
export const badge = (verdict: Verdict): HTMLElement =>
  h("span", { class: `badge badge-${verdict}` }, mark(verdict), verdict);

function shape(verdict: Verdict): SVGElement {
  switch (verdict) {
    case "drift":
      return s("path", { d: "M8 2.6 14.2 13.2H1.8z", "stroke-linejoin": "round" });
    case "stable":
      return s("circle", { cx: 8, cy: 8, r: 4.4 });
    case "inconclusive":
      return s("circle", { cx: 8, cy: 8, r: 4, fill: "none", "stroke-width": 1.8 });
    case "waiting":
      return s("circle", { cx: 8, cy: 8, r: 1.4 });
  }
}
