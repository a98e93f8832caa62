//! The main job on real data: devices, the centre and the drift nobody planted, in one process that Node runs.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;

use crate::{build, centre, setup, step};

/// Where the demo keeps the centre's database and what the devices remember.
const WORK_DIR: &str = "target/demo";

/// Where a run writes what it found, for tests to check.
const SUMMARY: &str = "target/demo/summary.json";

#[derive(Args)]
pub(crate) struct Options {
    /// Stop when the main job is done, instead of leaving the dashboard running
    #[arg(long)]
    exit: bool,
    /// Port of the dashboard; the demo has a default
    #[arg(long)]
    port: Option<u16>,
    /// Where to write the summary as JSON
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Further arguments for the demo
    #[arg(last = true)]
    extra: Vec<OsString>,
}

impl Options {
    /// The options with paths that no longer depend on the working directory.
    ///
    /// # Errors
    ///
    /// The working directory is unknown.
    pub(crate) fn resolved(mut self) -> Result<Self> {
        if let Some(path) = &self.summary {
            self.summary = Some(std::path::absolute(path).context("cannot resolve the path of the summary")?);
        }
        Ok(self)
    }
}

/// Sets up, builds and runs the demo.
///
/// # Errors
///
/// The build fails or Node cannot be started. A demo that fails is no error here: its status is returned.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let began = Instant::now();
    setup::toolchain()?;
    build::for_demo()?;
    let building = began.elapsed();
    println!("\nbuild: {}", step::seconds(building));

    step::announce("demo");
    let mut command = command(options)?;
    if options.exit { run_to_end(&mut command, building) } else { hand_over(&mut command) }
}

/// Runs the demo once for the tests and writes the summary to the returned path.
///
/// # Errors
///
/// Node cannot be started, or the demo fails.
pub(crate) fn run_for_tests() -> Result<PathBuf> {
    let summary = std::path::absolute(SUMMARY)?;
    // A summary of an earlier run must not answer for this one.
    if summary.exists() {
        std::fs::remove_file(&summary).context("cannot remove the old summary")?;
    }
    // Any port that is free now, so that a dashboard left running does not fail the tests.
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let options = Options { exit: true, port: Some(port), summary: Some(summary.clone()), extra: Vec::new() };
    step::run("demo --exit", &mut command(&options)?)?;
    Ok(summary)
}

fn command(options: &Options) -> Result<Command> {
    std::fs::create_dir_all(WORK_DIR).with_context(|| format!("cannot create {WORK_DIR}"))?;
    let mut command = Command::new("node");
    command.arg("demo/dist/main.js");
    command.arg("--centre-binary").arg(centre::binary()?);
    command.args(["--work-dir", WORK_DIR]);
    command.arg("--summary").arg(options.summary.clone().unwrap_or_else(|| SUMMARY.into()));
    if let Some(port) = options.port {
        command.args(["--port", &port.to_string()]);
    }
    if options.exit {
        command.arg("--exit");
    }
    command.args(&options.extra);
    Ok(command)
}

fn run_to_end(command: &mut Command, building: Duration) -> Result<ExitCode> {
    let began = Instant::now();
    let status = command.status().with_context(|| format!("cannot start `{}`", step::shown(command)))?;
    let running = began.elapsed();
    let total = step::seconds(building + running);
    println!("\nbuild {}, demo {}, together {total}", step::seconds(building), step::seconds(running));
    // A status without a code means that a signal ended the demo.
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

/// Becomes the demo, so that Ctrl-C and `kill` reach it and it can stop the centre.
#[cfg(unix)]
fn hand_over(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start `{}`", step::shown(command)))
}

#[cfg(not(unix))]
fn hand_over(command: &mut Command) -> Result<ExitCode> {
    run_to_end(command, Duration::ZERO)
}
