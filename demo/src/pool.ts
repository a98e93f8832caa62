/** Threads that host the devices, an even share each. */
import { Worker } from "node:worker_threads";

import type { Closed, FleetOptions } from "./fleet.js";
import type { Flights } from "./flights.js";
import type { Task } from "./worker.js";
import type { ProfileView } from "driftglass";

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** One thread, asked one thing after another. */
class Thread {
  #worker: Worker;
  #waiting = new Map<number, Waiting>();
  #id = 0;

  constructor(flights: Flights) {
    this.#worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: flights });
    this.#worker.on("message", ({ id, value, error }: { id: number; value: unknown; error?: string }) => {
      const waiting = this.#waiting.get(id)!;
      this.#waiting.delete(id);
      if (error === undefined) waiting.resolve(value);
      else waiting.reject(new Error(error));
    });
    this.#worker.on("error", (cause) => this.#waiting.forEach((waiting) => waiting.reject(cause as Error)));
  }

  ask(task: Task): Promise<unknown> {
    this.#id += 1;
    const id = this.#id;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, task });
    });
  }

  stop(): Promise<number> {
    return this.#worker.terminate();
  }
}

export class Pool {
  #threads: Thread[];

  constructor(flights: Flights, size: number) {
    this.#threads = Array.from({ length: size }, () => new Thread(flights));
  }

  /** Makes the fleet anew; returns the spec id. */
  async create(options: Omit<FleetOptions, "flights" | "devices">, devices: number): Promise<string> {
    const share = (part: number) =>
      Array.from({ length: devices }, (_, device) => device).filter((device) => device % this.#threads.length === part);
    const ids = await Promise.all(
      this.#threads.map((thread, part) => thread.ask({ kind: "create", options: { ...options, devices: share(part) } })),
    );
    return ids[0] as string;
  }

  live(window: number): Promise<{ rows: number[]; late: number[] }[]> {
    return this.#all({ kind: "live", window });
  }

  close(nowSecs: number): Promise<Closed[]> {
    return this.#all({ kind: "close", nowSecs });
  }

  async profiles(window: number): Promise<ProfileView[]> {
    return (await this.#all<ProfileView[]>({ kind: "profiles", window })).flat();
  }

  async spent(): Promise<{ maxMicronats: number; capMicronats: number; periodSecs: number }[]> {
    const [first, ...others] = await this.#all<{ maxMicronats: number; capMicronats: number; periodSecs: number }[]>({ kind: "spent" });
    return first!.map((cap, index) => ({
      ...cap,
      maxMicronats: Math.max(cap.maxMicronats, ...others.map((other) => other[index]!.maxMicronats)),
    }));
  }

  async failures(): Promise<number> {
    return (await this.#all<number>({ kind: "failures" })).reduce((sum, count) => sum + count, 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.stop()));
  }

  #all<T>(task: Task): Promise<T[]> {
    return Promise.all(this.#threads.map((thread) => thread.ask(task))) as Promise<T[]>;
  }
}
