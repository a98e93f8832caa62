// An empty project with one consumer, the packed tarball, and the app of this folder.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
/** A build that takes longer than this hangs. */
const PATIENCE_MS = 300_000;

export class Project {
  constructor(root) {
    this.root = root;
  }

  /**
   * Makes the project anew. What npm installed for the same lock file stays from run to run; the package does not.
   *
   * @param base folder of all projects; outside of a workspace, since bundlers look upwards for lock files
   */
  static async make(base, name, consumer, tarball, settings) {
    const project = new Project(join(base, name));
    const { root } = project;
    mkdirSync(root, { recursive: true });
    for (const entry of readdirSync(root)) {
      if (entry !== "node_modules") rmSync(join(root, entry), { recursive: true });
    }
    project.write("package.json", '{ "private": true, "type": "module" }\n');
    cpSync(here("app"), project.path("src"), { recursive: true });
    project.write("src/settings.js", `export default ${JSON.stringify(settings)};\n`);
    if (existsSync(here(`consumers/${consumer}`))) cpSync(here(`consumers/${consumer}`), root, { recursive: true });
    await project.#install(tarball);
    return project;
  }

  async #install(tarball) {
    const lock = join(this.root, "package-lock.json");
    const stamp = join(this.root, "node_modules/.stamp");
    const hash = existsSync(lock) ? createHash("sha256").update(readFileSync(lock)).digest("hex") : "none";
    if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== hash) {
      if (hash !== "none") await this.exec("npm", ["ci", "--no-audit", "--no-fund"]);
      else rmSync(join(this.root, "node_modules"), { recursive: true, force: true });
    }
    rmSync(join(this.root, "node_modules/driftglass"), { recursive: true, force: true });
    // Offline: the package needs no other.
    await this.exec("npm", ["install", "--offline", "--no-save", "--no-audit", "--no-fund", tarball]);
    this.write("node_modules/.stamp", hash);
  }

  path(name) {
    return join(this.root, name);
  }

  read(name) {
    return readFileSync(this.path(name), "utf8");
  }

  write(name, text) {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
  }

  copy(from, to) {
    this.write(to, readFileSync(from));
  }

  /** What the package says of itself. */
  get manifest() {
    return JSON.parse(this.read("node_modules/driftglass/package.json"));
  }

  /** The version of an installed package. */
  version(name) {
    return JSON.parse(this.read(`node_modules/${name}/package.json`)).version;
  }

  /** A command of `node_modules/.bin`. */
  bin(name) {
    return this.path(`node_modules/.bin/${name}`);
  }

  /** Runs a command to its end and returns what it printed. Throws with all it said if it fails. */
  exec(command, args = [], { env = {} } = {}) {
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, { cwd: this.root, env: { ...environment(), ...env }, stdio: ["ignore", "pipe", "pipe"] });
      let [printed, said] = ["", ""];
      child.stdout.on("data", (chunk) => (printed += chunk));
      child.stderr.on("data", (chunk) => (said += chunk));
      const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
      child.once("error", reject);
      child.once("close", (status, signal) => {
        clearTimeout(timer);
        if (status === 0) resolve(printed);
        else reject(new Error(`${[command, ...args].join(" ")} ended with ${status ?? signal}\n${said}\n${printed}`));
      });
    });
  }

  /** Starts a server and waits until it listens on the port; `stop` ends it and what it started. */
  async start(command, args, port, { env = {} } = {}) {
    const child = spawn(command, args, { cwd: this.root, env: { ...environment(), ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
    let [said, ended] = ["", false];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
    const end = () => process.kill(-child.pid, "SIGKILL");
    child.once("close", () => (ended = true));
    const stop = async () => {
      if (ended) return;
      const closed = new Promise((resolve) => child.once("close", resolve));
      end();
      await closed;
    };
    const deadline = Date.now() + 60_000;
    while (!(await fetch(`http://127.0.0.1:${port}/`).then(() => true, () => false))) {
      if (ended || Date.now() > deadline) {
        await stop();
        throw new Error(`${[command, ...args].join(" ")} does not listen\n${said}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return { stop, said: () => said };
  }
}

/** Consumers see a plain terminal, and nothing of the test runner or of cargo. */
function environment() {
  const dropped = /^(NODE_TEST_CONTEXT|NODE_OPTIONS|npm_|CARGO)/;
  const kept = Object.entries(process.env).filter(([name]) => !dropped.test(name));
  return { ...Object.fromEntries(kept), NO_COLOR: "1", CI: "1", NEXT_TELEMETRY_DISABLED: "1", WRANGLER_SEND_METRICS: "false", DO_NOT_TRACK: "1" };
}
