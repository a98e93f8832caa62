/** What a deployment consists of: the files of a folder, or what a page of a website leads to. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";

/** A file as it lies, or as it was answered. */
export interface Asset {
  /** Path in the folder, or address. */
  readonly at: string;
  readonly bytes: Buffer;
  /** Of a website: headers of the answer, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly status?: number;
}

/** A deployment. */
export interface Site {
  readonly target: string;
  readonly kind: "folder" | "website";
  readonly assets: readonly Asset[];
  /** Addresses that scripts name and that were answered with an error or with a page, and so are no assets. */
  readonly broken: readonly Asset[];
  /** Whether something was left out, because there is more than is looked at. */
  readonly partial: boolean;
}

/** Most files of a folder, and answers of a website, that are looked at. */
export const MOST = 2000;
const MOST_ANSWERS = 300;
const MOST_BYTES = 64 << 20;
const PATIENCE_MS = 15_000;

const READ = /\.(?:html?|m?js|cjs|wasm|json)$/;

/** A target that cannot be looked at. */
export class Unreachable extends Error {}

/** Reads all pages, scripts and modules of a folder. */
export async function folder(path: string): Promise<Site> {
  const assets: Asset[] = [];
  let partial = false;
  const visit = async (directory: string): Promise<void> => {
    for (const entry of (await readdir(directory, { withFileTypes: true })).sort((a, b) => a.name.localeCompare(b.name))) {
      const full = join(directory, entry.name);
      if (entry.isDirectory() && entry.name !== "node_modules" && entry.name !== ".git") await visit(full);
      if (!entry.isFile() || !READ.test(entry.name)) continue;
      if (assets.length >= MOST || (await stat(full)).size > MOST_BYTES) partial = true;
      else assets.push({ at: relative(path, full).split(sep).join("/"), bytes: await readFile(full) });
    }
  };
  try {
    await visit(path);
  } catch (cause) {
    throw new Unreachable(`${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  return { target: path, kind: "folder", assets, broken: [], partial };
}

/** Follows a page of a website to its scripts and modules, on its own origin. */
export async function website(url: string): Promise<Site> {
  const first = new URL(url);
  const assets: Asset[] = [];
  const broken: Asset[] = [];
  const asked = new Set<string>();
  const next = [first.href];
  let partial = false;
  for (let address = next.shift(); address !== undefined; address = next.shift()) {
    if (asked.has(address)) continue;
    if (asked.size >= MOST_ANSWERS) {
      partial = true;
      break;
    }
    asked.add(address);
    const asset = await answer(address, address === first.href);
    if (!asset) continue;
    const page = isPage(asset);
    if (asset.status !== 200 || (page && READ.test(new URL(address).pathname) && !/\.html?$/.test(new URL(address).pathname))) {
      if (address === first.href) throw new Unreachable(`${address} was answered with status ${asset.status}`);
      broken.push(asset);
      continue;
    }
    assets.push(asset);
    for (const found of references(asset, page)) {
      const target = resolved(found, address);
      if (target?.origin === first.origin) next.push(target.href);
    }
  }
  return { target: first.href, kind: "website", assets, broken, partial };
}

/** Whether the bytes are a page of HTML, whatever the headers say. */
export function isPage({ bytes }: Asset): boolean {
  return /^\s*<(?:!doctype html|html|head|body|script)/i.test(bytes.subarray(0, 256).toString("latin1"));
}

/** What a page or a script names: files beside it, as bundlers write them. */
export function references(asset: Asset, page: boolean): string[] {
  const text = asset.bytes.toString("utf8");
  if (page) {
    return [...text.matchAll(/<(?:script|link)\b[^>]*?\b(?:src|href)\s*=\s*["']?([^"'\s>]+)/gi)].map(([, found]) => found!).filter((found) => READ.test(found.split(/[?#]/)[0]!));
  }
  if (!/\.[cm]?js$/.test(new URL(asset.at, "http://folder/").pathname)) return [];
  return [...text.matchAll(/["'`]((?:[\w@./-]|%20)+\.(?:[cm]?js|wasm))["'`]/g)].map(([, found]) => found!);
}

/** A name that a script has for a file: relative to the script, or from the root of the site as some bundlers write them. */
function resolved(found: string, from: string): URL | undefined {
  try {
    return new URL(found.startsWith("assets/") ? `/${found}` : found, from);
  } catch {
    return undefined;
  }
}

async function answer(address: string, must: boolean): Promise<Asset | undefined> {
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(PATIENCE_MS), headers: { "accept-encoding": "br, gzip" } });
    const bytes = Buffer.from(await response.arrayBuffer());
    return { at: address, bytes, headers: Object.fromEntries(response.headers), status: response.status };
  } catch (cause) {
    if (!must) return undefined;
    const { message } = ((cause as Error).cause as Error | undefined) ?? (cause as Error);
    throw new Unreachable(`${address} cannot be reached: ${message}`, { cause });
  }
}
