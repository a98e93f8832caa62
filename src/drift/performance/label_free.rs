//! Accuracy without labels: what a calibration that was fitted on the reference says about the scores of today.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | b | `bin` | cell of the score, or of the confidence |
//! | s_b | `current` | share of the cell today, private |
//! | C_by | `reference` | share of (cell b, label y) in the reference, private or the operator's own; y = 1 positive |
//! | c_b | `rate` | P\[y = 1 given b\] = C_b1/(C_b0 + C_b1) |
//! | P | `predicted` | the cells whose prediction is positive |
//!
//! The idea is that of confidence-based performance estimation (CBPE; NannyML's documentation, "Performance estimation
//! deep dive"; Kivimäki et al., "Confidence-based estimators for predictive performance in model monitoring", JAIR 82,
//! 2025), on cells instead of rows: under a calibrated score a cell of P is right with probability c_b and any other
//! with 1 − c_b, so
//!
//! - true positives TP = Σ_{b∈P} s_b c_b, false positives Σ_{b∈P} s_b (1 − c_b), and so on;
//! - accuracy = Σ_{b∈P} s_b c_b + Σ_{b∉P} s_b (1 − c_b); precision = TP / Σ_{b∈P} s_b; recall = TP / Σ s_b c_b;
//! - ROC AUC = Σ_b s_b c_b (Σ_{a<b} s_a (1 − c_a) + ½ s_b (1 − c_b)) / (Σ s_b c_b · Σ s_b (1 − c_b)).
//!
//! Standard errors are those of the delta method over s and C together, noise and finite samples of both inside. With
//! cells of confidence × correct, c_b is the rate of right answers and [`expected_rate`] the accuracy, for any number
//! of classes.
//!
//! **Pooling.** A cell whose share in the reference cannot be told from 0 takes the rate of its neighbours, as if they
//! were one cell. [`Shape::Increasing`] also pools neighbours whose rates decrease (isotonic regression by pool
//! adjacent violators; Barlow et al., "Statistical Inference under Order Restrictions", 1972, section 1.2), weighted by
//! share. The standard errors take the pools as given.
//!
//! **Does not hold when** P\[y given score\] changed (concept shift): no private or public histogram of scores can see
//! that. [`drift_of_calibration`](super::calibration::drift_of_calibration) tests it as labels arrive. Within a cell
//! the mix of scores is taken to be that of the reference; AUC counts pairs within a cell as one half, so it lies
//! nearer to ½ than that of exact scores.

use super::delta::{Smooth, joined};
use super::{MIN_STANDARD_ERRORS, PairCells, Refused};
use crate::estimate::{Estimate, Scalar};

/// What is known about the rates beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Nothing.
    Free,
    /// They do not decrease from cell to cell, as those of a score do that is any good.
    Increasing,
}

/// Rates of the positive label by cell of the score, from the reference.
#[derive(Debug, Clone)]
pub struct CalibrationMap {
    reference: PairCells,
    /// For each cell the cells that it shares its rate with, first and one past the last.
    pools: Vec<(usize, usize)>,
}

/// Figures of a binary classifier, without a label of today.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelFree {
    /// Share of right predictions.
    pub accuracy: Scalar,
    /// Share of positive labels.
    pub base_rate: Scalar,
    /// Share of positive labels among positive predictions.
    pub precision: Result<Scalar, Refused>,
    /// Share of positive predictions among positive labels.
    pub recall: Result<Scalar, Refused>,
    /// Probability that a positive has a higher score than a negative, half of the ties included.
    pub roc_auc: Result<Scalar, Refused>,
}

impl CalibrationMap {
    /// Fits the rates to a reference with the columns "negative, positive" (or "wrong, right").
    ///
    /// # Errors
    ///
    /// [`Refused::Shape`] when there are not two columns; [`Refused::TooFew`] when no cell has a share above 0.
    pub fn fit(reference: PairCells, shape: Shape) -> Result<Self, Refused> {
        let bins = reference.rows();
        if reference.columns() != 2 {
            return Err(Refused::Shape { found: reference.columns(), expected: 2 });
        }
        let mut map = Self { reference, pools: Vec::new() };
        let mut pools: Vec<(usize, usize)> = Vec::new();
        let mut start = 0;
        for bin in 0..bins {
            if map.is_resolved(start, bin + 1) {
                pools.push((start, bin + 1));
                start = bin + 1;
            }
        }
        // What is left at the end belongs to the last pool.
        pools.last_mut().ok_or(Refused::TooFew)?.1 = bins;
        if shape == Shape::Increasing {
            pools = map.without_violators(&pools)?;
        }
        map.pools = pools.iter().flat_map(|pool| core::iter::repeat_n(*pool, pool.1 - pool.0)).collect();
        Ok(map)
    }

    /// Number of cells of the score.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.reference.rows()
    }

    /// The reference.
    #[must_use]
    pub fn reference(&self) -> &PairCells {
        &self.reference
    }

    /// c_b, the rate of the positive label in a cell.
    ///
    /// # Errors
    ///
    /// None for a fitted map; the quotient is typed as one that may be refused.
    pub fn rate(&self, bin: usize) -> Result<Scalar, Refused> {
        let rate = self.rate_among(self.reference.joint(), 0, self.pools[bin])?;
        Ok(rate.scalar(&self.reference.joint().covariance))
    }

    /// The rate of a pool as a function of shares of which those of the reference begin at `offset`.
    fn rate_among(&self, all: &Estimate, offset: usize, pool: (usize, usize)) -> Result<Smooth, Refused> {
        let positive = Smooth::sum(all, (pool.0..pool.1).map(|bin| offset + 2 * bin + 1));
        let both = Smooth::sum(all, offset + 2 * pool.0..offset + 2 * pool.1);
        positive.over(&both, &all.covariance)
    }

    fn is_resolved(&self, start: usize, end: usize) -> bool {
        let joint = self.reference.joint();
        let share = Smooth::sum(joint, 2 * start..2 * end).scalar(&joint.covariance);
        share.value > MIN_STANDARD_ERRORS * share.standard_error
    }

    fn without_violators(&self, pools: &[(usize, usize)]) -> Result<Vec<(usize, usize)>, Refused> {
        let rate = |pool: (usize, usize)| Ok::<_, Refused>(self.rate_among(self.reference.joint(), 0, pool)?.value);
        let mut kept: Vec<(usize, usize)> = Vec::new();
        for pool in pools {
            let mut pool = *pool;
            while let Some(before) = kept.last().copied() {
                if rate(before)? <= rate(pool)? {
                    break;
                }
                pool.0 = before.0;
                kept.pop();
            }
            kept.push(pool);
        }
        Ok(kept)
    }
}

/// The figures of today, from shares of the score's cells; `predicted` says of each cell whether its prediction is
/// positive.
///
/// # Errors
///
/// [`Refused::Shape`] when there is not one share and one prediction for each cell of the map.
pub fn label_free(map: &CalibrationMap, current: &Estimate, predicted: &[bool]) -> Result<LabelFree, Refused> {
    let bins = map.bins();
    if predicted.len() != bins {
        return Err(Refused::Shape { found: predicted.len(), expected: bins });
    }
    let Parts { all, positive, negative } = Parts::of(map, current)?;
    let sum = |of: &[Smooth], wanted: &dyn Fn(usize) -> bool| {
        let none = Smooth::linear(&all, []);
        (0..bins).filter(|bin| wanted(*bin)).fold(none, |sum, bin| sum.plus(&of[bin]))
    };
    let yes = |bin: usize| predicted[bin];
    let (positives, negatives) = (sum(&positive, &|_| true), sum(&negative, &|_| true));
    let true_positives = sum(&positive, &yes);
    let accuracy = true_positives.plus(&sum(&negative, &|bin| !yes(bin)));
    let called = true_positives.plus(&sum(&negative, &yes));
    let mut below = Smooth::linear(&all, []);
    let mut pairs = Smooth::linear(&all, []);
    for bin in 0..bins {
        pairs = pairs.plus(&positive[bin].times(&below.plus(&negative[bin].affine(0.5, 0.0))));
        below = below.plus(&negative[bin]);
    }
    let quotient = |numerator: &Smooth, denominator: &Smooth| {
        Ok(numerator.over(denominator, &all.covariance)?.scalar(&all.covariance))
    };
    Ok(LabelFree {
        accuracy: accuracy.scalar(&all.covariance),
        base_rate: positives.scalar(&all.covariance),
        precision: quotient(&true_positives, &called),
        recall: quotient(&true_positives, &positives),
        roc_auc: pairs
            .over(&positives, &all.covariance)
            .and_then(|over| over.over(&negatives, &all.covariance))
            .map(|area| area.scalar(&all.covariance)),
    })
}

/// Σ s_b c_b: the expected share of the second column's label today. The accuracy, when that is "right".
///
/// # Errors
///
/// [`Refused::Shape`] when there is not one share for each cell of the map.
pub fn expected_rate(map: &CalibrationMap, current: &Estimate) -> Result<Scalar, Refused> {
    let Parts { all, positive, .. } = Parts::of(map, current)?;
    let sum = positive.iter().fold(Smooth::linear(&all, []), |sum, part| sum.plus(part));
    Ok(sum.scalar(&all.covariance))
}

/// s_b c_b and s_b (1 − c_b) for each cell, as functions of the shares of both.
struct Parts {
    all: Estimate,
    positive: Vec<Smooth>,
    negative: Vec<Smooth>,
}

impl Parts {
    fn of(map: &CalibrationMap, current: &Estimate) -> Result<Self, Refused> {
        let bins = map.bins();
        if current.shares.len() != bins {
            return Err(Refused::Shape { found: current.shares.len(), expected: bins });
        }
        let all = joined(&current.sum_to_one(), map.reference.joint());
        let (mut positive, mut negative) = (Vec::with_capacity(bins), Vec::with_capacity(bins));
        for bin in 0..bins {
            let rate = map.rate_among(&all, bins, map.pools[bin])?;
            let share = Smooth::sum(&all, [bin]);
            positive.push(share.times(&rate));
            negative.push(share.times(&rate.affine(-1.0, 1.0)));
        }
        Ok(Self { all, positive, negative })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference() -> CalibrationMap {
        let counts = [90, 10, 60, 40, 40, 60, 10, 190];
        CalibrationMap::fit(PairCells::of_counts(&counts, 4, 2).expect("a table"), Shape::Free).expect("a map")
    }

    fn shares(counts: &[u64]) -> Estimate {
        PairCells::of_counts(counts, counts.len(), 1).expect("a table").joint().clone()
    }

    fn close(found: Scalar, expected: f64) {
        assert!((found.value - expected).abs() < 1e-14, "{} is not {expected}", found.value);
        assert!(found.standard_error > 0.0);
    }

    /// Today's shares are 0.4, 0.3, 0.2 and 0.1; the rates 0.1, 0.4, 0.6 and 0.95.
    #[test]
    fn figures_by_hand() {
        let found =
            label_free(&reference(), &shares(&[400, 300, 200, 100]), &[false, false, true, true]).expect("fits");
        close(found.accuracy, 0.4 * 0.9 + 0.3 * 0.6 + 0.2 * 0.6 + 0.1 * 0.95);
        let (positives, true_positives) = (0.04 + 0.12 + 0.12 + 0.095, 0.12 + 0.095);
        close(found.base_rate, positives);
        close(found.precision.expect("enough"), true_positives / 0.3);
        close(found.recall.expect("enough"), true_positives / positives);
        let area = 0.04 * 0.18 + 0.12 * (0.36 + 0.09) + 0.12 * (0.54 + 0.04) + 0.095 * (0.62 + 0.0025);
        close(found.roc_auc.expect("enough"), area / (positives * (1.0 - positives)));
        close(expected_rate(&reference(), &shares(&[400, 300, 200, 100])).expect("fits"), positives);
    }

    /// The variance of Σ s_b r_b with both sides multinomial, in closed form: Var_s(r)/n + Σ s_b² r_b (1 − r_b)/n_b.
    #[test]
    fn the_standard_error_has_both_sides() {
        let (share, right) = ([0.4, 0.3, 0.2, 0.1], [0.9, 0.6, 0.6, 0.95]);
        let mean: f64 = share.iter().zip(right).map(|(s, r)| s * r).sum();
        let spread: f64 = share.iter().zip(right).map(|(s, r)| s * (r - mean) * (r - mean)).sum::<f64>() / 1_000.0;
        let sizes = [100.0, 100.0, 100.0, 200.0];
        let fit: f64 = (0..4).map(|b| share[b] * share[b] * right[b] * (1.0 - right[b]) / sizes[b]).sum();
        let found =
            label_free(&reference(), &shares(&[400, 300, 200, 100]), &[false, false, true, true]).expect("fits");
        let expected = (spread + fit).sqrt();
        assert!((found.accuracy.standard_error / expected - 1.0).abs() < 1e-10);
    }

    #[test]
    fn cells_without_data_take_their_neighbours_rate() {
        let map = |counts: &[u64], shape| {
            let pairs = PairCells::of_counts(counts, counts.len() / 2, 2).expect("a table");
            CalibrationMap::fit(pairs, shape).expect("a map")
        };
        let rates = |map: CalibrationMap| -> Vec<f64> {
            (0..map.bins()).map(|bin| map.rate(bin).expect("a rate").value).collect()
        };
        let close = |found: Vec<f64>, expected: &[f64]| {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-14), "{found:?}");
        };
        close(rates(map(&[0, 0, 80, 20, 50, 50, 1, 0], Shape::Free)), &[0.2, 0.2, 50.0 / 101.0, 50.0 / 101.0]);
        close(rates(map(&[80, 20, 50, 50, 60, 40], Shape::Increasing)), &[0.2, 0.45, 0.45]);
    }

    #[test]
    fn parts_must_fit() {
        let refused = Err(Refused::Shape { found: 3, expected: 4 });
        assert_eq!(label_free(&reference(), &shares(&[1, 1, 1]), &[true; 4]), refused);
        assert_eq!(label_free(&reference(), &shares(&[1, 1, 1, 1]), &[true; 3]), refused);
        let three = PairCells::of_counts(&[1; 6], 2, 3).expect("a table");
        assert!(CalibrationMap::fit(three, Shape::Free).is_err());
    }
}
