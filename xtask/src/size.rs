//! What people download, held against budgets, with a history in `docs/size-history.tsv`.
//!
//! Bytes as they are, and as servers send them at their strongest settings. A module is measured as it is shipped:
//! compiled with the profile `pack`, optimized, and run.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::pack::{self, Sizes};
use crate::wasm::{CORE, FULL, Flavour};
use crate::{setup, step};

const HISTORY: &str = "docs/size-history.tsv";
const COLUMNS: &str = "date\tartifact\traw\tgzip\tbrotli\twhat changed";

#[derive(Args)]
pub(crate) struct Options {
    /// Leave out the module with the inference engine, which takes minutes to compile
    #[arg(long)]
    without_full: bool,
    /// Append the sizes to the history, with what changed them
    #[arg(long, value_name = "WHAT")]
    record: Option<String>,
}

/// Something that people download.
struct Artifact {
    name: &'static str,
    /// Most bytes after gzip; none where no promise is made.
    budget: Option<u64>,
    sizes: Sizes,
}

/// Measures and judges.
///
/// # Errors
///
/// Something cannot be built, or does not work.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    setup::toolchain()?;
    let artifacts = measure(options)?;
    println!("\n{}", table(&artifacts));
    if let Some(what) = &options.record {
        record(&artifacts, what)?;
    }
    let above: Vec<&str> = artifacts.iter().filter(|one| one.is_above()).map(|one| one.name).collect();
    if above.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    bail!("above its budget: {}", above.join(", "))
}

fn measure(options: &Options) -> Result<Vec<Artifact>> {
    let module = |flavour: Flavour, budget| {
        Ok::<_, anyhow::Error>(Artifact { name: flavour.name(), budget, sizes: pack::measure(flavour)? })
    };
    let mut artifacts = vec![module(CORE, Some(45_000))?];
    if !options.without_full {
        artifacts.push(module(FULL, None)?);
    }
    Ok(artifacts)
}

impl Artifact {
    fn is_above(&self) -> bool {
        self.budget.is_some_and(|budget| self.sizes.gzip > budget)
    }
}

fn table(artifacts: &[Artifact]) -> String {
    let mut text = format!("{:<12} {:>12} {:>12} {:>12} {:>12}\n", "artifact", "raw", "gzip", "brotli", "gzip budget");
    for Artifact { name, budget, sizes: Sizes { raw, gzip, brotli } } in artifacts {
        let budget = budget.map_or("none".to_owned(), |budget| budget.to_string());
        let _ = writeln!(text, "{name:<12} {raw:>12} {gzip:>12} {brotli:>12} {budget:>12}");
    }
    text
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
