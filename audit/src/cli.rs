//! The command line: `driftglass audit`, and what `cargo xtask audit` asks for besides.
//!
//! Exit codes: 0 the audit passed; 1 it failed; 2 wrong usage, or there was nothing to audit.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Parser, Subcommand};

use crate::audit::{AuditError, Effort, audit};
use crate::card;
use crate::configuration::{Configuration, matrix};
use crate::module::{LoadError, Shipped};
use crate::self_test;
use crate::tape::Chance;
use crate::text;
use crate::verdict::{Audit, SelfTest};

/// Options of `driftglass audit`.
#[derive(Debug, Args)]
pub struct Options {
    /// The spec whose claims are checked
    #[arg(long, value_name = "FILE", default_value = "pkg-config.json")]
    spec: PathBuf,
    /// The module that devices load
    #[arg(long, value_name = "FILE", default_value = "js/wasm/full/driftglass_bg.wasm")]
    wasm: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write the privacy card, a page for people, to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Take 10^7 reports of each question and not 10^6
    #[arg(long)]
    full: bool,
    /// Check the auditor alone, on planted bugs and sound randomizers; reads no spec and no module
    #[arg(long, conflicts_with_all = ["spec", "wasm", "full", "html"])]
    self_test: bool,
}

/// The auditor by itself
#[derive(Debug, Parser)]
#[command(name = "driftglass-audit", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Audit a module against a spec
    Spec(Options),
    /// Audit a module with a configuration of every mechanism
    Matrix {
        /// The module that devices load
        #[arg(long, value_name = "FILE")]
        wasm: PathBuf,
        /// Take 10^7 reports of each and not 10^6
        #[arg(long)]
        full: bool,
        /// The configurations whose name has this in it, as "k-ary k=64"
        #[arg(long, value_name = "NAME")]
        only: Option<String>,
    },
    /// Audit sound randomizers of random configurations; each accusation is one too many
    Sound {
        /// How many
        #[arg(long, default_value_t = 1_000)]
        audits: u64,
        /// Fixes them
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

/// Why there was no audit.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error("cannot read {}: {error}", file.display())]
    Read {
        file: PathBuf,
        #[source]
        error: io::Error,
    },
    #[error("cannot write {}: {error}", file.display())]
    Write {
        file: PathBuf,
        #[source]
        error: io::Error,
    },
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Runs the command that the process was given.
#[must_use]
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Spec(options) => return run(&options),
        Command::Matrix { wasm, full, only } => every_mechanism(&wasm, full, only.as_deref()),
        Command::Sound { audits, seed } => sound(audits, seed),
    };
    exit(done)
}

/// Runs `driftglass audit`.
#[must_use]
pub fn run(options: &Options) -> ExitCode {
    exit(if options.self_test { only_self_test(options.json) } else { one(options) })
}

fn exit(done: Result<bool, CliError>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nothing is left to tell the failure to.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

fn effort(full: bool) -> Effort {
    if full { Effort::FULL } else { Effort::NORMAL }
}

fn one(options: &Options) -> Result<bool, CliError> {
    let began = Instant::now();
    let text = read(&options.spec)?;
    let shipped = Shipped::load(&options.wasm)?;
    let audit = audit(&text, &shipped, effort(options.full))?;
    print(&audit, options.json)?;
    if let Some(file) = &options.html {
        fs::write(file, card::card(&audit)).map_err(|error| CliError::Write { file: file.clone(), error })?;
    }
    if !options.json {
        writeln!(io::stdout(), "{:.1} s", began.elapsed().as_secs_f64())?;
    }
    Ok(audit.passed)
}

fn print(audit: &Audit, json: bool) -> Result<(), CliError> {
    let mut out = io::stdout();
    if json {
        serde_json::to_writer_pretty(&mut out, audit)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", text::text(audit))?;
    }
    Ok(())
}

fn only_self_test(json: bool) -> Result<bool, CliError> {
    let found: SelfTest = self_test::quick(Chance::system().word());
    let mut out = io::stdout();
    if json {
        serde_json::to_writer_pretty(&mut out, &found)?;
        writeln!(out)?;
    } else {
        for bug in &found.planted {
            let by: Vec<&str> = bug.caught_by.iter().map(|part| text::part(*part)).collect();
            let by = if by.is_empty() { "NOT CAUGHT".to_owned() } else { format!("caught by {}", by.join(", ")) };
            writeln!(out, "{:<16} {by}: {}", bug.name, bug.finding)?;
        }
        writeln!(out, "{} of {} sound randomizers accused", found.false_accusations, found.sound)?;
        writeln!(out, "{}", if found.passed() { "PASS" } else { "FAIL" })?;
    }
    Ok(found.passed())
}

fn every_mechanism(wasm: &Path, full: bool, only: Option<&str>) -> Result<bool, CliError> {
    let shipped = Shipped::load(wasm)?;
    let mut out = io::stdout();
    let mut passed = true;
    writeln!(
        out,
        "{:<38} {:>16} {:>14} {:>8} {:>12} {:>10} {:>10} {:>7} {:>7}  verdict",
        "configuration", "exact ε", "ε − exact", "method", "runs", "seen ≥", "found ≥", "of ε", "seconds"
    )?;
    let chosen = |configuration: &Configuration| only.is_none_or(|only| configuration.name().contains(only));
    for configuration in matrix().into_iter().filter(chosen) {
        let began = Instant::now();
        let audit = audit(&configuration.spec(), &shipped, effort(full))?;
        for question in &audit.questions {
            let claim = question.claim_micronats as f64 / 1e6;
            writeln!(
                out,
                "{:<38} {:>16.12} {:>14.3e} {:>8} {:>12} {:>10.6} {:>10} {:>7.4} {:>7.1}  {}",
                configuration.name(),
                question.exact.epsilon.upper,
                claim - question.exact.epsilon.upper,
                question.exact.method.split('-').next().unwrap_or_default(),
                question.exact.runs,
                question.black_box.lower_bound,
                question.black_box.found_lower_bound.map_or_else(|| "-".to_owned(), |found| format!("{found:.6}")),
                question.black_box.share_of_claim,
                began.elapsed().as_secs_f64(),
                if audit.passed { "pass" } else { "FAIL" }
            )?;
        }
        for check in audit.questions.iter().flat_map(|question| &question.checks).chain(&audit.checks) {
            if !check.passed {
                writeln!(out, "  FAILED {} ({}): {}", check.name, text::part(check.part), check.sentence)?;
            }
        }
        passed &= audit.passed;
    }
    writeln!(out, "{}", if passed { "PASS" } else { "FAIL" })?;
    Ok(passed)
}

fn sound(audits: u64, seed: u64) -> Result<bool, CliError> {
    let began = Instant::now();
    let accused = self_test::accused(audits, &mut Chance::seeded(seed));
    let mut out = io::stdout();
    for accusation in &accused {
        writeln!(out, "{accusation}")?;
    }
    let seconds = began.elapsed().as_secs_f64();
    writeln!(out, "{} of {audits} sound randomizers accused (seed {seed}, {seconds:.0} s)", accused.len())?;
    Ok(accused.is_empty())
}

fn read(file: &Path) -> Result<String, CliError> {
    fs::read_to_string(file).map_err(|error| CliError::Read { file: file.to_owned(), error })
}
