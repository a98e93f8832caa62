// "How to read this": the words of the page, defined.

import type { Verdicts } from "../api.ts";
import { h } from "../dom.ts";
import { count, significant } from "../format.ts";

export function howToRead(all: Verdicts): HTMLElement {
  const entries: [string, string][] = [
    ["Event", "One inference, or one outcome that arrived later. For its answer a device draws one event of the window, each with equal chance, so a share of events here gives every device the same weight."],
    ["Question", "What a device may be asked about a window. Each has a finite list of symbols: its cells, and “no data”. A device answers one question in a window; its own secret and the window decide which, never its data."],
    ["Noise", "A device does not send its symbol. It draws a report at random, which supports the true symbol with a higher chance than any other, and sends that. Whatever the device did, the chance of sending a given report changes by a factor of at most e to the power ε. The centre knows the law of this noise and, over many reports, subtracts it. That makes intervals wider than with raw data, and an estimate may fall below 0 or above 1."],
    ["Reference and current", "The reference is the shares of a period in which the model is known to have worked. Current is the estimate of the span that is judged."],
    ["Span", `A verdict is about ${count(all.span_windows, "window")}: the one it is given for and those before it that have reports. Neighbouring verdicts share reports, so they change slowly.`],
    ["Effect", "How large the difference is. For ordered cells it is the largest difference of cumulative shares (Kolmogorov–Smirnov), for others the largest difference of one share (L∞). 0.1 means that at least one event in ten lies elsewhere than before."],
    ["Evidence", "How sure it is that there is a difference. The p-value is the chance of a difference at least this large if nothing had changed. With many reports a tiny difference has strong evidence, so evidence alone is no alert."],
    ["Verdict", "Drift: the lower end of the effect's interval is above the threshold that matters. Stable: the upper end is at or below it. Inconclusive: neither; the page says how many reports would decide. Waiting: there is no reference or no report."],
    ["False alarms", `${significant(all.false_alarms_per_year)} per year are accepted when nothing is wrong. A year has ${significant(all.tests_per_year)} tests, so each interval may miss with probability ${significant(all.level)}. Intervals of single shares hold one at a time.`],
    ["Reports", "Accepted reports were counted. Duplicate: the same bytes again, counted once. Late: after the window's grace. Rejected: early, malformed, too large, or with an unknown key, spec or question. The counters cover the whole centre."],
  ];
  return h("details", { class: "reading", "data-key": "reading" },
    h("summary", {}, "How to read this"),
    h("dl", {}, ...entries.flatMap(([term, meaning]) => [h("dt", {}, term), h("dd", {}, meaning)])),
  );
}
