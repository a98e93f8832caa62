// What each consumer runs: create, observe, report. The window ends when the clock says so, and the clock is ours.
export async function run(Monitor, { spec, key, endpoint, record }, { thread, startSecs, ...options }) {
  const began = performance.now();
  let secs = startSecs;
  const own = thread ? { thread, ...options } : options;
  const monitor = await Monitor.create({ spec, key, endpoint, consent: "granted", now: () => secs, ...own });
  monitor.observe(record);
  secs += spec.measurement.window.length_secs;
  const answers = await monitor.close();
  const toReportMs = performance.now() - began;
  const { accepted, waiting } = await monitor.flush();
  const { thread: lives, flavour, wasm, counters } = await monitor.status();
  const { window } = await monitor.parseReport(answers[0].report);
  await monitor.purge();
  await monitor.dispose();
  return { answers: answers.length, window, accepted, waiting, thread: lives, flavour, wasm, counters, toReportMs };
}

/** The outcome as the harness reads it. */
export async function outcome(call) {
  try {
    return { value: await call() };
  } catch (error) {
    return { error: { name: error?.name, code: error?.code, message: String(error?.message ?? error), stack: error?.stack } };
  }
}
