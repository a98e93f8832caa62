/** What can be wrong with a deployment. Each check says what it found, and if something is wrong what to do. */
import { brotliCompressSync, constants } from "node:zlib";

import type { Flavour } from "../../types.js";
import type { Pieces } from "./pieces.js";
import { allowsConnection, allowsWasm, allowsWorker, policiesOf, trustedTypes } from "./policy.js";
import { isPage, type Asset, type Site } from "./site.js";

/** What a check found. A problem keeps the package from working; a warning makes it slower or fragile; the rest is as it should be. */
export interface Finding {
  readonly check: "package" | "module" | "worker" | "build" | "copies" | "policy" | "type" | "compression" | "cache" | "isolation";
  readonly level: "problem" | "warning" | "ok";
  readonly says: string;
  /** What to do, in words that can be typed. */
  readonly fix?: string;
}

/** What the doctor is told besides. */
export interface Told {
  /** Where reports are posted. */
  readonly endpoint: URL | undefined;
}

const ok = (check: Finding["check"], says: string): Finding => ({ check, level: "ok", says });
const warning = (check: Finding["check"], says: string, fix: string): Finding => ({ check, level: "warning", says, fix });
const problem = (check: Finding["check"], says: string, fix: string): Finding => ({ check, level: "problem", says, fix });

/** Runs all checks that the deployment has something for. */
export function examine(site: Site, found: Pieces, told: Told): Finding[] {
  if (found.scripts.length === 0 && found.modules.length === 0) {
    const where = site.kind === "folder" ? `no script of ${site.target}` : `no script that ${site.target} leads to`;
    const fix = "Look at the folder that your bundler writes, or at a page that imports driftglass.";
    return [problem("package", `${where} holds driftglass.`, fix)];
  }
  return [
    ok("package", `${count(found.scripts.length, "script holds", "scripts hold")} driftglass.`),
    ...modules(site, found),
    ...worker(found),
    ...builds(found),
    ...copies(found),
    ...site.assets.filter(isPage).flatMap((page) => policy(page, site, found, told)),
    ...(site.kind === "website" ? headers(site, found) : []),
  ];
}

/** Whether each module is there, or what stands in for it. */
function modules({ broken }: Site, { modules, inline }: Pieces): Finding[] {
  const lacking = (flavour: Flavour): Finding => {
    const answered = broken.find(({ at }) => new RegExp(`${flavour}[^/]*\\.wasm`).test(at));
    const what = answered
      ? `${answered.at} was answered with ${answered.status === 200 ? "a page of HTML, as servers of single-page apps answer what they do not find" : `status ${answered.status}`}.`
      : `${flavour}.wasm is not in what was deployed.`;
    if (flavour === "core" && inline.core) {
      return warning("module", `${what} The copy inside the package takes over, a third larger.`, copy("core", `Monitor.create({ …, wasm: { core: "/core.wasm" } })`));
    }
    if (flavour === "core") return problem("module", what, copy("core", `Monitor.create({ …, wasm: { core: "/core.wasm" } })`));
    return warning("module", `${what} Monitoring works without it; InferenceSession does not.`, `If the app makes an InferenceSession: ${copy("full", `InferenceSession.create(model, { wasm: { full: "/full.wasm" } })`)}`);
  };
  return (["core", "full"] as const).map((flavour) => {
    const here = modules.find((module) => module.flavour === flavour);
    return here ? ok("module", `${flavour}.wasm is there: ${here.asset.at}, ${kilobytes(here.asset.bytes.length)}.`) : lacking(flavour);
  });
}

function copy(flavour: Flavour, call: string): string {
  return `copy node_modules/driftglass/dist/${flavour}.wasm to the folder of files that are served as they are (public/ in many projects), and say where: ${call}.`;
}

function worker({ worker, inline }: Pieces): Finding[] {
  if (worker) return [ok("worker", `The worker is there: ${worker.at}.`)];
  if (inline.worker) return [ok("worker", "The bundler wrote no file for the worker; the copy inside the package takes over.")];
  return [warning("worker", "There is no worker, neither as a file nor inside a script: monitoring works on the main thread.", `Keep the chunks of node_modules/driftglass/dist, or give createWorker: () => new Worker("/worker.js", { type: "module" }).`)];
}

/** Whether scripts and modules are of one build. */
function builds({ scripts, modules }: Pieces): Finding[] {
  const ids = new Set(scripts.map(({ ids }) => ids.core));
  if (ids.size > 1) {
    const list = scripts.map(({ asset, ids }) => `${asset.at} (${ids.core})`).join(", ");
    return [problem("build", `Scripts are of ${ids.size} builds of driftglass: ${list}.`, "Deploy one build at a time; in the project, `npm ls driftglass` shows who brings a second version and `npm dedupe` may remove it.")];
  }
  const strange = modules.filter(({ id, flavour }) => scripts.length > 0 && !scripts.some(({ ids }) => ids[flavour] === id));
  if (strange.length > 0) {
    return strange.map(({ asset, id, flavour }) => problem("build", `${asset.at} is of build ${id}, the scripts need ${scripts[0]!.ids[flavour]}.`, "Deploy the module beside the scripts that it came with, and let no cache keep one without the other."));
  }
  return modules.length > 0 && scripts.length > 0 ? [ok("build", "Scripts and modules are of one build.")] : [];
}

/** Whether a module is there more than once. */
function copies({ modules }: Pieces): Finding[] {
  const byHash = new Map<string, Pieces["modules"][number][]>();
  for (const module of modules) byHash.set(module.sha256, [...(byHash.get(module.sha256) ?? []), module]);
  return [...byHash.values()].filter((same) => same.length > 1).map((same) => {
    const wasted = kilobytes(same[0]!.asset.bytes.length * (same.length - 1));
    return warning("copies", `${same[0]!.flavour}.wasm is there ${same.length} times (${same.map(({ asset }) => asset.at).join(", ")}): ${wasted} that browsers may fetch twice.`, "Import driftglass in one place, or let the bundler share chunks between entries; remove a copy in public/ that the bundler already writes.");
  });
}

/** What the page's policies forbid. */
function policy(page: Asset, { kind, target }: Site, { worker }: Pieces, { endpoint }: Told): Finding[] {
  const here = new URL(kind === "website" ? page.at : "https://folder.invalid/");
  const policies = policiesOf(page.headers, page.bytes.toString("utf8"));
  const name = page.at === target ? "the page" : page.at;
  if (policies.length === 0) {
    return kind === "website" ? [ok("policy", `Nothing is forbidden on ${name}: it has no Content-Security-Policy.`)] : [];
  }
  const found: Finding[] = [];
  const forbids = (test: (policy: (typeof policies)[number]) => boolean) => policies.some((policy) => !test(policy));
  if (forbids(allowsWasm)) {
    found.push(problem("policy", `The Content-Security-Policy of ${name} forbids WebAssembly.`, "Add 'wasm-unsafe-eval' to script-src."));
  }
  const types = policies.map(trustedTypes);
  const trusted = types.some((type) => type !== "free");
  const file = worker !== undefined && !trusted && !forbids((policy) => allowsWorker(policy, "self", here));
  const blob = !forbids((policy) => allowsWorker(policy, "blob", here)) && !types.includes("forbidden");
  if (!file && !blob) {
    const why = trusted ? "requires Trusted Types, under which only a worker from the package's own policy may start," : "allows no worker,";
    const fix = trusted
      ? "Add driftglass to trusted-types and blob: to worker-src, or give createWorker with a policy of your own."
      : worker ? "Add 'self' to worker-src." : "Add blob: to worker-src, since the bundler wrote no file for the worker.";
    found.push(warning("policy", `The Content-Security-Policy of ${name} ${why} so monitoring works on the main thread.`, fix));
  }
  if (forbids((policy) => allowsConnection(policy, here, here))) {
    found.push(warning("policy", `The Content-Security-Policy of ${name} lets scripts fetch nothing from its own origin, so modules come from the copy inside the package.`, "Add 'self' to connect-src."));
  }
  if (endpoint && forbids((policy) => allowsConnection(policy, endpoint, here))) {
    found.push(problem("policy", `The Content-Security-Policy of ${name} lets no report reach ${endpoint.origin}.`, `Add ${endpoint.origin} to connect-src.`));
  }
  return found.length > 0 ? found : [ok("policy", `The Content-Security-Policy of ${name} allows what is needed.`)];
}

/** What a server says of its files. */
function headers({ assets }: Site, { modules, scripts }: Pieces): Finding[] {
  const ours = [...scripts, ...modules].map(({ asset }) => asset);
  const found: Finding[] = [];
  for (const { asset } of modules) {
    const type = asset.headers?.["content-type"] ?? "nothing";
    if (!/^application\/wasm\b/.test(type)) {
      found.push(warning("type", `${asset.at} is sent as ${type}. Driftglass loads it anyway; other tools may not.`, `Send .wasm as application/wasm: nginx \`types { application/wasm wasm; }\`, Apache \`AddType application/wasm .wasm\`.`));
    }
  }
  if (modules.length > 0 && found.length === 0) found.push(ok("type", "Modules are sent as application/wasm."));
  const plain = ours.filter(({ bytes, headers }) => bytes.length > 4096 && !headers?.["content-encoding"]);
  if (plain.length > 0) {
    const [before, after] = [plain.reduce((sum, { bytes }) => sum + bytes.length, 0), plain.reduce((sum, { bytes }) => sum + compressed(bytes), 0)];
    found.push(warning("compression", `${count(plain.length, "file comes", "files come")} uncompressed: ${kilobytes(before)} instead of ${kilobytes(after)} (${plain.map(({ at }) => short(at)).join(", ")}).`, "Compress text/javascript and application/wasm: nginx `gzip on; gzip_types text/javascript application/wasm;`, or upload .br files."));
  } else found.push(ok("compression", "Scripts and modules come compressed."));
  found.push(...cache(ours));
  const [page] = assets;
  const isolated = page?.headers?.["cross-origin-opener-policy"] === "same-origin" && /^(?:require-corp|credentialless)$/.test(page.headers["cross-origin-embedder-policy"] ?? "");
  found.push(ok("isolation", isolated ? "The page is cross-origin isolated. Driftglass needs no shared memory, and works in it." : "The page is not cross-origin isolated. Driftglass needs no shared memory, so it need not be."));
  return found;
}

/** A name with a hash may be kept for ever; one without must be asked for again, or old and new are mixed. */
function cache(assets: readonly Asset[]): Finding[] {
  const found: Finding[] = [];
  for (const { at, headers } of assets) {
    const control = headers?.["cache-control"] ?? "";
    const age = Number(/max-age=(\d+)/.exec(control)?.[1] ?? (control.includes("immutable") ? 31_536_000 : 0));
    const hashed = /[-._][A-Za-z0-9_-]{8,}\.(?:[cm]?js|wasm)(?:$|\?)/.test(at);
    if (!hashed && (age >= 86_400 || control.includes("immutable"))) {
      found.push(problem("cache", `${short(at)} may be kept for ${Math.round(age / 86_400)} days though its name does not change: after the next release, old and new pieces meet.`, "Send `cache-control: no-cache` for names without a hash, or let the bundler put hashes into names."));
    } else if (hashed && age < 86_400) {
      found.push(warning("cache", `${short(at)} has a hash in its name but may not be kept.`, "Send `cache-control: public, max-age=31536000, immutable` for names with a hash."));
    }
  }
  return found.length > 0 ? found : [ok("cache", "Names with a hash may be kept, others are asked for again.")];
}

function compressed(bytes: Buffer): number {
  return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }).length;
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

function kilobytes(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function short(at: string): string {
  return at.replace(/^https?:\/\/[^/]+/, "");
}
