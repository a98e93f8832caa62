/** Names that only builds for tests export. Whoever can choose the seed of the noise can undo it. */
const REFUSED = ["setEntropySeed"];

/** Which of them a module or its glue exports. */
export function refused(compiled, glue) {
  const names = new Set([...Object.keys(glue), ...WebAssembly.Module.exports(compiled).map(({ name }) => name)]);
  return REFUSED.filter((name) => [...names].some((exported) => exported.toLowerCase().includes(name.toLowerCase())));
}
