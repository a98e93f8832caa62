// A visit: some devices wake up, answer what is due at moments of their own, and send. The package as it ships does all of it.
import { Monitor } from "/dist/browser.js";

const settings = JSON.parse(new URLSearchParams(location.search).get("settings"));
const { devices, uploads, visit, thread, clock, spreadMs } = settings;
/** Device time goes on over visits, faster than the wall clock, so that waits between attempts pass. It stays in its window: a round may take long on a busy machine. */
const lastSecs = (Math.floor(clock.secs / 3_600) + 1) * 3_600 - 60;
const now = () => Math.min(clock.secs + ((Date.now() - clock.startedMs) / 1000) * clock.speed, lastSecs);
const spec = await (await fetch("/spec.json")).json();
const monitors = new Map();
globalThis.ready = Promise.all(devices.map(wake));

async function wake({ device, key }) {
  const endpoint = `${uploads}/${visit}/${device}/v1/reports`;
  const monitor = await Monitor.create({ spec: { ...spec, app: `kill-${device}` }, key, endpoint, consent: "granted", now, thread });
  monitors.set(device, monitor);
  monitor.observe({ inputs: { x: [Math.random() * 40 - 10] }, outputs: { y: [0.5, 0.5] } });
  await new Promise((resolve) => setTimeout(resolve, Math.random() * spreadMs));
  monitor.start(150);
}

/** Sends until nothing waits. Returns what each device keeps: its state, and how many reports. */
globalThis.settle = async () => {
  await globalThis.ready;
  const kept = {};
  for (const [device, monitor] of monitors) {
    for (let tries = 0; ; tries += 1) {
      await monitor.close();
      const { waiting } = await monitor.flush();
      kept[device] = { state: await stored(device), waiting };
      if (waiting === 0 || tries === 40) break;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    await monitor.dispose();
  }
  return kept;
};

/** The bytes that the package keeps in the browser, read past the package. */
function stored(device) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(`driftglass kill-${device}`);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const asked = opening.result.transaction("state").objectStore("state").get("device");
      asked.onsuccess = () => {
        opening.result.close();
        resolve(Array.from(asked.result));
      };
    };
  });
}
