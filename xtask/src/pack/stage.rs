//! The files of the package, collected.
//!
//! The facade is compiled beside the modules that it will load, in a folder that was empty: `js/` may hold bindings of
//! another profile and what tsc made of sources that are gone. `js/package.json` says under `files` what is inside the
//! package, and [`files`] looks each entry up in what is made here, then in the workspace; never in `js/`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::tarball::Files;
use super::{FOLDER, SHIPPED, optimize, read};
use crate::step;
use crate::wasm::{Flavour, KEPT, MODULE, Profile};

/// Sources of the facade, what tsc makes of them, and the modules.
pub(super) const STAGE: &str = "target/pack/npm";

/// Removes what an earlier run left for people to take, and the stage. Compiled and optimized modules stay.
///
/// # Errors
///
/// A file cannot be removed.
pub(super) fn clear() -> Result<()> {
    fs::create_dir_all(FOLDER).with_context(|| format!("cannot create {FOLDER}"))?;
    for entry in fs::read_dir(FOLDER)? {
        let path = entry?.path();
        if path.is_file() {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    if Path::new(STAGE).exists() {
        fs::remove_dir_all(STAGE).with_context(|| format!("cannot empty {STAGE}"))?;
    }
    Ok(())
}

/// Puts a flavour's bindings and its optimized module into the package.
///
/// # Errors
///
/// The module cannot be optimized, or a file not be written.
pub(super) fn module(profile: &Profile, flavour: Flavour) -> Result<()> {
    let optimized = optimize::optimize(profile, flavour)?;
    let to = Path::new(STAGE).join("wasm").join(flavour.name());
    for name in KEPT {
        copy(&profile.bindings(flavour).join(name), &to.join(name))?;
    }
    copy(&optimized, &to.join(MODULE))
}

/// Compiles the facade beside the modules that it will load: tsc reads their declarations, not those of a dev build.
///
/// # Errors
///
/// tsc fails.
pub(super) fn facade() -> Result<()> {
    let stage = Path::new(STAGE);
    for name in ["package.json", "tsconfig.json", "src"] {
        copy(&Path::new("js").join(name), &stage.join(name))?;
    }
    let mut command = Command::new("node");
    command.args(["node_modules/typescript/bin/tsc", "--project"]).arg(stage);
    step::run("facade", &mut command)
}

/// What `files` of the manifest names, and the manifest.
///
/// # Errors
///
/// An entry is nowhere, or a shipped module is not listed.
pub(super) fn files(manifest: &Value) -> Result<Files> {
    let listed = manifest["files"].as_array().context("package.json has no list `files`")?;
    let mut files = Files::new();
    for entry in listed.iter().map(|entry| entry.as_str().unwrap_or_default()).chain(["package.json"]) {
        let places = [STAGE, FOLDER, "."].map(|place| Path::new(place).join(entry));
        let Some(place) = places.iter().find(|place| place.exists()) else {
            bail!("package.json lists {entry}, which is nowhere");
        };
        collect(place, entry, &mut files)?;
    }
    for flavour in SHIPPED {
        let module = format!("wasm/{}/{MODULE}", flavour.name());
        ensure!(files.contains_key(&module), "`files` in js/package.json does not list wasm/{}", flavour.name());
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
