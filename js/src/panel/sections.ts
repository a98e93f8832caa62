/** The parts of the panel: what is kept, what was sent, what is left. Each returns its elements; none holds state. */
import type { LedgerView, MetricView, ProfileView, ReportView } from "../types.js";
import { h, s } from "./dom.js";
import type { PanelSpec, View } from "./watched.js";
import { cellWords, epsilonWords, nameWords, spanWords, type Words } from "./words.js";

type Content = (Node | undefined)[];

/** The sketches, in plain words and small bars. */
export function kept(profile: ProfileView | undefined, spec: PanelSpec | undefined, words: Words): Content {
  const seen = profile?.metrics.filter(({ events }) => events > 0) ?? [];
  const window = spanWords(spec?.measurement.window.length_secs ?? 0);
  return [
    h("p", { class: "quiet" }, seen.length > 0 ? words.keptIntro(spec ? window : "period") : words.nothingKept),
    seen.length > 0 ? h("ul", { class: "metrics" }, ...seen.map((metric) => metricItem(metric, words))) : undefined,
    profile && profile.pending > 0 ? h("p", { class: "quiet" }, words.pending(profile.pending)) : undefined,
  ];
}

function metricItem({ name, unit, cells, counts, events }: MetricView, words: Words): HTMLElement {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const most = counts.indexOf(Math.max(...counts));
  const share = total > 0 ? `${Math.round((100 * counts[most]!) / total)} %` : "";
  const text = total > 0 && cells[most] !== undefined ? `${words.counted(events)}, ${words.mostly(cellWords(cells[most], unit), share)}` : words.counted(events);
  const described = cells.map((cell, index) => `${cellWords(cell, unit)}: ${counts[index] ?? 0}`).join("; ");
  return h("li", {}, h("span", { class: "name" }, nameWords(name)), h("span", { class: "quiet" }, text), bars(counts, most, described));
}

function bars(counts: readonly number[], most: number, described: string): SVGElement {
  const width = 112 / counts.length;
  const tallest = Math.max(...counts, 1);
  const bar = (count: number, index: number) => {
    const height = count === 0 ? 0 : Math.max(2, (35 * count) / tallest);
    const gap = Math.min(2, width / 4);
    return s("rect", { x: index * width + gap / 2, y: 36 - height, width: width - gap, height, rx: Math.min(1.5, width / 4), class: index === most ? "most" : undefined });
  };
  const base = s("rect", { x: 0, y: 37, width: 112, height: 1, class: "base" });
  return s("svg", { class: "bars", viewBox: "0 0 112 38", preserveAspectRatio: "none", role: "img", "aria-label": described }, ...counts.map(bar), base);
}

/** The reports, newest first, with their bytes taken apart. */
export function sent(reports: View["reports"], totals: View["totals"], spec: PanelSpec | undefined, words: Words): Content {
  const bytes = reports[0]?.listed.bytes.length;
  const given = totals ? Object.values(totals.dropped).reduce((sum, count) => sum + count, 0) : 0;
  const waiting = reports.filter(({ listed }) => listed.waiting).length;
  const gone = given > 0 ? words.gone : words.settled;
  return [
    h("p", { class: "quiet" }, reports.length > 0 ? words.sentIntro(bytes) : words.nothingSent),
    totals && totals.sent + waiting + given > 0 ? h("p", { class: "totals" }, words.totals(totals.sent, waiting, given)) : undefined,
    reports.length > 0 ? h("ul", { class: "reports" }, ...reports.map((report) => reportItem(report, gone, spec, words))) : undefined,
  ];
}

function reportItem({ listed, parsed }: View["reports"][number], gone: string, spec: PanelSpec | undefined, words: Words): HTMLElement {
  const question = parsed && spec?.measurement.questions[parsed.question];
  const time = new Date(listed.createdSecs * 1000);
  const stamp = h("time", { datetime: time.toISOString() }, time.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }));
  const summary = h(
    "summary",
    {},
    h("span", { class: "name" }, words.report(question ? nameWords(question.name) : `#${parsed?.question ?? "?"}`)),
    question ? h("span", { class: "quiet" }, `${words.reportAbout(nameWords(question.metric))}, ${words.noise(epsilonWords(question.epsilon_micronats))}`) : undefined,
    h("span", { class: "state" }, stamp, ` · ${listed.waiting ? words.waiting : gone}`),
  );
  const details = h("details", { "data-key": hex(listed.bytes) }, summary, ...(parsed ? apart(listed.bytes, parsed, words) : [h("p", { class: "hex" }, hex(listed.bytes))]));
  return h("li", {}, details);
}

function apart(bytes: Uint8Array, { fields }: ReportView, words: Words): HTMLElement[] {
  const part = ({ offset, length }: ReportView["fields"][number]) => hex(bytes.subarray(offset, offset + length));
  const row = (field: ReportView["fields"][number], index: number) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, h("span", { class: `chip f${index % 4}`, "aria-hidden": "true" }), field.name),
      h("td", { class: "size" }, String(field.length)),
      h("td", {}, words.fields[field.name] ?? ""),
    );
  const heads = [words.field, words.bytes, words.meaning].map((head) => h("th", { scope: "col" }, head));
  return [
    h("p", { class: "hex" }, ...fields.map((field, index) => h("span", { class: `f${index % 4}`, title: field.name }, part(field)))),
    h("table", {}, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...fields.map(row))),
  ];
}

/** The ledger: one meter for each cap. */
export function budget(ledger: LedgerView | undefined, words: Words): Content {
  if (!ledger) return [h("p", { class: "quiet" }, words.noBudget)];
  const item = ({ periodSecs, spentMicronats, capMicronats }: LedgerView["spent"][number]) => {
    const [used, cap, left] = [spentMicronats, capMicronats, Math.max(0, capMicronats - spentMicronats)].map(epsilonWords) as [string, string, string];
    const text = words.spent(used, cap, spanWords(periodSecs));
    return h(
      "li",
      {},
      h("div", { class: "row" }, h("span", {}, text), h("span", { class: "quiet" }, words.left(left))),
      s(
        "svg",
        {
          class: "meter", role: "meter",
          "aria-label": text, "aria-valuemin": 0, "aria-valuemax": cap, "aria-valuenow": used, "aria-valuetext": `${text}, ${words.left(left)}`,
        },
        s("rect", { class: "track", width: "100%", height: "100%", rx: 4 }),
        s("rect", { class: "spent", width: `${capMicronats > 0 ? Math.min(100, (100 * spentMicronats) / capMicronats) : 0}%`, height: "100%", rx: 4 }),
      ),
    );
  };
  return [h("p", { class: "quiet" }, words.budgetIntro), h("ul", { class: "budgets" }, ...ledger.spent.map(item))];
}

/** Two pieces of sea glass. */
export function mark(): SVGElement {
  const piece = (d: string, fill: string) => s("path", { d, fill, "fill-opacity": 0.85 });
  return s(
    "svg",
    { viewBox: "0 0 32 32", "aria-hidden": "true" },
    piece("M3.6 19.4C2.5 14 6 7.6 12 5.2c5-2 11.8-.9 13.6 4 1.7 4.7-.7 11.4-5.3 14.4C15 27 5.1 26.4 3.6 19.4z", "#5fa899"),
    piece("M14.2 20.3c-.6-4.3 2.5-8.8 6.9-9.8 3.6-.8 7.4 1.3 8 5 .6 4-1.5 9-5.1 10.9-3.8 2-9.1-.8-9.8-6.1z", "#4a86ad"),
  );
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
