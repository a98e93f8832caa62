/** The time of a device. Of a page with a clock of its own, the last time that it told. */
export class Clock {
  readonly #source?: () => number;
  #told: number | undefined;

  /** @param source a clock in this thread, or the first word of a page with its own */
  constructor(source: (() => number) | number) {
    if (typeof source === "number") this.#told = source;
    else this.#source = source;
  }

  /** Unix seconds. */
  readonly now = (): number => this.#told ?? this.#source?.() ?? 0;

  /** Takes the page's word for what time it is. */
  tell(secs: number): void {
    if (!this.#source) this.#told = secs;
  }

  /** Does something at the moment at which it happened on the page. */
  at(secs: number, work: () => void): void {
    const before = this.#told;
    this.#told = secs;
    work();
    this.#told = this.#source ? before : secs;
  }
}
