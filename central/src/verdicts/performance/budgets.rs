//! Latency and errors as budgets: the share that fails beside the share that may.
//!
//! What may fail is what failed in the reference and the smallest change that matters on top: a spec says how much worse
//! is too much, and nothing else. The failing cells are those above a threshold bit's threshold, above the last edge of
//! a latency, and the last cell of an error.

use driftglass::drift::performance::budget;
use driftglass::estimate::Estimate;
use driftglass::spec::{CellKind, QuestionKind, Source};

use super::Told;
use super::draft::{Draft, Trusted};

/// The budget of a question about latency or errors that has a reference.
pub(super) fn draft(told: &Told<'_>) -> Option<Draft> {
    let name = match told.metric.source {
        Source::Latency => "latency budget",
        Source::Error => "error budget",
        _ => return None,
    };
    let failing = match (&told.question.kind, &told.metric.cells.kind) {
        (QuestionKind::ThresholdBit { .. }, _) => 1,
        (_, CellKind::Numeric { edges }) => edges.len(),
        (_, CellKind::Category { labels }) => labels.len() - 1,
        _ => return None,
    };
    // The share alone is read here; what follows from it at the level of all figures is said with the others.
    let share = |cells: &Estimate| budget::budget(cells, |cell| cell == failing, 0.5, 0.5).map(|found| found.failing);
    let (now, then) = (share(&told.now), share(told.then.as_ref()?).ok()?);
    let objective = (then.value + told.delta).clamp(f64::EPSILON, 1.0);
    let with_data = told.with_data();
    Some(Draft {
        group: "budget",
        name,
        class: told.question.symbol_labels(told.metric).get(failing).cloned(),
        question: told.index,
        others: Vec::new(),
        now,
        then: Some(Ok(then)),
        change: None,
        answers: told.answers(),
        reports: told.reports,
        trust: now.ok().map(|now| Trusted { cells: 1, share: now.value * with_data, scale: with_data }),
        objective: Some(objective),
    })
}
