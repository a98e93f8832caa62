/** A host behind a port: takes notes and calls, and answers. */
import { plain } from "../errors.js";
import type { Calls, FromHost, ToHost } from "../protocol.js";
import { buildIds } from "../wasm/build.js";
import type { Host } from "./host.js";

/** What messages come and go through. */
export interface Port {
  post(message: FromHost, transfer: Transferable[]): void;
  listen(heard: (message: ToHost) => void): void;
}

/** Serves a port until the thread ends. */
export function serve(host: Host, port: Port): void {
  port.listen((message) => {
    if ("notes" in message) return message.notes.forEach((note) => host.note(note));
    const { call, name, args } = message;
    const method = host[name] as (...args: readonly unknown[]) => Promise<unknown>;
    method.apply(host, args as never).then(
      (value) => port.post({ answer: call, value }, transferable(name, value)),
      (error: unknown) => port.post({ answer: call, error: plain(error) }, []),
    );
  });
  port.post({ ready: buildIds.core }, []);
}

/** Buffers of outputs are the host's no more once they are handed over, so they need not be copied. */
function transferable(name: keyof Calls, value: unknown): Transferable[] {
  if (name !== "run" && name !== "runWatched") return [];
  return Object.values(value as Awaited<ReturnType<Calls["run"]>>).map(({ data }) => data.buffer as ArrayBuffer);
}
