//! Every test, one suite after the other; a failing suite does not stop the next.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Result;

use crate::cargo::{NATIVE_TARGET_DIR, bare, cargo};
use crate::suite::{self, Count, Outcome};
use crate::{build, centre, demo, matrix, pack, setup, size, step, wasi, wasm};

/// Runs all suites, prints the table, and ends with `N passed, M failed`.
///
/// # Errors
///
/// The machine lacks something that cannot be installed.
pub(crate) fn run(quick: bool) -> Result<ExitCode> {
    let began = Instant::now();
    setup::toolchain()?;
    // Early, so that a person need not come back for a missing browser; late to fail, so that the rest still runs.
    let browser = if quick { None } else { Some(setup::engines()) };
    let built = build::all();
    let building = began.elapsed();
    println!("\nbuild: {}", step::seconds(building));

    let mut outcomes = rust();
    match built {
        Ok(()) => {
            outcomes.push(size::gate());
            outcomes.push(suite::node("js", "js/test", shared));
            outcomes.push(suite::node("node", "tests/node", shared));
            outcomes.push(suite::node("cli", "tests/cli", shared));
            if !quick {
                outcomes.push(adapters());
            }
            if let Some(browser) = browser {
                outcomes.push(demo());
                match browser {
                    Ok(chromium) => outcomes.extend(in_browsers(&chromium)),
                    Err(error) => outcomes.push(Outcome::not_run("browsers", &format!("{error:#}"))),
                }
            }
        }
        Err(error) => {
            outcomes.push(Outcome::not_run("build", &format!("{error:#}; suites that need it were left out")))
        }
    }

    println!("\n{}", table(&outcomes));
    println!("build {}, everything {}", step::seconds(building), step::seconds(began.elapsed()));
    let (passed, failed) = totals(&outcomes);
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the compiler and its companions say.
///
/// xtask is left out of the workspace and looked at in its own profile, for which its dependencies are built already.
fn rust() -> Vec<Outcome> {
    const DENY: [&str; 3] = ["--", "-D", "warnings"];
    const WITHOUT_XTASK: [&str; 3] = ["--workspace", "--exclude", "xtask"];
    const XTASK: [&str; 4] = ["--package", "xtask", "--profile", "xtask"];
    let native = |subcommand| cargo(subcommand, NATIVE_TARGET_DIR);

    let mut clippy = native("clippy");
    clippy.args(WITHOUT_XTASK).arg("--all-targets").args(DENY);
    let mut clippy_xtask = native("clippy");
    clippy_xtask.args(XTASK).arg("--all-targets").args(DENY);
    // The directory and profile of the full build, so that its build scripts are there already.
    let mut clippy_wasm = cargo("clippy", &wasm::Profile::dev().target_dir(wasm::FULL));
    clippy_wasm.args(["--package", "driftglass", "--lib", "--target", wasm::TARGET, "--profile", "wasm"]);
    clippy_wasm.args(["--features", wasm::FULL.features()]).args(DENY);
    // Without the standard library, which is what devices download.
    let mut clippy_core = cargo("clippy", &wasm::Profile::dev().target_dir(wasm::CORE));
    clippy_core.args(["--package", "driftglass", "--lib", "--target", wasm::TARGET, "--profile", "wasm"]);
    clippy_core.args(["--no-default-features", "--features", wasm::CORE.features()]).args(DENY);
    // Libraries only: the plugin and the centre's binary share a name, and their pages would overwrite each other.
    let mut doc = native("doc");
    doc.args(WITHOUT_XTASK).args(["--no-deps", "--lib"]).env("RUSTDOCFLAGS", "-D warnings");

    let mut tests = native("test");
    tests.args(WITHOUT_XTASK).arg("--no-fail-fast");
    shared(&mut tests);
    let mut tests_xtask = native("test");
    tests_xtask.args(XTASK);

    vec![
        suite::run("fmt", Count::Status, bare("fmt").args(["--all", "--check"])),
        suite::run("clippy", Count::Status, &mut clippy),
        suite::run("clippy xtask", Count::Status, &mut clippy_xtask),
        suite::run("clippy wasm", Count::Status, &mut clippy_wasm),
        suite::run("clippy core", Count::Status, &mut clippy_core),
        suite::run("clippy wasi", Count::Status, wasi::clippy(wasi::CORE).args(DENY)),
        suite::run("clippy wasi+", Count::Status, wasi::clippy(wasi::FULL).args(DENY)),
        suite::run("doc", Count::Status, &mut doc),
        suite::run("cargo", Count::Cargo, &mut tests),
        suite::run("xtask", Count::Cargo, &mut tests_xtask),
    ]
}

/// Models of the libraries that `monitor.wrap` watches. They take a gigabyte, so they are installed apart, and not for
/// `--quick`.
fn adapters() -> Outcome {
    match setup::npm_packages(Path::new("tests/adapters")) {
        Ok(()) => suite::node("adapters", "tests/adapters", shared),
        Err(error) => Outcome::not_run("adapters", &format!("{error:#}")),
    }
}

/// Runs the demo to its end, then the tests of what it found.
fn demo() -> Outcome {
    let began = Instant::now();
    let outcome = match demo::run_for_tests() {
        Ok(summary) => suite::node("demo", "tests/demo", |command| {
            shared(command);
            command.env("DRIFTGLASS_SUMMARY", summary);
        }),
        Err(error) => Outcome::not_run("demo", &format!("{error:#}")),
    };
    Outcome { time: began.elapsed(), ..outcome }
}

/// The drivers of the three engines, the pages in them, and a few consumers of the packed package.
fn in_browsers(chromium: &Path) -> Vec<Outcome> {
    let binary = match centre::binary() {
        Ok(binary) => binary,
        Err(error) => return vec![Outcome::not_run("browsers", &format!("{error:#}"))],
    };
    let environment = |command: &mut Command| {
        shared(command);
        command.env("CHROMIUM", chromium).env("DRIFTGLASS_BINARY", &binary);
    };
    let matrix = match pack::dev().and_then(|tarball| Ok(std::path::absolute(tarball)?)) {
        Ok(tarball) => {
            suite::run("matrix", Count::Closing, matrix::command(&tarball, &binary, chromium).arg("--quick"))
        }
        Err(error) => Outcome::not_run("matrix", &format!("{error:#}")),
    };
    vec![
        suite::node("engines", "tests/engines", environment),
        suite::node("browser", "tests/browser", environment),
        suite::node("docs", "tests/docs", environment),
        matrix,
    ]
}

/// Tells tests where large fixtures lie, if they lie beside the workspace.
fn shared(command: &mut Command) {
    if let Ok(directory) = std::fs::canonicalize("../shared") {
        command.env("DRIFTGLASS_SHARED", directory);
    }
}

fn totals(outcomes: &[Outcome]) -> (u64, u64) {
    outcomes.iter().fold((0, 0), |(passed, failed), one| (passed + one.passed, failed + one.failed))
}

fn table(outcomes: &[Outcome]) -> String {
    let mut text = format!("{:<12} {:>7} {:>7} {:>8}\n", "suite", "passed", "failed", "seconds");
    for one in outcomes {
        let seconds = one.time.as_secs_f64();
        text += &format!("{:<12} {:>7} {:>7} {seconds:>8.1}", one.suite, one.passed, one.failed);
        if let Some(note) = &one.note {
            text += &format!("  {}", note.lines().next().unwrap_or_default());
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_table_shows_each_suite_and_why_it_failed() {
        let outcomes = [
            Outcome { suite: "fmt".into(), passed: 1, failed: 0, time: Duration::from_millis(340), note: None },
            Outcome::not_run("browser", "no Chromium on PATH\nsecond line"),
        ];
        assert_eq!(
            table(&outcomes),
            "suite         passed  failed  seconds\n\
             fmt                1       0      0.3\n\
             browser            0       1      0.0  no Chromium on PATH\n"
        );
        assert_eq!(totals(&outcomes), (1, 1));
    }
}
