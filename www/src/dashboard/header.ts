// What the page is about: the app, the clock, the budget and what the fleet sent.

import type { Status, SpecSummary, Verdicts } from "../api.ts";
import { h, type Child } from "../dom.ts";
import { dateAndTime, duration, integer, significant } from "../format.ts";

export function header(spec: SpecSummary, verdicts: Verdicts, status: Status): HTMLElement {
  return h("div", { class: "about" },
    h("div", { class: "about-app" },
      h("h1", {}, spec.app),
      h("p", {}, spec.description),
      h("p", { class: "muted spec-id" }, "spec ", h("code", {}, spec.spec_id)),
    ),
    h("dl", { class: "facts about-facts" },
      fact("Clock", h("time", { datetime: new Date(status.clock.now_secs * 1000).toISOString() }, dateAndTime(status.clock.now_secs)),
        status.clock.mode === "simulated" && h("span", { class: "pill" }, "simulated clock")),
      fact("ε per report", epsilons(verdicts)),
      fact("False alarms accepted", `${significant(verdicts.false_alarms_per_year)} per year`),
      fact("Window", duration(verdicts.window_length_secs),
        verdicts.span_windows > 1 && h("span", { class: "muted" }, `judged ${integer(verdicts.span_windows)} at a time`)),
      ...fleet(status),
    ),
  );
}

/** The centre's counters; they cover all specs. */
function fleet({ counters }: Status): HTMLElement[] {
  const { early, malformed, foreign, unknown_question, unknown_key, oversized } = counters;
  const rejected = early + malformed + foreign + unknown_question + unknown_key + oversized;
  return [
    fact("Reports accepted", integer(counters.accepted)),
    fact("Duplicate", integer(counters.duplicate)),
    fact("Late", integer(counters.late)),
    fact("Rejected", integer(rejected)),
  ];
}

function epsilons({ questions }: Verdicts): string {
  const values = questions.map((question) => question.epsilon);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most ? significant(least) : `${significant(least)} to ${significant(most)}`;
}

const fact = (name: string, ...value: Child[]): HTMLElement => h("div", {}, h("dt", {}, name), h("dd", {}, ...value));
