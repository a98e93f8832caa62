//! The SQLite file: what is kept and how long.
//!
//! | Table | Holds | Until |
//! | --- | --- | --- |
//! | `spec` | registered documents, as they were given | for good |
//! | `reference_version`, `reference_use` | every reference that a spec had, and which was in use since when | for good |
//! | `journal` | each report of an open window: the truth, and what makes duplicates known | its window is closed |
//! | `aggregate`, `report_count` | the sums of those reports | for good |
//! | `counter`, `setting` | counts; generation of the specs; mode of the clock | for good |
//!
//! Write-ahead log with `synchronous=FULL`: what was committed survives a crash and, as far as the disk keeps its word, loss of power. One connection writes
//! reports ([`crate::writer`]); `driftglass spec add` writes specs beside it; all others read.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

mod closing;
mod ingest;
mod read;
mod references;
mod schema;
mod specs;

pub use closing::close_windows;
pub use ingest::{Outcome, Upload, commit, load_tally};
pub use read::{Stratum, Sums, last_clock, strata, total};
pub use references::{
    ReferenceRow, add_reference, first_open_window, list_references, reference_document, use_reference,
};
pub use specs::{Registration, SpecRow, add_spec, generation, list_specs};

const DATABASE_FILE: &str = "driftglass.sqlite";
const LOCK_FILE: &str = "serve.lock";
/// How long a connection waits for another's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that are kept for reading.
const IDLE_READERS: usize = 4;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The data directory or a file in it.
    #[error("cannot use the data directory: {0}")]
    Directory(#[from] std::io::Error),
    /// Another process serves it.
    #[error("another process serves this data directory")]
    Served,
    /// It was filled under the other kind of clock.
    #[error(
        "this data directory was filled under a {0} clock; windows closed under one kind of clock mean nothing under the other"
    )]
    ClockMode(String),
    /// The schema.
    #[error("cannot bring the database to this version's schema: {0}")]
    Schema(#[from] rusqlite_migration::Error),
    /// A reference that is no document.
    #[error("the reference cannot be numbered: {0}")]
    Reference(#[from] driftglass::spec::SpecError),
    /// No such spec.
    #[error("no spec with this id is registered")]
    UnknownSpec,
    /// No such version of a reference.
    #[error("the spec has no such reference, or more than one: at least 8 digits that begin one version alone")]
    UnknownReference,
    /// A statement.
    #[error("the database refused: {0}")]
    Database(#[from] rusqlite::Error),
}

/// A data directory with its database.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Store {
    /// Opens a data directory; makes it, and brings its database to the present schema.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the directory or the database cannot be used.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(dir)?;
        let store = Self { dir: dir.to_owned(), idle: Mutex::default() };
        schema::migrate(&mut store.connect()?)?;
        Ok(store)
    }

    /// Whether a directory holds a database.
    #[must_use]
    pub fn exists(dir: &Path) -> bool {
        dir.join(DATABASE_FILE).is_file()
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A connection that writes.
    ///
    /// # Errors
    ///
    /// The database cannot be opened.
    pub fn connect(&self) -> Result<Connection, StoreError> {
        let connection = Connection::open(self.dir.join(DATABASE_FILE))?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // In KiB if negative: the part of the journal that a commit touches.
        connection.pragma_update(None, "cache_size", -32_768)?;
        // Pages of the log between checkpoints: 64 MiB. Report ids are random, so a commit touches pages all over the journal; the longer the log, the
        // more commits share the write of a page to the database.
        connection.pragma_update(None, "wal_autocheckpoint", 16_384)?;
        Ok(connection)
    }

    /// Reads with a connection of its own, which is kept for the next reader.
    ///
    /// # Errors
    ///
    /// [`StoreError`] of the connection or of `read`.
    pub fn read<T>(&self, read: impl FnOnce(&mut Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.reader()?,
        };
        let found = read(&mut connection);
        if found.is_ok() && idle().len() < IDLE_READERS {
            idle().push(connection);
        }
        found
    }

    /// Takes the directory for one server; held until the returned file is dropped.
    ///
    /// # Errors
    ///
    /// [`StoreError::Served`] when another process holds it.
    pub fn lock(&self) -> Result<File, StoreError> {
        let file = File::create(self.dir.join(LOCK_FILE))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StoreError::Served),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    fn reader(&self) -> Result<Connection, StoreError> {
        let connection = Connection::open(self.dir.join(DATABASE_FILE))?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    }
}

/// Remembers the kind of clock at the first start, and refuses the other kind later.
///
/// # Errors
///
/// [`StoreError::ClockMode`] when the directory was filled under the other kind.
pub fn fix_clock_mode(connection: &Connection, mode: &str) -> Result<(), StoreError> {
    connection.execute("INSERT INTO setting (name, value) VALUES ('clock', ?1) ON CONFLICT DO NOTHING", [mode])?;
    let fixed: String = connection.query_row("SELECT value FROM setting WHERE name = 'clock'", [], |row| row.get(0))?;
    if fixed == mode { Ok(()) } else { Err(StoreError::ClockMode(fixed)) }
}
