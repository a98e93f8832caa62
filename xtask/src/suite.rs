//! One suite of tests: run it, show it, count it, time it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::step;

/// How a suite's output says what passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// By its exit status: the whole command is one check.
    Status,
    /// By libtest's `test result:` lines, one for each test binary.
    Cargo,
    /// By the last `pass`, `fail` and `cancelled` lines of Node's reporter.
    Node,
    /// By its last line, `N passed, N failed`.
    Closing,
}

/// What a suite came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) suite: String,
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) time: Duration,
    /// Why a suite failed that has no failing test to show for it.
    pub(crate) note: Option<String>,
}

impl Outcome {
    /// A suite that could not be run is one failure.
    pub(crate) fn not_run(suite: &str, reason: &str) -> Self {
        eprintln!("{suite}: {reason}");
        Self { suite: suite.into(), passed: 0, failed: 1, time: Duration::ZERO, note: Some(reason.into()) }
    }
}

/// Runs a command as a suite.
pub(crate) fn run(suite: &str, count: Count, command: &mut Command) -> Outcome {
    step::announce(&format!("{suite}: {}", step::shown(command)));
    let began = Instant::now();
    match step::echo(command) {
        Ok((status, output)) => {
            let (passed, failed, note) = judge(count, status.success(), &output);
            Outcome { suite: suite.into(), passed, failed, time: began.elapsed(), note }
        }
        Err(error) => Outcome::not_run(suite, &format!("{error:#}")),
    }
}

/// Runs the `*.test.mjs` files below a directory with Node.
pub(crate) fn node(suite: &str, directory: &str, configure: impl FnOnce(&mut Command)) -> Outcome {
    let files = match test_files(Path::new(directory)) {
        Ok(files) if files.is_empty() => return Outcome::not_run(suite, &format!("no *.test.mjs in {directory}/")),
        Ok(files) => files,
        Err(error) => return Outcome::not_run(suite, &format!("{error:#}")),
    };
    let mut command = Command::new("node");
    command.args(["--test", "--test-reporter=spec"]).args(files);
    // Set by an outer `node --test`, it would turn the reporter into a binary protocol.
    command.env_remove("NODE_TEST_CONTEXT");
    configure(&mut command);
    run(suite, Count::Node, &mut command)
}

/// Node versions disagree on what a directory after `--test` means, so files are named one by one.
fn test_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(directory) = pending.pop() {
        let entries = std::fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.to_string_lossy().ends_with(".test.mjs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Passed, failed, and a note when the count alone does not explain the failure.
fn judge(count: Count, success: bool, output: &str) -> (u64, u64, Option<String>) {
    let (passed, failed) = match count {
        Count::Status => return if success { (1, 0, None) } else { (0, 1, None) },
        Count::Cargo => cargo_counts(output),
        Count::Node => node_counts(output),
        Count::Closing => closing_counts(output),
    };
    if !success && failed == 0 {
        (passed, 1, Some("the command failed outside its tests".into()))
    } else if passed + failed == 0 {
        (0, 1, Some("no test ran".into()))
    } else {
        (passed, failed, None)
    }
}

/// Sums lines like `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
fn cargo_counts(output: &str) -> (u64, u64) {
    let results = output.lines().filter_map(|line| line.strip_prefix("test result: "));
    results.fold((0, 0), |(passed, failed), line| {
        (passed + number_before(line, " passed"), failed + number_before(line, " failed"))
    })
}

fn number_before(line: &str, word: &str) -> u64 {
    let digits = line.split(word).next().and_then(|head| head.rsplit(' ').next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// Reads lines like `ℹ pass 12` or `# pass 12`. A cancelled test has not passed, so it failed.
fn node_counts(output: &str) -> (u64, u64) {
    let last = |word: &str| {
        let mut counts = output.lines().filter_map(|line| {
            let rest = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# "))?;
            rest.strip_prefix(word)?.strip_prefix(' ')?.trim().parse::<u64>().ok()
        });
        counts.next_back().unwrap_or(0)
    };
    (last("pass"), last("fail") + last("cancelled"))
}

/// Reads a last line like `12 passed, 1 failed`.
fn closing_counts(output: &str) -> (u64, u64) {
    let last = output.lines().next_back().unwrap_or_default();
    (number_before(last, " passed"), number_before(last, " failed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(count: Count, success: bool, output: &str, expected: (u64, u64)) {
        let (passed, failed, _) = judge(count, success, output);
        assert_eq!((passed, failed), expected, "{count:?} success={success}\n{output}");
    }

    const TWO_BINARIES: &str = "\
running 2 tests
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s

test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
";

    #[test]
    fn status_is_one_check() {
        check(Count::Status, true, "", (1, 0));
        check(Count::Status, false, "", (0, 1));
    }

    #[test]
    fn cargo_sums_binaries() {
        check(Count::Cargo, false, TWO_BINARIES, (15, 2));
    }

    #[test]
    fn node_takes_the_last_summary() {
        let spec = "✔ a (1ms)\nℹ pass 99\nℹ tests 3\nℹ suites 0\nℹ pass 2\nℹ fail 1\nℹ cancelled 1\nℹ skipped 0\n";
        check(Count::Node, false, spec, (2, 2));
        check(Count::Node, true, "# tests 4\n# pass 4\n# fail 0\n# cancelled 0\n", (4, 0));
    }

    #[test]
    fn the_closing_line_counts() {
        check(Count::Closing, false, "1 passed, 9 failed\nrow  ok\n12 passed, 1 failed\n", (12, 1));
        check(Count::Closing, true, "15 passed, 0 failed", (15, 0));
        check(Count::Closing, false, "a crash", (0, 1));
    }

    #[test]
    fn no_test_is_a_failure() {
        check(Count::Cargo, true, "", (0, 1));
        check(Count::Node, true, "ℹ pass 0\nℹ fail 0\n", (0, 1));
        check(Count::Cargo, true, "test result: ok. 0 passed; 0 failed; 0 ignored", (0, 1));
    }

    #[test]
    fn a_crash_is_a_failure_though_tests_passed() {
        check(Count::Cargo, false, "test result: ok. 12 passed; 0 failed; 0 ignored", (12, 1));
        check(Count::Node, false, "ℹ pass 5\nℹ fail 0\n", (5, 1));
    }
}
