// A choice of specs, where the centre has several. The choice is the page's address: ?spec=…

import type { SpecSummary } from "./api.ts";
import { h } from "./dom.ts";

export function specPicker(specs: SpecSummary[], chosen: SpecSummary): HTMLElement | null {
  if (specs.length < 2) return null;
  const option = (spec: SpecSummary): HTMLElement =>
    h("option", { value: spec.spec_id, selected: spec === chosen }, `${spec.app} · ${spec.spec_id.slice(0, 8)}`);
  const open = (event: Event): void => location.assign(`?spec=${encodeURIComponent((event.target as HTMLSelectElement).value)}`);
  return h("label", { class: "spec-picker" }, "Spec ", h("select", { "data-key": "spec", change: open }, ...specs.map(option)));
}
