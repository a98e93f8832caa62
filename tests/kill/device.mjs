// One process of a device: answers and sends in a loop until it is killed. Its clock runs fast, so that windows of an
// hour pass in a fraction of a second; it is the wall clock plus an offset, so that it goes on over restarts.
import { FileStore, Monitor } from "driftglass";

const { spec, path, endpoint, key, startedMs, startedSecs, speed, offsetSecs } = JSON.parse(process.argv[2]);

const now = () => startedSecs + ((Date.now() - startedMs) / 1000) * speed + offsetSecs;
const store = new FileStore(path);
const monitor = await Monitor.create({ spec, key, endpoint, store, consent: "granted", now });
process.stdout.write("joined\n");
for (;;) {
  monitor.observe({ inputs: { x: [Math.random() * 40 - 10] }, outputs: { y: [0.5, 0.5] } });
  try {
    await monitor.close();
    await monitor.flush();
  } catch (error) {
    // The store refuses a transaction that outlived its lock: nothing was committed, and the next round starts anew.
    if (error.code !== "store-failed") throw error;
  }
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
}
