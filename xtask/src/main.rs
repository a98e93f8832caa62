//! `cargo xtask`: the one entry point for people and CI.
//!
//! | Module | Idea |
//! | --- | --- |
//! | [`setup`] | what a machine with only Rust and Node still needs |
//! | [`wasm`] | the plugin as WebAssembly, with bindings, in three flavours |
//! | [`wasi`] | the plugin as a component for WASI hosts |
//! | [`web`] | the TypeScript packages |
//! | [`centre`] | the native binary |
//! | [`build`] | the order of these |
//! | [`demo`] | the main job on real data |
//! | [`docs`] | the reference of the npm package |
//! | [`kill_test`] | the ledger under crashes, simulated and real |
//! | [`pack`] | the npm package as a reproducible tarball |
//! | [`size`](mod@size) | what people download, against budgets |
//! | [`matrix`] | the packed tarball in every consumer |
//! | [`bench`] | what is measured and not judged |
//! | [`suite`] | one suite of tests: run, count, time |
//! | [`test`](mod@test) | all suites, the table, the verdict |
//! | [`cargo`](mod@cargo) | cargo from inside cargo |
//! | [`audit`] | the auditor on the package's spec and on every mechanism |
//! | [`step`] | one command, with a headline, its time and a clear failure |

mod audit;
mod bench;
mod build;
mod cargo;
mod centre;
mod demo;
mod docs;
mod kill_test;
mod matrix;
mod pack;
mod setup;
mod size;
mod step;
mod suite;
mod test;
mod wasi;
mod wasm;
mod web;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

/// Builds, shows and tests Driftglass. Each command first installs what it needs.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", subcommand_required = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install the wasm target and the npm packages, and find or install three browsers
    Setup,
    /// Build the wasm flavours, the TypeScript packages, the pages, the demo and the centre
    Build {
        /// Build one part only; what it needs from the others must be there
        #[arg(long, value_enum)]
        only: Option<build::Part>,
    },
    /// Do the main job on real data, then leave the dashboard running
    Demo(demo::Options),
    /// Crash the ledger: a million simulated traces, then real processes that are killed; or end pages of real browsers
    KillTest(kill_test::Options),
    /// Make the npm package as a tarball, with its bill of materials and checksums in target/pack
    Pack(pack::Options),
    /// Install the packed tarball in an empty project of each consumer, and report from there to a real centre
    Matrix(matrix::Options),
    /// Make the reference of the npm package in target/docs/js; fails where something public has no words
    Docs,
    /// Audit the wasm: the package's own spec, then a configuration of every mechanism
    Audit(audit::Options),
    /// Measure what people download, and fail above the budgets
    Size(size::Options),
    /// Measure error and time, beside other libraries
    Bench(bench::Options),
    /// Run every test and end with `N passed, M failed`
    Test {
        /// Leave out the demo and the browser
        #[arg(long)]
        quick: bool,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    // A path on the command line is relative to where the person stands, so it is resolved before the move.
    let command = match cli.command {
        Command::Demo(options) => Command::Demo(options.resolved()?),
        Command::Bench(options) => Command::Bench(options.resolved()?),
        Command::Matrix(options) => Command::Matrix(options.resolved()?),
        other => other,
    };
    enter_workspace()?;
    match command {
        Command::Setup => {
            setup::toolchain()?;
            setup::engines()?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Build { only } => {
            setup::toolchain()?;
            only.map_or_else(build::all, build::one)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Demo(options) => demo::run(&options),
        Command::KillTest(options) => kill_test::run(&options),
        Command::Pack(options) => pack::run(&options),
        Command::Matrix(options) => matrix::run(&options),
        Command::Docs => docs::run(),
        Command::Audit(options) => audit::run(&options),
        Command::Size(options) => size::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Test { quick } => test::run(quick),
    }
}

/// Every path in xtask is relative to the workspace root.
fn enter_workspace() -> Result<()> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").context("start this program with `cargo xtask`")?;
    let xtask = PathBuf::from(manifest);
    let root = xtask.parent().context("xtask has no parent directory")?;
    std::env::set_current_dir(root).with_context(|| format!("cannot enter {}", root.display()))
}
