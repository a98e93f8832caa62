//! The auditor, on what this workspace builds: the package's own spec, a configuration of every mechanism, and sound
//! randomizers.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Result;
use clap::Args;

use crate::cargo::{NATIVE_TARGET_DIR, cargo};
use crate::{step, wasm};

/// Options of `cargo xtask audit`.
#[derive(Args)]
pub(crate) struct Options {
    /// Audit the full flavour, which the npm package ships, and not the core one, which builds faster
    #[arg(long)]
    full_module: bool,
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
    let flavour = if options.full_module { wasm::FULL } else { wasm::CORE };
    let profile = wasm::Profile::dev();
    wasm::build(&profile, &[flavour])?;
    let module = profile.bindings(flavour).join(wasm::MODULE);
    for subcommand in ["spec", "matrix"] {
        let mut command = auditor();
        command.arg(subcommand).arg("--wasm").arg(&module);
        if options.full {
            command.arg("--full");
        }
        step::run(&format!("audit: {subcommand}"), &mut command)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn auditor() -> Command {
    let name = format!("driftglass-audit{}", std::env::consts::EXE_SUFFIX);
    Command::new(Path::new(NATIVE_TARGET_DIR).join("debug").join(name))
}
