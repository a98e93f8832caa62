/** What a spec reads of a model: adapters copy these elements and leave all others alone. */

/** For each tensor how many of its first elements are read; infinity for all. */
export interface Reads {
  readonly inputs: ReadonlyMap<string, number>;
  readonly outputs: ReadonlyMap<string, number>;
}

interface Source {
  readonly kind?: string;
  readonly tensor?: string;
  readonly index?: number;
  readonly of?: string;
}

/** Reads of a spec, the parsed `pkg-config.json`. */
export function readsOf(spec: object): Reads {
  const inputs = new Map<string, number>();
  const outputs = new Map<string, number>();
  const { measurement } = spec as { measurement?: { metrics?: { source?: Source }[] } };
  for (const { source = {} } of measurement?.metrics ?? []) {
    const { kind, tensor, index, of } = source;
    if (tensor === undefined) continue;
    const side = kind === "input" || of === "input" ? inputs : outputs;
    const element = kind === "input" || kind === "output";
    side.set(tensor, Math.max(side.get(tensor) ?? 0, element ? (index ?? 0) + 1 : Infinity));
  }
  return { inputs, outputs };
}
