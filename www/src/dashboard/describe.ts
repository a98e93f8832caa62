// Questions and verdicts in plain words.

import type { Effect, Question, Verdicts, WindowVerdict } from "../api.ts";
import { capitalized, count, date, integer, interval, share, significant, windowName } from "../format.ts";

/** "dep_delay, above 15 min": the metric and what is asked of it. */
export function questionTitle(question: Question): [metric: string, asked: string] {
  if (question.kind === "threshold-bit") {
    return [question.metric, `above ${question.threshold} ${question.unit}`.trim()];
  }
  return [question.metric, `over ${question.cells.length} cells`];
}

/** The cell whose share tells the effect: of two cells the second, for the first is its complement. */
export const toldCell = (question: Question, effect: Effect): number => (question.cells.length === 2 ? 1 : effect.cell);

/** Whether the effect is told as a cumulative share, "at or below the edge". */
const isCumulative = (question: Question, effect: Effect): boolean => effect.measure === "ks" && question.cells.length > 2;

/** "dep_delay > 15 min", "hour at or below 12 h", "carrier UA": the events whose share differs most. */
function subject(question: Question, effect: Effect): string {
  const { metric, unit } = question;
  const label = question.cells[toldCell(question, effect)] ?? "";
  const withUnit = (text: string): string => `${metric} ${text} ${unit}`.trim();
  if (isCumulative(question, effect)) {
    const upperEdge = /([^\s,]+)\]$|^≤ (.+)$/.exec(label);
    return withUnit(`at or below ${upperEdge?.[1] ?? upperEdge?.[2] ?? label}`);
  }
  if (/^[≤>] /.test(label)) return withUnit(label);
  return label.startsWith("(") ? withUnit(`in ${label}`) : `${metric} “${label}”`;
}

/** The share that the effect is about: in the reference, and now. */
function toldShares(question: Question, verdict: WindowVerdict, effect: Effect): [reference: number, current: number] | null {
  if (!question.reference || !verdict.shares) return null;
  const told = toldCell(question, effect);
  const from = isCumulative(question, effect) ? 0 : told;
  const sum = (values: number[]): number => values.slice(from, told + 1).reduce((total, value) => total + value, 0);
  return [sum(question.reference.shares), sum(verdict.shares.map((each) => each.estimate))];
}

/** "the 4 weeks from 6 Jun 2013 to 3 Jul 2013", or the name of the window when the span is one window. */
export function spanName(verdict: WindowVerdict, lengthSecs: number): string {
  if (verdict.span_first_window === verdict.window) return windowName(verdict.start_secs, lengthSecs);
  const start = verdict.span_first_window * lengthSecs;
  return `the span from ${date(start)} to ${date(verdict.end_secs - 1)}`;
}

/** The first of the drift verdicts in a row that ends with `verdict`. */
function runStart(question: Question, verdict: WindowVerdict): WindowVerdict {
  const before = question.windows.filter((each) => each.window <= verdict.window).reverse();
  const end = before.findIndex((each) => each.verdict !== "drift");
  return (end === -1 ? before : before.slice(0, end)).at(-1) ?? verdict;
}

/** The effect and its interval, with as many decimals as tell its ends from the threshold. */
export function effectSize(question: Question, effect: Effect): [estimate: string, interval: string] {
  const close = [effect.lower, effect.upper].some((end) => share(end) === share(question.delta));
  const digits = close ? 3 : 2;
  return [share(effect.estimate, digits), interval(effect, digits)];
}

/** What the verdict says, in one or two sentences. */
export function summary(question: Question, verdict: WindowVerdict, all: Verdicts): string {
  const { effect } = verdict;
  if (verdict.verdict === "waiting" || !effect) return waiting(question, verdict, all.window_length_secs);

  const span = spanName(verdict, all.window_length_secs);
  const what = `the share of events with ${subject(question, effect)}`;
  const [estimate, ends] = effectSize(question, effect);
  const size = `${estimate} (${ends})`;
  const threshold = share(question.delta);
  switch (verdict.verdict) {
    case "drift": {
      const start = runStart(question, verdict);
      const since = start === verdict
        ? `In ${span}`
        : `Drift since ${windowName(start.start_secs, all.window_length_secs)}: in ${span}`;
      return `${since} ${what} differs from the reference by ${size}${fromTo(question, verdict, effect)}. The threshold that matters is ${threshold}.`;
    }
    case "stable":
      return `In ${span} ${what} differs from the reference by ${size}, and no other share of this question by more: at most the threshold that matters, ${threshold}.`;
    case "inconclusive":
      return `In ${span} ${what} differs from the reference by ${size}. The interval holds the threshold that matters, ${threshold}, so this is neither drift nor stable. ${needed(verdict)}`;
  }
}

/** "First alert: the week of 27 Jun 2013. Drift in 5 of 30 windows." */
export function history(question: Question, all: Verdicts): string {
  const judged = question.windows.filter((each) => each.verdict !== "waiting");
  const drifted = judged.filter((each) => each.verdict === "drift");
  const first = question.windows.find((each) => each.window === question.first_alert_window);
  if (judged.length === 0) return "No window has been judged yet.";
  const alert = first ? `First alert: ${windowName(first.start_secs, all.window_length_secs)}.` : "No alert so far.";
  return `${alert} Drift in ${integer(drifted.length)} of ${count(judged.length, "judged window")}.`;
}

/** How bad it is, for the one who reads. */
export function severity(verdict: WindowVerdict): string | null {
  switch (verdict.severity) {
    case "watch":
      return "Something changed; whether it matters is not known yet.";
    case "moderate":
      return "The change matters.";
    case "large":
      return "The change is more than twice what matters.";
    case "severe":
      return "The change is more than four times what matters.";
    default:
      return null;
  }
}

/** "10^12 to 1": what odds all closed windows together give against "nothing has moved". */
export function evidenceOdds(verdict: WindowVerdict): string {
  const log = verdict.evidence?.log_e;
  if (log === null || log === undefined) return "–";
  const tens = log / Math.LN10;
  if (tens < 0) return "none";
  return tens < 4 ? `${significant(10 ** tens)} to 1` : `10^${Math.floor(tens)} to 1`;
}

/** One line for a tooltip or a label. */
export function oneLine(question: Question, verdict: WindowVerdict, lengthSecs: number): string {
  const name = capitalized(windowName(verdict.start_secs, lengthSecs));
  return `${name}: ${verdict.verdict}${verdict.effect ? `, effect ${effectSize(question, verdict.effect).join(", interval ")}` : ""}`;
}

function waiting(question: Question, verdict: WindowVerdict, lengthSecs: number): string {
  const name = windowName(verdict.start_secs, lengthSecs);
  if (!question.reference) return `This question has no reference yet, so ${name} cannot be compared with anything.`;
  return `No report has answered this question in ${name} or the windows that would be judged with it.`;
}

function fromTo(question: Question, verdict: WindowVerdict, effect: Effect): string {
  const shares = toldShares(question, verdict, effect);
  return shares ? `: ${share(shares[0])} in the reference, ${share(shares[1])} now` : "";
}

function needed(verdict: WindowVerdict): string {
  const has = `this span has ${integer(verdict.span_reports)}`;
  if (verdict.reports_needed === null) return `At the present estimate no number of reports would decide; ${has}.`;
  return `At the present estimate about ${integer(verdict.reports_needed)} reports in a span would decide; ${has}.`;
}
