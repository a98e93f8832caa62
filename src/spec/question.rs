//! Questions: what a device may be asked about a window, each with a finite alphabet of symbols.
//!
//! A device that takes part answers in every window, so that silence says nothing; what it answers without data is part of the question.

use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};

use super::mechanism::{Mechanism, Randomizer};
use super::text::joined;
use super::{CellKind, Cells, Metric};

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
    /// Number of symbols; 0 for an open vocabulary, whose symbols are all 32-bit numbers.
    pub domain_size: usize,
}

/// What a question asks.
#[derive(Debug, Clone, PartialEq)]
pub enum QuestionKind {
    /// The cell of one event of the window, drawn uniformly. The last symbol is "no data".
    SampledEvent,
    /// Whether the value of such an event is at or below a threshold. The last symbol is "no data".
    ThresholdBit {
        /// Number of cells at or below the threshold.
        cells_below: usize,
        /// Number of cells that hold a value, so not the one of missing values.
        cells_seen: usize,
        /// The threshold, in the metric's unit.
        threshold: f64,
    },
    /// Whether more of the device's events than usual lie in a public half of the cells. Without data, a fair coin.
    AnchoredBit {
        /// For each cell its share in the reference, as integer weights.
        baseline: Vec<u32>,
    },
    /// The mean number of the cells that the window's values fall into, rounded at random without bias. Without data, the middle.
    Mean,
    /// How many events of the window have a value above a threshold, up to the last symbol. **Event-level**: m events cost m times as much.
    EventCount {
        /// Number of cells at or below the threshold.
        cells_below: usize,
        /// Number of cells that hold a value.
        cells_seen: usize,
        /// The threshold, in the metric's unit.
        threshold: f64,
    },
    /// The word of one event of the window, drawn uniformly, from no list. Without data, the empty word.
    OpenVocabulary,
}

impl QuestionKind {
    /// Its name in a spec.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::SampledEvent => "sampled-event",
            Self::ThresholdBit { .. } => "threshold-bit",
            Self::AnchoredBit { .. } => "anchored-bit",
            Self::Mean => "mean",
            Self::EventCount { .. } => "event-count",
            Self::OpenVocabulary => "open-vocabulary",
        }
    }

    /// The threshold it asks about, in the metric's unit.
    #[must_use]
    pub fn threshold(&self) -> Option<f64> {
        match self {
            Self::ThresholdBit { threshold, .. } | Self::EventCount { threshold, .. } => Some(*threshold),
            _ => None,
        }
    }
}

impl Question {
    /// Bytes that a payload of this question needs.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        self.payload_bits().div_ceil(8) as usize
    }

    /// Bits that a payload of this question needs.
    #[must_use]
    pub fn payload_bits(&self) -> u32 {
        // The parser refused parameters that do not fit.
        self.randomizer.mechanism.payload_bits(self.domain_size).unwrap_or(0)
    }

    /// Whether its answers are counted into shares of cells, with "no data" as the last symbol.
    #[must_use]
    pub fn has_shares(&self) -> bool {
        matches!(self.kind, QuestionKind::SampledEvent | QuestionKind::ThresholdBit { .. })
    }

    /// What the privacy loss is about: all that a device did in a window, or one event of it.
    #[must_use]
    pub fn is_event_level(&self) -> bool {
        matches!(self.kind, QuestionKind::EventCount { .. })
    }

    /// Windows of an epoch in which its answers are memoized, and paid for once, if they are.
    #[must_use]
    pub fn epoch_windows(&self) -> Option<u32> {
        match self.randomizer.mechanism {
            Mechanism::MemoizedHashing { epoch_windows, .. } => Some(epoch_windows),
            _ => None,
        }
    }

    /// Number of cells that carry data: all symbols but the last.
    #[must_use]
    pub fn data_cells(&self) -> usize {
        self.domain_size - 1
    }

    /// The symbol of "no data" of a question that has shares.
    #[must_use]
    pub fn no_data(&self) -> usize {
        self.domain_size - 1
    }

    /// A name for each symbol of a question that has shares.
    #[must_use]
    pub fn symbol_labels(&self, metric: &Metric) -> Vec<String> {
        let mut labels = match self.kind {
            QuestionKind::ThresholdBit { cells_below, .. } => {
                let threshold = &metric.cells.spellings[cells_below - 1];
                vec![joined("≤ ", threshold), joined("> ", threshold)]
            }
            _ => metric.cells.labels(),
        };
        labels.push("no data".to_owned());
        labels
    }

    /// Whether the symbols have an order that drift is measured along.
    #[must_use]
    pub fn ordered(&self, metric: &Metric) -> bool {
        match self.kind {
            QuestionKind::ThresholdBit { .. } => true,
            _ => metric.cells.ordered(),
        }
    }
}

/// Cells at or below a threshold that is an edge of numeric cells, and cells that hold a value.
pub(super) fn cells_at_edge(threshold: f64, cells: &Cells) -> Option<(usize, usize)> {
    let CellKind::Numeric { edges } = &cells.kind else { return None };
    let edge = edges.iter().position(|edge| *edge == threshold)?;
    Some((edge + 1, edges.len() + 1))
}
