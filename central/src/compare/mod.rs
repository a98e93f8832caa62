//! `driftglass compare`: two windows whose rows are at hand, compared as other monitors do, and with one verdict.
//!
//! The twin of what the centre does with private reports, for data that need no protection. Numbers agree with scipy's
//! on the same cells (1e-9 from counts, 1e-6 from files).
//!
//! | Module | Idea |
//! | --- | --- |
//! | [`source`] | a window in a file: CSV, gzipped CSV, Parquet |
//! | [`mod@column`] | one column as it is read: numbers or counts of labels |
//! | [`sample`] | distances of two samples of numbers |
//! | [`kolmogorov`] | the law of the Kolmogorov–Smirnov distance |
//! | [`comparison`] | two windows of one column |
//! | [`verdict`] | evidence and effect |
//! | [`json`], [`terminal`], [`page`] | the result for programs, for a terminal, for a slide |
//! | [`error`] | why two files could not be compared |
//!
//! A column is numeric if every present value of both files is a number; else it is categorical. Missing values are
//! dropped before each test and compared on their own. Nothing is left out silently: what one file lacks or what cannot
//! be compared is listed.
//!
//! Memory: of a CSV file, 8 bytes for each present number and the distinct labels; of a Parquet file that of one column
//! at a time. Time: sorting.

pub mod cli;
pub mod column;
pub mod comparison;
mod csv_file;
pub mod error;
pub mod json;
pub mod kolmogorov;
pub mod page;
mod parquet_file;
pub mod sample;
pub mod source;
pub mod terminal;
pub mod verdict;
mod zstd_pages;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread;

use column::{Column, Values, Wanted};
use comparison::ColumnComparison;
pub use error::CompareError;
use source::{Reading, Skipped, Source};
pub use verdict::{DEFAULT_ALPHA, Severity};

/// What is compared how.
#[derive(Debug, Clone)]
pub struct Options {
    /// How files are read.
    pub reading: Reading,
    /// Share of false columns among those called drifted.
    pub alpha: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { reading: Reading::default(), alpha: DEFAULT_ALPHA }
    }
}

/// A file and how many rows it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Where it is.
    pub file: PathBuf,
    /// Rows, the header not counted.
    pub rows: u64,
}

/// Two windows compared.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// What is compared with.
    pub reference: Window,
    /// What is compared.
    pub current: Window,
    /// In the order of the reference.
    pub columns: Vec<ColumnComparison>,
    /// In both files and yet not compared, and why.
    pub skipped: Vec<(String, Skipped)>,
    /// Columns of the reference that the current window lacks.
    pub only_in_reference: Vec<String>,
    /// Columns of the current window that the reference lacks.
    pub only_in_current: Vec<String>,
    /// Share of false columns among those called drifted.
    pub alpha: f64,
}

impl Comparison {
    /// Columns by evidence: the least p-value first, and among equals the larger effect.
    #[must_use]
    pub fn by_evidence(&self) -> Vec<&ColumnComparison> {
        let least_p = |column: &ColumnComparison| column.p_value.min(column.missing_test.p_value.unwrap_or(1.0));
        let mut columns: Vec<&ColumnComparison> = self.columns.iter().collect();
        columns.sort_by(|a, b| {
            let by_evidence = b.severity.cmp(&a.severity).then(least_p(a).total_cmp(&least_p(b)));
            by_evidence.then(b.moved().total_cmp(&a.moved()))
        });
        columns
    }

    /// How many columns drifted: moderately or severely, or without a value left.
    #[must_use]
    pub fn drifted(&self) -> usize {
        let vanished = self.skipped.iter().filter(|(_, reason)| reason.is_drift()).count();
        vanished + self.columns.iter().filter(|column| column.severity.is_drift()).count()
    }
}

/// Compares two files.
///
/// # Errors
///
/// A file that cannot be read or is no table; two files without a common column; an option that names no common column.
pub fn compare(reference: &Path, current: &Path, options: &Options) -> Result<Comparison, CompareError> {
    let reading = &options.reading;
    // Each file is read by a thread of its own.
    let (left, right) = thread::scope(|scope| {
        let left = scope.spawn(|| Source::open(reference, reading));
        let right = Source::open(current, reading);
        (left.join(), right)
    });
    let (mut left, mut right) = (left.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?, right?);
    let common: BTreeSet<&String> = right.names().iter().collect();
    let common: Vec<String> = left.names().iter().filter(|name| common.contains(name)).cloned().collect();
    if common.is_empty() {
        let (reference, current) = (reference.to_owned(), current.to_owned());
        return Err(CompareError::NoCommonColumn { reference, current });
    }
    check_names(reading, &common)?;
    let is_text = |name: &&String| left.is_text(name, reading) || right.is_text(name, reading);
    let text: BTreeSet<String> =
        common.iter().filter(|name| reading.wanted(name) == Wanted::Either && is_text(name)).cloned().collect();
    left.as_text(&text, reference, reading)?;
    right.as_text(&text, current, reading)?;

    let (mut columns, mut skipped) = (Vec::new(), Vec::new());
    for name in &common {
        let wanted = if text.contains(name) { Wanted::Categorical } else { reading.wanted(name) };
        match pair(&mut left, &mut right, name, wanted, reading)? {
            Ok(column) => columns.push(column),
            Err(reason) => skipped.push((name.clone(), reason)),
        }
    }
    verdict::judge(&mut columns, options.alpha);
    let lacks = |names: &[String]| names.iter().filter(|name| !common.contains(name)).cloned().collect();
    Ok(Comparison {
        reference: Window { file: reference.to_owned(), rows: left.rows() },
        current: Window { file: current.to_owned(), rows: right.rows() },
        columns,
        skipped,
        only_in_reference: lacks(left.names()),
        only_in_current: lacks(right.names()),
        alpha: options.alpha,
    })
}

/// Options name columns of both files, and each in one way.
fn check_names(reading: &Reading, common: &[String]) -> Result<(), CompareError> {
    if let Some(column) = reading.categorical.intersection(&reading.numeric).next() {
        return Err(CompareError::BothKinds { column: column.clone() });
    }
    for (option, names) in [("--categorical", &reading.categorical), ("--numeric", &reading.numeric)] {
        if let Some(column) = names.iter().find(|name| !common.contains(name)) {
            return Err(CompareError::UnknownColumn { option, column: column.clone() });
        }
    }
    Ok(())
}

/// One column of both windows.
fn pair(
    left: &mut Source,
    right: &mut Source,
    name: &str,
    wanted: Wanted,
    reading: &Reading,
) -> Result<Result<ColumnComparison, Skipped>, CompareError> {
    if name.is_empty() {
        return Ok(Err(Skipped::Unnamed));
    }
    let (reference, current) = match (left.take(name, wanted, reading)?, right.take(name, wanted, reading)?) {
        (Ok(reference), Ok(current)) => (reference, current),
        (Err(reason), _) | (_, Err(reason)) => return Ok(Err(reason)),
    };
    let missing = (reference.missing, current.missing);
    if reference.is_blank() {
        return Ok(Err(Skipped::BlankReference));
    }
    if current.is_blank() {
        return Ok(Err(Skipped::Vanished));
    }
    Ok(match (reference, current) {
        (Column { values: Values::Numbers(reference), .. }, Column { values: Values::Numbers(current), .. }) => {
            Ok(comparison::numeric(name.to_owned(), missing, reference, current))
        }
        (Column { values: Values::Labels(reference), .. }, Column { values: Values::Labels(current), .. }) => {
            Ok(comparison::categorical(name.to_owned(), missing, &reference, &current))
        }
        // Kinds were made equal before; what is left are too many labels.
        _ => Err(Skipped::TooManyLabels),
    })
}
