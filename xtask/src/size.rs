//! What people download, held against targets, with a history in `docs/size-history.tsv`.
//!
//! Bytes as they are, and as servers send them at their strongest settings. A module is measured as it is shipped:
//! compiled with the profile `pack`, optimized, and run. Two limits: the target of an artifact, which `cargo xtask size`
//! fails above; and the last line of its history, which `cargo xtask test` fails above, so that nothing grows unseen
//! while a target is missed.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::pack::{self, Sizes};
use crate::suite::Outcome;
use crate::wasm::{CORE, FULL, Flavour};
use crate::{setup, step};

const HISTORY: &str = "docs/size-history.tsv";
const COLUMNS: &str = "date\tartifact\traw\tgzip\tbrotli\twhat changed";

/// The one script that a page loads before anything of the package runs; all else comes when it is needed.
const MAIN_THREAD: &str = "js/dist/browser.js";

/// Parts in a hundred by which an artifact may be larger than its last line of the history.
const SLACK: u64 = 1;

#[derive(Args)]
pub(crate) struct Options {
    /// Measure the module with the inference engine too, which takes minutes to compile
    #[arg(long)]
    full: bool,
    /// Append the sizes to the history, with what changed them
    #[arg(long, value_name = "WHAT")]
    record: Option<String>,
}

/// Something that people download.
struct Artifact {
    name: &'static str,
    /// Most bytes after gzip; none where no promise is made.
    target: Option<u64>,
    sizes: Sizes,
}

/// Measures and judges by the targets.
///
/// # Errors
///
/// Something cannot be built, does not work, or misses its target.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    setup::toolchain()?;
    let mut artifacts = measure()?;
    if options.full {
        artifacts.push(module(FULL, None)?);
    }
    println!("\n{}", table(&artifacts));
    if let Some(what) = &options.record {
        record(&artifacts, what)?;
    }
    let missed: Vec<String> = artifacts.iter().filter_map(Artifact::missed).collect();
    ensure!(missed.is_empty(), "{}", missed.join("; "));
    Ok(ExitCode::SUCCESS)
}

/// The gate of `cargo xtask test`: nothing grew. One that misses its target says so and does not fail for it.
pub(crate) fn gate() -> Outcome {
    let began = Instant::now();
    match judged() {
        Ok(checks) => Outcome { suite: "size".into(), passed: checks, failed: 0, time: began.elapsed(), note: None },
        Err(error) => Outcome::not_run("size", &format!("{error:#}")),
    }
}

fn judged() -> Result<u64> {
    let artifacts = measure()?;
    println!("\n{}", table(&artifacts));
    let history = fs::read_to_string(HISTORY).with_context(|| format!("cannot read {HISTORY}"))?;
    for artifact in &artifacts {
        let Artifact { name, sizes: Sizes { gzip, .. }, .. } = artifact;
        let last = last_gzip(&history, name).with_context(|| format!("{HISTORY} does not know {name}"))?;
        ensure!(
            *gzip <= last + last * SLACK / 100,
            "{name} has {gzip} bytes after gzip, {HISTORY} has {last}; if it must grow, say why:\n  \
             cargo xtask size --record WHY"
        );
        if let Some(missed) = artifact.missed() {
            println!("    {missed}");
        }
    }
    Ok(artifacts.len() as u64)
}

fn measure() -> Result<Vec<Artifact>> {
    ensure!(Path::new(MAIN_THREAD).exists(), "{MAIN_THREAD} is not there; type:\n  cargo xtask build");
    let said = step::query(Command::new("node").arg("tests/packaging/size.mjs").arg(MAIN_THREAD))?;
    let sizes = serde_json::from_str(&said).context("the script printed no JSON")?;
    Ok(vec![module(CORE, Some(45_000))?, Artifact { name: "main-thread", target: Some(5_000), sizes }])
}

fn module(flavour: Flavour, target: Option<u64>) -> Result<Artifact> {
    Ok(Artifact { name: flavour.name(), target, sizes: pack::measure(flavour)? })
}

impl Artifact {
    fn missed(&self) -> Option<String> {
        let Self { name, target, sizes: Sizes { gzip, .. } } = self;
        let target = target.filter(|target| gzip > target)?;
        Some(format!("{name} misses its target of {target} bytes after gzip by {}", gzip - target))
    }
}

fn table(artifacts: &[Artifact]) -> String {
    let mut text = format!("{:<12} {:>12} {:>12} {:>12} {:>12}\n", "artifact", "raw", "gzip", "brotli", "gzip target");
    for Artifact { name, target, sizes: Sizes { raw, gzip, brotli } } in artifacts {
        let target = target.map_or("none".to_owned(), |target| target.to_string());
        let _ = writeln!(text, "{name:<12} {raw:>12} {gzip:>12} {brotli:>12} {target:>12}");
    }
    text
}

/// Bytes after gzip in the last line about an artifact.
fn last_gzip(history: &str, artifact: &str) -> Option<u64> {
    let mut columns = history.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    columns.rfind(|columns| columns.get(1) == Some(&artifact))?.get(3)?.parse().ok()
}

/// Appends to the history.
fn record(artifacts: &[Artifact], what: &str) -> Result<()> {
    let date = step::query(Command::new("date").args(["-u", "+%F"]))?;
    let mut history = if Path::new(HISTORY).exists() {
        fs::read_to_string(HISTORY).with_context(|| format!("cannot read {HISTORY}"))?
    } else {
        format!("{COLUMNS}\n")
    };
    for Artifact { name, sizes: Sizes { raw, gzip, brotli }, .. } in artifacts {
        let _ = writeln!(history, "{date}\t{name}\t{raw}\t{gzip}\t{brotli}\t{what}");
    }
    fs::write(HISTORY, history).with_context(|| format!("cannot write {HISTORY}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_about_an_artifact_counts() {
        let history =
            format!("{COLUMNS}\nday\tcore\t9\t4\t3\tbegun\nday\tfull\t99\t44\t33\tbegun\nday\tcore\t8\t2\t1\tless\n");
        assert_eq!([last_gzip(&history, "core"), last_gzip(&history, "full")], [Some(2), Some(44)]);
        assert_eq!(last_gzip(&history, "other"), None);
    }

    #[test]
    fn a_target_is_missed_from_one_byte_on() {
        let of = |gzip| Artifact { name: "core", target: Some(10), sizes: Sizes { raw: 30, gzip, brotli: 9 } };
        assert_eq!(of(10).missed(), None);
        assert_eq!(of(12).missed().as_deref(), Some("core misses its target of 10 bytes after gzip by 2"));
    }
}
