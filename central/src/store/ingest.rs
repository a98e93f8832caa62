//! The transaction that takes reports in: all of a group or nothing.
//!
//! A report counts if its journal row is new; the sums grow by exactly the reports whose rows were new, in the same transaction. So the
//! sums of an open window equal the fold of its journal rows after any crash.

use std::collections::HashMap;

use driftglass::aggregate::Aggregate;
use driftglass::report::Arm;
use driftglass::spec::WindowIndex;
use rusqlite::{Connection, Statement, Transaction, TransactionBehavior, params};

use super::StoreError;
use crate::intake::Entry;
use crate::registry::Registered;
use crate::tally::Tally;

/// What became of a report that reached the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Stored and folded.
    Accepted,
    /// Its id was known in its window; the first one stands.
    Duplicate,
    /// Its window had closed by the time of the commit.
    Late,
}

/// The valid reports of one upload.
#[derive(Debug, Clone, Copy)]
pub struct Upload<'a> {
    /// Their spec.
    pub spec: &'a Registered,
    /// The reports.
    pub entries: &'a [Entry],
}

/// Where a report is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Place {
    spec: i64,
    window: WindowIndex,
    question: u16,
    segment: u16,
    arm: Arm,
}

/// Takes a group of uploads in, together with counts that wait to be saved. Returns the outcomes, one per entry, and their tally.
///
/// # Errors
///
/// The database refused; then nothing of the group was taken in.
pub fn commit(
    connection: &mut Connection,
    uploads: &[Upload<'_>],
    now_secs: u64,
    unsaved: Tally,
) -> Result<(Vec<Vec<Outcome>>, Tally), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut sums = HashMap::new();
    let outcomes = journal(&transaction, uploads, now_secs, &mut sums)?;
    add_sums(&transaction, sums)?;
    let mut tally = Tally::default();
    for outcome in outcomes.iter().flatten() {
        match outcome {
            Outcome::Accepted => tally.accepted += 1,
            Outcome::Duplicate => tally.duplicate += 1,
            Outcome::Late => tally.late += 1,
        }
    }
    let mut counted = tally;
    counted += unsaved;
    add_tally(&transaction, counted)?;
    transaction.commit()?;
    Ok((outcomes, tally))
}

/// The saved counts.
///
/// # Errors
///
/// The database refused.
pub fn load_tally(connection: &Connection) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let mut statement = connection.prepare("SELECT name, value FROM counter")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, value): (String, i64) = (row.get(0)?, row.get(1)?);
        if let Some((_, count)) = tally.named().into_iter().find(|(known, _)| *known == name) {
            *count = value as u64;
        }
    }
    Ok(tally)
}

/// Writes reports down and folds those whose id is new in their window.
///
/// In the order of their keys, which spares the database most of its way to a row's page; of two with one id the earlier stands.
fn journal(
    transaction: &Transaction<'_>,
    uploads: &[Upload<'_>],
    now_secs: u64,
    sums: &mut HashMap<Place, Aggregate>,
) -> Result<Vec<Vec<Outcome>>, StoreError> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO journal (spec, window, report_id, question, segment, arm, payload)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
    )?;
    let mut first_open = transaction.prepare_cached("SELECT first_open_window FROM spec WHERE id = ?1")?;
    let mut outcomes: Vec<_> = uploads.iter().map(|upload| vec![Outcome::Late; upload.entries.len()]).collect();
    let mut open = Vec::new();
    for (number, upload) in uploads.iter().enumerate() {
        let first_open: WindowIndex = first_open.query_row([upload.spec.row], |row| row.get(0))?;
        let takes = |window| window >= first_open && upload.spec.spec.window.is_open(window, now_secs);
        let entries = upload.entries.iter().enumerate().filter(|(_, entry)| takes(entry.window));
        open.extend(entries.map(|(place, entry)| (upload.spec, entry, number, place)));
    }
    // Stable, so that equal keys stay in the order in which they came.
    open.sort_by_key(|(spec, entry, ..)| (spec.row, entry.window, entry.report_id));
    for (spec, entry, number, place) in open {
        let new = take_entry(&mut insert, spec, entry, sums)?;
        outcomes[number][place] = if new { Outcome::Accepted } else { Outcome::Duplicate };
    }
    Ok(outcomes)
}

/// Writes a report down and folds it, unless its id is known in its window.
fn take_entry(
    insert: &mut Statement<'_>,
    registered: &Registered,
    entry: &Entry,
    sums: &mut HashMap<Place, Aggregate>,
) -> Result<bool, StoreError> {
    let Entry { window, question, segment, arm, ref report_id, ref payload } = *entry;
    let spec = registered.row;
    let bytes = payload.to_bytes(registered.spec.payload_len());
    let row = params![spec, window, report_id, question, segment, arm_number(arm), bytes];
    if insert.execute(row)? == 0 {
        return Ok(false);
    }
    let sum = sums.entry(Place { spec, window, question, segment, arm });
    let randomizer = registered.randomizers[usize::from(question)].as_ref();
    let sum = sum.or_insert_with(|| Aggregate::new(randomizer.counters()));
    // Cannot fail: the payload was checked when it was read.
    sum.accumulate(randomizer, payload, report_id).expect("an output of the randomizer");
    Ok(true)
}

/// As in the bytes of a report.
fn arm_number(arm: Arm) -> i64 {
    match arm {
        Arm::Stable => 0,
        Arm::Canary => 1,
    }
}

fn add_sums(transaction: &Transaction<'_>, sums: HashMap<Place, Aggregate>) -> Result<(), StoreError> {
    let mut add_reports = transaction.prepare_cached(
        "INSERT INTO report_count (spec, window, question, segment, arm, reports) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET reports = reports + excluded.reports",
    )?;
    let mut add_count = transaction.prepare_cached(
        "INSERT INTO aggregate (spec, window, question, segment, arm, counter, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET count = count + excluded.count",
    )?;
    for (place, sum) in sums {
        let Place { spec, window, question, segment, arm } = place;
        let arm = arm_number(arm);
        add_reports.execute(params![spec, window, question, segment, arm, sum.reports() as i64])?;
        for (counter, count) in sum.counters().iter().enumerate().filter(|(_, count)| **count > 0) {
            add_count.execute(params![spec, window, question, segment, arm, counter as i64, *count as i64])?;
        }
    }
    Ok(())
}

fn add_tally(transaction: &Transaction<'_>, mut tally: Tally) -> Result<(), StoreError> {
    let mut add = transaction.prepare_cached(
        "INSERT INTO counter (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = value + excluded.value",
    )?;
    for (name, count) in tally.named().into_iter().filter(|(_, count)| **count > 0) {
        add.execute(params![name, *count as i64])?;
    }
    Ok(())
}
