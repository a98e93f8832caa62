//! The files of the package, collected.
//!
//! `dist/` is built beside the modules that it will hold, in a folder that was empty: `js/` may hold bindings of
//! another profile. `js/package.json` says under `files` what is inside the package, and [`files`] looks each entry up
//! in what is made here, then in the workspace; never in `js/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::tarball::Files;
use super::{FOLDER, optimize, read};
use crate::step;
use crate::wasm::{Flavour, KEPT, MODULE, Profile};

/// Sources of the facade, the modules, and the package that is made of them.
pub(super) const STAGE: &str = "target/pack/npm";

/// Removes what an earlier run left for people to take. Compiled and optimized modules stay.
///
/// # Errors
///
/// A file cannot be removed.
pub(super) fn forget() -> Result<()> {
    fs::create_dir_all(FOLDER).with_context(|| format!("cannot create {FOLDER}"))?;
    for entry in fs::read_dir(FOLDER)? {
        let path = entry?.path();
        if path.is_file() {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Empties a stage.
///
/// # Errors
///
/// A file cannot be removed.
pub(super) fn clear(stage: &Path) -> Result<()> {
    if stage.exists() {
        fs::remove_dir_all(stage).with_context(|| format!("cannot empty {}", stage.display()))?;
    }
    Ok(())
}

/// Puts a flavour's bindings and its optimized module where the facade is built.
///
/// # Errors
///
/// The module cannot be optimized, or a file not be written.
pub(super) fn module(profile: &Profile, flavour: Flavour) -> Result<()> {
    let optimized = optimize::optimize(profile, flavour)?;
    bindings(profile, flavour, Path::new(STAGE))?;
    copy(&optimized, &beside(Path::new(STAGE), flavour).join(MODULE))
}

/// Puts a flavour's bindings, with the module as it was compiled, where the facade is built.
///
/// # Errors
///
/// A file cannot be written.
pub(super) fn bindings(profile: &Profile, flavour: Flavour, stage: &Path) -> Result<()> {
    for name in KEPT {
        copy(&profile.bindings(flavour).join(name), &beside(stage, flavour).join(name))?;
    }
    Ok(())
}

fn beside(stage: &Path, flavour: Flavour) -> PathBuf {
    stage.join("wasm").join(flavour.name())
}

/// Builds `dist/` beside the modules that it will hold.
///
/// # Errors
///
/// esbuild or tsc fails.
pub(super) fn facade(stage: &Path) -> Result<()> {
    for name in ["package.json", "tsconfig.json", "build.mjs", "declarations.mjs", "entries.mjs", "src"] {
        copy(&Path::new("js").join(name), &stage.join(name))?;
    }
    let mut command = Command::new("node");
    command.arg(stage.join("build.mjs"));
    step::run("facade", &mut command)
}

/// What `files` of the manifest names, and the manifest; each from the first place that has it.
///
/// # Errors
///
/// An entry is nowhere, and not one of those that may be absent.
pub(super) fn files(manifest: &Value, places: &[&Path], optional: &[&str]) -> Result<Files> {
    let listed = manifest["files"].as_array().context("package.json has no list `files`")?;
    let mut files = Files::new();
    for entry in listed.iter().map(|entry| entry.as_str().unwrap_or_default()).chain(["package.json"]) {
        match places.iter().map(|place| place.join(entry)).find(|place| place.exists()) {
            Some(place) => collect(&place, entry, &mut files)?,
            None if optional.contains(&entry) => {}
            None => bail!("package.json lists {entry}, which is nowhere"),
        }
    }
    Ok(files)
}

fn collect(from: &Path, name: &str, files: &mut Files) -> Result<()> {
    if !from.is_dir() {
        files.insert(name.to_owned(), read(from)?);
        return Ok(());
    }
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let part = entry.file_name();
        let part = part.to_str().with_context(|| format!("{} is not UTF-8", entry.path().display()))?;
        collect(&entry.path(), &format!("{name}/{part}"), files)?;
    }
    Ok(())
}

/// Copies a file or a folder.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut files = Files::new();
    let name = to.to_str().with_context(|| format!("{} is not UTF-8", to.display()))?;
    collect(from, name, &mut files)?;
    for (path, bytes) in files {
        let path = Path::new(&path);
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
