//! The confusion matrix under noise, and the figures that are read from it.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | C_ij | `pairs` | share of (prediction i, outcome j) among the outcomes that arrived |
//! | π_j | `base_rate` | share of outcome j: column sum |
//! | ρ_i | `predicted_share` | share of prediction i: row sum |
//!
//! Accuracy = Σ C_ii; precision of i = C_ii/ρ_i; recall = C_ii/π_i; F1 = 2C_ii/(ρ_i + π_i); false-positive rate =
//! (ρ_i − C_ii)/(1 − π_i); balanced accuracy = mean recall (Brodersen et al., "The balanced accuracy and its posterior
//! distribution", ICPR 2010). The shares are de-biased and the noise of the channel is in their covariance, so each
//! standard error, by the delta method, is of both noise and sample.
//!
//! **Delayed outcomes.** A pair is counted in the window in which its outcome *arrived*, as devices forget a window
//! when it ends; predictions wait at most `horizon_secs`. So a window's matrix is about outcomes, not about
//! predictions, of that window, and it never changes after the window is closed. Two figures stand beside it: the
//! [`coverage`], and, for outcomes whose delay depends on what they are, [`Confusion::reweighted`].
//!
//! | When | The matrix of arrivals is | So |
//! | --- | --- | --- |
//! | delay independent of prediction and outcome | that of the predictions, some delays ago | read it as it is |
//! | it depends on the outcome; all is steady | the same: early ones of today stand for those missing | read it so |
//! | it depends on the outcome; the model began D ago | short of the slow ones | reweight by P\[delay ≤ D\], if known |
//! | outcomes of some predictions never come | about those that do come | coverage says how many; no weight mends it |
//!
//! **Limits.** The coverage compares shares of devices, not of events: a device with 100 predictions and one outcome
//! counts as covered.

use super::delta::{Smooth, joined};
use super::{PairCells, Refused};
use crate::estimate::{Estimate, Scalar};

/// The least share of an outcome's arrivals that [`Confusion::reweighted`] divides by.
pub const LEAST_COMPLETENESS: f64 = 0.2;

/// A square table of prediction × outcome, cell i of both meaning the same class.
#[derive(Debug, Clone, PartialEq)]
pub struct Confusion {
    pairs: PairCells,
}

impl Confusion {
    /// The matrix of these pairs.
    ///
    /// # Errors
    ///
    /// [`Refused::Shape`] when predictions and outcomes have different numbers of cells.
    pub fn new(pairs: PairCells) -> Result<Self, Refused> {
        if pairs.rows() == pairs.columns() {
            Ok(Self { pairs })
        } else {
            Err(Refused::Shape { found: pairs.columns(), expected: pairs.rows() })
        }
    }

    /// The joint shares.
    #[must_use]
    pub fn pairs(&self) -> &PairCells {
        &self.pairs
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.pairs.rows()
    }

    /// Share of right predictions.
    #[must_use]
    pub fn accuracy(&self) -> Scalar {
        let joint = self.pairs.joint();
        let diagonal = (0..self.classes()).map(|class| self.pairs.cell(class, class));
        Smooth::sum(joint, diagonal).scalar(&joint.covariance)
    }

    /// π_j: share of an outcome.
    #[must_use]
    pub fn base_rate(&self, class: usize) -> Scalar {
        self.scalar(&self.pairs.column(class))
    }

    /// ρ_i: share of a prediction.
    #[must_use]
    pub fn predicted_share(&self, class: usize) -> Scalar {
        self.scalar(&self.pairs.row(class))
    }

    /// Share of the outcome among predictions of the class.
    ///
    /// # Errors
    ///
    /// [`Refused::TooFew`] when the class is hardly predicted.
    pub fn precision(&self, class: usize) -> Result<Scalar, Refused> {
        self.quotient(&self.pairs.pair(class, class), &self.pairs.row(class))
    }

    /// Share of the prediction among outcomes of the class: the true-positive rate.
    ///
    /// # Errors
    ///
    /// [`Refused::TooFew`] when the outcome hardly occurs.
    pub fn recall(&self, class: usize) -> Result<Scalar, Refused> {
        self.quotient(&self.pairs.pair(class, class), &self.pairs.column(class))
    }

    /// Harmonic mean of precision and recall.
    ///
    /// # Errors
    ///
    /// [`Refused::TooFew`] when the class hardly occurs on either side.
    pub fn f1(&self, class: usize) -> Result<Scalar, Refused> {
        let both = self.pairs.row(class).plus(&self.pairs.column(class));
        self.quotient(&self.pairs.pair(class, class).affine(2.0, 0.0), &both)
    }

    /// Share of predictions of the class among all other outcomes.
    ///
    /// # Errors
    ///
    /// [`Refused::TooFew`] when there is hardly any other outcome.
    pub fn false_positive_rate(&self, class: usize) -> Result<Scalar, Refused> {
        let wrong = self.pairs.row(class).plus(&self.pairs.pair(class, class).affine(-1.0, 0.0));
        self.quotient(&wrong, &self.pairs.column(class).affine(-1.0, 1.0))
    }

    /// Mean of the classes' recalls.
    ///
    /// # Errors
    ///
    /// [`Refused::TooFew`] when an outcome hardly occurs.
    pub fn balanced_accuracy(&self) -> Result<Scalar, Refused> {
        let covariance = &self.pairs.joint().covariance;
        let mut sum = Smooth::linear(self.pairs.joint(), []);
        for class in 0..self.classes() {
            sum = sum.plus(&self.pairs.pair(class, class).over(&self.pairs.column(class), covariance)?);
        }
        Ok(self.scalar(&sum.affine(1.0 / self.classes() as f64, 0.0)))
    }

    /// The matrix that all outcomes would give, when of outcome j the share `completeness[j]` has arrived, the same for
    /// every prediction: C_ij / completeness_j, made to sum to 1. Horvitz and Thompson's weights ("A generalization of
    /// sampling without replacement from a finite universe", JASA 47, 1952), taken as known.
    ///
    /// # Errors
    ///
    /// [`Refused::Shape`] without one completeness a class; [`Refused::Incomplete`] for one that is not from
    /// [`LEAST_COMPLETENESS`] to 1; [`Refused::TooFew`] when the weighted sum may be 0.
    pub fn reweighted(&self, completeness: &[f64]) -> Result<Self, Refused> {
        let (classes, found) = (self.classes(), completeness.len());
        if found != classes {
            return Err(Refused::Shape { found, expected: classes });
        }
        let least = LEAST_COMPLETENESS;
        if let Some(completeness) = completeness.iter().copied().find(|share| !(least..=1.0).contains(share)) {
            return Err(Refused::Incomplete { completeness, least });
        }
        let joint = self.pairs.joint();
        let weight = |cell: usize| (cell, 1.0 / completeness[cell % classes]);
        let total = Smooth::linear(joint, (0..classes * classes).map(weight));
        let part = |cell| Smooth::linear(joint, [weight(cell)]).over(&total, &joint.covariance);
        let parts: Vec<Smooth> = (0..classes * classes).map(part).collect::<Result<_, _>>()?;
        let slopes = Estimate { shares: vec![0.0; parts.len()], covariance: joint.covariance.clone() };
        let rows: Vec<Vec<f64>> = parts.iter().map(|part| part.gradient.clone()).collect();
        let covariance = super::delta::mapped(&slopes, &rows).covariance;
        let shares = parts.iter().map(|part| part.value).collect();
        Self::new(PairCells::new(&Estimate { shares, covariance }, classes, classes)?)
    }

    fn quotient(&self, numerator: &Smooth, denominator: &Smooth) -> Result<Scalar, Refused> {
        Ok(self.scalar(&numerator.over(denominator, &self.pairs.joint().covariance)?))
    }

    fn scalar(&self, smooth: &Smooth) -> Scalar {
        smooth.scalar(&self.pairs.joint().covariance)
    }
}

/// Share of devices with an outcome in the window, of those with a prediction: (1 − f of "no data" of the question
/// about pairs) over that of the question about predictions. The two are answered by different devices. May exceed 1 by
/// noise, and when outcomes of earlier windows arrive in this one.
///
/// # Errors
///
/// [`Refused::TooFew`] when hardly a device has a prediction, or one estimate is empty.
pub fn coverage(pairs: &Estimate, predictions: &Estimate) -> Result<Scalar, Refused> {
    let all = joined(pairs, predictions);
    let (first, size) = (pairs.shares.len(), all.shares.len());
    if first == 0 || size == first {
        return Err(Refused::TooFew);
    }
    let with_data = |no_data: usize| Smooth::sum(&all, [no_data]).affine(-1.0, 1.0);
    Ok(with_data(first - 1).over(&with_data(size - 1), &all.covariance)?.scalar(&all.covariance))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows are predictions: 50 + 10 of class 0, 5 + 35 of class 1.
    fn table() -> Confusion {
        Confusion::new(PairCells::of_counts(&[50, 10, 5, 35], 2, 2).expect("a table")).expect("square")
    }

    fn check(found: Scalar, expected: f64, standard_error: f64) {
        assert!((found.value - expected).abs() < 1e-14, "{} is not {expected}", found.value);
        let relative = found.standard_error / standard_error - 1.0;
        assert!(relative.abs() < 1e-10, "{} is not {standard_error}", found.standard_error);
    }

    /// Rates of a sample without noise have the standard error √(p(1 − p)/m) over the m devices that they are about.
    #[test]
    fn figures_of_a_known_table() {
        let binomial = |p: f64, m: f64| (p * (1.0 - p) / m).sqrt();
        let table = table();
        check(table.accuracy(), 0.85, binomial(0.85, 100.0));
        check(table.base_rate(1), 0.45, binomial(0.45, 100.0));
        check(table.predicted_share(0), 0.6, binomial(0.6, 100.0));
        check(table.precision(1).expect("enough"), 35.0 / 40.0, binomial(35.0 / 40.0, 40.0));
        check(table.recall(1).expect("enough"), 35.0 / 45.0, binomial(35.0 / 45.0, 45.0));
        check(table.false_positive_rate(1).expect("enough"), 5.0 / 55.0, binomial(5.0 / 55.0, 55.0));
        let recalls = [(50.0 / 55.0, 55.0), (35.0 / 45.0, 45.0)];
        let both: f64 = recalls.iter().map(|(p, m)| binomial(*p, *m).powi(2)).sum();
        let mean = (recalls[0].0 + recalls[1].0) / 2.0;
        check(table.balanced_accuracy().expect("enough"), mean, both.sqrt() / 2.0);
        // F1 = 2t/(2t + w) with t of 100 right and w wrong beside it: ∇ = (2w, −2t)/(2t + w)².
        let (t, w) = (0.35_f64, 0.15_f64);
        let (by_t, by_w) = (2.0 * w / (2.0 * t + w).powi(2), -2.0 * t / (2.0 * t + w).powi(2));
        let variance = by_t * by_t * t * (1.0 - t) + by_w * by_w * w * (1.0 - w) - 2.0 * by_t * by_w * t * w;
        check(table.f1(1).expect("enough"), 70.0 / 85.0, (variance / 100.0).sqrt());
    }

    #[test]
    fn what_does_not_occur_has_no_rate() {
        let table = Confusion::new(PairCells::of_counts(&[60, 40, 0, 0], 2, 2).expect("a table")).expect("square");
        assert_eq!(table.precision(1), Err(Refused::TooFew));
        assert!(table.recall(1).is_ok() && table.f1(1).is_ok());
        assert!(Confusion::new(PairCells::of_counts(&[1; 6], 2, 3).expect("a table")).is_err());
    }

    /// Of outcome 1 half has arrived: with twice its weight the table is 50, 20, 5, 70 of 145.
    #[test]
    fn slow_outcomes_are_weighted_up() {
        let weighted = table().reweighted(&[1.0, 0.5]).expect("complete enough");
        for (found, expected) in weighted.pairs().joint().shares.iter().zip([50.0, 20.0, 5.0, 70.0]) {
            assert!((found - expected / 145.0).abs() < 1e-14);
        }
        let (recall, before) = (weighted.recall(1).expect("enough"), table().recall(1).expect("enough"));
        check(recall, before.value, before.standard_error);
        assert_eq!(table().reweighted(&[1.0, 1.0]).expect("complete").accuracy().value, 0.85);
        let refused = Err(Refused::Incomplete { completeness: 0.1, least: LEAST_COMPLETENESS });
        assert_eq!(table().reweighted(&[0.1, 1.0]), refused);
        assert!(table().reweighted(&[f64::NAN, 1.0]).is_err() && table().reweighted(&[1.0]).is_err());
    }

    #[test]
    fn coverage_is_a_ratio_of_two_questions() {
        let of = |counts: &[u64]| PairCells::of_counts(counts, counts.len(), 1).expect("a table").joint().clone();
        let found = coverage(&of(&[10, 10, 5, 15, 60]), &of(&[50, 30, 20])).expect("enough");
        assert!((found.value - 0.5).abs() < 1e-14);
        let (a, b): (f64, f64) = (0.4 * 0.6 / 100.0, 0.8 * 0.2 / 100.0);
        assert!((found.standard_error - (a / 0.64 + 0.25 * b / 0.64).sqrt()).abs() < 1e-14);
        assert_eq!(coverage(&of(&[1, 1]), &of(&[0, 100])), Err(Refused::TooFew));
    }
}
