/** What the demo prints. */
import type { Judged, Score } from "./judge.js";
import type { Replay } from "./replay.js";
import { dateOf } from "./schedule.js";

const SIGNS = { drift: "▲ drift", stable: "● stable", inconclusive: "○ open", waiting: "· waiting" } as const;
const MARKS = { right: "✓ right", wrong: "✗ WRONG", undecided: "–" } as const;

const points = (share: number) => (100 * share).toFixed(1).padStart(5);
const percent = (share: number | null) => (share === null ? "none" : `${(100 * share).toFixed(1)} %`);

/** Per question and week: verdict, evidence, effect with its interval, and the truth beside it. */
export function printVerdicts(judged: readonly Judged[]): void {
  const questions = [...new Set(judged.map((one) => one.question))];
  for (const question of questions) {
    const rows = judged.filter((one) => one.question === question);
    const first = rows.find((one) => one.verdict === "drift");
    console.log(`\n${question}${first ? `: first alert in the week of ${dateOf(first.window)}` : ": no alert"}`);
    console.log("  week of     verdict       p-value   effect, points [interval]      truth   judged");
    for (const one of rows) {
      const effect = one.effect
        ? `${points(one.effect.estimate)} [${points(one.effect.lower)}, ${points(one.effect.upper)}]`
        : "";
      const p = one.pValue === null ? "" : one.pValue < 1e-4 ? "< 0.0001" : one.pValue.toFixed(4);
      const columns = [dateOf(one.window), SIGNS[one.verdict].padEnd(12), p.padStart(8), effect.padEnd(28), points(one.trueEffect), MARKS[one.judgement]];
      console.log(`  ${columns.join("  ")}`);
    }
  }
}

export function printReplay(title: string, replay: Replay, score: Score): void {
  const { reports } = replay;
  const rate = Math.round(replay.inferences / replay.seconds);
  console.log(`\n${title}`);
  console.log(`  ${replay.inferences} inferences and ${reports.made} reports in ${replay.seconds.toFixed(1)} s: ${rate} inferences/s`);
  console.log(`  reports: ${reports.made} made, ${reports.accepted} accepted, ${reports.duplicate} duplicate, ${reports.late} late, ${reports.rejected} rejected, ${reports.lost} lost; ${reports.bytesEach.join(" and ")} bytes each`);
  for (const cap of replay.spent) {
    console.log(`  ε spent by a device in ${cap.periodSecs / 86_400} days: at most ${cap.maxMicronats / 1e6} of ${cap.capMicronats / 1e6}`);
  }
  console.log(`  verdicts: ${score.verdicts}; alarms: ${score.alarms}, of them true: ${score.trueAlarms}; truly drifted: ${score.trulyDrifted}; wrongly called stable: ${score.missed}; left open: ${score.undecided}`);
  console.log(`  precision ${percent(score.precision)}, recall ${percent(score.recall)}; intervals that hold the truth: ${percent(score.coverage)}`);
}
