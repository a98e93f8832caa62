//! What other people's checkers of packages say: publint about the manifest, Are The Types Wrong about every way to
//! import it.
//!
//! The package itself must be right for each resolution. Its subpaths are modules for browsers and bundlers, so there
//! `require` may find a module, and the resolution of old Node, which reads no `exports`, is left out.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::NPM_FOLDER;
use crate::{setup, step};

/// Checks a tarball.
///
/// # Errors
///
/// A checker finds something.
pub(super) fn lint(tarball: &Path) -> Result<()> {
    setup::npm_packages(Path::new(NPM_FOLDER))?;
    let tool = |path: &str| {
        let mut command = Command::new("node");
        command.arg(format!("{NPM_FOLDER}/node_modules/{path}")).arg(tarball);
        command
    };
    step::run("publint", tool("publint/src/cli.js").arg("--strict"))?;
    const ATTW: &str = "@arethetypeswrong/cli/dist/index.js";
    step::run("attw: the package", tool(ATTW).args(["--format", "ascii", "--entrypoints", "."]))?;
    step::run("attw: subpaths", tool(ATTW).args(["--format", "ascii", "--profile", "esm-only"]))
}
