//! Why two files could not be compared. Texts name the file, the line and the rule, never a value of the file.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why two files could not be compared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompareError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {error}", file.display())]
    Read {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// The page cannot be written.
    #[error("cannot write {}: {error}", file.display())]
    Write {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// Nothing can be told to the caller any more.
    #[error("cannot write the result: {0}")]
    Output(#[source] io::Error),
    /// What the file holds is no table.
    #[error("{}:{line}: {fault}", file.display())]
    Line {
        /// Which file.
        file: PathBuf,
        /// Line in it, the first being 1; of a Parquet file, the row.
        line: u64,
        /// What is wrong there.
        fault: LineFault,
    },
    /// What the file holds is no table at all.
    #[error("{}: {fault}", file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        fault: FileFault,
    },
    /// The two files have no column in common.
    #[error("{} and {} have no column of the same name", reference.display(), current.display())]
    NoCommonColumn {
        /// The reference.
        reference: PathBuf,
        /// The current window.
        current: PathBuf,
    },
    /// An option names a column that is not in both files.
    #[error("{option} {column:?}: both files need a column of that name")]
    UnknownColumn {
        /// Which option.
        option: &'static str,
        /// The name it was given.
        column: String,
    },
    /// A column was said to be both.
    #[error("{column:?} cannot be numeric and categorical")]
    BothKinds {
        /// Its name.
        column: String,
    },
}

/// What is wrong in a line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LineFault {
    /// A ragged row.
    #[error("{found} fields, but the header names {expected}")]
    Ragged {
        /// Fields of the line.
        found: u64,
        /// Fields of the header.
        expected: u64,
    },
    /// Bytes that are no text.
    #[error("not a CSV file in UTF-8")]
    Encoding,
    /// A name that stands twice in the header.
    #[error("two columns are named {0:?}")]
    Repeated(String),
    /// A text in a column that was said to be numeric.
    #[error("column {0:?} was said to be numeric, and this is no number")]
    NoNumber(String),
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FileFault {
    /// No byte, or no header.
    #[error("the file is empty")]
    Empty,
    /// A header and nothing below it.
    #[error("the file has a header and no rows")]
    NoRows,
    /// A name that stands twice in the schema.
    #[error("two columns are named {0:?}")]
    Repeated(String),
    /// Not readable as Parquet.
    #[error("not a readable Parquet file: {0}")]
    Parquet(String),
}

impl CompareError {
    /// Whether the environment failed, and not what was asked for or given.
    #[must_use]
    pub fn is_environment(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::Write { .. } | Self::Output(_))
    }
}
