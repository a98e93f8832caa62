/** Elements without markup: nothing here parses text, so a strict Content-Security-Policy and Trusted Types have nothing to object to. */

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Children = readonly (Node | string | undefined)[];

/** An HTML element. */
export function h<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, attributes: Attributes = {}, ...children: Children): HTMLElementTagNameMap[Tag] {
  return filled(document.createElement(tag), attributes, children);
}

/** An SVG element: shapes whose sizes are data, without a style attribute. */
export function s<Tag extends keyof SVGElementTagNameMap>(tag: Tag, attributes: Attributes = {}, ...children: Children): SVGElementTagNameMap[Tag] {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled<E extends Element>(element: E, attributes: Attributes, children: Children): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** Draws into a place only if what it would show has changed; details that were open stay open, and the focus stays where it was. */
export function draw(place: HTMLElement, shown: unknown, content: () => Children): void {
  const print = JSON.stringify(shown);
  if (place.dataset["shown"] === print) return;
  place.dataset["shown"] = print;
  const keyed = (element: Element | null) => (element instanceof HTMLElement ? element.closest<HTMLElement>("[data-key]")?.dataset["key"] : undefined);
  const open = new Set(Array.from(place.querySelectorAll("details[open]"), keyed));
  const root = place.getRootNode() as Document | ShadowRoot;
  const focused = root.activeElement && place.contains(root.activeElement) ? keyed(root.activeElement) : undefined;
  place.replaceChildren(...content().filter((child) => child !== undefined));
  for (const details of place.querySelectorAll("details")) details.open = open.has(details.dataset["key"]);
  if (focused !== undefined) place.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"] > summary`)?.focus();
}
