// The other side of the line: what the centre received, and what it answered.

import type { Counters } from "../api.ts";
import { h } from "../dom.ts";
import { integer } from "../format.ts";
import type { UploadAnswer } from "./device.ts";

/** One upload of the report. */
export interface Upload {
  bytes: number;
  answer: UploadAnswer;
}

export function centreView(uploads: Upload[], counters: { before: Counters; now: Counters }, contents: Node | null): HTMLElement {
  return h("div", { class: "centre" },
    uploads.length === 0
      ? h("p", { class: "nothing" }, h("b", {}, "Nothing."), " 0 bytes of your flights have left this browser.")
      : h("ol", { class: "uploads" }, ...uploads.map(upload)),
    contents,
    h("dl", { class: "facts" }, counter("accepted", counters), counter("duplicate", counters), counter("late", counters)),
    h("p", { class: "small muted" }, "Counters of the centre, and how they moved since this page was opened."));
}

function upload({ bytes, answer }: Upload, i: number): HTMLElement {
  return h("li", {},
    h("div", {}, h("code", {}, "POST /v1/reports"), h("span", { class: "muted" }, ` ${bytes} bytes`)),
    h("div", { class: "reply" }, h("b", {}, word(answer)), h("span", { class: "muted" }, answer.status === undefined ? "" : ` status ${answer.status}`)),
    answer.body !== undefined && h("details", { "data-key": `upload-${i}` }, h("summary", {}, "The centre's answer"), h("pre", {}, JSON.stringify(answer.body, null, 1))));
}

/** "accepted", "duplicate", …: the count that is not zero, or else the title of the problem. */
function word({ status, body }: UploadAnswer): string {
  if (status === undefined) return "no answer";
  const counts = (body ?? {}) as Record<string, unknown>;
  const counted = ["accepted", "duplicate", "late", "early", "rejected"].find((name) => Number(counts[name]) > 0);
  return counted ?? String(counts["title"] ?? "refused");
}

function counter(name: keyof Counters, { before, now }: { before: Counters; now: Counters }): HTMLElement {
  const more = now[name] - before[name];
  return h("div", {}, h("dt", {}, name), h("dd", {}, integer(now[name]), more > 0 && h("b", { class: "more" }, `+${integer(more)}`)));
}
