// What a tooltip says about one verdict.

import type { Question, WindowVerdict } from "../api.ts";
import { h } from "../dom.ts";
import { capitalized, count, share, windowName } from "../format.ts";
import { effectSize, spanName } from "./describe.ts";
import { mark } from "./verdict-mark.ts";

export function verdictDetails(question: Question, verdict: WindowVerdict, lengthSecs: number): HTMLElement {
  const { effect } = verdict;
  const first = verdict.window === question.first_alert_window;
  return h("div", {},
    h("div", { class: "tooltip-title" }, capitalized(windowName(verdict.start_secs, lengthSecs)), verdict.closed ? "" : " (open)"),
    h("div", {}, mark(verdict.verdict), h("b", {}, verdict.verdict), first && ", the first alert"),
    h("div", {}, effect ? `effect ${effectSize(question, effect).join(", interval ")}` : "no estimate"),
    effect && h("div", {}, `threshold that matters ${share(question.delta)}`),
    h("div", { class: "muted" }, `${count(verdict.span_reports, "report")} in ${spanName(verdict, lengthSecs)}`));
}
