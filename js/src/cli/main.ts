/** `npx driftglass`: what is typed, and how it ends: 0 as it should be, 1 problems were found, 2 it could not be done. */
import { parseArgs } from "node:util";

const HELP = `driftglass doctor [URL | FOLDER] [--spec FILE] [--endpoint URL] [--json]
    looks at a deployed page, or at the folder that a bundler wrote (dist if none is named), and says what keeps Driftglass from
    working there and what to do
    --spec FILE      the monitor spec: whether reports can reach its endpoint
    --endpoint URL   the same for this address
    --json           what was found, as JSON

driftglass init MODEL.onnx DATA.csv [-o FILE] [--app NAME] [--columns TENSOR=A,B,…] [--outcome COLUMN] [--epsilon E] [--endpoint URL] [--force]
    writes a monitor spec to begin with, from a model and rows of its training data
    -o FILE          where to write it; pkg-config.json if absent
    --app NAME       name of the app; the model's file name if absent
    --columns TENSOR=A,B,…  which columns are the elements of an input, in order; may be given for each input
    --outcome COLUMN the column that holds what turned out to be true
    --epsilon E      privacy loss of one answer; 2 if absent
    --endpoint URL   where reports are posted
    --force          replaces a file that is there

Exit codes: 0 fine, 1 problems were found, 2 could not be done.`;

/** Something that the person who typed can mend. */
class Misuse extends Error {}

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === "doctor") return doctor(rest);
  if (command === "init") return init(rest);
  if (command === undefined || command === "--help" || command === "help" || command === "-h") {
    console.log(HELP);
    return command === undefined ? 2 : 0;
  }
  throw new Misuse(`there is no command ${command}`);
}

async function doctor(args: string[]): Promise<number> {
  const { values, positionals } = read(args, { spec: { type: "string" }, endpoint: { type: "string" }, json: { type: "boolean", default: false } });
  if (positionals.length > 1) throw new Misuse("doctor takes one address or folder");
  const { diagnose, printed } = await import("./doctor/doctor.js");
  const { spec, endpoint, json } = values as { spec?: string; endpoint?: string; json: boolean };
  const diagnosis = await diagnose({ target: positionals[0] ?? "dist", spec, endpoint });
  console.log(json ? JSON.stringify(diagnosis, undefined, 2) : printed(diagnosis));
  return diagnosis.findings.some(({ level }) => level === "problem") ? 1 : 0;
}

async function init(args: string[]): Promise<number> {
  const text = { type: "string" } as const;
  const { values, positionals } = read(args, { output: { ...text, short: "o" }, app: text, outcome: text, columns: { ...text, multiple: true }, epsilon: text, endpoint: text, force: { type: "boolean", default: false } });
  const [model, data, ...more] = positionals;
  if (model === undefined || data === undefined || more.length > 0) throw new Misuse("init takes a model and a file of data: driftglass init MODEL.onnx DATA.csv");
  const { begin } = await import("./init/init.js");
  console.log(await begin({ model, data, ...(values as object) }));
  return 0;
}

type Options = NonNullable<Parameters<typeof parseArgs>[0]>["options"];

function read(args: string[], options: Options): { values: object; positionals: string[] } {
  try {
    return parseArgs({ args, options: options!, allowPositionals: true });
  } catch (error) {
    throw new Misuse((error as Error).message);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { message } = error as Error;
  console.error(error instanceof Misuse ? `${message}\n\n${HELP}` : `driftglass: ${message}`);
  process.exitCode = 2;
}
