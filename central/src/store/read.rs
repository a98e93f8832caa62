//! The sums of a spec, as verdicts need them: over all segments and arms.

use std::collections::BTreeMap;

use driftglass::aggregate::Aggregate;
use driftglass::spec::{MonitorSpec, WindowIndex};
use rusqlite::Connection;

use super::StoreError;

/// For each question, in the order of the spec, the aggregates of the windows that have reports.
pub type Sums = Vec<BTreeMap<WindowIndex, Aggregate>>;

/// Reads the sums of a spec as of one moment.
///
/// # Errors
///
/// The database refused.
pub fn sums(connection: &mut Connection, row: i64, spec: &MonitorSpec) -> Result<Sums, StoreError> {
    let snapshot = connection.transaction()?;
    let mut support: BTreeMap<(usize, WindowIndex), Vec<u64>> = BTreeMap::new();
    let mut cells = snapshot.prepare_cached(
        "SELECT question, window, symbol, sum(support) FROM aggregate WHERE spec = ?1 GROUP BY question, window, symbol",
    )?;
    let mut rows = cells.query([row])?;
    while let Some(cell) = rows.next()? {
        let (question, symbol): (u16, u16) = (cell.get(0)?, cell.get(2)?);
        let (question, symbol) = (usize::from(question), usize::from(symbol));
        let Some(domain) = spec.questions.get(question).map(|question| question.domain_size) else { continue };
        let counts = support.entry((question, cell.get(1)?)).or_insert_with(|| vec![0; domain]);
        if let Some(count) = counts.get_mut(symbol) {
            *count = cell.get::<_, i64>(3)? as u64;
        }
    }
    let mut sums: Sums = vec![BTreeMap::new(); spec.questions.len()];
    let mut counts = snapshot.prepare_cached(
        "SELECT question, window, sum(reports) FROM report_count WHERE spec = ?1 GROUP BY question, window",
    )?;
    let mut rows = counts.query([row])?;
    while let Some(count) = rows.next()? {
        let (question, window): (u16, WindowIndex) = (count.get(0)?, count.get(1)?);
        let question = usize::from(question);
        let counts = support.remove(&(question, window));
        if let (Some(windows), Some(counts)) = (sums.get_mut(question), counts) {
            windows.insert(window, Aggregate::from_sums(count.get::<_, i64>(2)? as u64, counts));
        }
    }
    Ok(sums)
}
