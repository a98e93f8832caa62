//! What is known of a question whose answers are not shares, in one span of windows.
//!
//! Such a question is compared with the windows before the span, at most [`MAX_REFERENCE_WINDOWS`] of them: they are the
//! same fleet under the same noise, and enter with their own uncertainty.

use driftglass::aggregate::Aggregate;
use driftglass::drift::anchored_test;
use driftglass::estimate::{CountLaw, MeanLaw, Scalar};
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
    /// The mean number of the cells that events fall into, from 0.
    Mean(Level),
    /// The mean number of events above the threshold.
    EventCount(Level),
}

/// A cell that gained or lost.
#[derive(Debug, Serialize)]
pub struct MovedCell {
    cell: String,
    score: f64,
}

/// A mean over devices, with intervals at the error probability of the spec.
#[derive(Debug, Serialize)]
pub struct Level {
    now: Bounds,
    before: Option<Bounds>,
    shift: Option<Bounds>,
    /// What the smallest effect that matters is a share of.
    range: f64,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Bounds {
    estimate: f64,
    lower: f64,
    upper: f64,
}

impl Figure {
    /// The figure of a span, compared with the windows before it, with intervals that err with probability `level`. `None`
    /// for questions that have shares or words, and when there is nothing to say.
    #[must_use]
    pub fn of(question: &Question, metric: &Metric, span: &Aggregate, before: &Aggregate, level: f64) -> Option<Self> {
        let (randomizer, domain_size) = (&question.randomizer, question.domain_size);
        // Without reports there are no counters.
        let [now, then] = [span, before].map(|sum| Some(sum.counters()).filter(|counters| !counters.is_empty()));
        let of = |mean: &dyn Fn(&[u64]) -> Option<Scalar>| {
            Some(Level::of(mean(now?)?, then.and_then(mean), domain_size, level))
        };
        match &question.kind {
            QuestionKind::SampledEvent | QuestionKind::ThresholdBit { .. } | QuestionKind::OpenVocabulary => None,
            QuestionKind::AnchoredBit { baseline } => {
                let weights = randomizer.weights;
                let test = anchored_test(now?, then?, baseline, weights.of_true, weights.of_false)?;
                let labels = metric.cells.labels();
                let cells = test.cells.iter().take(NAMED_CELLS);
                let moved = cells.map(|cell| MovedCell { cell: labels[cell.cell].clone(), score: cell.score });
                Some(Self::AnchoredBit {
                    statistic: test.statistic,
                    df: test.df,
                    p_value: test.p_value,
                    moved: moved.collect(),
                })
            }
            QuestionKind::Mean => {
                let law = MeanLaw::of(randomizer, domain_size)?;
                of(&|counters| Some(law.estimate(counters)?.places)).map(Self::Mean)
            }
            QuestionKind::EventCount { .. } => {
                let law = CountLaw::of(randomizer, domain_size)?;
                of(&|counters| law.estimate(counters)).map(Self::EventCount)
            }
        }
    }

    /// `drift` where there is evidence at this error probability, for a level also of a shift above `delta` of its range; `stable`
    /// where a shift is shown to be smaller. The test of anchored bits never shows that nothing changed.
    #[must_use]
    pub fn verdict(&self, level: f64, delta: f64) -> &'static str {
        match self {
            Self::AnchoredBit { p_value, .. } if *p_value <= level => "drift",
            Self::AnchoredBit { .. } => "inconclusive",
            Self::Mean(figure) | Self::EventCount(figure) => figure.verdict(delta),
        }
    }
}

impl Level {
    fn of(now: Scalar, before: Option<Scalar>, domain_size: usize, level: f64) -> Self {
        let bounds = |scalar: Scalar| {
            let interval = scalar.interval(1.0 - level);
            Bounds { estimate: scalar.value, lower: interval.lower, upper: interval.upper }
        };
        let shift = |before: Scalar| Scalar {
            value: now.value - before.value,
            standard_error: f64::hypot(now.standard_error, before.standard_error),
        };
        Self {
            now: bounds(now),
            before: before.map(bounds),
            shift: before.map(shift).map(bounds),
            range: domain_size as f64 - 1.0,
        }
    }

    fn verdict(&self, delta: f64) -> &'static str {
        let Some(shift) = self.shift else { return "waiting" };
        let matters = delta * self.range;
        if shift.lower > matters || shift.upper < -matters {
            "drift"
        } else if shift.lower >= -matters && shift.upper <= matters {
            "stable"
        } else {
            "inconclusive"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(now: f64, before: Option<f64>, expected: &str) {
        let scalar = |value| Scalar { value, standard_error: 0.1 };
        // Intervals of ± 2.58 · 0.14 = 0.36; a shift of 0.1 · 10 = 1 matters.
        let level = Level::of(scalar(now), before.map(scalar), 11, 0.01);
        assert_eq!(level.verdict(0.1), expected, "{now} after {before:?}");
    }

    #[test]
    fn a_level_is_judged_by_its_shift() {
        check(5.0, None, "waiting");
        check(5.0, Some(5.5), "stable");
        check(5.0, Some(6.1), "inconclusive");
        check(5.0, Some(6.5), "drift");
        check(6.5, Some(5.0), "drift");
    }
}
