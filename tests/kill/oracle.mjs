// What a server received from devices, judged by the bytes alone, at the offsets of docs/report-format.md.
import assert from "node:assert/strict";

const HEADER = 44;

/** The reports of one upload body. */
export function split(body) {
  const reports = [];
  for (let at = 0; at < body.length; ) {
    const length = body.readUInt16BE(at);
    reports.push(body.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return reports;
}

/** Debits of a stored state: start of the window and cost. No question here is memoized, so 2 bytes that say so follow. */
export function debits(state) {
  const list = [];
  for (let at = 73; at < state.length - 2; at += 16) {
    list.push({ atSecs: Number(state.readBigUInt64BE(at)), cost: Number(state.readBigUInt64BE(at + 8)) });
  }
  return list;
}

/**
 * What is wrong with all that one device sent, retries included, and with its debits.
 *
 * @returns numbers of faults by name; all 0 when every promise was kept
 */
export function judge(spec, sent, charged) {
  const { window, privacy, questions } = spec.measurement;
  const distinct = [...new Map(sent.map((bytes) => [bytes.toString("hex"), bytes])).values()];
  const reports = distinct.map((bytes) => {
    const atSecs = bytes.readUInt32BE(20) * window.length_secs;
    const cost = questions[bytes.readUInt16BE(24)].epsilon_micronats;
    return { id: bytes.toString("hex", 28, HEADER), atSecs, cost };
  });
  const repeated = (values) => values.length - new Set(values).size;
  const within = (list, { atSecs: from }, period) =>
    list.filter(({ atSecs }) => atSecs >= from && atSecs < from + period);
  const sum = (list) => list.reduce((total, { cost }) => total + cost, 0);
  const overspent = ({ period_secs: period, epsilon_micronats: cap }) =>
    reports.filter((first) => sum(within(reports, first, period)) > cap).length;
  const paid = (report) => charged.some(({ atSecs, cost }) => atSecs === report.atSecs && cost === report.cost);
  return {
    differingRetries: repeated(reports.map(({ id }) => id)),
    secondAnswers: repeated(reports.map(({ atSecs }) => atSecs)),
    overspends: privacy.caps.reduce((total, cap) => total + overspent(cap), 0),
    doubleCharges: repeated(charged.map(({ atSecs }) => atSecs)),
    unpaid: reports.filter((report) => !paid(report)).length,
  };
}

/** The same judge, shown what must not be: each fault is planted in what a device really sent. */
export function theOracleCanFail(spec, sent, charged) {
  const [one] = sent;
  const changed = Buffer.from(one);
  changed[changed.length - 1] ^= 1;
  const anew = Buffer.from(changed);
  anew[28] ^= 1;
  const costs = spec.measurement.questions.map((question) => ({ ...question, epsilon_micronats: 9_000_000_000 }));
  const dear = { ...spec, measurement: { ...spec.measurement, questions: costs } };
  assert.ok(judge(spec, [...sent, changed], charged).differingRetries > 0);
  assert.ok(judge(spec, [...sent, anew], charged).secondAnswers > 0);
  assert.ok(judge(dear, sent, charged).overspends > 0);
  assert.ok(judge(spec, sent, [...charged, ...charged]).doubleCharges > 0);
  assert.ok(judge(spec, sent, []).unpaid > 0);
}
