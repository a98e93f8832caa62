/** The pieces of this package in a deployment: scripts and modules, known by the id of their build. */
import { createHash } from "node:crypto";

import { BUILD_SECTION } from "../../wasm/build.js";
import type { Flavour } from "../../types.js";
import type { Asset, Site } from "./site.js";

/** Ids of the modules that a script belongs to. */
export type Ids = { readonly [flavour in Flavour]: string };

/** What is there of this package. */
export interface Pieces {
  /** Scripts that name ids, with these. */
  readonly scripts: readonly { readonly asset: Asset; readonly ids: Ids }[];
  /** Modules with an id, and of which flavour they are. */
  readonly modules: readonly { readonly asset: Asset; readonly id: string; readonly flavour: Flavour; readonly sha256: string }[];
  /** Whether the copies that stand in for files are there. */
  readonly inline: { readonly core: boolean; readonly worker: boolean };
  /** The worker's own file, if there is one. */
  readonly worker: Asset | undefined;
}

const IDS = /core:\s*["'`]([0-9a-f]{16})["'`],\s*full:\s*["'`]([0-9a-f]{16})["'`]/;
/** How the compressed core module begins in base64. */
const CORE_INLINE = /["'`]H4sIAAAAAA/;
/** How the text of the worker begins, in a string. */
const WORKER_INLINE = /["'`](?:\\?"use strict\\?";)?\(\(\)=>\{/;
/** What a worker says first. */
const WORKER = /\bpost\(\{\s*ready:/;

/** Finds them. */
export function pieces({ assets }: Site): Pieces {
  const scripts = assets.filter(isScript);
  const named = scripts.flatMap((asset) => {
    const found = IDS.exec(asset.bytes.toString("utf8"));
    return found ? [{ asset, ids: { core: found[1]!, full: found[2]! } }] : [];
  });
  const modules = assets.flatMap((asset) => {
    const id = buildId(asset.bytes);
    if (id === undefined) return [];
    const flavour: Flavour = asset.bytes.includes("wasmsession_run") ? "full" : "core";
    return [{ asset, id, flavour, sha256: createHash("sha256").update(asset.bytes).digest("hex") }];
  });
  const has = (test: RegExp) => scripts.some((asset) => test.test(asset.bytes.toString("latin1")));
  return {
    scripts: named,
    modules,
    inline: { core: has(CORE_INLINE), worker: scripts.some((asset) => isWorker(asset) && WORKER_INLINE.test(asset.bytes.toString("utf8"))) },
    worker: scripts.find((asset) => isWorker(asset) && !WORKER_INLINE.test(asset.bytes.toString("utf8"))),
  };
}

/** The id in a module's custom section; undefined for what is none of this package's modules. */
export function buildId(bytes: Buffer): string | undefined {
  if (bytes.length < 8 || bytes.readUInt32LE(0) !== 0x6d736100) return undefined;
  for (let at = 8; at < bytes.length; ) {
    const kind = bytes[at]!;
    const [size, body] = leb(bytes, at + 1);
    if (kind === 0) {
      const [length, name] = leb(bytes, body);
      if (bytes.toString("utf8", name, name + length) === BUILD_SECTION) return bytes.toString("utf8", name + length, body + size);
    }
    at = body + size;
  }
  return undefined;
}

/** An unsigned number of a module, and where it ends. */
function leb(bytes: Buffer, at: number): [value: number, end: number] {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  return [value, at];
}

function isWorker({ bytes }: Asset): boolean {
  return WORKER.test(bytes.toString("utf8"));
}

function isScript({ at }: Asset): boolean {
  return /\.[cm]?js(?:$|\?)/.test(at);
}
