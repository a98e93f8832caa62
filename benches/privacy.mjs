// Times the loops of benches/wasm. Argument: the module. Prints one line of JSON: for each case, nanoseconds per report.
import { readFileSync } from "node:fs";

const BATCHES = 25;

const module = await WebAssembly.compile(readFileSync(process.argv[2]));
const { exports } = await WebAssembly.instantiate(module, {});

/** Processor time of this process in nanoseconds: other processes on the machine do not count. */
function clock() {
  const { user, system } = process.cpuUsage();
  return 1e3 * (user + system);
}

/** Median nanoseconds of a call. */
function median(call, prepare = () => {}) {
  const times = [];
  // The first calls run in the baseline compiler's code.
  for (let batch = -3; batch < BATCHES; batch++) {
    prepare();
    const began = clock();
    call();
    if (batch >= 0) times.push(clock() - began);
  }
  return times.sort((a, b) => a - b)[BATCHES >> 1];
}

const reports = exports.reports();
const cases = Array.from({ length: exports.cases() }, (_, index) => {
  exports.prepare(index);
  return {
    privatize: median(exports.privatize, exports.pay) / reports,
    tape: median(exports.replay) / reports,
    accumulate: median(exports.accumulate) / reports,
    accumulate_all: median(exports.accumulate_all) / reports,
    support: median(exports.support),
  };
});
console.log(JSON.stringify(cases));
