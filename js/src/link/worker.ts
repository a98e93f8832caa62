import { crossed, DriftglassError } from "../errors.js";
import type { Calls, FromHost, Note, ToHost } from "../protocol.js";
import type { WorkerLike } from "../types.js";
import type { Link } from "./link.js";
import { snapshot } from "./snapshot.js";

/** Notes that are sent at once, without waiting for the thread to be idle. */
const FULL_BATCH = 256;

interface Asked {
  resolve(value: never): void;
  reject(error: Error): void;
}

/** A host in a worker. Notes travel in batches: one message for all that one task of the page did. */
export class WorkerLink implements Link {
  readonly thread = "worker";
  readonly #worker: WorkerLike;
  readonly #asked = new Map<number, Asked>();
  #notes: Note[] = [];
  #transfer: Transferable[] = [];
  #scheduled = false;
  #last = 0;
  #ended: Error | undefined;

  /** @param worker one that said it is ready */
  constructor(worker: WorkerLike) {
    this.#worker = worker;
    worker.addEventListener("message", ({ data }: MessageEvent<FromHost>) => this.#heard(data));
    worker.addEventListener("error", ({ message }: ErrorEvent) => this.#end(new DriftglassError("worker-unavailable", `The worker failed: ${message}`)));
    // What was observed in the last task of a page that goes away.
    if (typeof document === "object") document.addEventListener("visibilitychange", this.#deliver);
    globalThis.addEventListener?.("pagehide", this.#deliver);
  }

  call<Name extends keyof Calls>(name: Name, ...args: Parameters<Calls[Name]>): ReturnType<Calls[Name]> {
    const answer = new Promise((resolve, reject) => {
      if (this.#ended) throw this.#ended;
      this.#deliver();
      const call = (this.#last += 1);
      this.#asked.set(call, { resolve, reject });
      this.#post({ call, name, args }, []);
    });
    return answer as ReturnType<Calls[Name]>;
  }

  note(note: Note): void {
    if (this.#ended) return;
    this.#notes.push(note.kind === "observe" ? { ...note, record: snapshot(note.record, this.#transfer) } : note);
    if (this.#notes.length >= FULL_BATCH) return this.#deliver();
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(this.#deliver);
  }

  close(): void {
    this.#deliver();
    if (typeof document === "object") document.removeEventListener("visibilitychange", this.#deliver);
    globalThis.removeEventListener?.("pagehide", this.#deliver);
    this.#worker.terminate();
    this.#end(new DriftglassError("disposed", "The worker ended with the last of its monitors and sessions."));
  }

  readonly #deliver = (): void => {
    this.#scheduled = false;
    if (this.#notes.length === 0) return;
    const [notes, transfer] = [this.#notes, this.#transfer];
    [this.#notes, this.#transfer] = [[], []];
    this.#post({ notes }, transfer);
  };

  #post(message: ToHost, transfer: Transferable[]): void {
    this.#worker.postMessage(message, transfer as never[]);
  }

  #heard(message: FromHost): void {
    if (!("answer" in message)) return;
    const asked = this.#asked.get(message.answer);
    this.#asked.delete(message.answer);
    if ("error" in message) asked?.reject(crossed(message.error));
    else asked?.resolve(message.value as never);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }
}
