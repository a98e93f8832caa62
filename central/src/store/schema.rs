//! Tables and their versions. SQLite's `user_version` counts the migrations that were made.

use std::sync::LazyLock;

use driftglass::drift::ReferenceVersion;
use rusqlite::{Connection, Transaction};
use rusqlite_migration::{HookResult, M, Migrations};

static MIGRATIONS: LazyLock<Migrations<'static>> = LazyLock::new(|| Migrations::new(steps()));

/// Each entry is frozen once released; a change is a new entry.
fn steps() -> Vec<M<'static>> {
    vec![M::up(FIRST), M::up_with_hook(VERSIONED_REFERENCES, number_references)]
}

const FIRST: &str = "
    CREATE TABLE spec (
        id INTEGER PRIMARY KEY,
        spec_id BLOB NOT NULL UNIQUE,
        ingest_key TEXT NOT NULL UNIQUE,
        document TEXT NOT NULL,
        registered_at_secs INTEGER NOT NULL,
        -- Windows before this one take no more reports, whatever the clock says.
        first_open_window INTEGER NOT NULL DEFAULT 0
    ) STRICT;

    CREATE TABLE reference (
        spec INTEGER PRIMARY KEY REFERENCES spec (id),
        document TEXT NOT NULL
    ) STRICT;

    -- All that a report says. arm: 0 stable, 1 canary, as in its bytes.
    CREATE TABLE journal (
        spec INTEGER NOT NULL,
        window INTEGER NOT NULL,
        report_id BLOB NOT NULL,
        question INTEGER NOT NULL,
        segment INTEGER NOT NULL,
        arm INTEGER NOT NULL,
        payload BLOB NOT NULL,
        PRIMARY KEY (spec, window, report_id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE report_count (
        spec INTEGER NOT NULL,
        window INTEGER NOT NULL,
        question INTEGER NOT NULL,
        segment INTEGER NOT NULL,
        arm INTEGER NOT NULL,
        reports INTEGER NOT NULL,
        PRIMARY KEY (spec, window, question, segment, arm)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE aggregate (
        spec INTEGER NOT NULL,
        window INTEGER NOT NULL,
        question INTEGER NOT NULL,
        segment INTEGER NOT NULL,
        arm INTEGER NOT NULL,
        -- As the question's randomizer defines its counters.
        counter INTEGER NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (spec, window, question, segment, arm, counter)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

    -- Grows with every change of a spec or reference.
    INSERT INTO counter (name, value) VALUES ('generation', 0);
    ";

const VERSIONED_REFERENCES: &str = "
    -- Never deleted: a verdict can name any of them.
    CREATE TABLE reference_version (
        spec INTEGER NOT NULL REFERENCES spec (id),
        -- SHA-256 of the document in canonical form, in hexadecimal.
        version TEXT NOT NULL,
        document TEXT NOT NULL,
        created_at_secs INTEGER NOT NULL,
        -- The version that was in use when this one came.
        parent TEXT,
        PRIMARY KEY (spec, version)
    ) STRICT;

    -- Each change of the version in use; the last row of a spec counts.
    CREATE TABLE reference_use (
        id INTEGER PRIMARY KEY,
        spec INTEGER NOT NULL,
        version TEXT NOT NULL,
        since_secs INTEGER NOT NULL,
        FOREIGN KEY (spec, version) REFERENCES reference_version (spec, version)
    ) STRICT;

    CREATE INDEX reference_use_of_spec ON reference_use (spec, id);
    ";

/// Makes the one reference that a spec had its first version, since the spec's registration: nothing older is known.
fn number_references(transaction: &Transaction<'_>) -> HookResult {
    let mut statement = transaction.prepare(
        "SELECT spec, reference.document, registered_at_secs FROM reference JOIN spec ON spec.id = reference.spec",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (spec, document, since): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        // What is no JSON was never usable and is left out.
        let Ok(version) = ReferenceVersion::of_text(&document) else { continue };
        transaction.execute(
            "INSERT INTO reference_version (spec, version, document, created_at_secs) VALUES (?1, ?2, ?3, ?4)",
            (spec, version.to_string(), document, since),
        )?;
        transaction.execute(
            "INSERT INTO reference_use (spec, version, since_secs) VALUES (?1, ?2, ?3)",
            (spec, version.to_string(), since),
        )?;
    }
    drop(rows);
    drop(statement);
    transaction.execute("DROP TABLE reference", [])?;
    Ok(())
}

pub(super) fn migrate(connection: &mut Connection) -> Result<(), rusqlite_migration::Error> {
    MIGRATIONS.to_latest(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_valid() {
        MIGRATIONS.validate().expect("each migration runs on an empty database");
    }

    #[test]
    fn a_reference_of_before_becomes_the_first_version() {
        let mut connection = Connection::open_in_memory().expect("a database");
        MIGRATIONS.to_version(&mut connection, 1).expect("the first schema");
        connection
            .execute_batch(
                "INSERT INTO spec (id, spec_id, ingest_key, document, registered_at_secs) VALUES
                     (1, x'01', 'a', '{}', 77), (2, x'02', 'b', '{}', 78);
                 INSERT INTO reference (spec, document) VALUES (2, '{\"a\": 1}');",
            )
            .expect("rows");
        MIGRATIONS.to_latest(&mut connection).expect("the present schema");
        let sql = "SELECT used.spec, version, document, since_secs, created_at_secs, parent
                   FROM reference_use AS used JOIN reference_version USING (spec, version)";
        let row: (i64, String, String, i64, i64, Option<String>) = connection
            .query_row(sql, [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
            })
            .expect("one row");
        // printf '{"a":1}' | sha256sum
        let version = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
        assert_eq!(row, (2, version.to_owned(), "{\"a\": 1}".to_owned(), 78, 78, None));
        assert!(connection.prepare("SELECT * FROM reference").is_err());
    }
}
