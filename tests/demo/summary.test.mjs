// What the demo found, read from its summary.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const summary = JSON.parse(readFileSync(process.env.DRIFTGLASS_SUMMARY, "utf8"));
const runs = { stream: summary.stream, null_run: summary.null_run, reference_in_order: summary.reference_in_order };
const question = (name) => summary.stream.questions.find((one) => one.name === name);

test("the whole fleet took part", () => {
  assert.equal(summary.devices, 4043);
  assert.equal(summary.stream.inferences, 196_428);
  assert.equal(summary.stream.reports.made, 31 * 4043, "every device answers every week");
});

test("no report is lost, counted twice or refused", () => {
  for (const [name, { reports }] of Object.entries(runs)) {
    assert.equal(reports.accepted, reports.made, name);
    assert.deepEqual([reports.lost, reports.duplicate, reports.late, reports.rejected], [0, 0, 0, 0], name);
    assert.equal(reports.bytesEach.length, 1, "all reports have one length");
  }
});

test("no device spends more than its caps", () => {
  for (const { spent, failures } of Object.values(runs)) {
    assert.ok(spent.every((cap) => cap.maxMicronats > 0 && cap.maxMicronats <= cap.capMicronats));
    assert.equal(failures, 0, "no monitor failed quietly");
  }
});

// The devices draw fresh entropy, so each run differs. At one false alarm a year, an alarm in the 21 weeks of a null run has
// probability at most 21/52; four or more have at most 21/52/4 = 0.10 by Markov's inequality, and far less with delta above 0. The bounds below leave
// room for that and would still fail for a test that ignores the noise, which alarms in most weeks.
test("the null run raises next to no alarm", () => {
  assert.ok(summary.null_run.alarms <= 3, `${summary.null_run.alarms} alarms`);
  assert.ok(summary.null_run.score.coverage > 0.95);
});

test("alarms in the stream are true, and the year's events are found", () => {
  const { score } = summary.stream;
  assert.ok(score.precision > 0.95, `precision ${score.precision}`);
  assert.ok(score.recall > 0.3, `recall ${score.recall}`);
  assert.ok(score.coverage > 0.95, `coverage ${score.coverage}`);
  // Each of 217 intervals errs with probability 1/365 at most: 0.6 wrong verdicts are expected at most, mostly near delta.
  assert.ok(score.missed <= 3, `${score.missed} of what drifted are called stable`);
  // The first week alone has some 120 answers about the temperature, and in 3 runs of 100 fewer than the 100 that a verdict needs.
  assert.ok(question("temperature").first_alert_window <= 2266, "summer begins");
  assert.ok(question("departed_late").first_alert_window <= 2272, "the storms of July are found in July");
});

test("what did not drift stays quiet", () => {
  for (const name of ["hour", "carrier"]) {
    const alarms = question(name).verdicts.filter((one) => one.verdict === "drift");
    assert.ok(alarms.length <= 1, name);
  }
});
