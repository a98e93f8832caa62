/** Verdicts held against the truth. */
import type { Verdicts, WindowVerdict } from "./centre.js";
import { sharesOver, trueEffect, type Truth } from "./truth.js";

export interface Judged {
  readonly question: string;
  readonly metric: string;
  readonly window: number;
  readonly verdict: WindowVerdict["verdict"];
  readonly pValue: number | null;
  readonly effect: WindowVerdict["effect"];
  readonly trueEffect: number;
  /** Whether the true effect is above the question's delta. */
  readonly trulyDrifted: boolean;
  /** Whether the interval holds the true effect. */
  readonly covered: boolean;
  readonly judgement: "right" | "wrong" | "undecided";
}

export interface Score {
  readonly verdicts: number;
  readonly alarms: number;
  readonly trueAlarms: number;
  readonly falseAlarms: number;
  /** Verdicts "stable" where the truth had drifted. */
  readonly missed: number;
  readonly trulyDrifted: number;
  readonly undecided: number;
  /** Alarms that are true, of all alarms; null without alarms. */
  readonly precision: number | null;
  /** Alarms among what truly drifted; null if nothing did. */
  readonly recall: number | null;
  /** Intervals that hold the truth, of all. */
  readonly coverage: number;
}

/** @param then the truth of the reference: shares of each question */
export function judge(verdicts: Verdicts, truth: Truth, then: ReadonlyMap<string, readonly number[]>): Judged[] {
  return verdicts.questions.flatMap((question) =>
    question.windows.map((at) => {
      const now = sharesOver(truth, question.name, at.span_first_window, at.window);
      const effect = trueEffect(question.name, now, then.get(question.name)!);
      const trulyDrifted = effect > question.delta;
      return {
        question: question.name,
        metric: question.metric,
        window: at.window,
        verdict: at.verdict,
        pValue: at.wald?.p_value ?? null,
        effect: at.effect,
        trueEffect: effect,
        trulyDrifted,
        covered: at.effect !== null && at.effect.lower <= effect && effect <= at.effect.upper,
        judgement: judgement(at.verdict, trulyDrifted),
      };
    }),
  );
}

function judgement(verdict: WindowVerdict["verdict"], trulyDrifted: boolean): Judged["judgement"] {
  if (verdict === "drift") return trulyDrifted ? "right" : "wrong";
  if (verdict === "stable") return trulyDrifted ? "wrong" : "right";
  return "undecided";
}

export function score(judged: readonly Judged[]): Score {
  const count = (which: (one: Judged) => boolean) => judged.filter(which).length;
  const alarms = count((one) => one.verdict === "drift");
  const trueAlarms = count((one) => one.verdict === "drift" && one.trulyDrifted);
  const trulyDrifted = count((one) => one.trulyDrifted);
  return {
    verdicts: judged.length,
    alarms,
    trueAlarms,
    falseAlarms: alarms - trueAlarms,
    missed: count((one) => one.verdict === "stable" && one.trulyDrifted),
    trulyDrifted,
    undecided: count((one) => one.judgement === "undecided"),
    precision: alarms === 0 ? null : trueAlarms / alarms,
    recall: trulyDrifted === 0 ? null : trueAlarms / trulyDrifted,
    coverage: judged.length === 0 ? 1 : count((one) => one.covered) / judged.length,
  };
}
