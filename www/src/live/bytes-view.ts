// A report's bytes, each field labelled; see docs/report-format.md.

import type { Spec } from "../api.ts";
import { h } from "../dom.ts";
import { windowName } from "../format.ts";
import type { ReportView } from "./device.ts";

const PER_ROW = 16;

/** The bytes in rows of sixteen; fields differ by tint, and the table beside them names each by offset. */
export function hexDump(bytes: Uint8Array, report: ReportView): HTMLElement {
  const fieldAt = (at: number): number => report.fields.findIndex((field) => at >= field.offset && at < field.offset + field.length);
  const rows = Array.from({ length: Math.ceil(bytes.length / PER_ROW) }, (_, row) => {
    const at = row * PER_ROW;
    const cells = [...bytes.subarray(at, at + PER_ROW)].map((byte, i) => {
      const field = fieldAt(at + i);
      return h("span", { class: `byte field-${field}`, title: report.fields[field]?.name }, hex(byte));
    });
    return h("div", { class: "dump-row" }, h("span", { class: "offset" }, hex(at)), h("span", { class: "bytes" }, ...cells));
  });
  return h("div", { class: "dump", role: "img", "aria-label": `The ${bytes.length} bytes of the report; the fields are in the table that follows.` }, ...rows);
}

/** What anyone with the spec can read from the bytes. `names` are the symbols of the report's question. */
export function fieldTable(bytes: Uint8Array, report: ReportView, names: readonly string[], spec: Spec): HTMLElement {
  const { window, questions, segments } = spec.document.measurement;
  const meanings: Record<string, string> = {
    magic: "“DG”",
    version: `format ${bytes[2]}`,
    arm: report.arm,
    "spec id": "hash of what is measured",
    window: windowName(report.window * window.length_secs, window.length_secs),
    question: questions[report.question]?.name ?? "",
    segment: segments[report.segment] ?? "",
    "report id": "from the secret; the same for a retry, unlike in any other window",
    payload: report.symbols.length && names.length ? `supports ${report.symbols.map((symbol) => `“${names[symbol]}”`).join(", ")}` : "a number that says little about the answer",
  };
  return h("table", { class: "numbers fields" },
    h("thead", {}, h("tr", {}, ...["Offset", "Bytes", "Field", "Meaning"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, ...report.fields.map((field, i) =>
      h("tr", {},
        h("td", { class: "number" }, field.offset),
        h("td", { class: "number" }, field.length),
        h("th", { scope: "row" }, h("span", { class: `field-key field-${i}` }, field.name)),
        h("td", {}, meanings[field.name] ?? "")))));
}

const hex = (value: number): string => value.toString(16).padStart(2, "0");
