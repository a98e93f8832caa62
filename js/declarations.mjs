// One declaration file for each entry, of what tsc wrote for each source: what is public, and nothing that leads inside.
//
// tsc writes one statement after the other and names of this package are unique, so the bodies of all modules that an entry reaches stand in one file as they
// are; only `export` is taken from what the entry does not export.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const FROM = /^(?:import|export)\b[^;]*?\bfrom "(\.[^"]+)";\n|^import "[^"]+";\n|^export \{\};\n/gm;
/** A type that tsc names by where it is. */
const INLINE = /\bimport\("(\.[^"]+)"\)\./g;
const DECLARED = /^export (?:declare )?(?:abstract )?(?:class|interface|type|function|const|enum) (\w+)/gm;

/**
 * The text of one declaration file.
 *
 * @param entry path of the entry's own declarations, without `.d.ts`
 */
export function flattened(entry) {
  const modules = new Map();
  const visit = (path) => {
    if (modules.has(path)) return;
    const text = readFileSync(`${path}.d.ts`, "utf8");
    modules.set(path, undefined);
    for (const [, from] of [...text.matchAll(FROM), ...text.matchAll(INLINE)]) if (from) visit(resolved(path, from));
    // In order of need, so that a reader meets a name before it is used.
    modules.delete(path);
    modules.set(path, text);
  };
  visit(entry);
  const open = exported(modules, entry);
  const [, about = ""] = /^(\/\*\*(?:(?!\*\/)[^])*@packageDocumentation(?:(?!\*\/)[^])*\*\/\n)/.exec([...modules.values()].find((text) => text.includes("@packageDocumentation")) ?? "") ?? [];
  const bodies = [...modules.values()].map((text) => text.replace(about, "").replace(FROM, "").replace(INLINE, "").replace(DECLARED, (all, name) => (open.has(name) ? all : all.replace(/^export /, ""))));
  return `${about}${bodies.filter((body) => body.trim() !== "").join("")}export {};\n`;
}

/** Names that a module exports, its own and others'. */
function exported(modules, path) {
  const text = modules.get(path);
  const names = new Set([...text.matchAll(DECLARED)].map(([, name]) => name));
  for (const [, from] of text.matchAll(/^export \* from "(\.[^"]+)";/gm)) for (const name of exported(modules, resolved(path, from))) names.add(name);
  for (const [, list] of text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)) {
    for (const item of list.split(",").map((item) => item.trim().replace(/^type /, ""))) if (item) names.add(item);
  }
  return names;
}

const resolved = (path, from) => join(dirname(path), from.replace(/\.js$/, ""));
