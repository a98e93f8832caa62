// This browser as a device. The only file that knows the driftglass package.

import {
  type Answer, type FlushResult, InferenceSession, type LedgerView, Monitor, type ProfileView, type ReportView, Tensor, type Tensors,
  type UploadAnswer, type WatchedSession,
} from "driftglass";
import type { Spec } from "../api.ts";
import type { Flight } from "./flights.ts";

export type { Answer, LedgerView, MetricView, ProfileView, ReportView, UploadAnswer } from "driftglass";

const ENDPOINT = "/v1/reports";

interface Clock {
  nowSecs: number;
}

/** A device whose clock the page sets. */
export class Device {
  readonly #clock: Clock;
  readonly #monitor: Monitor;
  readonly #watched: WatchedSession<Tensors, Tensors>;

  private constructor(clock: Clock, monitor: Monitor, watched: WatchedSession<Tensors, Tensors>) {
    this.#clock = clock;
    this.#monitor = monitor;
    this.#watched = watched;
  }

  /** Loads module and model, and joins at a moment of the centre's clock. The visitor agreed by starting the replay. */
  static async join(spec: Spec, model: Uint8Array, nowSecs: number): Promise<Device> {
    const clock = { nowSecs };
    const session = await InferenceSession.create(model);
    const monitor = await Monitor.create({
      spec: spec.document,
      key: spec.ingest_key,
      endpoint: ENDPOINT,
      consent: "granted",
      now: () => clock.nowSecs,
    });
    return new Device(clock, monitor, await monitor.wrap(session));
  }

  setClock(nowSecs: number): void {
    this.#clock.nowSecs = nowSecs;
  }

  /** Runs the model on a flight, watched. Returns P(late). */
  async predict(flight: Flight): Promise<number> {
    const output = await this.#watched.run(
      {
        numeric: new Tensor("float32", flight.numeric, [1, flight.numeric.length]),
        carrier: new Tensor("int64", BigInt64Array.of(BigInt(flight.carrier)), [1]),
        origin: new Tensor("int64", BigInt64Array.of(BigInt(flight.origin)), [1]),
      },
      { key: flight.key },
    );
    return Number(output["probabilities"]?.data[1]);
  }

  /** Tells whether a flight was late. */
  outcome(flight: Flight): void {
    this.#monitor.outcome(flight.key, Number(flight.late));
  }

  sketches = (window: number): Promise<ProfileView> => this.#monitor.inspect(window);

  ledger = (): Promise<LedgerView | undefined> => this.#monitor.ledger();

  parse = (report: Uint8Array): Promise<ReportView> => this.#monitor.parseReport(report);

  /** Answers the window that is due; undefined if the device refuses. */
  close = async (): Promise<Answer | undefined> => (await this.#monitor.close())[0];

  /** Sends what waits in the outbox, at once: a person pressed a button, and the clock of the page stands still. */
  send = (): Promise<FlushResult> => this.#monitor.flush({ force: true });

  /** Wipes sketches, secret, ledger and outbox. */
  purge = (): Promise<void> => this.#monitor.purge();
}

/** Posts a report once more, as a device does that lost the centre's answer. */
export async function sendAgain(spec: Spec, report: Uint8Array): Promise<UploadAnswer> {
  const body = new Uint8Array(2 + report.length);
  new DataView(body.buffer).setUint16(0, report.length);
  body.set(report, 2);
  try {
    const response = await fetch(`${ENDPOINT}?key=${encodeURIComponent(spec.ingest_key)}`, {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body,
    });
    return { status: response.status, body: await response.json().catch(() => undefined) };
  } catch {
    return { status: undefined, body: undefined };
  }
}
