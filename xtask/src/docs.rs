//! The reference of the npm package, from the comments beside its types.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::{pack, setup, step};

/// Makes the pages in `target/docs/js`.
///
/// # Errors
///
/// Something public has no words, or a link leads nowhere.
pub(crate) fn run() -> Result<ExitCode> {
    setup::toolchain()?;
    setup::npm_packages(Path::new(pack::NPM_FOLDER))?;
    let mut command = Command::new("node");
    command
        .arg(format!("{}/node_modules/typedoc/bin/typedoc", pack::NPM_FOLDER))
        .args(["--options", "js/typedoc.json"]);
    step::run("reference of the npm package", &mut command)?;
    println!("    target/docs/js/index.html");
    Ok(ExitCode::SUCCESS)
}
