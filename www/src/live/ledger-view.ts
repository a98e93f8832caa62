// The budget book, before and after an answer.

import { h } from "../dom.ts";
import { duration, significant } from "../format.ts";
import type { LedgerView } from "./device.ts";

const EPSILON = 1e6;

export function ledgerView(before: LedgerView, after: LedgerView): HTMLElement {
  const row = (cap: LedgerView["spent"][number], i: number): HTMLElement => {
    const spent = before.spent[i]!.spentMicronats;
    const parts = [spent, cap.spentMicronats - spent].map((each) => (100 * each) / cap.capMicronats);
    return h("tr", {},
      h("th", { scope: "row" }, `any ${duration(cap.periodSecs)}`),
      h("td", { class: "number" }, significant(spent / EPSILON)),
      h("td", { class: "number" }, significant(cap.spentMicronats / EPSILON)),
      h("td", { class: "number" }, significant(cap.capMicronats / EPSILON)),
      h("td", { class: "budget" }, h("span", { class: "budget-bar", "aria-hidden": "true" },
        h("span", { style: `width:${parts[0]}%` }), h("span", { class: "new", style: `width:${parts[1]}%` }))));
  };
  return h("table", { class: "numbers ledger" },
    h("thead", {}, h("tr", {},
      h("th", { scope: "col" }, "ε spent in"),
      ...["before", "after", "cap"].map((name) => h("th", { scope: "col", class: "number" }, name)),
      h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, "Part of the cap")))),
    h("tbody", {}, ...after.spent.map(row)));
}
