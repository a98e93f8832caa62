/** What the modules for frameworks ask of a monitor; `Monitor` has all of it. */
import type { Consent, ForeignModel } from "./types.js";

/** A monitor that begins and ends. */
export interface Disposable {
  readonly consent: Consent;
  setConsent(consent: Consent): Promise<void>;
  start(): void;
  dispose(): Promise<void>;
}

/** A monitor that watches targets. */
export interface Monitored {
  wrap<Target extends object>(target: Target, model?: ForeignModel): unknown;
}
