// Numbers and times as the pages write them. Times are UTC; on a simulated clock they are the clock's own.

import type { Estimate } from "./api.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const UNITS: [number, string][] = [[604_800, "week"], [86_400, "day"], [3_600, "hour"]];

const integers = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const general = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });

export const integer = (value: number): string => integers.format(value);

/** Up to three significant digits: 2, 1.04, 0.0027. */
export const significant = (value: number): string => general.format(value).replace("-", "−");

/** A share or a difference of shares: two decimals, three where two would hide it. */
export function share(value: number, digits = 2): string {
  const small = Math.abs(value) < 0.01 && value !== 0;
  const text = value.toFixed(small ? 3 : digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

export const interval = (value: Estimate, digits = 2): string => `${share(value.lower, digits)} to ${share(value.upper, digits)}`;

export const percent = (value: number): string => `${Math.round(value * 100)} %`;

export const pValue = (value: number): string => (value < 0.0001 ? "< 0.0001" : String(Number(value.toPrecision(2))));

export function date(secs: number): string {
  const at = new Date(secs * 1000);
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`;
}

export function monthAndYear(secs: number): string {
  const at = new Date(secs * 1000);
  return `${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`;
}

export const dayOfMonth = (secs: number): number => new Date(secs * 1000).getUTCDate();

export const time = (secs: number): string => new Date(secs * 1000).toISOString().slice(11, 16);

export const dateAndTime = (secs: number): string => `${date(secs)}, ${time(secs)}`;

export const weekdayAndTime = (secs: number): string =>
  `${DAYS[new Date(secs * 1000).getUTCDay()]} ${dayOfMonth(secs)} ${MONTHS[new Date(secs * 1000).getUTCMonth()]}, ${time(secs)}`;

/** "the week of 27 Jun 2013" */
export function windowName(startSecs: number, lengthSecs: number): string {
  const unit = UNITS.find(([secs]) => secs === lengthSecs)?.[1];
  const start = lengthSecs % 86_400 === 0 ? date(startSecs) : dateAndTime(startSecs);
  return unit ? `the ${unit} of ${start}` : `the window from ${start}`;
}

/** "13 weeks", "1 day", "1 year": a length of time in its largest whole unit. */
export function duration(secs: number): string {
  const [length, unit] = ([[31_536_000, "year"], ...UNITS] as [number, string][]).find(([each]) => secs % each === 0) ?? [1, "second"];
  return count(secs / length, unit);
}

/** "1 report", "2 reports" */
export const count = (value: number, noun: string): string => `${integer(value)} ${noun}${value === 1 ? "" : "s"}`;

export const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
