// The dashboard: reads the centre every few seconds and shows what changed.

import * as api from "../api.ts";
import { byId, h, replace } from "../dom.ts";
import { percent, time } from "../format.ts";
import { specPicker } from "../spec-picker.ts";
import { detail } from "./detail.ts";
import { type EffectChart, effectChart } from "./effect-chart.ts";
import { header } from "./header.ts";
import { legend, matrix, type Selection } from "./matrix.ts";
import { ranked, tellingWindow } from "./ranking.ts";
import { howToRead } from "./reading.ts";

const POLL_MS = 5_000;

interface State {
  specs: api.SpecSummary[];
  spec: api.SpecSummary;
  status: api.Status;
  verdicts: api.Verdicts;
}

const parts = { alert: byId("alert"), about: byId("about"), overview: byId("overview"), detail: byId("detail"), foot: byId("foot") };
const query = new URLSearchParams(location.search);
let state: State | undefined;
let shown = { about: "", verdicts: "" };
let chart: EffectChart | undefined;

void poll();

async function poll(): Promise<void> {
  try {
    if (!document.hidden) await refresh();
    replace(parts.alert);
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    showError(error);
  } finally {
    setTimeout(poll, POLL_MS);
  }
}

async function refresh(): Promise<void> {
  const [status, specs] = await Promise.all([api.status(), api.specs()]);
  const spec = specs.find((each) => each.spec_id === query.get("spec")) ?? specs[0];
  if (!spec) return showNoSpec();
  state = { status, specs, spec, verdicts: await api.verdicts(spec.spec_id) };
  render(state);
}

/** Renders the parts whose data changed. A running clock alone changes only the header. */
function render(now: State): void {
  const about = JSON.stringify([now.spec, now.specs.length, now.status]);
  const verdicts = JSON.stringify({ ...now.verdicts, clock: null });
  if (about !== shown.about || verdicts !== shown.verdicts) {
    replace(parts.about, specPicker(now.specs, now.spec), header(now.spec, now.verdicts, now.status));
  }
  if (verdicts !== shown.verdicts) renderVerdicts(now);
  shown = { about, verdicts };
}

function renderVerdicts(now: State): void {
  const selection = selectionOf(now.verdicts);
  if (!selection) {
    replace(parts.overview, noReports(now));
    for (const part of [parts.detail, parts.foot]) replace(part);
    return;
  }
  renderMatrix(now.verdicts, selection);
  renderDetail(now.verdicts, selection);
  replace(parts.foot, howToRead(now.verdicts), h("p", { class: "muted" },
    h("a", { href: api.verdictsPath(now.spec.spec_id) }, "The numbers of this page as JSON"), ` · Driftglass ${now.status.version}`));
}

function renderMatrix(verdicts: api.Verdicts, selection: Selection): void {
  const before = parts.overview.querySelector(".matrix-scroll");
  const left = before ? before.scrollLeft : Number.MAX_SAFE_INTEGER;
  const scroll = h("div", { class: "matrix-scroll" }, matrix(verdicts, selection, select));
  replace(parts.overview, h("div", { class: "section-head" }, h("h2", {}, "Verdicts"), legend()), scroll, moved(verdicts));
  scroll.scrollLeft = left;
}

/** What all windows together say has moved since the reference. */
function moved({ moved: { level, streams } }: api.Verdicts): HTMLElement {
  const group = ({ question, segment, arm }: (typeof streams)[number]): string =>
    segment === null ? question : `${question} in ${segment}${arm === "canary" ? " (canary)" : ""}`;
  const names = streams.map(group).join(", ");
  const text = streams.length === 0
    ? "All windows together show nothing that moved since the reference for good."
    : `Moved since the reference, all windows together: ${names}. Of such names at most ${percent(level)} are expected to be wrong, however often one looks.`;
  return h("p", { class: "moved muted" }, text);
}

function renderDetail(verdicts: api.Verdicts, selection: Selection): void {
  const question = verdicts.questions.find((each) => each.name === selection.question)!;
  const window = question.windows.find((each) => each.window === selection.window);
  chart?.destroy();
  chart = undefined;
  if (!window) return replace(parts.detail, h("p", { class: "notice" }, `No report has answered ${question.name} yet.`));
  chart = effectChart(question, window, verdicts.window_length_secs, (chosen) => select(question.name, chosen));
  replace(parts.detail, detail(question, window, verdicts, chart.element, (chosen) => select(question.name, chosen)));
}

/** What the address asks for, or else the top question and the window that tells most; none if there are no reports. */
function selectionOf(verdicts: api.Verdicts): Selection | undefined {
  const asked = verdicts.questions.find((each) => each.name === query.get("question"));
  const question = asked ?? ranked(verdicts.questions)[0];
  if (!question || verdicts.questions.every((each) => each.windows.every((window) => window.span_reports === 0))) return undefined;
  const window = question.windows.find((each) => String(each.window) === query.get("window")) ?? tellingWindow(question);
  return { question: question.name, window: window?.window };
}

/** Shows a question, and writes the choice into the address so that it can be passed on. */
function select(question: string, window?: number): void {
  if (!state) return;
  query.set("question", question);
  if (window === undefined) query.delete("window");
  else query.set("window", String(window));
  history.replaceState(null, "", `?${query}`);
  renderVerdicts(state);
}

function showError(error: api.ApiError): void {
  const kept = state ? `Below is what it said at ${time(state.status.clock.now_secs)} of its clock. ` : "";
  if (parts.alert.textContent?.startsWith(error.message)) return;
  replace(parts.alert, h("div", { class: "notice notice-error", role: "alert" },
    h("b", {}, error.message), ` ${kept}This page asks again every ${POLL_MS / 1000} seconds.`));
  if (!state) replace(parts.about);
}

function showNoSpec(): void {
  state = undefined;
  shown = { about: "", verdicts: "" };
  for (const part of [parts.overview, parts.detail, parts.foot]) replace(part);
  replace(parts.about, h("div", { class: "notice" },
    h("h1", {}, "No spec is registered"),
    h("p", {}, "A spec says what devices may be asked and how their answers are hidden. Register one with:"),
    h("pre", {}, "driftglass spec add pkg-config.json"),
    h("p", { class: "muted" }, "This page shows it as soon as it is there.")));
}

function noReports({ spec }: State): HTMLElement {
  return h("div", { class: "notice" },
    h("h2", {}, "No reports yet"),
    h("p", {}, "Devices upload to ", h("code", {}, `/v1/reports?key=${spec.ingest_key}`), ". The ",
      h("a", { href: "/live" }, "live page"), " makes this browser one of them."),
    !spec.has_reference && h("p", {}, "The spec has no reference either; without one there is nothing to compare reports with."));
}
