// The overview: questions by windows, one verdict in each cell.

import type { Question, Verdicts, WindowVerdict } from "../api.ts";
import { h } from "../dom.ts";
import { capitalized, dayOfMonth, monthAndYear, windowName } from "../format.ts";
import { oneLine, questionTitle } from "./describe.ts";
import { ranked } from "./ranking.ts";
import { hideTooltip, showTooltip } from "./tooltip.ts";
import { verdictDetails } from "./verdict-details.ts";
import { MEANING, VERDICTS, mark } from "./verdict-mark.ts";

export interface Selection {
  question: string;
  /** None if the question has no window yet. */
  window: number | undefined;
}

type Column = Pick<WindowVerdict, "window" | "start_secs" | "closed">;

/** The table. `select` is called with a question, and with a window if a cell was chosen. */
export function matrix(all: Verdicts, selected: Selection, select: (question: string, window?: number) => void): HTMLElement {
  const columns = columnsOf(all.questions);
  const row = (question: Question): HTMLElement =>
    h("tr", { "aria-selected": String(question.name === selected.question) },
      h("th", { scope: "row" }, rowButton(question, select)),
      ...columns.map((column) => {
        const verdict = question.windows.find((each) => each.window === column.window);
        const chosen = question.name === selected.question && column.window === selected.window;
        return h("td", { "aria-selected": String(chosen) }, verdict ? cell(question, verdict, all, chosen, select) : noReport());
      }),
    );
  return h("table", { class: "matrix", role: "grid", "aria-label": "Verdicts by question and window", keydown: moveFocus },
    h("thead", {},
      h("tr", {}, h("th", { rowspan: 2, scope: "col" }, "Question"), ...months(columns)),
      h("tr", {}, ...columns.map((column) => dayHeader(column, all.window_length_secs))),
    ),
    h("tbody", {}, ...ranked(all.questions).map(row)),
  );
}

/** What the marks mean. */
export function legend(): HTMLElement {
  const entries = VERDICTS.map((verdict) => h("li", {}, mark(verdict), h("span", {}, h("b", {}, verdict), ` ${MEANING[verdict]}`)));
  return h("ul", { class: "legend" }, ...entries,
    h("li", {}, h("span", { class: "first-alert-key" }), h("span", {}, h("b", {}, "first alert"), " of a question")),
    h("li", {}, h("span", { class: "open-key" }), h("span", {}, h("b", {}, "open"), " still takes reports")));
}

function columnsOf(questions: Question[]): Column[] {
  const columns = new Map(questions.flatMap((question) => question.windows).map((each) => [each.window, each]));
  return [...columns.values()].sort((a, b) => a.window - b.window);
}

function months(columns: Column[]): HTMLElement[] {
  const spans = Map.groupBy(columns, (column) => monthAndYear(column.start_secs));
  return [...spans].map(([month, { length }]) =>
    h("th", { colspan: length, scope: "colgroup", class: "month" }, length > 1 ? month : month.slice(0, 3)));
}

function dayHeader(column: Column, lengthSecs: number): HTMLElement {
  const name = windowName(column.start_secs, lengthSecs) + (column.closed ? "" : ", still takes reports");
  return h("th", { scope: "col", class: column.closed ? "" : "open", "aria-label": name, title: capitalized(name) }, dayOfMonth(column.start_secs));
}

function rowButton(question: Question, select: (question: string) => void): HTMLElement {
  const [metric, asked] = questionTitle(question);
  const drifted = question.windows.filter((each) => each.verdict === "drift").length;
  return h("button", { type: "button", class: "row-button", "data-key": `row-${question.name}`, click: () => select(question.name) },
    h("span", { class: "row-title" }, h("b", {}, metric), ` ${asked}`),
    h("span", { class: "row-name" }, question.name),
    drifted > 0 && h("span", { class: "row-count" }, mark("drift"), drifted, h("span", { class: "visually-hidden" }, " drift windows")),
  );
}

function cell(
  question: Question,
  verdict: WindowVerdict,
  all: Verdicts,
  chosen: boolean,
  select: (question: string, window: number) => void,
): HTMLElement {
  const first = verdict.window === question.first_alert_window;
  const label = oneLine(question, verdict, all.window_length_secs) + (first ? ", first alert" : "");
  const classes = `cell cell-${verdict.verdict}${first ? " first-alert" : ""}${verdict.closed ? "" : " open"}`;
  const show = (event: Event): void => showTooltip(event.currentTarget as Element, verdictDetails(question, verdict, all.window_length_secs));
  return h("button", {
    type: "button", class: classes, tabindex: chosen ? 0 : -1, "aria-label": label, "data-key": `cell-${question.name}-${verdict.window}`,
    click: () => select(question.name, verdict.window), mouseenter: show, focus: show, mouseleave: hideTooltip, blur: hideTooltip,
  }, mark(verdict.verdict));
}

const noReport = (): HTMLElement =>
  h("span", { class: "cell cell-waiting" }, mark("waiting"), h("span", { class: "visually-hidden" }, "no report"));

/** Arrow keys, Home and End move between the cells and pass over those without reports; one cell of the grid takes part in the tab order. */
function moveFocus(event: KeyboardEvent): void {
  const steps: Record<string, [number, number]> = {
    ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -Infinity], End: [0, Infinity],
  };
  const step = steps[event.key];
  const from = (event.target as Element).closest("td");
  if (!step || !from) return;
  const rows = [...(event.currentTarget as HTMLTableElement).tBodies[0]!.rows];
  const row = rows[rows.indexOf(from.parentElement as HTMLTableRowElement) + step[0]];
  if (!row) return;
  const buttons = [...row.cells].slice(1).map((each) => each.querySelector("button"));
  const at = Math.max(0, Math.min(buttons.length - 1, from.cellIndex - 1 + step[1]));
  const onward = step[1] < 0 ? buttons.slice(0, at + 1).findLast(Boolean) : buttons.slice(at).find(Boolean);
  (onward ?? buttons.findLast(Boolean))?.focus();
  event.preventDefault();
}
