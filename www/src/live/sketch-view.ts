// The sketches of the window: one histogram per metric. Everything the device keeps of what it saw.

import { h } from "../dom.ts";
import { count } from "../format.ts";
import type { MetricView, ProfileView } from "./device.ts";

export function sketchView(profile: ProfileView, before: ProfileView | undefined): HTMLElement {
  return h("div", { class: "sketches" },
    h("div", { class: "sketch-grid" }, ...profile.metrics.map((metric, i) => sketch(metric, before?.metrics[i]))),
    h("p", { class: "muted small" }, `${count(profile.pending, "prediction")} ${profile.pending === 1 ? "waits" : "wait"} for the outcome.`),
    h("details", { "data-key": "sketch-numbers" }, h("summary", {}, "Numbers of these sketches"), numbers(profile)));
}

/** Bars of one metric; a bar that has grown since `before` is marked. */
function sketch(metric: MetricView, before: MetricView | undefined): HTMLElement {
  const most = Math.max(1, ...metric.counts);
  const bar = (events: number, i: number): HTMLElement => {
    const grown = before !== undefined && events > (before.counts[i] ?? 0);
    return h("span", { class: grown ? "grown" : "", style: `height:${(100 * events) / most}%`, title: `${metric.cells[i]}: ${events}` });
  };
  return h("div", { class: "sketch" },
    h("div", { class: "sketch-name" }, metric.name, h("span", { class: "muted" }, metric.unit && ` ${metric.unit}`)),
    h("div", { class: "sketch-bars", role: "img", "aria-label": `${metric.name}: ${count(metric.events, "event")}` }, ...metric.counts.map(bar)),
    h("div", { class: "sketch-ends muted" }, h("span", {}, metric.cells[0]), h("span", {}, metric.cells.at(-1))));
}

function numbers(profile: ProfileView): HTMLElement {
  const rows = profile.metrics.flatMap((metric) =>
    metric.cells.map((cell, i) =>
      h("tr", {}, h("th", { scope: "row" }, metric.name), h("td", {}, cell), h("td", { class: "number" }, metric.counts[i]))));
  return h("table", { class: "numbers" },
    h("thead", {}, h("tr", {}, ...["Metric", "Cell", "Events"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, ...rows));
}
