//! Versions of references: none is ever changed or deleted, and exactly one of a spec's is in use.
//!
//! The version in use is the last row of `reference_use`, so two can never be in use at once, and it stays known which
//! was in use when.

use driftglass::drift::ReferenceVersion;
use driftglass::spec::SpecId;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::StoreError;

/// A version of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceRow {
    /// Hash of its document, in hexadecimal.
    pub version: String,
    /// Its document, as it was given.
    pub document: String,
    /// When it was added.
    pub created_at_secs: u64,
    /// The version that was in use then.
    pub parent: Option<String>,
    /// Since when it is in use, if it is.
    pub in_use_since_secs: Option<u64>,
}

/// Adds a reference to a spec; a known one is not added again. It is put to use if asked for, and if it is the spec's
/// first. Returns its version and whether it is new.
///
/// # Errors
///
/// The spec is not registered, the document is no JSON, or the database refused; then nothing was changed.
pub fn add_reference(
    connection: &mut Connection,
    spec: SpecId,
    document: &str,
    put_to_use: bool,
    now_secs: u64,
) -> Result<(ReferenceVersion, bool), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let row = row_of(&transaction, spec)?;
    let added = insert(&transaction, row, document, put_to_use, now_secs)?;
    transaction.commit()?;
    Ok(added)
}

/// Puts a version to use: the one that `prefix` begins, of at least 8 digits. Returns it.
///
/// # Errors
///
/// The spec is not registered, no version or more than one begins so, or the database refused; then nothing was
/// changed.
pub fn use_reference(
    connection: &mut Connection,
    spec: SpecId,
    prefix: &str,
    now_secs: u64,
) -> Result<String, StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let row = row_of(&transaction, spec)?;
    let version = find(&transaction, row, prefix)?;
    put_to_use(&transaction, row, &version, now_secs)?;
    transaction.commit()?;
    Ok(version)
}

/// All versions of a spec's reference, oldest first.
///
/// # Errors
///
/// The spec is not registered, or the database refused.
pub fn list_references(connection: &Connection, spec: SpecId) -> Result<Vec<ReferenceRow>, StoreError> {
    let row = row_of(connection, spec)?;
    let used = in_use(connection, row)?;
    let mut statement = connection.prepare_cached(
        "SELECT version, document, created_at_secs, parent FROM reference_version WHERE spec = ?1 ORDER BY rowid",
    )?;
    let rows = statement.query_map([row], |row| {
        let version: String = row.get(0)?;
        Ok(ReferenceRow {
            in_use_since_secs: used.as_ref().filter(|(used, _)| *used == version).map(|(_, since)| *since),
            version,
            document: row.get(1)?,
            created_at_secs: row.get::<_, i64>(2)? as u64,
            parent: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The document of the version that `prefix` begins, or of the one in use.
///
/// # Errors
///
/// The spec is not registered, there is no such version, or the database refused.
pub fn reference_document(connection: &Connection, spec: SpecId, prefix: Option<&str>) -> Result<String, StoreError> {
    let row = row_of(connection, spec)?;
    let version = match prefix {
        Some(prefix) => find(connection, row, prefix)?,
        None => in_use(connection, row)?.map(|(version, _)| version).ok_or(StoreError::UnknownReference)?,
    };
    let sql = "SELECT document FROM reference_version WHERE spec = ?1 AND version = ?2";
    Ok(connection.query_row(sql, params![row, version], |row| row.get(0))?)
}

/// First window of a spec that still takes reports, as the database knows it.
///
/// # Errors
///
/// The spec is not registered, or the database refused.
pub fn first_open_window(connection: &Connection, spec: SpecId) -> Result<u32, StoreError> {
    let row = row_of(connection, spec)?;
    Ok(connection.query_row("SELECT first_open_window FROM spec WHERE id = ?1", [row], |row| row.get(0))?)
}

/// [`add_reference`] inside a transaction, for a spec by its row.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    spec: i64,
    document: &str,
    use_it: bool,
    now_secs: u64,
) -> Result<(ReferenceVersion, bool), StoreError> {
    let version = ReferenceVersion::of_text(document)?;
    let used = in_use(transaction, spec)?;
    let parent = used.as_ref().map(|(version, _)| version);
    let inserted = transaction.execute(
        "INSERT INTO reference_version (spec, version, document, created_at_secs, parent) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
        params![spec, version.to_string(), document, now_secs as i64, parent],
    )?;
    if use_it || used.is_none() {
        put_to_use(transaction, spec, &version.to_string(), now_secs)?;
    }
    Ok((version, inserted == 1))
}

fn put_to_use(transaction: &Transaction<'_>, spec: i64, version: &str, now_secs: u64) -> Result<(), StoreError> {
    if in_use(transaction, spec)?.is_some_and(|(used, _)| used == version) {
        return Ok(());
    }
    transaction.execute(
        "INSERT INTO reference_use (spec, version, since_secs) VALUES (?1, ?2, ?3)",
        params![spec, version, now_secs as i64],
    )?;
    transaction.execute("UPDATE counter SET value = value + 1 WHERE name = 'generation'", [])?;
    Ok(())
}

/// The version in use and since when.
fn in_use(connection: &Connection, spec: i64) -> Result<Option<(String, u64)>, StoreError> {
    let sql = "SELECT version, since_secs FROM reference_use WHERE spec = ?1 ORDER BY id DESC LIMIT 1";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64));
    Ok(connection.prepare_cached(sql)?.query_row([spec], read).optional()?)
}

/// The one version that begins so.
fn find(connection: &Connection, spec: i64, prefix: &str) -> Result<String, StoreError> {
    let digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if prefix.len() < 8 || !prefix.chars().all(digit) {
        return Err(StoreError::UnknownReference);
    }
    // Hexadecimal digits alone: nothing in them means anything to LIKE.
    let sql = "SELECT version FROM reference_version WHERE spec = ?1 AND version LIKE ?2 || '%' LIMIT 2";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map(params![spec, prefix], |row| row.get(0))?;
    match found.collect::<Result<Vec<String>, _>>()?.as_slice() {
        [one] => Ok(one.clone()),
        _ => Err(StoreError::UnknownReference),
    }
}

fn row_of(connection: &Connection, spec: SpecId) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM spec WHERE spec_id = ?1")?;
    statement.query_row([spec.as_bytes().as_slice()], |row| row.get(0)).optional()?.ok_or(StoreError::UnknownSpec)
}
