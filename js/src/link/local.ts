import { revived } from "../errors.js";
import type { Calls, Note } from "../protocol.js";
import type { Link } from "./link.js";

/** What a host in this thread looks like to its link. */
export interface LocalHost extends Calls {
  note(note: Note): void;
}

/** A host in this thread: calls are calls, and nothing is copied. */
export class LocalLink implements Link {
  readonly thread = "main";
  readonly #host: LocalHost;

  constructor(host: LocalHost) {
    this.#host = host;
  }

  call<Name extends keyof Calls>(name: Name, ...args: Parameters<Calls[Name]>): ReturnType<Calls[Name]> {
    const call = this.#host[name] as (...args: unknown[]) => Promise<unknown>;
    const answer = call.apply(this.#host, args).catch((error: unknown) => {
      throw revived(error);
    });
    return answer as ReturnType<Calls[Name]>;
  }

  note(note: Note): void {
    this.#host.note(note);
  }

  close(): void {
    // Its devices and sessions were freed one by one; the host itself holds nothing.
  }
}
