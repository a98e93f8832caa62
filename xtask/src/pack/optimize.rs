//! wasm-opt, from npm's `binaryen` and never from PATH.
//!
//! The one of Debian exits without a warning and writes a module that no engine loads, so the version is pinned by
//! `xtask/npm`. Even so an optimized module counts only when it has been run; the caller does that.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::snip::snip;
use super::{FOLDER, NPM_FOLDER, read};
use crate::wasm::{Flavour, MODULE, Profile, hex};
use crate::{setup, step};

const WASM_OPT: &str = "xtask/npm/node_modules/binaryen/bin/wasm-opt";

/// Pins binaryen.
pub(super) const LOCK_FILE: &str = "xtask/npm/package-lock.json";

/// What the module may use: what rustc and wasm-bindgen already do, and no more.
const OPTIONS: [&str; 8] = [
    "--mvp-features",
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-bulk-memory",
    "--enable-simd",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// The level. `-O2` made the `full` module, compiled at `opt-level` 3, 14 % smaller (16,090,436 to 13,807,684 bytes),
/// and what is sent 8 % (gzip) or 7 % (brotli); other levels were not measured. For `core` every level and many single
/// passes were: they differ by 2 %. Nothing of ours lies in the first kilobyte, which is the far end of the stack.
fn level(flavour: Flavour) -> &'static [&'static str] {
    if flavour.is_small() { &["-Oz", "--converge", "--low-memory-unused"] } else { &["-O2"] }
}

/// Optimizes the module of a flavour and returns where it lies now. Names of functions are dropped.
///
/// # Errors
///
/// Binaryen cannot be installed, or refuses the module.
pub(crate) fn optimize(profile: &Profile, flavour: Flavour) -> Result<PathBuf> {
    setup::npm_packages(Path::new(NPM_FOLDER))?;
    let input = profile.bindings(flavour).join(MODULE);
    let folder = Path::new(FOLDER).join("optimized").join(flavour.name());
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let (output, stamp_file) = (folder.join(MODULE), folder.join("input.sha256"));

    let bytes = read(&input)?;
    let stamp = fingerprint(&bytes)?;
    if output.exists() && fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
        println!("    {} is current", output.display());
        return Ok(output);
    }
    // A run that is killed must not leave half a module that an old stamp vouches for.
    if stamp_file.exists() {
        fs::remove_file(&stamp_file).with_context(|| format!("cannot remove {}", stamp_file.display()))?;
    }
    let mut input = input;
    if flavour.is_small() {
        let (snipped, [trapping, uncalled]) = snip(&bytes)?;
        println!("    snipped: {trapping} functions that cannot return, {uncalled} that nothing can call");
        input = folder.join("snipped.wasm");
        fs::write(&input, snipped).with_context(|| format!("cannot write {}", input.display()))?;
    }
    let mut command = Command::new("node");
    command.arg(WASM_OPT).arg(&input).args(level(flavour)).args(OPTIONS).arg("--output").arg(&output);
    step::run(&format!("wasm-opt {}", flavour.name()), &mut command)?;
    fs::write(&stamp_file, stamp).with_context(|| format!("cannot write {}", stamp_file.display()))?;
    Ok(output)
}

/// Covers the module, the version of binaryen and this file, which holds the options.
fn fingerprint(module: &[u8]) -> Result<String> {
    let options = concat!(include_str!("optimize.rs"), include_str!("snip.rs"));
    let lock = read(Path::new(LOCK_FILE))?;
    Ok(hex(&Sha256::new().chain_update(options).chain_update(lock).chain_update(module).finalize()))
}
