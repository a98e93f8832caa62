//! Closing windows: no more reports, so no more need to know their ids.
//!
//! The first open window is raised before rows are deleted, and never lowered, so that a clock that steps back cannot make a forgotten report count
//! again.

use driftglass::spec::WindowIndex;
use rusqlite::{Connection, params};

use super::StoreError;

/// Most journal rows that one call deletes, so that uploads do not wait long behind it.
const ROWS_PER_STEP: i64 = 20_000;

/// Closes the windows before `first_open` and forgets some of their reports. Whether more are left to forget.
///
/// # Errors
///
/// The database refused.
pub fn close_windows(connection: &mut Connection, spec: i64, first_open: WindowIndex) -> Result<bool, StoreError> {
    connection
        .prepare_cached("UPDATE spec SET first_open_window = ?2 WHERE id = ?1 AND first_open_window < ?2")?
        .execute(params![spec, first_open])?;
    let deleted = connection
        .prepare_cached(
            "DELETE FROM journal WHERE spec = ?1 AND (window, report_id) IN (
                 SELECT window, report_id FROM journal
                 WHERE spec = ?1 AND window < (SELECT first_open_window FROM spec WHERE id = ?1) LIMIT ?2)",
        )?
        .execute(params![spec, ROWS_PER_STEP])?;
    Ok(deleted as i64 == ROWS_PER_STEP)
}
