import type { Calls, Note } from "../protocol.js";

/** A way to a host, which is in this thread or in another. */
export interface Link {
  readonly thread: "worker" | "main";
  /** Asks the host. Notes that were made before are there first. */
  call<Name extends keyof Calls>(name: Name, ...args: Parameters<Calls[Name]>): ReturnType<Calls[Name]>;
  /** Tells the host. Never throws, and never waits. */
  note(note: Note): void;
  /** Ends the host. */
  close(): void;
}
