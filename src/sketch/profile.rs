//! All sketches of a window.

use alloc::{vec, vec::Vec};

use super::binning::{Binning, Place};
use super::counts::CellCounts;
use super::pending::PendingPredictions;
use super::words::WordCounts;
use crate::observe::{Observation, Value};
use crate::spec::{CellKind, Metric, MonitorSpec, Source, WindowIndex, word};

/// Counts of every metric in one window.
#[derive(Debug, Clone)]
pub struct Profile {
    window: WindowIndex,
    metrics: Vec<CellCounts>,
    words: Vec<WordCounts>,
}

impl Profile {
    /// The empty profile of a window.
    #[must_use]
    pub fn new(spec: &MonitorSpec, window: WindowIndex) -> Self {
        let metrics = spec.metrics.iter().map(|metric| CellCounts::new(metric.cells.count())).collect();
        let words = spec.metrics.iter().map(|metric| WordCounts::new(metric.cells.max_words())).collect();
        Self { window, metrics, words }
    }

    /// The window it covers.
    #[must_use]
    pub fn window(&self) -> WindowIndex {
        self.window
    }

    /// The counts of each metric, in the order of the spec.
    #[must_use]
    pub fn metrics(&self) -> &[CellCounts] {
        &self.metrics
    }

    /// The words of each metric, in the order of the spec; none of those that have cells.
    #[must_use]
    pub fn words(&self) -> &[WordCounts] {
        &self.words
    }

    /// Counts an inference, and lets its predictions wait under `key` for their outcome.
    pub fn observe(
        &mut self,
        spec: &MonitorSpec,
        binnings: &[Binning],
        seen: &Observation<'_>,
        waits: Option<(&str, u64, &mut PendingPredictions)>,
    ) {
        let mut cells = vec![None; spec.metrics.len()];
        for (index, metric) in spec.metrics.iter().enumerate().filter(|(_, metric)| !comes_later(metric)) {
            if let Source::Joint { first, second } = metric.source {
                cells[index] = joint(spec, second, [cells[first], cells[second]]);
                if let Some(cell) = cells[index] {
                    self.metrics[index].update(Place::Cell(cell));
                }
                continue;
            }
            let value = seen.value(&metric.source);
            let place = binnings[index].place(value);
            self.count(index, metric, place, value);
            cells[index] = place.cell();
        }
        if let Some((key, at_secs, pending)) = waits {
            pending.insert(key, at_secs, cells);
        }
    }

    /// Counts an outcome, and each pair that it completes.
    pub fn outcome(
        &mut self,
        spec: &MonitorSpec,
        binnings: &[Binning],
        value: Value<'_>,
        predictions: &[Option<usize>],
    ) {
        for (index, metric) in spec.metrics.iter().enumerate() {
            match metric.source {
                Source::Outcome => self.count(index, metric, binnings[index].place(value), value),
                Source::Pair { prediction, outcome } => {
                    let row = predictions.get(prediction).copied().flatten();
                    let column = binnings[outcome].place(value).cell();
                    if let Some(cell) = joint(spec, outcome, [row, column]) {
                        self.metrics[index].update(Place::Cell(cell));
                    }
                }
                _ => {}
            }
        }
    }

    /// Counts a value in its cell, or a word by its hash.
    fn count(&mut self, index: usize, metric: &Metric, place: Place, value: Value<'_>) {
        self.metrics[index].update(place);
        if let (CellKind::Text { .. }, Value::Text(text)) = (&metric.cells.kind, value) {
            self.words[index].update(word(text));
        }
    }
}

/// The cell of two, when both have one: the second metric's cells are the columns.
fn joint(spec: &MonitorSpec, second: usize, [row, column]: [Option<usize>; 2]) -> Option<usize> {
    Some(row? * spec.metrics[second].cells.count() + column?)
}

fn comes_later(metric: &Metric) -> bool {
    matches!(metric.source, Source::Outcome | Source::Pair { .. })
}
