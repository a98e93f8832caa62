// One question in one window: what the verdict says, and the numbers behind it.

import type { Question, Verdicts, WindowVerdict } from "../api.ts";
import { h, type Child } from "../dom.ts";
import { capitalized, integer, interval, pValue, percent, share, significant, windowName } from "../format.ts";
import { effectSize, evidenceOdds, history, questionTitle, severity, spanName, summary } from "./describe.ts";
import { effectTable } from "./effect-chart.ts";
import { shareBars } from "./share-bars.ts";
import { badge } from "./verdict-mark.ts";

/** The section; `chart` is the effect chart, which outlives the rest of it. */
export function detail(
  question: Question,
  verdict: WindowVerdict,
  all: Verdicts,
  chart: HTMLElement,
  select: (window: number) => void,
): HTMLElement {
  const [metric, asked] = questionTitle(question);
  return h("div", { class: "detail-body" },
    h("div", { class: "detail-head" },
      h("h2", {}, metric, " ", h("span", { class: "asked" }, asked)),
      stepper(question, verdict, all.window_length_secs, select),
    ),
    h("div", { class: "summary" },
      badge(verdict.verdict),
      h("p", { class: "sentence" }, summary(question, verdict, all), severity(verdict) && ` ${severity(verdict)}`),
      h("p", { class: "muted" }, history(question, all)),
    ),
    h("div", { class: "figures" },
      h("figure", {},
        h("figcaption", {}, h("b", {}, "Effect by window"), h("span", { class: "muted" }, ` ${measureName(question, verdict)}, with its interval`),
          h("span", { class: "muted" }, h("span", { class: "threshold-key" }), " threshold that matters")),
        chart,
        h("details", { "data-key": "effect-numbers" }, h("summary", {}, "Numbers of this chart"), effectTable(question, all.window_length_secs)),
      ),
      h("figure", {},
        h("figcaption", {}, h("b", {}, "Shares of events"), h("span", { class: "muted" }, ` ${spanName(verdict, all.window_length_secs).replace(/^the span /, "")}`)),
        shareBars(question, verdict),
        response(verdict),
      ),
    ),
    numbers(question, verdict, all),
    groups(question, all),
  );
}

/** The question in each segment and arm, where there are several. */
function groups(question: Question, all: Verdicts): HTMLElement | null {
  if (all.groups.length === 0) return null;
  const row = (group: Verdicts["groups"][number]): HTMLElement => {
    const { windows, against_rest: rest } = group.questions[question.index]!;
    const last = windows.at(-1);
    return h("tr", {},
      h("th", { scope: "row" }, group.segment, group.arm === "canary" ? " (canary)" : ""),
      h("td", {}, last ? badge(last.verdict) : "–"),
      h("td", {}, last?.effect ? effectSize(question, last.effect).join(", ") : "–"),
      h("td", {}, rest ? (rest.differs ? h("b", {}, "unlike the others") : "like the others, or not known") : "–"),
      h("td", {}, rest ? effectSize(question, rest.effect).join(", ") : "–"));
  };
  return h("div", { class: "groups" },
    h("h3", {}, "Segments and arms"),
    h("table", { class: "groups-table" },
      h("thead", {}, h("tr", {}, ...["Group", "Since its first windows", "Effect", "Beside all others", "Difference"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...all.groups.map(row))));
}

function stepper(question: Question, verdict: WindowVerdict, lengthSecs: number, select: (window: number) => void): HTMLElement {
  const at = question.windows.indexOf(verdict);
  const step = (by: number, text: string, label: string): HTMLElement => {
    const target = question.windows[at + by];
    return h("button", { type: "button", class: "step", "aria-label": label, "data-key": label, disabled: !target, click: () => target && select(target.window) }, text);
  };
  return h("div", { class: "stepper", role: "group", "aria-label": "Window" },
    step(-1, "‹", "Earlier window"),
    h("span", { "aria-live": "polite" }, capitalized(windowName(verdict.start_secs, lengthSecs)), verdict.closed ? "" : " (open)"),
    step(1, "›", "Later window"),
  );
}

function numbers(question: Question, verdict: WindowVerdict, all: Verdicts): HTMLElement {
  const { wald, effect } = verdict;
  const [estimate, ends] = effect ? effectSize(question, effect) : ["–"];
  return h("dl", { class: "facts" },
    fact("p-value", wald ? pValue(wald.p_value) : "–", wald && h("span", { class: "muted" }, `χ² ${significant(wald.statistic)}, df ${wald.df}`)),
    fact("Evidence so far", evidenceOdds(verdict), verdict.evidence && h("span", { class: "muted" }, changeStart(verdict, all))),
    fact("Effect", estimate, ends && h("span", { class: "muted" }, ends)),
    fact("Threshold that matters", share(question.delta)),
    fact("Reports judged", integer(verdict.span_reports), h("span", { class: "muted" }, `${integer(verdict.reports)} in this window`)),
    fact("Answered share", verdict.answered_share === null ? "–" : percent(verdict.answered_share)),
    fact("ε of an answer", significant(question.epsilon)),
    fact("Mechanism", question.mechanism, h("span", { class: "muted" }, `${question.payload_bits} bits`)),
    fact("Reference", question.reference ? integer(question.reference.device_windows) : "none", question.reference && h("span", { class: "muted" }, "device-windows")),
    fact("Error probability", significant(all.level)),
  );
}

/** Where the e-detector sees a change begin. */
function changeStart(verdict: WindowVerdict, all: Verdicts): string {
  const { alarm, likeliest_start: start } = verdict.evidence!;
  return alarm ? `a change began in ${windowName(start * all.window_length_secs, all.window_length_secs)}` : "no change seen to begin";
}

/** Who answers can drift too. */
function response(verdict: WindowVerdict): HTMLElement | null {
  if (verdict.answered_share === null || !verdict.no_data) return null;
  const silent = interval(verdict.no_data);
  return h("p", { class: "note" },
    `${percent(verdict.answered_share)} of the devices that reported had data for this question; the share without is ${share(verdict.no_data.estimate)} (${silent}). `,
    "The shares above are of devices with data. If the answered share moves, the devices that answer may have changed, and not what they see.");
}

const measureName = (question: Question, verdict: WindowVerdict): string =>
  (verdict.effect?.measure ?? (question.ordered ? "ks" : "l_infinity")) === "ks"
    ? "difference of cumulative shares (KS)"
    : "difference of shares (L∞)";

const fact = (name: string, ...value: Child[]): HTMLElement => h("div", {}, h("dt", {}, name), h("dd", {}, ...value));
