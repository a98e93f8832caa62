//! What is known of a question whose answers are not shares, in one span of windows.
//!
//! Such a question is compared with the windows before the span, at most [`MAX_REFERENCE_WINDOWS`] of them: they are the same fleet under the same noise, and enter with their own
//! uncertainty.

use driftglass::aggregate::Aggregate;
use driftglass::drift::anchored_test;
use driftglass::spec::{Metric, Question, QuestionKind};
use serde::Serialize;

/// Most windows that the current ones are compared with.
pub const MAX_REFERENCE_WINDOWS: usize = 60;

/// Most cells that are named as moved.
const NAMED_CELLS: usize = 5;

/// A figure that fits the kind of the question.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Figure {
    /// Whether the distribution moved; which cells moved most.
    AnchoredBit {
        /// On average `df` if nothing changed.
        statistic: f64,
        /// Effective degrees of freedom.
        df: f64,
        /// Probability of a statistic this large if nothing changed.
        p_value: f64,
        /// The cells that moved most, with their scores in standard errors.
        moved: Vec<MovedCell>,
    },
}

/// A cell that gained or lost.
#[derive(Debug, Serialize)]
pub struct MovedCell {
    cell: String,
    score: f64,
}

impl Figure {
    /// The figure of a span, compared with the windows before it. `None` for questions that have shares, and when there is nothing to compare.
    #[must_use]
    pub fn of(question: &Question, metric: &Metric, span: &Aggregate, before: &Aggregate) -> Option<Self> {
        let weights = question.randomizer.weights;
        match &question.kind {
            QuestionKind::AnchoredBit { baseline } => {
                let [now, then] = [span, before].map(Aggregate::counters);
                let comparable = !now.is_empty() && now.len() == then.len();
                let test = comparable
                    .then(|| anchored_test(now, then, baseline, weights.of_true, weights.of_false))
                    .flatten()?;
                let labels = metric.cells.labels();
                let moved = |score: &driftglass::drift::CellScore| MovedCell {
                    cell: labels[score.cell].clone(),
                    score: score.score,
                };
                Some(Self::AnchoredBit {
                    statistic: test.statistic,
                    df: test.df,
                    p_value: test.p_value,
                    moved: test.cells.iter().take(NAMED_CELLS).map(moved).collect(),
                })
            }
            _ => None,
        }
    }

    /// `drift` at this error probability, or `inconclusive`: a test of no change never shows that nothing changed.
    #[must_use]
    pub fn verdict(&self, level: f64) -> &'static str {
        let Self::AnchoredBit { p_value, .. } = self;
        if *p_value <= level { "drift" } else { "inconclusive" }
    }
}
