import type { FlushResult, UploadAnswer } from "../types.js";
import type { Glue } from "../wasm/engine.js";
import { askedSecs, mustWait, waitSecs, type Cause } from "./backoff.js";
import type { OutboxEntry, Store } from "./store/store.js";
import { inTurn } from "./turns.js";
import { delivered, excess, gaveUp, NO_UPLOADS, postponed, type Receipt, type Uploads } from "./uploads.js";

/** Where reports go. */
export interface Destination extends Pick<Glue, "disposition" | "encodeBody"> {
  readonly url: string;
  readonly maxBodyBytes: number;
  readonly fetch: typeof fetch;
  /** Unix seconds. */
  readonly now: () => number;
}

export interface DrainOptions {
  /** Ends the drain at once: consent is gone, or the device. */
  readonly stop: AbortSignal;
  /** Tries though an attempt failed a short while ago. */
  readonly force: boolean;
}

/** Bytes of the length before each report. */
const PREFIX = 2;
/** Reports read from the store at a time: about as many as a body takes. */
const PAGE = 1024;
/** Browsers let 64 KiB outlive their page, for all requests of the page together; what else is on the page needs some too. */
const KEEPALIVE_BYTES = 48 * 1024;
/** How long an answer may take. The centre gives up after half of it. */
const PATIENCE_MS = 60_000;

/**
 * Sends what waits, oldest first, and forgets what is settled. Ends at the first answer that says "later". A retry sends the same reports, byte for byte.
 *
 * @throws DriftglassError `store-failed`
 */
export async function drain(store: Store, to: Destination, options: DrainOptions): Promise<FlushResult> {
  const result: FlushResult = { sent: 0, accepted: 0, duplicate: 0, late: 0, early: 0, rejected: 0, waiting: 0, answers: [] };
  if (!options.stop.aborted) await inTurn(store, () => new Drain(store, to, options, result).run());
  result.waiting = (await store.outbox(Number.MAX_SAFE_INTEGER)).length;
  return result;
}

/** Drops what is beyond the caps of the store. */
export async function trim(store: Store, nowSecs: number): Promise<void> {
  if (!store.caps) return;
  const found = excess(await store.outbox(Number.MAX_SAFE_INTEGER), store.caps, nowSecs);
  const sequences = Object.values(found).flat();
  if (sequences.length > 0) await remove(store, sequences, (uploads) => gaveUp(uploads, found));
}

/** What the device notes of its uploads. */
export async function uploadsOf(store: Store): Promise<Uploads> {
  return (store.uploads ? await store.uploads() : notes.get(store)) ?? NO_UPLOADS;
}

/** Notes of stores that keep none. */
const notes = new WeakMap<Store, Uploads>();

async function remove(store: Store, sequences: readonly number[], change: (uploads: Uploads) => Uploads): Promise<void> {
  await store.remove(sequences, (uploads) => change(uploads ?? NO_UPLOADS));
  if (!store.uploads) notes.set(store, change(notes.get(store) ?? NO_UPLOADS));
}

class Drain {
  readonly #store: Store;
  readonly #to: Destination;
  readonly #options: DrainOptions;
  readonly #result: FlushResult;
  /** Shrinks when the centre finds a body too large. */
  #maxBytes: number;

  constructor(store: Store, to: Destination, options: DrainOptions, result: FlushResult) {
    this.#store = store;
    this.#to = to;
    this.#options = options;
    this.#result = result;
    this.#maxBytes = to.maxBodyBytes;
  }

  async run(): Promise<void> {
    await trim(this.#store, this.#to.now());
    const uploads = await uploadsOf(this.#store);
    if (!this.#options.force && mustWait(uploads.nextAttemptSecs, this.#to.now())) return;
    // A request that outlives its page is refused when others of the page use up what they share: the next attempt does without.
    const keepalive = uploads.failures % 2 === 0;
    for (;;) {
      const entries = await this.#store.outbox(PAGE);
      if (entries.length === 0 || this.#options.stop.aborted) return;
      if (!(await this.#send(first(entries, this.#maxBytes), keepalive))) return;
    }
  }

  /** Sends one body; false if the rest has to wait. */
  async #send(entries: readonly OutboxEntry[], keepalive: boolean): Promise<boolean> {
    const body = this.#to.encodeBody(entries.map((entry) => entry.report));
    const answer = await post(body, keepalive, this.#to, this.#options.stop);
    // A device that is gone has nothing to settle; what it may have become since is another one.
    if (this.#options.stop.aborted) return false;
    this.#result.answers.push(answer.shown);
    const fate = this.#to.disposition(answer.centres ? answer.shown.status : undefined);
    switch (fate) {
      case "settled":
        await this.#settle(entries, answer.receipt ?? NOTHING, 0);
        return true;
      case "split":
        if (entries.length === 1) return this.#refused(entries, answer);
        this.#maxBytes = Math.min(body.length >> 1, answer.maxBodyBytes ?? Infinity);
        return true;
      case "retry":
      case "retry-slowly":
        await this.#postpone(fate, answer);
        return false;
      default:
        return this.#refused(entries, answer);
    }
  }

  async #refused(entries: readonly OutboxEntry[], { receipt }: Answered): Promise<boolean> {
    await this.#settle(entries, receipt ?? { ...NOTHING, rejected: entries.length }, entries.length);
    return true;
  }

  async #settle(entries: readonly OutboxEntry[], receipt: Receipt, refused: number): Promise<void> {
    const sequences = entries.map((entry) => entry.sequence);
    await remove(this.#store, sequences, (uploads) => delivered(uploads, entries.length, receipt, refused));
    this.#result.sent += entries.length;
    for (const name of COUNTED) this.#result[name] += receipt[name];
  }

  async #postpone(cause: Cause, { retryAfterSecs }: Answered): Promise<void> {
    const nowSecs = this.#to.now();
    await remove(this.#store, [], (uploads) => {
      return postponed(uploads, nowSecs + waitSecs(cause, uploads.failures + 1, retryAfterSecs, Math.random));
    });
  }
}

/** What one body was answered, read. */
interface Answered {
  /** For the application. */
  readonly shown: UploadAnswer;
  /** Whether it came from the centre: not if the network failed, or a captive portal answered. */
  readonly centres: boolean;
  readonly receipt: Receipt | undefined;
  readonly retryAfterSecs: number | undefined;
  readonly maxBodyBytes: number | undefined;
}

const NO_ANSWER: Answered = {
  shown: { status: undefined, body: undefined }, centres: false, receipt: undefined, retryAfterSecs: undefined, maxBodyBytes: undefined,
};

async function post(body: Uint8Array, keepalive: boolean, to: Destination, stop: AbortSignal): Promise<Answered> {
  const abort = new AbortController();
  const cancel = () => abort.abort();
  const patience = setTimeout(cancel, PATIENCE_MS);
  stop.addEventListener("abort", cancel);
  try {
    const response = await to.fetch(to.url, {
      method: "POST",
      // Declared as text, so that a browser sends it without a preflight.
      headers: { "content-type": "text/plain" },
      body: body as BodyInit,
      // A redirect is a portal's, never the centre's.
      redirect: "manual",
      signal: abort.signal,
      ...optional("credentials", "omit"),
      ...optional("keepalive", keepalive && body.length <= KEEPALIVE_BYTES),
    });
    return await read(response);
  } catch {
    return NO_ANSWER;
  } finally {
    clearTimeout(patience);
    stop.removeEventListener("abort", cancel);
  }
}

/** A property of requests that some runtimes do not have, and then refuse. */
function optional<Name extends keyof RequestInit>(name: Name, value: RequestInit[Name]): RequestInit {
  return typeof Request === "function" && name in Request.prototype ? { [name]: value } : {};
}

async function read(response: Response): Promise<Answered> {
  const { status } = response;
  const document = (await response.json().catch(() => undefined)) as Record<string, unknown> | undefined;
  const receipt = receiptOf(document);
  const most = document?.["max_body_bytes"];
  return {
    shown: { status, body: document },
    // The centre counts in every success and never redirects. A redirect that a browser does not follow has the status 0.
    centres: status >= 400 || (status >= 200 && status < 300 && receipt !== undefined),
    receipt,
    retryAfterSecs: askedSecs(response.headers.get("retry-after"), Date.now()),
    maxBodyBytes: typeof most === "number" && most > 0 ? most : undefined,
  };
}

const COUNTED = ["accepted", "duplicate", "late", "early", "rejected"] as const;
const NOTHING: Receipt = { accepted: 0, duplicate: 0, late: 0, early: 0, rejected: 0 };

/** The counts that the centre gave; undefined if it gave none. */
function receiptOf(document: unknown): Receipt | undefined {
  const counts = document as Partial<Record<keyof Receipt, unknown>> | null | undefined;
  if (typeof counts?.accepted !== "number") return undefined;
  const number = (value: unknown) => (typeof value === "number" ? value : 0);
  return Object.fromEntries(COUNTED.map((name) => [name, number(counts[name])])) as unknown as Receipt;
}

/** The first reports that fit into a body; one at least. */
function first(entries: readonly OutboxEntry[], maxBytes: number): OutboxEntry[] {
  const body: OutboxEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    bytes += PREFIX + entry.report.length;
    if (body.length > 0 && bytes > maxBytes) break;
    body.push(entry);
  }
  return body;
}
