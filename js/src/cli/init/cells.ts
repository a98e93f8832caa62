/** How the values of a column become cells. */

/** Cells as a spec has them. */
export type Cells =
  | { readonly kind: "numeric"; readonly edges: readonly number[]; readonly missing?: true }
  | { readonly kind: "category"; readonly labels: readonly string[]; readonly other?: true; readonly missing?: true };

/** Where the edges lie. */
const QUANTILES = [0.1, 0.25, 0.5, 0.75, 0.9];
/** Most labels of a category; a question with more cells than that needs very many reports. */
export const MOST_LABELS = 32;
/** Most characters of a label. */
const LONGEST = 64;

/** Texts that stand for nothing there. */
const MISSING = new Set(["", "na", "n/a", "nan", "null", "none"]);

/** A field as a number, NaN if it is missing; undefined if it is a text. */
export function number(field: string): number | undefined {
  if (MISSING.has(field.trim().toLowerCase())) return Number.NaN;
  const value = Number(field);
  return Number.isNaN(value) ? undefined : value;
}

/** Edges at quantiles of the values, as few digits as keep them apart. Undefined if the values are all the same. */
export function numeric(values: readonly number[]): Cells | undefined {
  const there = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  if (there.length === 0) return undefined;
  const [least, most] = [there[0]!, there.at(-1)!];
  // Cells are closed on the right: an edge at the largest value would leave the last one empty.
  const inner = QUANTILES.map((share) => there[Math.floor(share * (there.length - 1))]!).filter((edge) => edge < most);
  const edges = [...new Set(inner.length > 0 ? inner : least < most ? [least] : [])].map((edge) => rounded(edge, most - least));
  const apart = [...new Set(edges)].filter((edge) => edge >= least - (most - least) && edge < most).sort((a, b) => a - b);
  if (apart.length === 0) return undefined;
  return { kind: "numeric", edges: apart, ...(there.length < values.length && { missing: true as const }) };
}

/** A category for codes from 0 on; undefined if there are too many, or they are no codes. */
export function codes(values: readonly number[]): Cells | undefined {
  const there = values.filter((value) => !Number.isNaN(value));
  const most = there.reduce((a, b) => Math.max(a, b), 0);
  if (there.length === 0 || most >= MOST_LABELS || there.some((value) => !Number.isInteger(value) || value < 0)) return undefined;
  const labels = Array.from({ length: Math.max(2, most + 1) }, (_, code) => String(code));
  return { kind: "category", labels, ...(there.length < values.length && { missing: true as const }) };
}

/** A category for texts, the usual ones first in the alphabet's order; undefined if there are fewer than two. */
export function texts(fields: readonly string[]): Cells | undefined {
  const counts = new Map<string, number>();
  let missing = false;
  for (const field of fields) {
    const text = field.trim();
    if (MISSING.has(text.toLowerCase())) missing = true;
    else if (text.length <= LONGEST) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const usual = [...counts].sort((a, b) => b[1] - a[1]).slice(0, MOST_LABELS).map(([text]) => text);
  if (usual.length < 2) return undefined;
  return { kind: "category", labels: usual.sort(), ...(counts.size > usual.length && { other: true as const }), ...(missing && { missing: true as const }) };
}

/** To a thousandth of the range. */
function rounded(value: number, range: number): number {
  const digits = Math.min(15, Math.max(0, 3 - Math.floor(Math.log10(range || 1))));
  return Number(value.toFixed(digits));
}
