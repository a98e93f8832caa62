//! What a machine with only Rust and Node still needs. What is there already is left alone.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::wasm::{TARGET, hex};
use crate::{step, web};

/// The wasm target, Node and the npm packages.
///
/// # Errors
///
/// Something is missing and cannot be installed; the message says what to type.
pub(crate) fn toolchain() -> Result<()> {
    wasm_target()?;
    node()?;
    npm_packages(Path::new("."))
}

/// Asks rustc and not rustup, so that a toolchain from elsewhere counts too.
fn wasm_target() -> Result<()> {
    let installed = step::query(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]))?;
    if Path::new(&installed).is_dir() {
        return Ok(());
    }
    step::run("rustup: wasm target", Command::new("rustup").args(["target", "add", TARGET])).with_context(|| {
        format!("the Rust target {TARGET} is missing. Install rustup, then type:\n  rustup target add {TARGET}")
    })
}

const LEAST_NODE: u32 = 20;

fn node() -> Result<()> {
    let hint = || format!("Node.js {LEAST_NODE} or newer is needed: install it and put `node` and `npm` on PATH");
    let version = step::query(Command::new("node").arg("--version")).with_context(hint)?;
    match major(&version) {
        Some(major) if major >= LEAST_NODE => Ok(()),
        _ => bail!("{} (this one is {version})", hint()),
    }
}

/// The 20 of `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// `npm ci` in a folder with a lock file, unless the packages at hand came from the same one. `npm ci` removes
/// `node_modules` and the stamp in it.
///
/// # Errors
///
/// The registry cannot be reached, or `package.json` and its lock disagree.
pub(crate) fn npm_packages(folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    let stamp_file = folder.join("node_modules/.package-lock.sha256");
    let bytes = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let stamp = hex(&Sha256::digest(&bytes));
    if fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
        return Ok(());
    }
    step::run("npm packages", web::npm().arg("ci").current_dir(folder))
        .context("if package.json and its lock disagree, type:\n  npm install")?;
    fs::write(&stamp_file, stamp).with_context(|| format!("cannot write {}", stamp_file.display()))
}

/// A Chromium that starts: `CHROMIUM`, one on PATH, or one installed now.
///
/// # Errors
///
/// There is none and it cannot be installed; the message says what to type.
pub(crate) fn browser() -> Result<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM").filter(|value| !value.is_empty()) {
        let named = PathBuf::from(named);
        return starts(&named).map(|()| named).context("the browser named by CHROMIUM");
    }
    if let Some(found) = on_path().into_iter().find(|candidate| starts(candidate).is_ok()) {
        return Ok(found);
    }
    install_browser()?;
    on_path().into_iter().find(|candidate| starts(candidate).is_ok()).context(
        "the package `chromium` was installed but does not start (some systems ship a stub for another installer). \
         Install a Chromium and type:\n  CHROMIUM=/path/to/chromium cargo xtask test",
    )
}

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

fn on_path() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = env::split_paths(&path).collect();
    BROWSERS
        .iter()
        .flat_map(|name| directories.iter().map(move |directory| directory.join(name)))
        .filter(|candidate| candidate.is_file())
        .collect()
}

/// A stub on PATH is no browser, so it is asked for its version.
fn starts(browser: &Path) -> Result<()> {
    step::query(Command::new(browser).arg("--version")).map(drop)
}

fn install_browser() -> Result<()> {
    debian(&["chromium"])
        .context("or install a Chromium elsewhere and type:\n  CHROMIUM=/path/to/chromium cargo xtask test")
}

/// What the page suite needs besides Chromium, and the Debian packages that bring it.
const ENGINES: [(&str, &str); 5] = [
    ("/usr/bin/firefox-esr", "firefox-esr"),
    ("/usr/bin/WebKitWebDriver", "webkit2gtk-driver"),
    ("/usr/bin/xvfb-run", "xvfb"),
    ("/usr/bin/xauth", "xauth"),
    ("/usr/bin/dbus-run-session", "dbus-daemon"),
];

/// Chromium as [`browser`] finds it, and Firefox and WebKit.
///
/// # Errors
///
/// One is missing and cannot be installed; the message says what to type.
pub(crate) fn engines() -> Result<PathBuf> {
    let chromium = browser()?;
    let missing: Vec<&str> =
        ENGINES.iter().filter(|(file, _)| !Path::new(file).exists()).map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        debian(&missing)?;
    }
    Ok(chromium)
}

/// Installs packages of Debian or Ubuntu as root, else says what to type.
fn debian(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    let type_this = format!("apt-get update && apt-get install -y --no-install-recommends {names}");
    let is_root = step::query(Command::new("id").arg("-u")).is_ok_and(|id| id == "0");
    let has_apt = Command::new("apt-get").arg("--version").output().is_ok();
    if !(is_root && has_apt) {
        bail!("missing: {names}. On Debian or Ubuntu type:\n  sudo sh -c '{type_this}'");
    }
    step::run("apt: package lists", apt().arg("update"))?;
    step::run(&format!("apt: {names}"), apt().args(["install", "-y", "--no-install-recommends"]).args(packages))
        .with_context(|| format!("the packages could not be installed. Type:\n  {type_this}"))
}

/// apt-get that waits for a lock held by another process and asks nothing.
fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.args(["-o", "DPkg::Lock::Timeout=900"]).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn node_versions() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("v9"), Some(9));
        assert_eq!(major("20.1.0"), None);
        assert_eq!(major(""), None);
    }
}
