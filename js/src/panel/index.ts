/**
 * `<driftglass-panel>`: shows people what is kept on their device, what was sent, and what is left of the privacy budget, with a consent switch and a button
 * that deletes everything.
 *
 * ```js
 * import "driftglass/panel";
 * const panel = document.querySelector("driftglass-panel");
 * panel.spec = spec;
 * panel.monitor = monitor;
 * panel.addEventListener("driftglass-consent", ({ detail }) => localStorage.setItem("consent", detail.consent));
 * ```
 *
 * @packageDocumentation
 */
import type { Consent } from "../types.js";
import { draw, h } from "./dom.js";
import { budget, kept, mark, sent } from "./sections.js";
import { CSS_TEXT } from "./style.js";
import { read, type PanelMonitor, type PanelSpec, type View } from "./watched.js";
import { ENGLISH, type Words } from "./words.js";

export type { PanelMonitor, PanelSpec } from "./watched.js";
export type { Words } from "./words.js";

/** How often a visible panel looks again. */
const REFRESH_MS = 2000;

/** Importable where there is no DOM, so that a server can render a page that uses the panel. */
const Base: typeof HTMLElement = globalThis.HTMLElement ?? (class {} as unknown as typeof HTMLElement);

let sheet: CSSStyleSheet | undefined;

function styles(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS_TEXT);
  }
  return sheet;
}

/**
 * The element. Dispatches `driftglass-consent` with `{ consent }` when a person has used the switch, and `driftglass-purge` when everything was deleted; the app
 * remembers the choice.
 */
export class DriftglassPanel extends Base {
  #monitor: PanelMonitor | undefined;
  #spec: PanelSpec | undefined;
  #words = ENGLISH;
  #frame: Frame | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #asked = false;
  #looking: Promise<void> | undefined;

  /** The monitor that is shown. */
  get monitor(): PanelMonitor | undefined {
    return this.#monitor;
  }

  set monitor(monitor: PanelMonitor | undefined) {
    this.#monitor = monitor;
    void this.refresh();
  }

  /** Its spec, for the names of questions and the length of a period. */
  get spec(): object | undefined {
    return this.#spec;
  }

  set spec(spec: object | undefined) {
    this.#spec = spec as PanelSpec | undefined;
    void this.refresh();
  }

  /** Texts of the panel; those not given are English. */
  get words(): Partial<Words> {
    return this.#words;
  }

  set words(words: Partial<Words>) {
    this.#words = { ...ENGLISH, ...words };
    this.#frame = undefined;
    if (this.isConnected) this.connectedCallback();
  }

  connectedCallback(): void {
    this.#frame ??= this.#framed();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => void (document.hidden || this.refresh()), REFRESH_MS);
    void this.refresh();
  }

  disconnectedCallback(): void {
    clearInterval(this.#timer);
  }

  /** Looks again, now. Fulfilled once the panel shows what there was when it was called. */
  refresh(): Promise<void> {
    this.#asked = true;
    this.#looking ??= this.#lookWhileAsked();
    return this.#looking;
  }

  /** One look at a time; what was asked for during one is another. */
  async #lookWhileAsked(): Promise<void> {
    while (this.#asked) {
      this.#asked = false;
      await this.#look();
    }
    this.#looking = undefined;
  }

  async #look(): Promise<void> {
    const monitor = this.#monitor;
    if (!monitor || !this.isConnected) return;
    const view = await read(monitor);
    if (monitor === this.#monitor) this.#show(view);
  }

  #show({ consent, profile, ledger, totals, reports }: View): void {
    const frame = this.#frame;
    if (!frame) return;
    const words = this.#words;
    frame.toggle.setAttribute("aria-checked", String(consent === "granted"));
    const fixed = consent === "denied" && "globalPrivacyControl" in navigator && navigator.globalPrivacyControl === true;
    frame.state.textContent = consent === "granted" ? words.consentOn : fixed ? words.consentFixed : words.consentOff;
    draw(frame.kept, [profile, this.#spec?.app], () => kept(profile, this.#spec, words));
    const listed = reports.map(({ listed, parsed }) => [[...listed.bytes], listed.waiting, parsed]);
    draw(frame.sent, [listed, totals, this.#spec?.app], () => sent(reports, totals, this.#spec, words));
    draw(frame.budget, ledger ?? null, () => budget(ledger, words));
  }

  #framed(): Frame {
    const words = this.#words;
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styles()];
    const place = () => h("div");
    const frame: Frame = {
      toggle: h("button", { class: "switch", type: "button", role: "switch", "aria-checked": "false", "aria-labelledby": "consent", "aria-describedby": "state" }),
      state: h("span", { class: "quiet", id: "state" }),
      kept: place(),
      sent: place(),
      budget: place(),
      said: h("p", { class: "said", role: "status" }),
    };
    frame.toggle.append(h("span", { class: "knob" }), h("span", {}, h("strong", { id: "consent" }, words.consent), frame.state));
    frame.toggle.addEventListener("click", () => {
      void this.#consent(frame.toggle.getAttribute("aria-checked") === "true" ? "denied" : "granted");
    });
    const section = (id: string, title: string, ...content: Node[]) => h("section", { "aria-labelledby": id }, h("h3", { id }, title), ...content);
    root.replaceChildren(
      h(
        "article",
        { class: "panel", "aria-labelledby": "title" },
        h("header", {}, h("h2", { id: "title" }, mark(), words.title), h("p", { class: "quiet" }, words.intro), frame.toggle),
        section("kept", words.kept, frame.kept),
        section("sent", words.sent, frame.sent),
        section("budget", words.budget, frame.budget),
        this.#footer(),
        frame.said,
      ),
    );
    return frame;
  }

  /** The button that deletes, which asks once more. */
  #footer(): HTMLElement {
    const words = this.#words;
    const footer = h("footer");
    const button = (text: string, kind: string, click: () => void) => {
      const made = h("button", { class: `button ${kind}`, type: "button" }, text);
      made.addEventListener("click", click);
      return made;
    };
    const idle = (focus: boolean) => {
      const remove = button(words.remove, "danger", ask);
      footer.replaceChildren(h("p", { class: "quiet" }, words.removeIntro), h("div", { class: "buttons" }, remove));
      if (focus) remove.focus();
    };
    const ask = () => {
      const keep = button(words.removeNo, "", () => idle(true));
      const sure = button(words.removeYes, "danger", () => void this.#purge().then(() => idle(true)));
      footer.replaceChildren(h("p", { id: "sure" }, words.removeSure), h("div", { class: "buttons", role: "group", "aria-labelledby": "sure" }, keep, sure));
      keep.focus();
    };
    footer.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && footer.querySelector("#sure")) idle(true);
    });
    idle(false);
    return footer;
  }

  async #consent(consent: Consent): Promise<void> {
    await this.#attempt((monitor) => monitor.setConsent(consent));
    const now = this.#monitor?.consent;
    if (now) this.dispatchEvent(new CustomEvent("driftglass-consent", { detail: { consent: now }, bubbles: true, composed: true }));
  }

  async #purge(): Promise<void> {
    const done = await this.#attempt((monitor) => monitor.purge());
    if (!done) return;
    this.#say(this.#words.removed);
    this.dispatchEvent(new CustomEvent("driftglass-purge", { bubbles: true, composed: true }));
  }

  async #attempt(act: (monitor: PanelMonitor) => Promise<void>): Promise<boolean> {
    if (!this.#monitor) return false;
    try {
      await act(this.#monitor);
      return true;
    } catch {
      this.#say(this.#words.failed);
      return false;
    } finally {
      await this.refresh();
    }
  }

  #say(text: string): void {
    if (this.#frame) this.#frame.said.textContent = text;
  }
}

/** The places of a panel that change. */
interface Frame {
  readonly toggle: HTMLButtonElement;
  readonly state: HTMLElement;
  readonly kept: HTMLElement;
  readonly sent: HTMLElement;
  readonly budget: HTMLElement;
  readonly said: HTMLElement;
}

declare global {
  interface HTMLElementTagNameMap {
    "driftglass-panel": DriftglassPanel;
  }
}

if (globalThis.customElements && !customElements.get("driftglass-panel")) customElements.define("driftglass-panel", DriftglassPanel);
