import { DriftglassError } from "../errors.js";
import type { DeviceSettings } from "../protocol.js";

const CHOICES: { readonly [name in keyof DeviceSettings]?: readonly string[] } = {
  consent: ["unknown", "granted", "denied"],
  arm: ["stable", "canary"],
  thread: ["worker", "main"],
  store: ["memory"],
};
const REQUIRED: readonly (keyof DeviceSettings)[] = ["consent"];

/**
 * Plain JavaScript callers get a clear error for what a type would have told them.
 *
 * @throws DriftglassError `invalid-option`
 */
export function check(settings: DeviceSettings): void {
  const invalid = (rule: string) => new DriftglassError("invalid-option", rule);
  for (const [name, choices] of Object.entries(CHOICES) as [keyof DeviceSettings, readonly string[]][]) {
    const given = settings[name];
    if (given === undefined && !REQUIRED.includes(name)) continue;
    if (!choices.includes(given as string)) throw invalid(`${name} must be one of: ${choices.join(", ")}`);
  }
  if (typeof settings.key !== "string" || settings.key === "") throw invalid("key must be the ingest key of the spec");
}
