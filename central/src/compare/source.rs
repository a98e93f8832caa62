//! A window in a file: what its columns are, and each of them on demand.
//!
//! What a file is, its first bytes say and not its name: `PAR1` is Parquet, `1f 8b` a gzipped CSV, all else CSV. A CSV
//! file is read as a whole; of a Parquet file one column at a time is in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::column::{Column, Wanted};
use super::csv_file;
use super::error::CompareError;
use super::parquet_file::ParquetFile;

/// How files are read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Columns that are categorical although their values are numbers.
    pub categorical: BTreeSet<String>,
    /// Columns in which each present value has to be a number.
    pub numeric: BTreeSet<String>,
    /// Texts that stand for a missing value, beside the empty one and NaN.
    pub missing: Vec<String>,
    /// What separates the fields of a CSV file.
    pub delimiter: u8,
}

impl Default for Reading {
    fn default() -> Self {
        Self { categorical: BTreeSet::new(), numeric: BTreeSet::new(), missing: Vec::new(), delimiter: b',' }
    }
}

impl Reading {
    pub(super) fn wanted(&self, name: &str) -> Wanted {
        if self.categorical.contains(name) {
            Wanted::Categorical
        } else if self.numeric.contains(name) {
            Wanted::Numeric
        } else {
            Wanted::Either
        }
    }
}

/// A CSV file in memory.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) names: Vec<String>,
    pub(super) rows: u64,
    pub(super) columns: BTreeMap<String, Column>,
}

/// A file with a window.
#[derive(Debug)]
pub(super) enum Source {
    Csv(Table),
    Parquet(ParquetFile),
}

/// Why a column is not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// The header gives it no name: the row numbers that some tools write.
    Unnamed,
    /// More labels than are compared.
    TooManyLabels,
    /// No row of the reference has a value.
    BlankReference,
    /// No row of the current window has a value, and the reference has some: the column vanished.
    Vanished,
    /// A Parquet column that holds lists, or bytes that are neither text nor number.
    Type,
}

impl Skipped {
    /// A sentence for people.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unnamed => "the header gives it no name",
            Self::TooManyLabels => "more than 10000 different labels",
            Self::BlankReference => "no row of the reference has a value",
            Self::Vanished => "no row of the current window has a value",
            Self::Type => "neither numbers nor text",
        }
    }

    /// Whether this is drift: only a column that vanished.
    #[must_use]
    pub fn is_drift(self) -> bool {
        self == Self::Vanished
    }
}

impl Source {
    pub(super) fn open(file: &Path, reading: &Reading) -> Result<Self, CompareError> {
        let start = magic(file).map_err(|error| CompareError::Read { file: file.to_owned(), error })?;
        if start == *b"PAR1" {
            return Ok(Self::Parquet(ParquetFile::open(file)?));
        }
        Ok(Self::Csv(csv_file::read(file, reading, &BTreeSet::new())?))
    }

    /// In the order of the file.
    pub(super) fn names(&self) -> &[String] {
        match self {
            Self::Csv(table) => &table.names,
            Self::Parquet(file) => file.names(),
        }
    }

    pub(super) fn rows(&self) -> u64 {
        match self {
            Self::Csv(table) => table.rows,
            Self::Parquet(file) => file.rows(),
        }
    }

    /// Whether a column is known to hold texts.
    pub(super) fn is_text(&self, name: &str, reading: &Reading) -> bool {
        match self {
            Self::Csv(table) => {
                table.columns.get(name).is_some_and(|column| !column.is_numeric() && !column.is_blank())
            }
            Self::Parquet(file) => reading.wanted(name) != Wanted::Numeric && file.is_text(name),
        }
    }

    /// Reads a CSV file again if columns that it holds as numbers have to be read as texts.
    pub(super) fn as_text(
        &mut self,
        names: &BTreeSet<String>,
        file: &Path,
        reading: &Reading,
    ) -> Result<(), CompareError> {
        let Self::Csv(table) = self else { return Ok(()) };
        let numeric = |name: &&String| table.columns.get(*name).is_some_and(Column::is_numeric);
        if names.iter().any(|name| numeric(&name)) {
            *table = csv_file::read(file, reading, names)?;
        }
        Ok(())
    }

    /// A column, which is no longer in the source afterwards.
    pub(super) fn take(
        &mut self,
        name: &str,
        wanted: Wanted,
        reading: &Reading,
    ) -> Result<Result<Column, Skipped>, CompareError> {
        match self {
            Self::Csv(table) => Ok(table.columns.remove(name).ok_or(Skipped::Type)),
            Self::Parquet(file) => file.column(name, wanted, &reading.missing),
        }
    }
}

/// The first four bytes; fewer if the file is shorter.
pub(super) fn magic(file: &Path) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(file)?.take(4).read_to_end(&mut start)?;
    Ok(start)
}

pub(super) fn first_repeated(names: &[String]) -> Option<String> {
    let mut seen = BTreeSet::new();
    names.iter().find(|name| !seen.insert(name.as_str())).cloned()
}
