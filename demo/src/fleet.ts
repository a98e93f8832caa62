/**
 * Devices of a fleet, hosted by one thread. Each aircraft is a device with a monitor, a ledger and a secret of its own; what they share is the model in
 * memory and the connection over which reports leave.
 */
import {
  InferenceSession,
  Monitor,
  Tensor,
  type Commit,
  type FlushResult,
  type OutboxEntry,
  type ProfileView,
  type StateBytes,
  type Store,
  type Tensors,
  type WatchedSession,
} from "driftglass";

import { departureSecs, NUMERIC, outcomeSecs, type Flights } from "./flights.js";
import { WEEK_SECS, type Shifts } from "./schedule.js";

export interface FleetOptions {
  readonly flights: Flights;
  readonly shifts: Shifts;
  readonly devices: readonly number[];
  readonly spec: object;
  readonly model: Uint8Array;
  readonly endpoint: string;
  readonly key: string;
  /** When the devices join, in Unix seconds. */
  readonly joinSecs: number;
}

/** The outbox that the devices of a thread share, so that their reports travel together. */
class SharedOutbox {
  entries: OutboxEntry[] = [];
  sequence = 0;
}

/** A device's own state; its reports go to the shared outbox. */
class DeviceStore implements Store {
  #state: StateBytes;

  constructor(readonly shared: SharedOutbox) {}

  async transact(change: (state: StateBytes) => Commit | undefined): Promise<void> {
    const commit = change(this.#state);
    if (!commit) return;
    this.#state = commit.state;
    if (!commit.report) return;
    this.shared.sequence += 1;
    const { bytes, createdSecs } = commit.report;
    this.shared.entries.push({ sequence: this.shared.sequence, report: bytes, createdSecs });
  }

  async outbox(limit: number): Promise<OutboxEntry[]> {
    return this.shared.entries.slice(0, limit);
  }

  async remove(sequences: readonly number[]): Promise<void> {
    const gone = new Set(sequences);
    this.shared.entries = this.shared.entries.filter((entry) => !gone.has(entry.sequence));
  }

  async purge(): Promise<void> {
    this.#state = undefined;
  }
}

/** Something that happens to a device. */
interface Event {
  readonly atSecs: number;
  readonly row: number;
  readonly outcome: boolean;
}

interface Device {
  readonly monitor: Monitor;
  readonly session: WatchedSession<Tensors, Tensors>;
  /** In order of time. */
  readonly events: readonly Event[];
  next: number;
}

/** What a week's reports came to. */
export interface Closed {
  readonly reports: number;
  readonly lengths: number[];
  readonly flush: FlushResult;
}

export class Fleet {
  #clock = { secs: 0 };
  #flights: Flights;
  #devices: Device[] = [];
  #model: InferenceSession;

  private constructor(flights: Flights, model: InferenceSession) {
    this.#flights = flights;
    this.#model = model;
  }

  static async create(options: FleetOptions): Promise<Fleet> {
    const session = await InferenceSession.create(options.model);
    const fleet = new Fleet(options.flights, session);
    const outbox = new SharedOutbox();
    const events = eventsOf(options);
    fleet.#clock.secs = options.joinSecs;
    for (const device of options.devices) {
      const monitor = await Monitor.create({
        spec: options.spec,
        key: options.key,
        endpoint: options.endpoint,
        store: new DeviceStore(outbox),
        consent: "granted",
        now: () => fleet.#clock.secs,
      });
      fleet.#devices.push({ monitor, session: await monitor.wrap(session), events: events.get(device) ?? [], next: 0 });
    }
    return fleet;
  }

  get specId(): string {
    return this.#devices[0]!.monitor.specId;
  }

  /** Lets a week happen. Returns the rows that departed, and the model's probability of "late" for each. */
  async live(window: number): Promise<{ rows: number[]; late: number[] }> {
    const end = (window + 1) * WEEK_SECS;
    const rows: number[] = [];
    const late: number[] = [];
    for (const device of this.#devices) {
      for (; device.next < device.events.length && device.events[device.next]!.atSecs < end; device.next += 1) {
        const event = device.events[device.next]!;
        this.#clock.secs = event.atSecs;
        const key = String(event.row);
        if (event.outcome) {
          device.monitor.outcome(key, this.#flights.late[event.row]!);
        } else {
          const outputs = await device.session.run(this.#inputs(event.row), { key });
          rows.push(event.row);
          late.push(Number(outputs["probabilities"]!.data[1]));
        }
      }
    }
    return { rows, late };
  }

  /** Answers a week that is over, and sends the reports. */
  async close(nowSecs: number): Promise<Closed> {
    this.#clock.secs = nowSecs;
    let reports = 0;
    const lengths = new Set<number>();
    for (const device of this.#devices) {
      for (const answer of await device.monitor.close()) {
        reports += 1;
        lengths.add(answer.report.length);
      }
    }
    return { reports, lengths: [...lengths], flush: await this.#devices[0]!.monitor.flush() };
  }

  /** The sketches of a week, of the devices that had any. */
  async profiles(window: number): Promise<ProfileView[]> {
    const views = await Promise.all(this.#devices.map((device) => device.monitor.inspect(window)));
    return views.filter((view) => view.metrics.some((metric) => metric.events > 0));
  }

  /** The most that any device ever spent in the period of each cap, in millionths of ε. */
  async spent(): Promise<{ maxMicronats: number; capMicronats: number; periodSecs: number }[]> {
    const ledgers = await Promise.all(this.#devices.map((device) => device.monitor.ledger()));
    return ledgers[0]!.spent.map((cap, index) => ({
      periodSecs: cap.periodSecs,
      capMicronats: cap.capMicronats,
      maxMicronats: Math.max(...ledgers.map((ledger) => ledger!.spent[index]!.mostMicronats)),
    }));
  }

  /** Failures that the monitors kept from the application. */
  async failures(): Promise<number> {
    const statuses = await Promise.all(this.#devices.map((device) => device.monitor.status()));
    const counts = statuses.flatMap(({ counters }) => Object.values(counters));
    return counts.reduce((total, count) => total + count, 0);
  }

  /** Frees the memory of all devices. */
  async dispose(): Promise<void> {
    for (const { monitor } of this.#devices) await monitor.dispose();
    await this.#model.release();
  }

  #inputs(row: number): Tensors {
    const flights = this.#flights;
    const numeric = new Float32Array(NUMERIC.length);
    for (let index = 0; index < NUMERIC.length; index += 1) numeric[index] = flights[NUMERIC[index]!][row]!;
    const code = (column: Float64Array) => BigInt64Array.of(BigInt(column[row]!));
    return {
      numeric: new Tensor("float32", numeric, [1, NUMERIC.length]),
      carrier: new Tensor("int64", code(flights.carrier), [1]),
      origin: new Tensor("int64", code(flights.origin), [1]),
    };
  }
}

/** What happens to each device: departures and outcomes in order of time. */
function eventsOf({ flights, shifts, devices }: FleetOptions): Map<number, Event[]> {
  const events = new Map<number, Event[]>(devices.map((device) => [device, []]));
  for (let row = 0; row < flights.count; row += 1) {
    const own = events.get(flights.device[row]!);
    const shift = shifts[row]!;
    if (!own || Number.isNaN(shift)) continue;
    own.push({ atSecs: departureSecs(flights, row) + shift, row, outcome: false });
    const known = outcomeSecs(flights, row) + shift;
    if (!Number.isNaN(known)) own.push({ atSecs: known, row, outcome: true });
  }
  for (const own of events.values()) own.sort((a, b) => a.atSecs - b.atSecs || a.row - b.row);
  return events;
}
