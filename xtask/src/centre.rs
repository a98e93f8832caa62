//! The native binary of the centre, with the pages inside.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cargo::{NATIVE_TARGET_DIR, cargo};
use crate::step;

const BUILD: [&str; 3] = ["--release", "--package", "driftglass-central"];

/// Builds the centre without the auditor, which takes minutes to compile.
///
/// # Errors
///
/// Cargo fails.
pub(crate) fn build() -> Result<()> {
    step::run("centre", cargo("build", NATIVE_TARGET_DIR).args(BUILD))
}

/// Builds the centre with all its commands.
///
/// # Errors
///
/// Cargo fails.
pub(crate) fn build_with_auditor() -> Result<()> {
    step::run("centre with auditor", cargo("build", NATIVE_TARGET_DIR).args(BUILD).args(["--features", "audit"]))
}

/// Where [`build`] leaves the binary, as an absolute path: tests start it from other directories.
///
/// # Errors
///
/// The working directory is unknown.
pub(crate) fn binary() -> Result<PathBuf> {
    let name = format!("driftglass{}", std::env::consts::EXE_SUFFIX);
    let relative = PathBuf::from(NATIVE_TARGET_DIR).join("release").join(name);
    std::path::absolute(relative).context("the working directory is unknown")
}
