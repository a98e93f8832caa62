import type { Consent } from "../types.js";

/** What the person said, after Global Privacy Control: silence counts as a denial where it is set. */
export function effective(consent: Consent): Consent {
  const control = typeof navigator === "object" && "globalPrivacyControl" in navigator && navigator.globalPrivacyControl;
  return consent === "unknown" && control === true ? "denied" : consent;
}
