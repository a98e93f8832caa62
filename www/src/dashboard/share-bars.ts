// The shares of a question's cells: reference and current, with intervals. The table is the chart.

import type { Question, WindowVerdict } from "../api.ts";
import { h, s } from "../dom.ts";
import { interval, share } from "../format.ts";
import { toldCell } from "./describe.ts";

/** With no more cells than this the bars are taller. */
const FEW = 4;

/** Rows of bars on one scale that ends at the largest value shown. */
export function shareBars(question: Question, verdict: WindowVerdict): HTMLElement {
  const { shares, effect } = verdict;
  const reference = question.reference?.shares;
  const most = Math.max(0.05, ...(reference ?? []), ...(shares ?? []).map((each) => each.upper));
  const told = effect ? toldCell(question, effect) : -1;
  const row = (label: string, i: number): HTMLElement => {
    const [before, now] = [reference?.[i], shares?.[i]];
    return h("tr", { class: i === told ? "told" : "" },
      h("th", { scope: "row" }, label),
      h("td", { class: "bars" }, bars(before, now, Math.min(1, most))),
      h("td", { class: "number" }, before === undefined ? "–" : share(before)),
      h("td", { class: "number" }, now ? share(now.estimate) : "–"),
      h("td", { class: "number interval" }, now ? interval(now) : "–"),
    );
  };
  return h("table", { class: `numbers shares${question.cells.length <= FEW ? " few" : ""}` },
    h("thead", {}, h("tr", {},
      h("th", { scope: "col" }, question.unit ? `${question.metric} (${question.unit})` : question.metric),
      h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, "Bars")),
      h("th", { scope: "col", class: "number" }, h("span", { class: "key key-reference" }), "Reference"),
      h("th", { scope: "col", class: "number" }, h("span", { class: "key key-current" }), "Current"),
      h("th", { scope: "col", class: "number interval" }, "Interval"),
    )),
    h("tbody", {}, ...question.cells.map(row)),
  );
}

function bars(reference: number | undefined, current: { estimate: number; lower: number; upper: number } | undefined, most: number): SVGElement {
  const x = (value: number): number => (100 * Math.max(0, Math.min(most, value))) / most;
  return s("svg", { class: "bar-pair", viewBox: "0 0 100 22", preserveAspectRatio: "none", "aria-hidden": "true" },
    reference !== undefined && s("rect", { class: "bar-reference", x: 0, y: 2, width: x(reference), height: 6 }),
    current && s("rect", { class: "bar-current", x: 0, y: 10.5, width: x(current.estimate), height: 9 }),
    current && s("path", {
      class: "whisker",
      d: `M${x(current.lower)} 15H${x(current.upper)}M${x(current.lower)} 12v6M${x(current.upper)} 12v6`,
    }),
  );
}
