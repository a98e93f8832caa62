// Building elements, and replacing them without losing the reader's place.

export type Child = Node | string | number | null | undefined | false;
type Value = string | number | boolean | null | undefined | ((event: never) => void);
export type Attributes = Record<string, Value>;

/** An HTML element. An attribute whose value is a function listens to the event of that name. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** The element with this id, which the page's HTML holds. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element #${id}`);
  return element;
}

/** Replaces the content of `container`. Focus returns to the element with the same `data-key`; open <details> stay open. */
export function replace(container: Element, ...children: Child[]): void {
  const active = document.activeElement;
  const focused = active && container.contains(active) ? active.getAttribute("data-key") : null;
  const open = [...container.querySelectorAll("details[open][data-key]")].map((each) => each.getAttribute("data-key"));
  container.replaceChildren(...nodes(children));
  for (const key of open) container.querySelector(`details[data-key="${key}"]`)?.setAttribute("open", "");
  if (focused) container.querySelector<HTMLElement>(`[data-key="${focused}"]`)?.focus({ preventScroll: true });
}

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...nodes(children));
  return element;
}

function nodes(children: Child[]): (Node | string)[] {
  const shown = children.filter((child) => child !== null && child !== undefined && child !== false);
  return shown.map((child) => (typeof child === "number" ? String(child) : child));
}
