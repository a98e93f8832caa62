//! No path of this machine in what is shipped.
//!
//! rustc writes the path of a source file into each panic message. Where the checkout and Cargo's home lie would then
//! decide the bytes, and tell strangers about the machine. The flags replace those paths; [`refuse`] looks at the
//! result.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::step;

/// Stands for the checkout.
const CHECKOUT: &str = "/driftglass";

/// Stands for each folder of unpacked crates. The names of those folders depend on the registry's address.
const CRATES: &str = "/crates";

/// Flags that replace the paths of the checkout and of the crates.
///
/// # Errors
///
/// The working directory or Cargo's home is unknown, or not UTF-8.
pub(crate) fn rustflags() -> Result<Vec<String>> {
    // There already: xtask itself is made of crates.
    let sources = cargo_home()?.join("registry/src");
    let entries = fs::read_dir(&sources).with_context(|| format!("cannot read {}", sources.display()))?;
    let mut registries = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    registries.sort();

    // rustc lets the last flag that fits win, so that a Cargo home inside the checkout does no harm.
    let mut flags = vec![remap(&env::current_dir()?, CHECKOUT)?];
    for registry in registries {
        flags.push(remap(&registry, CRATES)?);
    }
    Ok(flags)
}

fn remap(from: &Path, to: &str) -> Result<String> {
    let from = from.to_str().with_context(|| format!("{} is not UTF-8", from.display()))?;
    // rustc splits at the last equals sign, so one in the path does no harm.
    Ok(format!("--remap-path-prefix={from}={to}"))
}

/// Refuses bytes that name a directory of this machine.
///
/// # Errors
///
/// They do.
pub(crate) fn refuse(name: &str, bytes: &[u8]) -> Result<()> {
    for directory in directories()? {
        let text = directory.to_str().with_context(|| format!("{} is not UTF-8", directory.display()))?;
        ensure!(!contains(bytes, text.as_bytes()), "{name} holds the path {text}; it must not leave this machine");
    }
    Ok(())
}

/// The checkout, Cargo's home and the toolchain.
fn directories() -> Result<[PathBuf; 3]> {
    let sysroot = step::query(Command::new("rustc").args(["--print", "sysroot"]))?;
    Ok([env::current_dir()?, cargo_home()?, sysroot.into()])
}

fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = env::var_os("CARGO_HOME") {
        return Ok(home.into());
    }
    match env::home_dir() {
        Some(home) => Ok(home.join(".cargo")),
        None => bail!("neither CARGO_HOME nor the home directory is known"),
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_this_machine_is_refused() {
        let here = env::current_dir().unwrap().display().to_string();
        refuse("clean", b"/crates/hmac-0.13.0/src/lib.rs").unwrap();
        let error = refuse("module", format!("\0{here}/src/lib.rs\0").as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("module holds the path"), "{error}");
    }

    #[test]
    fn flags_replace_the_checkout() {
        let here = env::current_dir().unwrap();
        let flag = format!("--remap-path-prefix={}=/driftglass", here.display());
        assert!(rustflags().unwrap().contains(&flag));
    }
}
