/** A thread of the pool: hosts one fleet at a time and does what it is told. */
import { parentPort, workerData } from "node:worker_threads";

import { Fleet, type FleetOptions } from "./fleet.js";
import type { Flights } from "./flights.js";

/** What the pool asks, and what it is answered. */
export type Task =
  | { readonly kind: "create"; readonly options: Omit<FleetOptions, "flights"> }
  | { readonly kind: "live"; readonly window: number }
  | { readonly kind: "close"; readonly nowSecs: number }
  | { readonly kind: "profiles"; readonly window: number }
  | { readonly kind: "spent" }
  | { readonly kind: "failures" };

const flights = workerData as Flights;
let fleet: Fleet | undefined;

parentPort!.on("message", ({ id, task }: { id: number; task: Task }) => {
  perform(task).then(
    (value) => parentPort!.postMessage({ id, value }),
    (error: unknown) => parentPort!.postMessage({ id, error: error instanceof Error ? error.stack : String(error) }),
  );
});

async function perform(task: Task): Promise<unknown> {
  switch (task.kind) {
    case "create":
      await fleet?.dispose();
      fleet = await Fleet.create({ ...task.options, flights });
      return fleet.specId;
    case "live":
      return fleet!.live(task.window);
    case "close":
      return fleet!.close(task.nowSecs);
    case "profiles":
      return fleet!.profiles(task.window);
    case "spent":
      return fleet!.spent();
    case "failures":
      return fleet!.failures();
  }
}
