//! `driftglass compare`.
//!
//! Exit codes: 0 done; 1 a file could not be read or written; 2 wrong usage, or a file is no table; 3 something
//! drifted, and `--fail-on-drift` was given.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::error::CompareError;
use super::source::Reading;
use super::{Comparison, DEFAULT_ALPHA, compare, json, page, terminal};

/// Something drifted, and the caller wants to know by the exit code.
const DRIFTED: u8 = 3;

/// Compare two windows whose rows are at hand: CSV, gzipped CSV or Parquet
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The reference window
    #[arg(value_name = "REF")]
    reference: PathBuf,
    /// The current window
    #[arg(value_name = "CUR")]
    current: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write one self-contained page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Read the numbers of this column as labels; may be repeated
    #[arg(long, value_name = "NAME")]
    categorical: Vec<String>,
    /// Refuse texts in this column; may be repeated
    #[arg(long, value_name = "NAME")]
    numeric: Vec<String>,
    /// A text that stands for a missing value, beside the empty one and NaN; may be repeated
    #[arg(long, value_name = "TEXT")]
    missing: Vec<String>,
    /// What separates the fields of a CSV file: one ASCII character, or `tab`
    #[arg(long, value_name = "CHAR", default_value = ",", value_parser = delimiter)]
    delimiter: u8,
    /// Largest expected share of false columns among those called drifted
    #[arg(long, value_name = "X", default_value_t = DEFAULT_ALPHA, value_parser = alpha)]
    alpha: f64,
    /// Exit with 3 if a column drifted
    #[arg(long)]
    fail_on_drift: bool,
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Ok(*byte),
        _ => Err("must be one ASCII character, or `tab`".to_owned()),
    }
}

fn alpha(text: &str) -> Result<f64, String> {
    let alpha = text.parse().ok().filter(|alpha: &f64| *alpha > 0.0 && *alpha < 1.0);
    alpha.ok_or_else(|| "must lie between 0 and 1".to_owned())
}

/// Runs the command.
#[must_use]
pub fn run(args: CompareArgs) -> ExitCode {
    match answer(args) {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to tell the failure to.
            let _ = writeln!(io::stderr(), "error: {error}");
            if error.is_environment() { ExitCode::FAILURE } else { ExitCode::from(2) }
        }
    }
}

fn answer(args: CompareArgs) -> Result<ExitCode, CompareError> {
    let reading = Reading {
        categorical: args.categorical.into_iter().collect(),
        numeric: args.numeric.into_iter().collect(),
        missing: args.missing,
        delimiter: args.delimiter,
    };
    let comparison = compare(&args.reference, &args.current, &super::Options { reading, alpha: args.alpha })?;
    if let Some(file) = &args.html {
        fs::write(file, page::page(&comparison)).map_err(|error| CompareError::Write { file: file.clone(), error })?;
    }
    print(&comparison, args.json).map_err(CompareError::Output)?;
    let failed = args.fail_on_drift && comparison.drifted() > 0;
    Ok(if failed { ExitCode::from(DRIFTED) } else { ExitCode::SUCCESS })
}

fn print(comparison: &Comparison, as_json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        writeln!(out, "{}", json::json(comparison))?;
    } else {
        write!(out, "{}", terminal::table(comparison))?;
    }
    out.flush()
}
