import type { FlushResult, UploadAnswer } from "../types.js";
import type { Glue } from "../wasm/engine.js";
import type { OutboxEntry, Store } from "./store/store.js";

/** Where reports go. */
export interface Destination extends Pick<Glue, "disposition" | "encodeBody"> {
  readonly url: string;
  readonly maxBodyBytes: number;
  readonly fetch: typeof fetch;
}

/** Bytes of the length before each report. */
const PREFIX = 2;
/** Reports read from the store at a time. */
const PAGE = 1024;

/** Sends what waits, oldest first, and forgets what is settled. Stops at the first answer that says "later", and once it is not allowed. */
export async function flush(store: Store, to: Destination, allowed: () => boolean): Promise<FlushResult> {
  const result: FlushResult = {
    sent: 0, accepted: 0, duplicate: 0, late: 0, early: 0, rejected: 0, waiting: 0, answers: [],
  };
  for (;;) {
    const entries = await store.outbox(PAGE);
    if (entries.length === 0 || !allowed()) return { ...result, waiting: entries.length };
    for (const body of bodies(entries, to.maxBodyBytes)) {
      if (!allowed() || !(await send(body, store, to, result))) {
        result.waiting = entries.length;
        return result;
      }
    }
  }
}

/** Cuts a list of reports into bodies of at most so many bytes. */
function* bodies(entries: readonly OutboxEntry[], maxBytes: number): Generator<OutboxEntry[]> {
  let body: OutboxEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const more = PREFIX + entry.report.length;
    if (body.length > 0 && bytes + more > maxBytes) {
      yield body;
      body = [];
      bytes = 0;
    }
    body.push(entry);
    bytes += more;
  }
  if (body.length > 0) yield body;
}

/** Sends one body; false if it has to wait. */
async function send(body: OutboxEntry[], store: Store, to: Destination, result: FlushResult): Promise<boolean> {
  const answer = await post(body, to);
  result.answers.push(answer);
  const next = answered(answer) ? to.disposition(answer.status) : "retry";
  if (next === "split" && body.length > 1) {
    const middle = body.length >> 1;
    return (await send(body.slice(0, middle), store, to, result)) && (await send(body.slice(middle), store, to, result));
  }
  if (next === "retry" || next === "retry-slowly") return false;
  result.sent += body.length;
  count(answer, next === "settled" ? 0 : body.length, result);
  await store.remove(body.map((entry) => entry.sequence));
  return true;
}

async function post(body: OutboxEntry[], to: Destination): Promise<UploadAnswer> {
  const bytes = to.encodeBody(body.map((entry) => entry.report));
  try {
    const response = await to.fetch(to.url, {
      method: "POST",
      // Declared as text, so that a browser sends it without a preflight.
      headers: { "content-type": "text/plain" },
      body: bytes as BodyInit,
      credentials: "omit",
      redirect: "error",
    });
    return { status: response.status, body: await response.json().catch(() => undefined) };
  } catch {
    return { status: undefined, body: undefined };
  }
}

/** Whether a success is the centre's own: the page of a captive portal is none. */
function answered({ status, body }: UploadAnswer): boolean {
  const success = status !== undefined && status >= 200 && status < 300;
  return !success || typeof (body as { accepted?: unknown } | undefined)?.accepted === "number";
}

/** Adds the centre's counts, or `unanswered` reports as rejected if it gave none. */
function count(answer: UploadAnswer, unanswered: number, result: FlushResult): void {
  const counts = answer.body as Partial<Record<(typeof COUNTED)[number], number>> | undefined;
  if (typeof counts?.accepted !== "number") {
    result.rejected += unanswered;
    return;
  }
  for (const name of COUNTED) result[name] += counts[name] ?? 0;
}

const COUNTED = ["accepted", "duplicate", "late", "early", "rejected"] as const;
