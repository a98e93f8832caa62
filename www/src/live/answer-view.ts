// The answer: which question and why, the true symbol, and the noisy subset that leaves in its place.

import type { Spec } from "../api.ts";
import { h } from "../dom.ts";
import { integer, share, significant, windowName } from "../format.ts";
import type { Answer, ReportView } from "./device.ts";

export function answerView(answer: Answer, report: ReportView, spec: Spec): HTMLElement {
  const epsilon = answer.epsilonMicronats / 1e6;
  return h("div", { class: "answer" },
    h("h3", {}, "The question: ", h("code", {}, answer.question.name)),
    weights(answer, spec),
    h("p", { class: "small muted" },
      `One question per window. A hash of the device's secret and ${windowName(report.window * spec.document.measurement.window.length_secs, spec.document.measurement.window.length_secs)} picks it, `,
      "in proportion to the weights; what the device saw has no part in it. ", asks(answer, spec)),
    h("h3", {}, "The answer, and what is sent in its place"),
    ...sent(answer, report),
    h("p", { class: "small muted" },
      `Had the answer been another, these same bytes would have come with a probability at most e^ε = ${significant(Math.exp(epsilon))} times smaller or larger (ε = ${significant(epsilon)}). So they change nobody's odds about the answer by more than that factor, whatever else is known.`));
}

/** The questions as parts of one bar, as wide as their weights. */
function weights(answer: Answer, spec: Spec): HTMLElement {
  const { questions } = spec.document.measurement;
  const sum = questions.reduce((total, question) => total + question.weight, 0);
  const chosen = questions[answer.question.index];
  return h("div", { class: "weights", role: "img", "aria-label": `${answer.question.name}, weight ${chosen?.weight} of ${sum}` },
    ...questions.map((question, i) =>
      h("span", { class: i === answer.question.index ? "chosen" : "", style: `flex:${question.weight} 1 0` },
        h("span", { class: "weight-name" }, question.name), h("span", { class: "weight" }, integer(question.weight)))));
}

function asks(answer: Answer, spec: Spec): string {
  const { kind, metric } = answer.question;
  const question = spec.document.measurement.questions[answer.question.index];
  const unit = spec.document.measurement.metrics.find((each) => each.name === metric)?.unit ?? "";
  const drawn = "It draws one event of the window at random and asks";
  return kind === "threshold-bit" ? `${drawn} whether its ${metric} is above ${question?.threshold} ${unit}`.trim() + "." : `${drawn} in which cell of ${metric} it lies.`;
}

/** What is sent in place of the answer: the symbols it supports, where a mechanism has such. */
function sent(answer: Answer, report: ReportView): HTMLElement[] {
  if (answer.keepProbability === null || answer.falseProbability === null || answer.symbols.length === 0) {
    return [h("p", {}, `The true answer is number ${answer.trueSymbol}. What is sent is drawn at random, with odds that depend on it a little.`)];
  }
  const odds = `The report supports the true symbol with probability ${share(answer.keepProbability)}, and any other given symbol with ${share(answer.falseProbability)}. `;
  const kept = report.symbols.includes(answer.trueSymbol);
  return [symbols(answer, report), h("p", {}, odds, kept ? "This time it does." : "This time it does not support the true one.")];
}

function symbols(answer: Answer, report: ReportView): HTMLElement {
  const item = (label: string, i: number): HTMLElement => {
    const [isTrue, isSent] = [i === answer.trueSymbol, report.symbols.includes(i)];
    return h("li", { class: `${isTrue ? "true" : ""} ${isSent ? "sent" : ""}` }, label,
      isTrue && h("span", { class: "tag" }, "true"), isSent && h("span", { class: "tag" }, "sent"));
  };
  return h("div", { class: "symbol-box" },
    h("ul", { class: "symbols", "aria-label": "Symbols of the question" }, ...answer.symbols.map(item)),
    h("p", { class: "small muted" }, h("b", {}, "true"), " stays on this device; ", h("b", {}, "sent"), ` is what the report supports, ${report.symbols.length} of ${answer.symbols.length} symbols.`));
}
