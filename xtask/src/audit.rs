//! The auditor, on what this workspace builds: the package's own spec, a configuration of every mechanism, and sound
//! randomizers.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Result;
use clap::Args;

use crate::cargo::{NATIVE_TARGET_DIR, cargo};
use crate::{pack, step, wasm};

/// Options of `cargo xtask audit`.
#[derive(Args)]
pub(crate) struct Options {
    /// Audit the core module alone, and not the one with the inference engine, which takes minutes to build
    #[arg(long)]
    core_only: bool,
    /// Take 10^7 reports of each question and not 10^6
    #[arg(long)]
    full: bool,
    /// Audit this many sound randomizers of random configurations, and nothing else
    #[arg(long, value_name = "N")]
    false_accusations: Option<u64>,
}

/// Builds what is needed and audits it.
///
/// # Errors
///
/// A build fails, or an audit does.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    // The profile of the tests: dependencies run at full speed in it, and the machine that runs wasm is compiled once
    // for both.
    step::run("auditor", cargo("build", NATIVE_TARGET_DIR).args(["--package", "driftglass-audit"]))?;
    if let Some(audits) = options.false_accusations {
        step::run("sound randomizers", auditor().args(["sound", "--audits", &audits.to_string()]))?;
        return Ok(ExitCode::SUCCESS);
    }
    // The bytes that are shipped: what makes this module small is audited with it.
    audit(wasm::CORE, &pack::module(wasm::CORE)?, options)?;
    if !options.core_only {
        let profile = wasm::Profile::dev();
        wasm::build(&profile, &[wasm::FULL])?;
        audit(wasm::FULL, &profile.bindings(wasm::FULL).join(wasm::MODULE), options)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn audit(flavour: wasm::Flavour, module: &Path, options: &Options) -> Result<()> {
    for subcommand in ["spec", "matrix"] {
        let mut command = auditor();
        command.arg(subcommand).arg("--wasm").arg(module);
        if options.full {
            command.arg("--full");
        }
        step::run(&format!("audit of {}: {subcommand}", flavour.name()), &mut command)?;
    }
    Ok(())
}

fn auditor() -> Command {
    let name = format!("driftglass-audit{}", std::env::consts::EXE_SUFFIX);
    Command::new(Path::new(NATIVE_TARGET_DIR).join("debug").join(name))
}
