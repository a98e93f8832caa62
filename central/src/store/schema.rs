//! Tables and their versions. SQLite's `user_version` counts the migrations that were made.

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

const MIGRATIONS: Migrations<'_> = Migrations::from_slice(STEPS);

/// Each entry is frozen once released; a change is a new entry.
const STEPS: &[M<'_>] = &[M::up(
    "
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
    ",
)];

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
}
