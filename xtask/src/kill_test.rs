//! The ledger under crashes: a million simulated ones, then real processes that are killed; or real browsers.
//!
//! The traces are those of `tests/it/ledger_traces.rs`, in release mode on all cores; the processes are those of
//! `tests/kill/`, Node with the built package and the real file store. The browsers are those of `tests/kill/browser/`:
//! three engines with the built package, in front of the real centre.

use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use clap::Args;

use crate::cargo::{NATIVE_TARGET_DIR, cargo};
use crate::{centre, setup, step, wasm, web};

#[derive(Args)]
pub(crate) struct Options {
    /// Simulated traces
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    traces: u64,
    /// Seed of the first trace, the next has the next; fresh and printed if not given
    #[arg(long)]
    seed: Option<u64>,
    /// Processes killed, or pages with --browser; 0 leaves the processes out, and needs no Node
    #[arg(long, default_value_t = 300)]
    kills: u32,
    /// End pages of real browsers in place of the rest
    #[arg(long)]
    browser: bool,
    /// With --browser: as many kills as a release needs, 3000, in some half an hour
    #[arg(long, requires = "browser", conflicts_with = "kills")]
    release: bool,
    /// With --browser: only these engines, comma-separated
    #[arg(long, requires = "browser", default_value = "chromium,firefox,webkit")]
    engines: String,
}

/// Without a loss, as many show at 95 % confidence that one kill in a thousand loses a report at most.
const RELEASE_KILLS: u32 = 3000;

/// Runs both parts, or the browsers; the first fault ends the run.
///
/// # Errors
///
/// A build fails, or a promise was broken.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let seed = options.seed.map_or_else(fresh_seed, Ok)?;
    step::announce(&format!("seed {seed}"));
    if options.browser {
        let kills = if options.release { RELEASE_KILLS } else { options.kills };
        browsers(kills, &options.engines, seed)?;
        return Ok(ExitCode::SUCCESS);
    }
    traces(options.traces, seed)?;
    if options.kills > 0 {
        processes(options.kills, seed)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn traces(traces: u64, seed: u64) -> Result<()> {
    const TEST: &str = "ledger_traces::as_many_as_asked";
    let mut command = cargo("test", NATIVE_TARGET_DIR);
    command.args(["--release", "--package", "driftglass", "--test", "it", "--"]);
    command.args(["--ignored", "--exact", TEST, "--nocapture"]);
    command.env("DRIFTGLASS_TRACES", traces.to_string()).env("DRIFTGLASS_SEED", seed.to_string());
    step::run("crash-injected traces", &mut command)
}

fn processes(kills: u32, seed: u64) -> Result<()> {
    setup::toolchain()?;
    wasm::build(&wasm::Profile::dev(), &[wasm::CORE, wasm::FULL])?;
    step::run("js", web::npm().args(["run", "--silent", "build", "--workspace", "js"]))?;
    let mut command = Command::new("node");
    command.args(["tests/kill/main.mjs", "--kills", &kills.to_string(), "--seed", &seed.to_string()]);
    step::run("processes killed", &mut command)
}

fn browsers(kills: u32, engines: &str, seed: u64) -> Result<()> {
    setup::toolchain()?;
    wasm::build(&wasm::Profile::dev(), &[wasm::CORE, wasm::FULL])?;
    step::run("js", web::npm().args(["run", "--silent", "build", "--workspace", "js"]))?;
    centre::build()?;
    let mut command = Command::new("node");
    command.args(["tests/kill/browser/main.mjs", "--kills", &kills.to_string(), "--seed", &seed.to_string()]);
    command.args(["--engines", engines, "--binary"]).arg(centre::binary()?);
    step::run("pages of browsers ended", &mut command)
}

/// 32 bits of the clock: enough to differ from run to run, few enough to type.
fn fresh_seed() -> Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
    Ok(u64::from(now.as_secs() as u32 ^ now.subsec_nanos()))
}
