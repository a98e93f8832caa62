// The order of the questions: those with the most evidence of drift first.

import type { Question, WindowVerdict } from "../api.ts";

const driftWindows = (question: Question): WindowVerdict[] => question.windows.filter((each) => each.verdict === "drift");

const largestLowerBound = (question: Question): number =>
  Math.max(0, ...question.windows.map((each) => each.effect?.lower ?? 0));

/** By number of drift windows, then by the largest lower bound of the effect, then as in the spec. */
export function ranked(questions: Question[]): Question[] {
  return [...questions].sort(
    (a, b) =>
      driftWindows(b).length - driftWindows(a).length ||
      largestLowerBound(b) - largestLowerBound(a) ||
      a.index - b.index,
  );
}

/** The window to show first: the last that drifted, else the last that was judged, else the last. */
export function tellingWindow(question: Question): WindowVerdict | undefined {
  const judged = question.windows.filter((each) => each.verdict !== "waiting");
  return driftWindows(question).at(-1) ?? judged.at(-1) ?? question.windows.at(-1);
}
