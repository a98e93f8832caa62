//! The TypeScript packages, through npm.

use std::process::Command;

use anyhow::Result;

use crate::step;

/// The npm workspaces in the order they need each other.
const PACKAGES: [&str; 3] = ["js", "www", "demo"];

/// Builds every package.
///
/// # Errors
///
/// A build fails; those after it are not run.
pub(crate) fn build() -> Result<()> {
    for package in PACKAGES {
        step::run(package, npm().args(["run", "--silent", "build", "--workspace", package]))?;
    }
    Ok(())
}

/// npm, whose name on Windows is that of a script.
pub(crate) fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}
