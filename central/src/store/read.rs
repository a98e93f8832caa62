//! The sums of a spec, as verdicts need them: of each segment and arm, and of all together.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use driftglass::aggregate::Aggregate;
use driftglass::spec::WindowIndex;
use rusqlite::{Connection, OptionalExtension};

use super::StoreError;
use crate::clock::Clock;
use crate::registry::Registered;

/// For each question, in the order of the spec, the aggregates of the windows that have reports.
pub type Sums = Vec<BTreeMap<WindowIndex, Aggregate>>;

/// Which devices: those of one segment that run the model of one arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stratum {
    /// Place of the segment in the spec.
    pub segment: u16,
    /// 0 stable, 1 canary, as in the bytes of a report.
    pub arm: u8,
}

/// Reads the sums of a spec as of one moment, of each segment and arm that reported.
///
/// # Errors
///
/// The database refused.
pub fn strata(connection: &mut Connection, spec: &Registered) -> Result<BTreeMap<Stratum, Sums>, StoreError> {
    let snapshot = connection.transaction()?;
    let mut strata: BTreeMap<Stratum, Sums> = BTreeMap::new();
    let mut counts =
        snapshot.prepare_cached("SELECT segment, arm, question, window, reports FROM report_count WHERE spec = ?1")?;
    let mut counters: BTreeMap<(Stratum, usize, WindowIndex), (u64, Vec<u64>)> = BTreeMap::new();
    let mut rows = counts.query([spec.row])?;
    while let Some(count) = rows.next()? {
        let stratum = Stratum { segment: count.get(0)?, arm: count.get(1)? };
        let question = usize::from(count.get::<_, u16>(2)?);
        let Some(randomizer) = spec.randomizers.get(question) else { continue };
        let reports = count.get::<_, i64>(4)? as u64;
        counters.insert((stratum, question, count.get(3)?), (reports, vec![0; randomizer.counters()]));
    }
    let mut cells = snapshot
        .prepare_cached("SELECT segment, arm, question, window, counter, count FROM aggregate WHERE spec = ?1")?;
    let mut rows = cells.query([spec.row])?;
    while let Some(cell) = rows.next()? {
        let stratum = Stratum { segment: cell.get(0)?, arm: cell.get(1)? };
        let question = usize::from(cell.get::<_, u16>(2)?);
        let Some((_, counters)) = counters.get_mut(&(stratum, question, cell.get(3)?)) else { continue };
        if let Some(counter) = counters.get_mut(cell.get::<_, u32>(4)? as usize) {
            *counter = cell.get::<_, i64>(5)? as u64;
        }
    }
    for ((stratum, question, window), (reports, counters)) in counters {
        let sums = strata.entry(stratum).or_insert_with(|| empty(spec));
        sums[question].insert(window, Aggregate::from_sums(reports, counters));
    }
    Ok(strata)
}

/// The sums of several strata together.
pub fn total<'a>(spec: &Registered, strata: impl Iterator<Item = &'a Sums>) -> Sums {
    let mut total = empty(spec);
    for (question, sums) in strata.flat_map(|sums| sums.iter().enumerate()) {
        for (window, sum) in sums {
            match total[question].entry(*window) {
                // Cannot fail: aggregates of a question have the counters of its randomizer.
                Entry::Occupied(mut entry) => entry.get_mut().merge(sum).expect("one question"),
                Entry::Vacant(entry) => drop(entry.insert(sum.clone())),
            }
        }
    }
    total
}

fn empty(spec: &Registered) -> Sums {
    vec![BTreeMap::new(); spec.randomizers.len()]
}

/// The clock that the store was filled under, as it stood when the last window was closed; the system's is the system's.
///
/// # Errors
///
/// The database refused.
pub fn last_clock(connection: &Connection, spec: &Registered) -> Result<Clock, StoreError> {
    let mode: Option<String> =
        connection.query_row("SELECT value FROM setting WHERE name = 'clock'", [], |row| row.get(0)).optional()?;
    if mode.as_deref() != Some(Clock::simulated(0).mode()) {
        return Ok(Clock::System);
    }
    let first_open: WindowIndex =
        connection.query_row("SELECT first_open_window FROM spec WHERE id = ?1", [spec.row], |row| row.get(0))?;
    let window = &spec.spec.window;
    let closed = first_open.checked_sub(1).map_or(0, |last| window.end_secs(last) + window.grace_secs);
    Ok(Clock::simulated(closed))
}
