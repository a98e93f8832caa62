import { DriftglassError } from "../errors.js";
import { buildIds } from "../wasm/build.js";
import type { WorkerLike } from "../types.js";
import { WorkerLink } from "./worker.js";

/** A worker that has not said by then that it is ready never will. */
const PATIENCE_MS = 10_000;

/**
 * A link to a worker of the package: from its file, or, where a bundler did not copy that, from a copy inside the package.
 *
 * @param file makes the worker from its file
 * @throws DriftglassError `worker-unavailable`
 */
export async function spawned(file: () => WorkerLike): Promise<WorkerLink> {
  try {
    return await connected(file);
  } catch (error) {
    const source = await import("./worker-inline.js").catch(() => {
      throw error;
    });
    return connected(() => inlineWorker(source.default)).catch((second: Error) => {
      throw new DriftglassError("worker-unavailable", `${(error as Error).message} ${second.message} The second was made from a blob, which needs worker-src blob: in a Content-Security-Policy.`);
    });
  }
}

/** Links to a worker, once it says that it is ready. */
export function connected(make: () => WorkerLike): Promise<WorkerLink> {
  return new Promise((resolve, reject) => {
    let worker: WorkerLike;
    try {
      worker = make();
    } catch (cause) {
      return reject(new DriftglassError("worker-unavailable", `The browser refused a worker: ${(cause as Error).message}`, { cause }));
    }
    const settle = (work: () => void) => {
      clearTimeout(timer);
      worker.removeEventListener("message", heard);
      worker.removeEventListener("error", failed);
      work();
    };
    const refuse = (text: string) =>
      settle(() => {
        worker.terminate();
        reject(new DriftglassError("worker-unavailable", text));
      });
    const heard = ({ data }: MessageEvent) => {
      const { ready } = data as { ready?: string };
      if (ready === buildIds.core) settle(() => resolve(new WorkerLink(worker)));
      else refuse(`The worker is of build ${ready}, the page's script of ${buildIds.core}: deploy them together.`);
    };
    const failed = (event: Event) => refuse(`The worker could not start: ${(event as ErrorEvent).message || "its script did not load"}.`);
    const timer = setTimeout(() => refuse(`The worker did not answer within ${PATIENCE_MS / 1000} s.`), PATIENCE_MS);
    worker.addEventListener("message", heard);
    worker.addEventListener("error", failed);
  });
}

function inlineWorker(source: string): Worker {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(trusted(url));
  // The script is fetched by the time that the worker says anything, or that it cannot.
  for (const event of ["message", "error"]) worker.addEventListener(event, () => URL.revokeObjectURL(url), { once: true });
  return worker;
}

interface Policy {
  createScriptURL(url: string): string;
}

let policy: Policy | undefined;

/** The address as a page with Trusted Types wants it, where its header lists our policy: `trusted-types driftglass`. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } };
  policy ??= trustedTypes?.createPolicy("driftglass", { createScriptURL: (own) => own });
  return policy ? policy.createScriptURL(url) : url;
}
