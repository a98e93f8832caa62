/** All that the panel says. An app may replace any of it: `panel.words = { title: "…" }`. */

/** The panel's texts. */
export interface Words {
  title: string;
  intro: string;
  consent: string;
  consentOn: string;
  consentOff: string;
  consentFixed: string;
  kept: string;
  keptIntro(window: string): string;
  nothingKept: string;
  counted(events: number): string;
  mostly(cell: string, share: string): string;
  pending(count: number): string;
  sent: string;
  sentIntro(bytes: number | undefined): string;
  nothingSent: string;
  report(question: string): string;
  reportAbout(metric: string): string;
  waiting: string;
  settled: string;
  /** Of a report that waits no more, where some were given up: which ones is not known. */
  gone: string;
  totals(sent: number, waiting: number, givenUp: number): string;
  field: string;
  bytes: string;
  meaning: string;
  noise(epsilon: string): string;
  budget: string;
  budgetIntro: string;
  noBudget: string;
  spent(spent: string, cap: string, period: string): string;
  left(left: string): string;
  remove: string;
  removeIntro: string;
  removeSure: string;
  removeYes: string;
  removeNo: string;
  removed: string;
  failed: string;
  /** What the fields of a report mean, by name. */
  fields: Readonly<Record<string, string>>;
}

const plural = (count: number, one: string, many: string) => (count === 1 ? one : many);

/** English. */
export const ENGLISH: Words = {
  title: "What this app learns from this device",
  intro: "A model on this device makes predictions. This page shows what is counted about them, and every byte that is sent.",
  consent: "Share noisy summaries",
  consentOn: "On. Once a period is over, one noisy answer is sent.",
  consentOff: "Off. Nothing is counted, kept or sent.",
  consentFixed: "Off, because this browser asks sites not to share (Global Privacy Control). Switching it on here overrides that for this app.",
  kept: "Kept on this device",
  keptIntro: (window) => `Counts of the current ${window}. They stay here; no single value is kept.`,
  nothingKept: "Nothing was counted in this period yet.",
  counted: (events) => `${events.toLocaleString()} counted`,
  mostly: (cell, share) => `most often ${cell} (${share})`,
  pending: (count) => `${count.toLocaleString()} ${plural(count, "prediction waits", "predictions wait")} for what turns out to be true.`,
  sent: "Sent",
  sentIntro: (bytes) =>
    `Each report answers one question about one period, with noise: the answer in it may well be a wrong one.${bytes === undefined ? "" : ` All have ${bytes} bytes, whatever they say.`}`,
  nothingSent: "No report was made since this page was opened.",
  report: (question) => question,
  reportAbout: (metric) => `about ${metric}`,
  waiting: "waits to be sent",
  settled: "sent",
  gone: "sent or given up",
  totals: (sent, waiting, givenUp) =>
    [`${sent.toLocaleString()} sent so far`, waiting > 0 && `${waiting.toLocaleString()} waiting`, givenUp > 0 && `${givenUp.toLocaleString()} given up`]
      .filter(Boolean)
      .join(", ") + ".",
  field: "Field",
  bytes: "Bytes",
  meaning: "Meaning",
  noise: (epsilon) => `ε = ${epsilon}`,
  budget: "Privacy budget",
  budgetIntro: "Each answer costs some of it, and when it is used up this device stays silent. A smaller ε hides more.",
  noBudget: "Nothing was spent: this device does not take part.",
  spent: (spent, cap, period) => `ε ${spent} of ${cap} spent in the last ${period}`,
  left: (left) => `${left} left`,
  remove: "Delete everything",
  removeIntro: "Wipes counts, reports that wait, the budget book and the device's secret.",
  removeSure: "Delete all of it? This cannot be undone.",
  removeYes: "Delete",
  removeNo: "Keep",
  removed: "Everything on this device was deleted.",
  failed: "That did not work. Please try again.",
  fields: {
    magic: "marks a report of this format",
    version: "version of the format",
    arm: "which release of the model ran",
    "spec id": "which public spec was followed",
    window: "the period, by number",
    question: "which question was answered",
    segment: "which declared group",
    "report id": "a one-time number, so that nothing is counted twice",
    payload: "the answer, hidden in noise",
  },
};

/** A cell in plain words: `(0, 15]` is a span of numbers. */
export function cellWords(cell: string, unit: string): string {
  const withUnit = (text: string) => (unit ? `${text} ${unit}` : text);
  const span = /^\((\S+), (\S+)\]$/.exec(cell);
  if (span) return withUnit(`${minus(span[1]!)} to ${minus(span[2]!)}`);
  const edge = /^([≤>]) (\S+)$/.exec(cell);
  if (edge) return withUnit(`${edge[1] === ">" ? "above" : "up to"} ${minus(edge[2]!)}`);
  return cell;
}

/** A name of a spec as a person would write it. */
export function nameWords(name: string): string {
  return name.replaceAll("_", " ");
}

/** A length of time, in the largest unit that it fills evenly. */
export function spanWords(secs: number): string {
  const units: readonly (readonly [number, string])[] = [
    [31_536_000, "year"], [604_800, "week"], [86_400, "day"], [3_600, "hour"], [60, "minute"],
  ];
  const [size, unit] = units.find(([size]) => secs >= size && secs % size === 0) ?? [1, "second"];
  const count = secs / size;
  return count === 1 ? unit : `${count.toLocaleString()} ${unit}s`;
}

/** Millionths of ε as a number of a few digits. */
export function epsilonWords(micronats: number): string {
  return (micronats / 1e6).toLocaleString(undefined, { maximumFractionDigits: 2 });
}

function minus(number: string): string {
  return number.replace("-", "−");
}
