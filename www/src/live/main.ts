// The live page: this browser becomes one more device, in four steps.

import { ApiError, status as readStatus } from "../api.ts";
import { byId, h, replace, type Child } from "../dom.ts";
import { dateAndTime, windowName } from "../format.ts";
import { specPicker } from "../spec-picker.ts";
import { type AircraftChoice, aircraftChoice } from "./aircraft.ts";
import { answerView } from "./answer-view.ts";
import { fieldTable, hexDump } from "./bytes-view.ts";
import { type Upload, centreView } from "./centre-view.ts";
import { type Answer, Device, type LedgerView, type ReportView, sendAgain } from "./device.ts";
import { flightView } from "./flight-view.ts";
import { ledgerView } from "./ledger-view.ts";
import { replay } from "./replay.ts";
import { type Setting, readSetting } from "./setting.ts";
import { sketchView } from "./sketch-view.ts";

/** Bytes of the length that goes before a report in an upload. */
const LENGTH_PREFIX = 2;

const steps = { aircraft: byId("aircraft-step"), replay: byId("replay-step"), close: byId("close-step"), send: byId("send-step") };
const centre = byId("centre");

/** What the visitor has done so far. */
interface Visit {
  setting: Setting;
  counters: Setting["status"]["counters"];
  uploads: Upload[];
  device?: Device;
  answer?: Answer;
}

void start();

async function start(): Promise<void> {
  try {
    const setting = await readSetting(new URLSearchParams(location.search).get("spec"));
    if (!setting) return fail("The centre has no spec. Register one with: driftglass spec add pkg-config.json");
    replace(byId("picker"), specPicker(setting.specs, setting.specs.find((each) => each.spec_id === setting.spec.spec_id)!));
    begin({ setting, counters: setting.status.counters, uploads: [] });
  } catch (error) {
    fail(message(error));
  }
}

/** Back to the first step. */
function begin(visit: Visit): void {
  const attempt = (): Promise<void> =>
    run(visit, choice).catch((error: unknown) => {
      begin(visit);
      throw error;
    });
  const choice = aircraftChoice(visit.setting, () => void guarded(attempt));
  show("aircraft", choice.element);
  for (const step of ["replay", "close", "send"] as const) clear(step);
  showCentre(visit, null);
  stage("aircraft");
}

async function run(visit: Visit, choice: AircraftChoice): Promise<void> {
  const { setting } = visit;
  choice.lock();
  stage("replay");
  show("replay", h("p", { class: "muted", role: "status" }, "Loading the module and the model…"));
  // A device answers from the window after the one it joined in.
  const device = await Device.join(setting.spec, setting.model, setting.startSecs - 1);
  visit.device = device;
  const ledger = await device.ledger();
  if (ledger && ledger.nextWindow > setting.window) return show("replay", answeredEarlier(visit));

  const flights = flightView(setting.vocabulary, setting.endSecs);
  const sketches = h("div");
  const done = h("p", { class: "muted", role: "status" });
  show("replay", flights.element, h("h3", {}, "Sketches"), sketches, done);
  let before = await device.sketches(setting.window);
  replace(sketches, sketchView(before, undefined));
  const own = setting.flights.get(choice.aircraft() ?? -1) ?? [];
  await replay(own, setting.endSecs, device, choice.speed, async (step, atSecs) => {
    flights.show(step, atSecs);
    const now = await device.sketches(setting.window);
    replace(sketches, sketchView(now, before));
    before = now;
  });
  replace(done, "The window is over. These counts are all that the device keeps of it.");
  device.setClock(setting.status.clock.now_secs);
  stage("close");
  show("close", h("p", {}, "The device now owes the centre one answer about this window."), h("div", { class: "buttons" },
    button("Close the window", () => close(visit), true)));
}

async function close(visit: Visit): Promise<void> {
  const { setting, device } = visit;
  if (!device) return;
  const before = await device.ledger();
  const answer = await device.close();
  const after = await device.ledger();
  if (!before || !after) return;
  if (!answer) return show("close", h("p", { class: "notice" }, refusal(setting, after)), newDeviceButtons(visit));

  visit.answer = answer;
  const report = await device.parse(answer.report);
  const refusals = h("div", { role: "status" });
  show("close",
    answerView(answer, report, setting.spec),
    h("h3", {}, "The ledger"),
    ledgerView(before, after),
    h("p", { class: "small muted" }, "The debit, the new state and the report were stored in one transaction, before a byte could leave."),
    h("div", { class: "buttons" }, button("Close the window again", async () => {
      const again = await device.close();
      const now = await device.ledger();
      if (!again && now) replace(refusals, h("p", { class: "notice" }, refusal(setting, now)));
    })),
    refusals,
    h("h3", {}, "The report"),
    h("p", {}, `${answer.report.length} bytes, of the same length whatever the answer. They wait in the outbox.`),
    ...contents(answer, report, setting));
  stage("send");
  show("send",
    h("p", {}, "These bytes, with their length before them, are all that crosses the line."),
    h("div", { class: "buttons" }, button("Send", () => send(visit, report), true)));
}

async function send(visit: Visit, report: ReportView): Promise<void> {
  const { setting, device, answer } = visit;
  if (!device || !answer) return;
  const bytes = answer.report.length + LENGTH_PREFIX;
  const { answers, waiting } = await device.send();
  visit.uploads.push(...answers.map((each) => ({ bytes, answer: each })));
  await countAgain(visit);
  if (waiting > 0) {
    showCentre(visit, null);
    return replace(byId("alert"), h("p", { class: "notice", role: "status" }, "The report stays in the outbox. Sending it again sends the same bytes."));
  }
  showCentre(visit, h("div", { class: "received" }, h("h3", {}, "What it can read"), ...contents(answer, report, setting)));
  stage("sent");
  show("send",
    h("p", {}, "The report has left the outbox. The same bytes again are recognized by their report id and not counted twice."),
    h("div", { class: "buttons" },
      button("Send the same bytes again", async () => {
        visit.uploads.push({ bytes, answer: await sendAgain(setting.spec, answer.report) });
        await countAgain(visit);
        showCentre(visit, centre.querySelector(".received"));
      }),
      button("Become a new device", () => becomeNew(visit))),
    h("p", { class: "small muted" }, "A new device has another secret and an empty ledger; everything this one kept is wiped. It answers from the window after the one it joins in, so on a real clock wiping buys at most one report per window."));
}

async function becomeNew(visit: Visit): Promise<void> {
  await visit.device?.purge();
  begin({ setting: visit.setting, counters: visit.counters, uploads: [] });
  steps.aircraft.scrollIntoView({ block: "start" });
}

function contents(answer: Answer, report: ReportView, setting: Setting): HTMLElement[] {
  return [hexDump(answer.report, report), fieldTable(answer.report, report, answer.symbols, setting.spec)];
}

function answeredEarlier(visit: Visit): HTMLElement {
  const name = windowName(visit.setting.startSecs, visit.setting.lengthSecs);
  return h("div", { class: "notice" },
    h("p", {}, `This browser was a device before, and has answered ${name} already. Its ledger allows no second answer.`),
    newDeviceButtons(visit));
}

const newDeviceButtons = (visit: Visit): HTMLElement => h("div", { class: "buttons" }, button("Become a new device", () => becomeNew(visit)));

/** Why the device makes no report. */
function refusal({ window, startSecs, lengthSecs, graceEndsSecs, status }: Setting, ledger: LedgerView): string {
  const name = windowName(startSecs, lengthSecs);
  if (ledger.nextWindow > window) {
    return `Refused: the ledger has the answer about ${name} in its book. The next window this device answers is ${windowName(ledger.nextWindow * lengthSecs, lengthSecs)}. No report was made and nothing was debited.`;
  }
  if (status.clock.now_secs >= graceEndsSecs) {
    return `Refused: the centre took reports about ${name} until ${dateAndTime(graceEndsSecs)}. No report was made and nothing was debited.`;
  }
  return "Refused: the ledger's cap does not allow another answer now. No report was made and nothing was debited.";
}

/** Reads the counters anew; where the centre does not answer, the old ones stand. */
async function countAgain(visit: Visit): Promise<void> {
  visit.setting.status = await readStatus().catch(() => visit.setting.status);
}

function showCentre(visit: Visit, received: Node | null): void {
  replace(centre, centreView(visit.uploads, { before: visit.counters, now: visit.setting.status.counters }, received));
}

/** Marks on the strip how far the data have come. */
function stage(name: "aircraft" | "replay" | "close" | "send" | "sent"): void {
  byId("sides").dataset["stage"] = name;
}

function show(step: keyof typeof steps, ...content: Child[]): void {
  const reached = steps[step].classList.contains("ahead");
  steps[step].classList.remove("ahead");
  replace(steps[step].querySelector(".step-body")!, ...content);
  if (reached) steps[step].scrollIntoView({ block: "nearest" });
}

function clear(step: keyof typeof steps): void {
  steps[step].classList.add("ahead");
  replace(steps[step].querySelector(".step-body")!);
}

/** A button that does one thing at a time. */
function button(text: string, act: () => Promise<void>, main = false): HTMLElement {
  const element = h("button", {
    type: "button", class: `button${main ? " button-main" : ""}`, "data-key": text,
    click: () => {
      element.disabled = true;
      void guarded(act).finally(() => (element.disabled = false));
    },
  }, text);
  return element;
}

async function guarded(act: () => Promise<void>): Promise<void> {
  try {
    replace(byId("alert"));
    await act();
  } catch (error) {
    fail(message(error));
  }
}

const message = (error: unknown): string =>
  error instanceof ApiError ? error.message : `This did not work: ${error instanceof Error ? error.message : String(error)}`;

function fail(text: string): void {
  byId("aircraft-step").querySelector(".loading")?.remove();
  replace(byId("alert"), h("p", { class: "notice notice-error", role: "alert" }, text));
}
