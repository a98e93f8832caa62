/** `driftglass doctor`: looks at a deployment and says what is wrong with it. */
import { readFile } from "node:fs/promises";

import { examine, type Finding } from "./checks.js";
import { pieces } from "./pieces.js";
import { folder, website } from "./site.js";

/** What is asked of the doctor. */
export interface DoctorOptions {
  /** A folder that a bundler wrote, or the address of a page. */
  readonly target: string;
  /** Where reports are posted. */
  readonly endpoint?: string | undefined;
  /** A spec that says where reports are posted. */
  readonly spec?: string | undefined;
}

/** All findings; also what was looked at. */
export interface Diagnosis {
  readonly target: string;
  readonly looked_at: number;
  readonly partial: boolean;
  readonly findings: readonly Finding[];
}

/**
 * Looks at a deployment.
 *
 * @throws Unreachable if it cannot be read
 */
export async function diagnose({ target, endpoint, spec }: DoctorOptions): Promise<Diagnosis> {
  const site = /^https?:\/\//.test(target) ? await website(target) : await folder(target);
  const posted = endpoint ?? (spec === undefined ? undefined : endpointOf(await readFile(spec, "utf8")));
  const findings = examine(site, pieces(site), { endpoint: posted === undefined ? undefined : new URL(posted, site.kind === "website" ? site.target : "https://folder.invalid/") });
  return { target: site.target, looked_at: site.assets.length, partial: site.partial, findings };
}

function endpointOf(spec: string): string | undefined {
  return (JSON.parse(spec) as { upload?: { endpoint?: string } }).upload?.endpoint;
}

/** What a person reads. */
export function printed({ target, looked_at, partial, findings }: Diagnosis): string {
  const mark = { problem: "✗", warning: "!", ok: "✓" };
  const order = ["problem", "warning", "ok"] as const;
  const lines = order.flatMap((level) => findings.filter((finding) => finding.level === level)).flatMap(({ level, says, fix }) => [`${mark[level]} ${says}`, ...(fix ? [`    → ${fix}`] : [])]);
  const counted = (level: Finding["level"]) => findings.filter((finding) => finding.level === level).length;
  const more = partial ? " There is more than was looked at." : "";
  return [`${target}: ${looked_at} files.${more}`, ...lines, `${counted("problem")} problems, ${counted("warning")} warnings`].join("\n");
}
