/** What the panel asks of a monitor; `Monitor` has all of it. */
import type { Consent, LedgerView, ListedReport, ProfileView, ReportView, Status } from "../types.js";

/** The monitor behind a panel. */
export interface PanelMonitor {
  readonly consent: Consent;
  readonly specId: string;
  setConsent(consent: Consent): Promise<void>;
  inspect(): ProfileView | Promise<ProfileView>;
  ledger(): Promise<LedgerView | undefined>;
  reports(): Promise<readonly ListedReport[]>;
  status(): Promise<Pick<Status, "totals">>;
  parseReport(report: Uint8Array): ReportView | Promise<ReportView>;
  purge(): Promise<void>;
}

/** The parts of a spec that the panel reads. */
export interface PanelSpec {
  readonly app?: string;
  readonly description?: string;
  readonly measurement: {
    readonly window: { readonly length_secs: number };
    readonly metrics: readonly { readonly name: string; readonly unit?: string }[];
    readonly questions: readonly { readonly name: string; readonly metric: string; readonly kind: string; readonly epsilon_micronats: number }[];
    readonly segments?: readonly string[];
  };
  readonly upload?: { readonly endpoint?: string };
}

/** All that one drawing of the panel shows. */
export interface View {
  readonly consent: Consent;
  readonly profile: ProfileView | undefined;
  readonly ledger: LedgerView | undefined;
  readonly totals: Status["totals"] | undefined;
  readonly reports: readonly { readonly listed: ListedReport; readonly parsed: ReportView | undefined }[];
}

/** Reads everything, newest report first. A monitor that is busy or gone leaves gaps. */
export async function read(monitor: PanelMonitor): Promise<View> {
  const [profile, ledger, reports, status] = await Promise.all([
    quietly(async () => monitor.inspect()),
    quietly(() => monitor.ledger()),
    quietly(() => monitor.reports()),
    quietly(() => monitor.status()),
  ]);
  const parsed = [...(reports ?? [])].reverse().map(async (listed) => ({ listed, parsed: await quietly(async () => monitor.parseReport(listed.bytes)) }));
  return { consent: monitor.consent, profile, ledger, totals: status?.totals, reports: await Promise.all(parsed) };
}

async function quietly<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch {
    return undefined;
  }
}
