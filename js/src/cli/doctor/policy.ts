/** What a Content-Security-Policy lets this package do. */

/** A policy: sources by directive. */
export type Policy = ReadonlyMap<string, readonly string[]>;

/** Reads the text of a header or of a meta element. */
export function parsed(text: string): Policy {
  const directives = text.split(";").map((part) => part.trim().split(/\s+/)).filter(([name]) => name);
  return new Map(directives.map(([name, ...sources]) => [name!.toLowerCase(), sources]));
}

/** Policies of a page: each of them must allow what is done. A report-only header forbids nothing. */
export function policiesOf(headers: Readonly<Record<string, string>> | undefined, html: string): Policy[] {
  const header = headers?.["content-security-policy"];
  const metas = [...html.matchAll(/<meta\b[^>]*http-equiv\s*=\s*["']?content-security-policy["']?[^>]*>/gi)];
  const inMeta = metas.flatMap(([meta]) => /\bcontent\s*=\s*("([^"]*)"|'([^']*)')/i.exec(meta)?.slice(2).filter(Boolean) ?? []);
  // Several headers come as one, with commas between them.
  return [...(header?.split(/,(?=\s*[\w-]+)/) ?? []), ...inMeta].map((text) => parsed(text!));
}

/** Sources of the first directive that is there; undefined if none is, so that all is allowed. */
function sources(policy: Policy, ...directives: string[]): readonly string[] | undefined {
  const name = directives.find((directive) => policy.has(directive));
  return name === undefined ? undefined : policy.get(name);
}

/** Whether scripts may make WebAssembly. */
export function allowsWasm(policy: Policy): boolean {
  const found = sources(policy, "script-src", "default-src");
  return !found || found.includes("'wasm-unsafe-eval'") || found.includes("'unsafe-eval'");
}

/** Whether a worker may be made: from an address of the page's own origin, or from a blob. */
export function allowsWorker(policy: Policy, from: "self" | "blob", page: URL): boolean {
  const found = sources(policy, "worker-src", "child-src", "script-src", "default-src");
  if (!found) return true;
  return from === "blob" ? found.includes("blob:") : found.some((source) => covers(source, page, page));
}

/** Whether requests may go to an address. */
export function allowsConnection(policy: Policy, to: URL, page: URL): boolean {
  const found = sources(policy, "connect-src", "default-src");
  return !found || found.some((source) => covers(source, to, page));
}

/** Whether the worker's own policy for Trusted Types may be made; and whether one is needed. */
export function trustedTypes(policy: Policy): "free" | "allowed" | "forbidden" {
  if (!policy.get("require-trusted-types-for")?.includes("'script'")) return "free";
  const names = policy.get("trusted-types");
  return !names || names.includes("driftglass") || names.includes("*") ? "allowed" : "forbidden";
}

/** Whether a source expression covers an address. Paths are not looked at. */
function covers(source: string, to: URL, page: URL): boolean {
  if (source === "*") return /^(?:https?|wss?):$/.test(to.protocol);
  if (source === "'self'") return to.origin === page.origin;
  if (/^[a-z][a-z0-9+.-]*:$/i.test(source)) return to.protocol === source.toLowerCase();
  const match = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(\*\.)?([^:/]+)(?::(\d+|\*))?(?:\/.*)?$/i.exec(source);
  if (!match) return false;
  const [, scheme, wild, host, port] = match;
  if (scheme && `${scheme.toLowerCase()}:` !== to.protocol) return false;
  if (wild ? !to.hostname.endsWith(`.${host}`) : host !== "*" && host!.toLowerCase() !== to.hostname) return false;
  return port === undefined ? to.port === "" : port === "*" || port === (to.port || (to.protocol === "https:" ? "443" : "80"));
}
