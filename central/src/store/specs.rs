//! Registered specs and references, kept as the text that was given.

use driftglass::spec::SpecId;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::StoreError;

/// What to register.
#[derive(Debug)]
pub struct Registration<'a> {
    /// Id of the spec.
    pub spec_id: SpecId,
    /// Its document.
    pub document: &'a str,
    /// Its reference, if one is given, which is put to use; without one, an earlier reference stays.
    pub reference: Option<&'a str>,
    /// The key it gets if it is new.
    pub new_key: &'a str,
    /// The time it is registered if it is new.
    pub now_secs: u64,
}

/// A registered spec.
#[derive(Debug, Clone)]
pub struct SpecRow {
    /// Its number in the store.
    pub row: i64,
    /// Its ingest key.
    pub ingest_key: String,
    /// Its document.
    pub document: String,
    /// Its reference, the version in use.
    pub reference: Option<String>,
    /// When it was first registered.
    pub registered_at_secs: u64,
}

/// Registers a spec, or replaces the document of a known one; returns its key and whether it is new.
///
/// # Errors
///
/// The database refused; then nothing was changed.
pub fn add_spec(connection: &mut Connection, new: &Registration<'_>) -> Result<(String, bool), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let id = new.spec_id.as_bytes().as_slice();
    let known: Option<(i64, String)> = transaction
        .query_row("SELECT id, ingest_key FROM spec WHERE spec_id = ?1", [id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let added = known.is_none();
    let (row, key) = match known {
        Some((row, key)) => {
            transaction.execute("UPDATE spec SET document = ?2 WHERE id = ?1", params![row, new.document])?;
            (row, key)
        }
        None => {
            transaction.execute(
                "INSERT INTO spec (spec_id, ingest_key, document, registered_at_secs) VALUES (?1, ?2, ?3, ?4)",
                params![id, new.new_key, new.document, new.now_secs as i64],
            )?;
            (transaction.last_insert_rowid(), new.new_key.to_owned())
        }
    };
    if let Some(reference) = new.reference {
        super::references::insert(&transaction, row, reference, true, new.now_secs)?;
    }
    transaction.execute("UPDATE counter SET value = value + 1 WHERE name = 'generation'", [])?;
    transaction.commit()?;
    Ok((key, added))
}

/// All registered specs, in the order of registration.
///
/// # Errors
///
/// The database refused.
pub fn list_specs(connection: &Connection) -> Result<Vec<SpecRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT spec.id, ingest_key, spec.document, reference_version.document, registered_at_secs
         FROM spec
         LEFT JOIN reference_use AS used
             ON used.id = (SELECT max(id) FROM reference_use WHERE reference_use.spec = spec.id)
         LEFT JOIN reference_version ON reference_version.spec = spec.id AND reference_version.version = used.version
         ORDER BY spec.id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(SpecRow {
            row: row.get(0)?,
            ingest_key: row.get(1)?,
            document: row.get(2)?,
            reference: row.get(3)?,
            registered_at_secs: row.get::<_, i64>(4)? as u64,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A number that grows with every change of a spec or reference.
///
/// # Errors
///
/// The database refused.
pub fn generation(connection: &Connection) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM counter WHERE name = 'generation'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}
