//! All sketches of a window.

use alloc::{vec, vec::Vec};

use super::binning::{Binning, Place};
use super::counts::CellCounts;
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

/// What a value is to a metric: where it falls, and the hash of a word where words are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) place: Place,
    pub(super) word: Option<u32>,
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

    /// The counters of each metric, to be filled.
    pub(super) fn counters(&mut self) -> impl Iterator<Item = (&mut CellCounts, &mut WordCounts)> {
        self.metrics.iter_mut().zip(&mut self.words)
    }

    /// Counts an inference. Returns the cell of each metric, for the outcome that may come.
    pub fn observe(&mut self, spec: &MonitorSpec, binnings: &[Binning], seen: &Observation<'_>) -> Vec<Option<usize>> {
        let mut cells = vec![None; spec.metrics.len()];
        for (index, metric) in spec.metrics.iter().enumerate() {
            let placed = match metric.source {
                Source::Outcome | Source::Pair { .. } => continue,
                Source::Joint { first, second } => match joint(spec, second, [cells[first], cells[second]]) {
                    Some(cell) => Placed { place: Place::Cell(cell), word: None },
                    None => continue,
                },
                _ => placed(metric, &binnings[index], seen.value(&metric.source)),
            };
            self.count(index, placed);
            cells[index] = placed.place.cell();
        }
        cells
    }

    /// Counts an outcome, and each pair that it completes with the cells of its prediction.
    pub fn outcome(
        &mut self,
        spec: &MonitorSpec,
        binnings: &[Binning],
        value: Value<'_>,
        predictions: &[Option<usize>],
    ) {
        self.told(spec, &outcomes(spec, binnings, value), predictions);
    }

    /// Counts an outcome that was placed before.
    pub(super) fn told(&mut self, spec: &MonitorSpec, outcomes: &[Option<Placed>], predictions: &[Option<usize>]) {
        let placed = |metric: usize| outcomes.get(metric).copied().flatten();
        for (index, metric) in spec.metrics.iter().enumerate() {
            match metric.source {
                Source::Outcome => {
                    if let Some(placed) = placed(index) {
                        self.count(index, placed);
                    }
                }
                Source::Pair { prediction, outcome } => {
                    let row = predictions.get(prediction).copied().flatten();
                    let column = placed(outcome).and_then(|placed| placed.place.cell());
                    if let Some(cell) = joint(spec, outcome, [row, column]) {
                        self.metrics[index].update(Place::Cell(cell));
                    }
                }
                _ => {}
            }
        }
    }

    /// Adds the counts of another profile of the same spec.
    pub(super) fn merge(&mut self, other: &Self) {
        for (counts, more) in self.metrics.iter_mut().zip(&other.metrics) {
            counts.merge(more);
        }
        for (words, more) in self.words.iter_mut().zip(&other.words) {
            more.sorted().iter().for_each(|(word, times)| words.update(*word, *times));
        }
    }

    fn count(&mut self, index: usize, placed: Placed) {
        self.metrics[index].update(placed.place);
        if let Some(word) = placed.word {
            self.words[index].update(word, 1);
        }
    }
}

/// Where an outcome falls in each metric that is one.
pub(super) fn outcomes(spec: &MonitorSpec, binnings: &[Binning], value: Value<'_>) -> Vec<Option<Placed>> {
    let one = |(metric, binning): (&Metric, &Binning)| {
        (metric.source == Source::Outcome).then(|| placed(metric, binning, value))
    };
    spec.metrics.iter().zip(binnings).map(one).collect()
}

fn placed(metric: &Metric, binning: &Binning, value: Value<'_>) -> Placed {
    let word = match (&metric.cells.kind, value) {
        (CellKind::Text { .. }, Value::Text(text)) => Some(word(text)),
        _ => None,
    };
    Placed { place: binning.place(value), word }
}

/// The cell of two, when both have one: the second metric's cells are the columns.
fn joint(spec: &MonitorSpec, second: usize, [row, column]: [Option<usize>; 2]) -> Option<usize> {
    Some(row? * spec.metrics[second].cells.count() + column?)
}
