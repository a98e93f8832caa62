// The effect over the windows: for each one its interval as a bar, the estimate as the verdict's mark, and the threshold that matters as a line.

import uPlot from "uplot";
import type { Question, WindowVerdict } from "../api.ts";
import { h } from "../dom.ts";
import { date, dayOfMonth, monthAndYear, share, windowName } from "../format.ts";
import { effectSize } from "./describe.ts";
import { hideTooltip, showTooltip } from "./tooltip.ts";
import { verdictDetails } from "./verdict-details.ts";
import { badge } from "./verdict-mark.ts";

const HEIGHT = 300;
/** Room on the right for the threshold's value. */
const GUTTER = 36;
/** Steps of the scale that two decimals write exactly. */
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2];
const MAX_BAR = 22;
const BAR_SHARE = 0.56;
const MARK = 4.5;

export interface EffectChart {
  element: HTMLElement;
  /** Releases what the chart holds outside its element. */
  destroy: () => void;
}

/** A chart that fills its container's width. `select` is called with the window that was clicked. */
export function effectChart(
  question: Question,
  selected: WindowVerdict,
  lengthSecs: number,
  select: (window: number) => void,
): EffectChart {
  const shown = question.windows;
  const place = h("div", { class: "chart", role: "img", "aria-label": "Effect by window with its interval; the numbers are in the table below." });
  const largest = Math.max(question.delta * 2, ...shown.map((each) => each.effect?.upper ?? 0));
  const chart = new uPlot(
    {
      width: 600,
      height: HEIGHT,
      padding: [8, GUTTER, 0, 0],
      legend: { show: false },
      cursor: { x: false, y: false, points: { show: false }, drag: { x: false, y: false } },
      tzDate: (secs) => uPlot.tzDate(new Date(secs * 1000), "Etc/UTC"),
      scales: {
        x: { range: () => [shown[0]!.start_secs - lengthSecs * 0.6, shown.at(-1)!.start_secs + lengthSecs * 0.6] },
        y: { range: () => [0, Math.min(1.02, largest * 1.06)] },
      },
      series: [{}, { label: "effect", stroke: "transparent", paths: () => null, points: { show: false } }],
      axes: [
        {
          ...axisColors(), grid: { show: false }, size: 44, space: 44,
          splits: (chart) => tickWindows(shown, chart.bbox.width / devicePixelRatio).map((each) => each.start_secs),
          values: (_chart, splits) => splits.map((at, i) => dayLabel(at, splits[i - 1])),
        },
        { ...axisColors(), size: 46, incrs: STEPS, values: (_chart, splits) => splits.map((at) => share(at)) },
      ],
      hooks: {
        draw: [(drawn) => draw(drawn, question, selected, lengthSecs)],
        setCursor: [(pointed) => point(pointed, question, lengthSecs)],
      },
    },
    [shown.map((each) => each.start_secs), shown.map((each) => each.effect?.estimate ?? null)],
    place,
  );
  chart.over.addEventListener("click", () => {
    const at = chart.cursor.idx;
    if (typeof at === "number" && shown[at]) select(shown[at].window);
  });

  const resize = new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: HEIGHT }));
  resize.observe(place);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const repaint = (): void => chart.redraw(false, true);
  scheme.addEventListener("change", repaint);
  return {
    element: place,
    destroy: () => {
      resize.disconnect();
      scheme.removeEventListener("change", repaint);
      chart.destroy();
    },
  };
}

/** The numbers of the chart. */
export function effectTable(question: Question, lengthSecs: number): HTMLElement {
  const row = (each: WindowVerdict): HTMLElement =>
    h("tr", {},
      h("th", { scope: "row" }, windowName(each.start_secs, lengthSecs).replace(/^the \w+ of /, "")),
      h("td", {}, badge(each.verdict)),
      ...(each.effect ? effectSize(question, each.effect) : ["–", "–"]).map((text) => h("td", { class: "number" }, text)),
      h("td", { class: "number" }, each.span_reports),
    );
  return h("table", { class: "numbers" },
    h("thead", {}, h("tr", {}, ...["Window", "Verdict", "Effect", "Interval", "Reports judged"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, ...question.windows.map(row)),
  );
}

function draw(chart: uPlot, question: Question, selected: WindowVerdict, lengthSecs: number): void {
  const { ctx, bbox } = chart;
  const unit = devicePixelRatio;
  const slot = chart.valToPos(lengthSecs, "x", true) - chart.valToPos(0, "x", true);
  const width = Math.min(MAX_BAR * unit, slot * BAR_SHARE);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();

  const at = chart.valToPos(selected.start_secs, "x", true);
  ctx.fillStyle = color("--selected");
  ctx.fillRect(at - slot / 2, bbox.top, slot, bbox.height);

  const threshold = Math.round(chart.valToPos(question.delta, "y", true));
  ctx.strokeStyle = ctx.fillStyle = color("--ink");
  ctx.lineWidth = 1.25 * unit;
  ctx.setLineDash([5 * unit, 4 * unit]);
  line(ctx, bbox.left, threshold, bbox.left + bbox.width, threshold);
  ctx.setLineDash([]);

  for (const each of question.windows) {
    if (!each.effect) continue;
    const x = chart.valToPos(each.start_secs, "x", true);
    const [top, bottom] = [each.effect.upper, each.effect.lower].map((value) => chart.valToPos(value, "y", true)) as [number, number];
    ctx.fillStyle = color(`--${each.verdict}-soft`);
    ctx.strokeStyle = color(`--${each.verdict}`);
    ctx.lineWidth = unit;
    ctx.beginPath();
    ctx.roundRect(x - width / 2, top, width, Math.max(bottom - top, unit), 3 * unit);
    ctx.fill();
    ctx.stroke();
    drawMark(ctx, each.verdict, x, chart.valToPos(each.effect.estimate, "y", true), MARK * unit);
  }
  ctx.restore();
  label(ctx, share(question.delta), bbox.left + bbox.width, threshold, unit);
}

/** The tooltip of the window under the pointer. */
function point(chart: uPlot, question: Question, lengthSecs: number): void {
  const { idx, left } = chart.cursor;
  const verdict = typeof idx === "number" && left !== undefined && left >= 0 ? question.windows[idx] : undefined;
  if (!verdict) return hideTooltip();
  const plot = chart.over.getBoundingClientRect();
  const x = plot.left + chart.valToPos(verdict.start_secs, "x");
  const y = plot.top + chart.valToPos(verdict.effect?.upper ?? 0, "y");
  showTooltip({ getBoundingClientRect: () => new DOMRect(x, y, 0, 0) }, verdictDetails(question, verdict, lengthSecs));
}

function drawMark(ctx: CanvasRenderingContext2D, verdict: WindowVerdict["verdict"], x: number, y: number, r: number): void {
  ctx.fillStyle = verdict === "inconclusive" ? color("--surface") : color(`--${verdict}`);
  ctx.strokeStyle = color(`--${verdict}`);
  ctx.lineWidth = r * 0.4;
  ctx.beginPath();
  if (verdict === "drift") {
    ctx.moveTo(x, y - r * 1.15);
    ctx.lineTo(x + r * 1.15, y + r * 0.85);
    ctx.lineTo(x - r * 1.15, y + r * 0.85);
    ctx.closePath();
  } else {
    ctx.arc(x, y, r * 0.85, 0, 2 * Math.PI);
  }
  ctx.fill();
  ctx.stroke();
}

/** The threshold's value, beside the right end of its line. */
function label(ctx: CanvasRenderingContext2D, text: string, x: number, y: number, unit: number): void {
  ctx.font = `600 ${12 * unit}px ${getComputedStyle(document.body).fontFamily}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillStyle = color("--ink");
  ctx.fillText(text, x + 5 * unit, y);
}

function line(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

/** As many windows as have room for their label, evenly spaced. */
function tickWindows(windows: WindowVerdict[], width: number): WindowVerdict[] {
  const step = Math.max(1, Math.ceil((windows.length * 34) / width));
  return windows.filter((_, i) => i % step === 0);
}

/** The day, with the month under it where it changes. */
function dayLabel(at: number, before: number | undefined): string {
  const changes = before === undefined || monthAndYear(before) !== monthAndYear(at);
  return changes ? `${dayOfMonth(at)}\n${date(at).split(" ")[1]}` : String(dayOfMonth(at));
}

const color = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function axisColors(): Pick<uPlot.Axis, "stroke" | "font" | "grid" | "ticks"> {
  return {
    stroke: () => color("--muted"),
    font: `12px ${getComputedStyle(document.body).fontFamily}`,
    grid: { stroke: () => color("--line"), width: 1 },
    ticks: { stroke: () => color("--line"), width: 1, size: 4 },
  };
}
