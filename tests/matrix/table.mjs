// What a run of the matrix came to, for people.

const COLUMNS = [
  ["consumer", ({ consumer, version }) => [consumer, version].filter(Boolean).join(" ")],
  ["where", ({ where, engine }) => [where, engine && `(${engine})`].filter(Boolean).join(" ")],
  ["thread", ({ thread }) => thread],
  ["wasm", ({ wasm }) => wasm],
  ["result", ({ result, reason }) => (result === "untested" ? `untested: ${reason}` : result)],
  ["to report", ({ toReportMs }) => toReportMs && `${toReportMs.toFixed(0)} ms`],
  ["seconds", ({ secs }) => secs?.toFixed(1)],
];

/** Columns as wide as they need to be; reasons of the untested may overflow. */
export function table(lines) {
  const rows = [COLUMNS.map(([title]) => title), ...lines.map((line) => COLUMNS.map(([, cell]) => cell(line) ?? ""))];
  const fits = (cell) => !cell.startsWith("untested");
  const widths = COLUMNS.map((_, place) => Math.max(...rows.map((row) => row[place]).filter(fits).map(({ length }) => length)));
  return rows.map((row) => row.map((cell, place) => cell.padEnd(widths[place])).join("  ").trimEnd()).join("\n");
}

/** Why each failed cell failed. */
export function failures(lines) {
  return lines.map(({ consumer, where, thread, engine, reason }) => `\n${[consumer, where, thread, engine].filter(Boolean).join(", ")}:\n${reason}`).join("\n");
}
