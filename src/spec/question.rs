//! Questions: what a device may be asked about a window, each with a finite alphabet of symbols.
//!
//! The symbols are the cells in order, then "no data": a device that takes part answers in every window, so that silence
//! says nothing.

use super::{Cells, Metric};
use crate::spec::CellKind;

/// One question.
#[derive(Debug, Clone)]
pub struct Question {
    /// Its name.
    pub name: String,
    /// Index of the metric it asks about.
    pub metric: usize,
    /// What it asks.
    pub kind: QuestionKind,
    /// How often it is asked, relative to the other questions.
    pub weight: u32,
    /// What one answer costs, in millionths of ε.
    pub epsilon_micronats: u64,
    /// How an answer is hidden.
    pub randomizer: Randomizer,
    /// Number of symbols, "no data" included.
    pub domain_size: usize,
}

/// What a question asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum QuestionKind {
    /// The cell of one event of the window, drawn uniformly.
    SampledEvent,
    /// Whether the value of such an event is at or below a threshold.
    ThresholdBit {
        /// Number of cells at or below the threshold.
        cells_below: usize,
        /// Number of cells that hold a value, so not the one of missing values.
        cells_seen: usize,
        /// The threshold, in the metric's unit.
        threshold: f64,
    },
}

/// Subset selection, frozen in the spec. See [`crate::privacy::SubsetSelection`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Randomizer {
    /// Size `w` of the reported subset.
    pub subset_size: usize,
    /// Weight `W_t` of a subset with the true symbol.
    pub weight_true: u64,
    /// Weight `W_f` of a subset without it.
    pub weight_false: u64,
}

impl Question {
    /// Bytes that a payload of this question needs.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        let subsets = subsets(self.domain_size, self.randomizer.subset_size);
        let bits = subsets.map_or(0, |count| u128::BITS - (count - 1).leading_zeros());
        bits.div_ceil(8) as usize
    }

    /// Number of cells that carry data: all symbols but the last.
    #[must_use]
    pub fn data_cells(&self) -> usize {
        self.domain_size - 1
    }

    /// The symbol of "no data".
    #[must_use]
    pub fn no_data(&self) -> usize {
        self.domain_size - 1
    }

    /// A name for each symbol.
    #[must_use]
    pub fn symbol_labels(&self, metric: &Metric) -> Vec<String> {
        let mut labels = match self.kind {
            QuestionKind::SampledEvent => metric.cells.labels(),
            QuestionKind::ThresholdBit { threshold, .. } => vec![format!("≤ {threshold}"), format!("> {threshold}")],
        };
        labels.push("no data".to_owned());
        labels
    }

    /// Whether the symbols have an order that drift is measured along.
    #[must_use]
    pub fn ordered(&self, metric: &Metric) -> bool {
        match self.kind {
            QuestionKind::SampledEvent => metric.cells.ordered(),
            QuestionKind::ThresholdBit { .. } => true,
        }
    }
}

impl QuestionKind {
    /// Number of symbols over these cells, "no data" included.
    pub(super) fn domain_size(self, cells: &Cells) -> usize {
        match self {
            Self::SampledEvent => cells.count() + 1,
            Self::ThresholdBit { .. } => 3,
        }
    }

    /// The threshold bit at an edge of numeric cells.
    pub(super) fn threshold_bit(threshold: f64, cells: &Cells) -> Option<Self> {
        let CellKind::Numeric { edges } = &cells.kind else { return None };
        let edge = edges.iter().position(|edge| *edge == threshold)?;
        Some(Self::ThresholdBit { cells_below: edge + 1, cells_seen: edges.len() + 1, threshold })
    }
}

/// Number of subsets of `size` among `domain` things, if below 2^120.
pub(crate) fn subsets(domain: usize, size: usize) -> Option<u128> {
    let mut count: u128 = 1;
    for step in 1..=size.min(domain) as u128 {
        count = count.checked_mul(domain as u128 - size as u128 + step)? / step;
    }
    (count < 1 << 120).then_some(count)
}
