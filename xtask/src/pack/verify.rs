//! The same package again, from a copy of the sources at another path and with nothing built before.
//!
//! The copy is packed by this very program, so what differs is the place and the caches, and not the tools. Whether
//! another machine makes the same bytes depends on its having the same tools: the bill of materials names them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::{FOLDER, SUMS};
use crate::step;

/// Packs a copy and compares the checksums of everything that was packed before. The copy stays if they differ.
///
/// # Errors
///
/// The copy cannot be made or packed, or gives other bytes.
pub(crate) fn verify() -> Result<()> {
    let copy = env::temp_dir().join(format!("driftglass-verify-{}", std::process::id()));
    step::announce(&format!("verify: the same again in {}", copy.display()));
    let began = Instant::now();
    copy_sources(&copy)?;
    let mut command = Command::new(env::current_exe().context("this program's own path is unknown")?);
    // Where `cargo xtask` says the workspace is.
    command.arg("pack").env("CARGO_MANIFEST_DIR", copy.join("xtask"));
    step::run("verify: pack the copy", &mut command)?;

    let read = |root: &Path| {
        let path = root.join(FOLDER).join(SUMS);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let (first, second) = (read(Path::new("."))?, read(&copy)?);
    ensure!(
        first == second,
        "two builds of the same sources differ.\nhere:\n{first}in {}:\n{second}Compare the files of both folders.",
        copy.display()
    );
    fs::remove_dir_all(&copy).with_context(|| format!("cannot remove {}", copy.display()))?;
    println!("\nverified: the same bytes in another place, in {}", step::seconds(began.elapsed()));
    Ok(())
}

/// Copies what git tracks or would track: the files as they are now, and nothing that a build left.
fn copy_sources(to: &Path) -> Result<()> {
    let mut command = Command::new("git");
    command.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = step::query(&mut command).context("the files to copy are those that git lists")?;
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let from = PathBuf::from(name);
        // Deleted, but not yet from git's index.
        if !from.exists() {
            continue;
        }
        let target = to.join(&from);
        let folder = target.parent().unwrap_or(to);
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        fs::copy(&from, &target).with_context(|| format!("cannot copy {name} to {}", target.display()))?;
    }
    Ok(())
}
