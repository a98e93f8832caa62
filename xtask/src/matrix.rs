//! The packed tarball in an empty project of each consumer: create, observe, report, and a real centre accepts.
//!
//! Rows, judge and table are those of `tests/matrix/`; consumers are pinned by a lock file each.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{centre, pack, setup, step, wasm, web};

#[derive(Args)]
pub(crate) struct Options {
    /// Only consumers whose name has this in it; may be given again
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// A package made before, as `cargo xtask pack` leaves it; a development build is packed if absent
    #[arg(long, value_name = "FILE")]
    tarball: Option<PathBuf>,
    /// Only the few consumers that `cargo xtask test` runs
    #[arg(long)]
    quick: bool,
    /// Also write the cells to a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Options {
    /// With paths that hold wherever xtask goes.
    ///
    /// # Errors
    ///
    /// A path cannot be resolved.
    pub(crate) fn resolved(mut self) -> Result<Self> {
        for path in [&mut self.tarball, &mut self.json].into_iter().flatten() {
            *path = std::path::absolute(&*path).context("cannot resolve a path")?;
        }
        Ok(self)
    }
}

/// Runs the matrix; its last line is `N passed, N failed`.
///
/// # Errors
///
/// The tarball or the centre cannot be built, or a cell failed.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    setup::toolchain()?;
    let chromium = setup::engines()?;
    let tarball = match &options.tarball {
        Some(tarball) if !tarball.is_file() => bail!("there is no {}", tarball.display()),
        Some(tarball) => tarball.clone(),
        None => std::path::absolute(pack::dev()?)?,
    };
    // Vectors run through the seeded build; the centre embeds the pages.
    wasm::build(&wasm::Profile::dev(), &wasm::FLAVOURS)?;
    web::build()?;
    centre::build()?;
    let mut command = command(&tarball, &centre::binary()?, &chromium);
    for name in &options.only {
        command.args(["--only", name]);
    }
    if options.quick {
        command.arg("--quick");
    }
    if let Some(path) = &options.json {
        command.arg("--json").arg(path);
    }
    step::announce("matrix");
    let status = command.status().context("cannot start node")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The matrix on a tarball, with the centre that counts and the Chromium that shows pages.
pub(crate) fn command(tarball: &Path, binary: &Path, chromium: &Path) -> Command {
    let mut command = Command::new("node");
    command.arg("tests/matrix/main.mjs").arg("--tarball").arg(tarball).arg("--binary").arg(binary);
    command.env("CHROMIUM", chromium);
    command
}
