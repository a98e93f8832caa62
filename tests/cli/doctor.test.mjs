// `driftglass doctor` on what Vite and esbuild really write, and on a server that does what servers do wrong.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

import { driftglass, root } from "./cli.mjs";

const app = mkdtempSync(join(tmpdir(), "driftglass-app-"));
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
/** What the server does wrong in the current test. */
let faults = {};
let server;
let url;

before(async () => {
  mkdirSync(join(app, "node_modules"));
  symlinkSync(join(root, "js"), join(app, "node_modules/driftglass"));
  writeFileSync(join(app, "package.json"), '{"type":"module","private":true}');
  writeFileSync(join(app, "main.js"), 'import { Monitor } from "driftglass";\nglobalThis.start = (spec) => Monitor.create({ spec, key: "k", consent: "granted" });\n');
  writeFileSync(join(app, "index.html"), '<!doctype html><title>app</title><script type="module" src="/main.js"></script>');
  const vite = spawnSync(process.execPath, [join(root, "node_modules/vite/bin/vite.js"), "build", "--logLevel", "error", "--outDir", "vite", app], { cwd: app, encoding: "utf8" });
  assert.equal(vite.status, 0, vite.stderr);
  await build({ absWorkingDir: app, entryPoints: ["main.js"], bundle: true, format: "esm", splitting: true, outdir: "esbuild", logLevel: "error" });
  await build({ absWorkingDir: app, entryPoints: ["main.js"], bundle: true, format: "esm", outfile: "one/main.js", logLevel: "error" });
  server = createServer((request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    const file = join(app, "vite", path === "/" ? "index.html" : path);
    const headers = { "content-type": faults.type?.[extname(file)] ?? TYPES[extname(file)] };
    if (path === "/") Object.assign(headers, faults.page);
    else headers["cache-control"] = faults.cache ?? "public, max-age=31536000, immutable";
    const gone = faults.missing && file.includes(faults.missing);
    if (gone && faults.fallback) return response.writeHead(200, { "content-type": "text/html" }).end(readFileSync(join(app, "vite/index.html")));
    if (gone || !existsSync(file)) return response.writeHead(404).end();
    let body = readFileSync(file);
    if (faults.skew && extname(file) === ".wasm") body = Buffer.from(body.toString("latin1").replace(/(driftglass-build)[0-9a-f]{16}/, "$1feedfeedfeedfeed"), "latin1");
    if (!faults.plain) body = gzipSync(body, { level: 1 });
    response.writeHead(200, { ...headers, ...(!faults.plain && { "content-encoding": "gzip" }) }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${server.address().port}/`;
});

after(() => {
  server?.close();
  rmSync(app, { recursive: true });
});

/** Problems and warnings, as `check: text`, and how the doctor ended. */
async function look(target, ...options) {
  const { status, stdout, stderr } = await driftglass("doctor", target, "--json", ...options);
  assert.ok(status < 2, stderr);
  const { findings } = JSON.parse(stdout);
  for (const { level, fix } of findings) assert.equal(fix === undefined, level === "ok", "who names a fault says what to do");
  const of = (level) => findings.filter((finding) => finding.level === level).map(({ check, says, fix }) => `${check}: ${says} ${fix ?? ""}`);
  return { status, problems: of("problem"), warnings: of("warning"), fine: of("ok") };
}

async function withFaults(wrong, ...options) {
  faults = wrong;
  try {
    return await look(url, ...options);
  } finally {
    faults = {};
  }
}

test("what Vite writes is as it should be", async () => {
  const { status, problems, warnings, fine } = await look(join(app, "vite"));
  assert.deepEqual([status, problems, warnings], [0, [], []]);
  assert.match(fine.join("\n"), /core\.wasm is there[^]*full\.wasm is there[^]*worker is there[^]*of one build/);
});

test("what esbuild leaves out is named, with what to type", async () => {
  for (const folder of ["esbuild", "one"]) {
    const { status, problems, warnings, fine } = await look(join(app, folder));
    assert.deepEqual([status, problems], [0, []]);
    assert.equal(warnings.length, 2);
    assert.match(warnings[0], /core\.wasm is not .* copy inside the package takes over.*copy node_modules\/driftglass\/dist\/core\.wasm/);
    assert.match(warnings[1], /full\.wasm is not .* InferenceSession does not\..*wasm: \{ full: "\/full\.wasm" \}/);
    assert.match(fine.join("\n"), /no file for the worker; the copy inside the package takes over/);
  }
});

test("copies, and scripts of another build, are found", async () => {
  const folder = join(app, "vite");
  const [core] = readdirSync(join(folder, "assets")).filter((name) => /^core-.*\.wasm$/.test(name));
  const twin = join(folder, "core.wasm");
  copyFileSync(join(folder, "assets", core), twin);
  const twice = await look(folder);
  rmSync(twin);
  assert.match(twice.warnings.join("\n"), /core\.wasm is there 2 times .*core\.wasm/);
  const stray = join(folder, "old.js");
  writeFileSync(stray, 'const ids={core:"0123456789abcdef",full:"fedcba9876543210"}');
  const old = await look(folder);
  rmSync(stray);
  assert.equal(old.status, 1);
  assert.match(old.problems.join("\n"), /Scripts are of 2 builds .*npm dedupe/);
});

test("a website as it should be", async () => {
  const { status, problems, warnings, fine } = await withFaults({});
  assert.deepEqual([status, problems, warnings], [0, [], []]);
  assert.match(fine.join("\n"), /core\.wasm is there[^]*full\.wasm is there[^]*sent as application\/wasm[^]*come compressed[^]*not cross-origin isolated/);
});

test("modules that are gone, and pages in their place", async () => {
  const gone = await withFaults(coreName());
  assert.match(gone.warnings.join("\n"), /core-[\w-]+\.wasm was answered with status 404\. The copy inside the package takes over/);
  const fallback = await withFaults({ ...coreName(), fallback: true });
  assert.match(fallback.warnings.join("\n"), /core-[\w-]+\.wasm was answered with a page of HTML, as servers of single-page apps/);
});

function coreName() {
  return { missing: readdirSync(join(app, "vite/assets")).find((name) => /^core-.*\.wasm$/.test(name)) };
}

test("types, compression and caches", async () => {
  const type = await withFaults({ type: { ".wasm": "application/octet-stream" } });
  assert.match(type.warnings.join("\n"), /sent as application\/octet-stream.*AddType application\/wasm/);
  const plain = await withFaults({ plain: true });
  assert.match(plain.warnings.join("\n"), /files come uncompressed: .* MB instead of .*gzip_types/);
  const cache = await withFaults({ cache: "no-store" });
  assert.match(cache.warnings.join("\n"), /has a hash in its name but may not be kept.*immutable/);
});

test("a module of another build", async () => {
  const { status, problems } = await withFaults({ skew: true });
  assert.equal(status, 1);
  assert.match(problems.join("\n"), /is of build feedfeedfeedfeed, the scripts need [0-9a-f]{16}/);
});

test("policies that forbid what is needed", async () => {
  const policy = (text, ...options) => withFaults({ page: { "content-security-policy": text } }, ...options);
  const none = await policy("default-src 'self'");
  assert.equal(none.status, 1);
  assert.match(none.problems.join(), /forbids WebAssembly.*Add 'wasm-unsafe-eval' to script-src/);
  const strict = await policy("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'");
  assert.deepEqual([strict.status, strict.problems, strict.warnings], [0, [], []]);
  const worker = await policy("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'");
  assert.match(worker.warnings.join(), /allows no worker.*Add 'self' to worker-src/);
  const fetching = await policy("script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src https://api.example");
  assert.match(fetching.warnings.join(), /fetch nothing from its own origin.*Add 'self' to connect-src/);
  const upload = await policy("script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'", "--endpoint", "https://centre.example/v1/reports");
  assert.match(upload.problems.join(), /lets no report reach https:\/\/centre\.example.*to connect-src/);
  const reached = await policy("script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' https://*.example", "--endpoint", "https://centre.example/v1/reports");
  assert.deepEqual(reached.problems, []);
  const typed = await policy("script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; require-trusted-types-for 'script'; trusted-types other");
  assert.match(typed.warnings.join(), /Trusted Types.*Add driftglass to trusted-types and blob: to worker-src/);
});

test("a spec says where reports go", async () => {
  const spec = join(app, "spec.json");
  writeFileSync(spec, JSON.stringify({ upload: { endpoint: "https://elsewhere.example/v1/reports" } }));
  const { problems } = await withFaults({ page: { "content-security-policy": "script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'" } }, "--spec", spec);
  assert.match(problems.join(), /elsewhere\.example/);
});

test("what cannot be looked at ends with 2, and says why", async () => {
  const ends = async (message, ...args) => {
    const { status, stderr } = await driftglass(...args);
    assert.equal(status, 2);
    assert.match(stderr, message);
  };
  await ends(/cannot be read/, "doctor", join(app, "nowhere"));
  await ends(/cannot be reached/, "doctor", "http://127.0.0.1:1/");
  await ends(/there is no command cure/, "cure");
  await ends(/Unknown option '--fast'/, "doctor", "--fast");
  await ends(/takes one address/, "doctor", "a", "b");
  const empty = mkdtempSync(join(tmpdir(), "driftglass-empty-"));
  const { status, stdout } = await driftglass("doctor", empty);
  rmSync(empty, { recursive: true });
  assert.equal(status, 1);
  assert.match(stdout, /✗ no script of .* holds driftglass\.\n {4}→ Look at the folder/);
  assert.match((await driftglass("--help")).stdout, /driftglass doctor[^]*driftglass init[^]*Exit codes/);
});
