// The spec of the tests that make one report: hours for windows, and every device answers at once.
import { readFileSync } from "node:fs";

export const HOUR = 3600;
/** The clock of tests starts here: the begin of a window. */
export const START_SECS = 360_000_000;

export const spec = JSON.parse(readFileSync(new URL("../vectors/spec-faults.json", import.meta.url))).base;
spec.measurement.window = { length_secs: HOUR, grace_secs: HOUR, join: "immediately" };
// The first two questions: shares of a threshold and of a category.
spec.measurement.questions.length = 2;
spec.detection.deltas = Object.fromEntries(spec.measurement.questions.map(({ name }) => [name, 0.05]));

/** What a model of this spec sees and says. */
export const record = { inputs: { x: [3] }, outputs: { y: [0.2, 0.8] } };
