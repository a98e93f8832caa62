// What a server received from devices, judged by the bytes alone, at the offsets of docs/report-format.md.

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
