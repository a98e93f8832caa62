//! The sums of a spec, as verdicts need them: over all segments and arms.

use std::collections::BTreeMap;

use driftglass::aggregate::Aggregate;
use driftglass::spec::WindowIndex;
use rusqlite::Connection;

use super::StoreError;
use crate::registry::Registered;

/// For each question, in the order of the spec, the aggregates of the windows that have reports.
pub type Sums = Vec<BTreeMap<WindowIndex, Aggregate>>;

/// Reads the sums of a spec as of one moment.
///
/// # Errors
///
/// The database refused.
pub fn sums(connection: &mut Connection, spec: &Registered) -> Result<Sums, StoreError> {
    let snapshot = connection.transaction()?;
    let mut counters: BTreeMap<(usize, WindowIndex), Vec<u64>> = BTreeMap::new();
    let mut cells = snapshot.prepare_cached(
        "SELECT question, window, counter, sum(count) FROM aggregate WHERE spec = ?1 GROUP BY question, window, counter",
    )?;
    let mut rows = cells.query([spec.row])?;
    while let Some(cell) = rows.next()? {
        let (question, counter): (u16, u32) = (cell.get(0)?, cell.get(2)?);
        let question = usize::from(question);
        let Some(randomizer) = spec.randomizers.get(question) else { continue };
        let counts = counters.entry((question, cell.get(1)?)).or_insert_with(|| vec![0; randomizer.counters()]);
        if let Some(count) = counts.get_mut(counter as usize) {
            *count = cell.get::<_, i64>(3)? as u64;
        }
    }
    let mut sums: Sums = vec![BTreeMap::new(); spec.randomizers.len()];
    let mut counts = snapshot.prepare_cached(
        "SELECT question, window, sum(reports) FROM report_count WHERE spec = ?1 GROUP BY question, window",
    )?;
    let mut rows = counts.query([spec.row])?;
    while let Some(count) = rows.next()? {
        let (question, window): (u16, WindowIndex) = (count.get(0)?, count.get(1)?);
        let question = usize::from(question);
        let Some(randomizer) = spec.randomizers.get(question) else { continue };
        let counts = counters.remove(&(question, window)).unwrap_or_else(|| vec![0; randomizer.counters()]);
        sums[question].insert(window, Aggregate::from_sums(count.get::<_, i64>(2)? as u64, counts));
    }
    Ok(sums)
}
