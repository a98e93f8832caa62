/** A progress bar on a terminal; a line at the end elsewhere. */
const WIDTH = 30;

export class Progress {
  readonly #title: string;
  #last = "";

  constructor(title: string) {
    this.#title = title;
  }

  /** @param share between 0 and 1 */
  update(share: number, text: string): void {
    const full = Math.round(share * WIDTH);
    this.#last = `${this.#title} ${"█".repeat(full)}${"░".repeat(WIDTH - full)} ${String(Math.floor(100 * share)).padStart(3)} %  ${text}`;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${this.#last}`);
  }

  done(): void {
    process.stderr.write(process.stderr.isTTY ? "\n" : `${this.#last}\n`);
  }
}
