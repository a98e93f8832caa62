// One tooltip for the page. It repeats what the label of its element says, so screen readers need not see it.

import { h, replace, type Child } from "../dom.ts";

const GAP = 8;

const box = h("div", { class: "tooltip", "aria-hidden": "true", hidden: true });
document.body.append(box);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideTooltip();
});
addEventListener("scroll", hideTooltip, { passive: true, capture: true });

/** Shows content above an anchor, or below it where there is no room. */
export function showTooltip(anchor: Pick<Element, "getBoundingClientRect">, ...content: Child[]): void {
  replace(box, ...content);
  box.hidden = false;
  const at = anchor.getBoundingClientRect();
  const left = at.left + at.width / 2 - box.offsetWidth / 2;
  const above = at.top - box.offsetHeight - GAP;
  box.style.left = `${Math.max(GAP, Math.min(left, document.documentElement.clientWidth - box.offsetWidth - GAP))}px`;
  box.style.top = `${above > GAP ? above : at.bottom + GAP}px`;
}

export function hideTooltip(): void {
  box.hidden = true;
}
