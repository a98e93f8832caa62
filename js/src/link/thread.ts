import type { FromHost, ToHost } from "../protocol.js";

/** The parts of a worker thread of Node, Deno and Bun that are used here. */
interface Thread {
  on(event: "message" | "error", heard: (value: any) => void): unknown;
  postMessage(message: unknown, transfer: never[]): void;
  terminate(): Promise<unknown>;
  ref(): void;
  unref(): void;
}

/** A worker thread as browsers show workers. It keeps the process alive only while a call waits for its answer. */
export class ThreadWorker extends EventTarget {
  readonly #thread: Thread;
  #asked = 0;

  constructor(thread: Thread) {
    super();
    this.#thread = thread;
    thread.on("message", (data: FromHost) => {
      if ("answer" in data) this.#count(-1);
      this.dispatchEvent(new MessageEvent("message", { data }));
    });
    thread.on("error", (error: Error) => {
      this.dispatchEvent(Object.assign(new Event("error"), { message: error.message }));
    });
  }

  postMessage(message: ToHost, transfer: never[]): void {
    if ("call" in message) this.#count(1);
    this.#thread.postMessage(message, transfer);
  }

  terminate(): void {
    void this.#thread.terminate();
  }

  #count(change: number): void {
    this.#asked += change;
    if (this.#asked === 0) this.#thread.unref();
    else this.#thread.ref();
  }
}
