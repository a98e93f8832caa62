import type { ListedReport } from "../types.js";
import type { OutboxEntry } from "./store/store.js";

/** Reports that are remembered once they wait no more. */
const KEPT = 20;

type Made = Omit<ListedReport, "waiting">;

/** The latest reports of this device since it was loaded, for pages that show them. In memory alone. */
export class Recent {
  #made: Made[] = [];

  add(report: Made): void {
    this.#made = [...this.#made, report].slice(-KEPT);
  }

  forget(): void {
    this.#made = [];
  }

  /** All that wait and the latest that do not, oldest first. */
  with(waiting: readonly OutboxEntry[]): ListedReport[] {
    const waits = waiting.map(({ report, createdSecs }) => ({ bytes: report, createdSecs, waiting: true }));
    const bytes = new Set(waits.map(({ bytes }) => String(bytes)));
    const gone = this.#made.filter((made) => !bytes.has(String(made.bytes))).map((made) => ({ ...made, waiting: false }));
    return [...gone, ...waits].sort((a, b) => a.createdSecs - b.createdSecs);
  }
}
