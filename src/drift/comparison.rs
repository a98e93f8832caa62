//! The difference of two samples of reports with its covariance if nothing changed.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | n₁, n₂ | `reports` | reports of the reference and of the current sample |
//! | c_j | `support` | reports that support symbol j |
//! | h₁, h₂ | | de-biased shares of both |
//! | f | [`Comparison::shares`] | shares if nothing changed: pooled, clipped and renormalized, or the known ones |
//! | S(f) | | covariance of one report's de-biased support |
//! | d | [`Comparison::difference`] | h₂ − h₁, made to sum to 0 |
//! | Σ | [`Comparison::covariance`] | S(f)(1/n₁ + 1/n₂), or S(f)/n₂ for known shares |
//! | m_j | | q + (p−q) f_j, the share of reports that support j |
//! | e_j | [`Comparison::expected`] | supports expected in the smaller sample, n m_j |
//! | κ_j | [`Comparison::third_cumulant`] | m(1−m)(1−2m)(1/n₂² − 1/n₁²)/(p−q)³: the third cumulant of d_j |
//!
//! Source: Gaboardi and Rogers, "Local private hypothesis testing: chi-square tests", ICML 2018. Pooling matters: at
//! the shares of either sample alone Σ would be small just where that sample came out small, and the test would
//! reject too often. The pooled shares are independent of d if nothing changed (to first order), so what is chosen by
//! them — which cells to merge, which scores to use — costs no level. The third cumulant is that of the binomial
//! support before the difference is made to sum to 0, and also that of d given the pooled support (hypergeometric, to
//! the same order).
//!
//! **Cost** O(k²). **Does not hold when** one device is in a sample more than once: then compare [`DeviceMoments`].
//!
//! [`DeviceMoments`]: super::DeviceMoments

use crate::estimate::{Channel, Estimate, Matrix, clipped, constrained};

/// Sums of reports: how many, and how many support each symbol.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// n > 0.
    pub reports: u64,
    /// c, one per symbol.
    pub support: &'a [u64],
}

/// What two samples differ by.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// d, one per cell; sums to 0.
    pub difference: Vec<f64>,
    /// Σ; its rows sum to 0.
    pub covariance: Matrix,
    /// f, one per cell; sums to 1.
    pub shares: Vec<f64>,
    /// e, one per cell: what says whether the normal law holds in it.
    pub expected: Vec<f64>,
    /// κ, one per cell: how skewed its difference is; 0 where it is not known.
    pub third_cumulant: Vec<f64>,
}

impl Comparison {
    /// Two samples of one channel, both of them noisy. `None` when either has no report or the support of another
    /// number of symbols.
    #[must_use]
    pub fn of_samples(channel: &Channel, current: Sample<'_>, reference: Sample<'_>) -> Option<Self> {
        let now = channel.shares(current.reports, current.support)?;
        let then = channel.shares(reference.reports, reference.support)?;
        let sums: Vec<u64> = current.support.iter().zip(reference.support).map(|(a, b)| a + b).collect();
        let shares = clipped(&channel.shares(current.reports + reference.reports, &sums)?);
        let difference: Vec<f64> = now.iter().zip(&then).map(|(now, then)| now - then).collect();
        let (n1, n2) = (reference.reports as f64, current.reports as f64);
        let covariance = channel.covariance(&shares, n1 * n2 / (n1 + n2));
        let cumulant = third_cumulant(channel, &shares, 1.0 / (n2 * n2) - 1.0 / (n1 * n1));
        Some(Self::new(&difference, &covariance, expected(channel, &shares, n1.min(n2)), cumulant, shares))
    }

    /// A sample against shares that are known without error; they sum to 1. `None` as above.
    #[must_use]
    pub fn with_known(channel: &Channel, current: Sample<'_>, shares: &[f64]) -> Option<Self> {
        let now = channel.shares(current.reports, current.support).filter(|now| now.len() == shares.len())?;
        let difference: Vec<f64> = now.iter().zip(shares).map(|(now, then)| now - then).collect();
        let n = current.reports as f64;
        let covariance = channel.covariance(shares, n);
        let cumulant = third_cumulant(channel, shares, 1.0 / (n * n));
        Some(Self::new(&difference, &covariance, expected(channel, shares, n), cumulant, shares.to_vec()))
    }

    /// Two estimates with covariances of their own. `weights` say how much each counts in the pooled shares — their
    /// numbers of devices — and `expected` how many supports each cell has in the smaller one. `None` when they have
    /// different numbers of cells.
    #[must_use]
    pub fn of_estimates(
        current: &Estimate,
        reference: &Estimate,
        weights: [f64; 2],
        expected: Vec<f64>,
    ) -> Option<Self> {
        let k = current.shares.len();
        if reference.shares.len() != k || expected.len() != k {
            return None;
        }
        let pairs = || current.shares.iter().zip(&reference.shares);
        let difference: Vec<f64> = pairs().map(|(now, then)| now - then).collect();
        let pooled: Vec<f64> = pairs().map(|(now, then)| weights[0] * now + weights[1] * then).collect();
        let pooled: Vec<f64> = pooled.iter().map(|share| share / (weights[0] + weights[1])).collect();
        let covariance = current.covariance.plus(&reference.covariance);
        Some(Self::new(&difference, &covariance, expected, vec![0.0; k], clipped(&pooled)))
    }

    fn new(
        difference: &[f64],
        covariance: &Matrix,
        expected: Vec<f64>,
        third_cumulant: Vec<f64>,
        shares: Vec<f64>,
    ) -> Self {
        let (difference, covariance) = constrained(difference, covariance, 0.0);
        Self { difference, covariance, shares, expected, third_cumulant }
    }

    /// The comparison of sums of cells: `group[j]` is the group of cell j, numbered from 0.
    ///
    /// # Panics
    ///
    /// If there is not one group for each cell.
    #[must_use]
    pub fn merged(&self, group: &[usize]) -> Self {
        let k = self.difference.len();
        assert_eq!(group.len(), k, "a group for each cell");
        let groups = group.iter().map(|group| group + 1).max().unwrap_or(0);
        if groups == k && group.is_sorted() {
            return self.clone();
        }
        let sums = |values: &[f64]| {
            let mut sums = vec![0.0; groups];
            group.iter().zip(values).for_each(|(group, value)| sums[*group] += value);
            sums
        };
        let mut entries = vec![0.0; groups * groups];
        for row in 0..k {
            for column in 0..k {
                entries[group[row] * groups + group[column]] += self.covariance.at(row, column);
            }
        }
        Self {
            difference: sums(&self.difference),
            covariance: Matrix::symmetric(groups, |row, column| entries[row * groups + column]),
            shares: sums(&self.shares),
            expected: sums(&self.expected),
            // Of independent cells, as rare ones nearly are.
            third_cumulant: sums(&self.third_cumulant),
        }
    }
}

fn expected(channel: &Channel, shares: &[f64], n: f64) -> Vec<f64> {
    let (p, q) = (channel.keep_probability(), channel.false_probability());
    shares.iter().map(|share| n * (q + (p - q) * share)).collect()
}

/// m(1−m)(1−2m)/(p−q)³ times a factor of the sample sizes.
fn third_cumulant(channel: &Channel, shares: &[f64], factor: f64) -> Vec<f64> {
    let (p, q) = (channel.keep_probability(), channel.false_probability());
    let spread = p - q;
    let one = |share: &f64| {
        let m = q + spread * share;
        factor * m * (1.0 - m) * (1.0 - 2.0 * m) / (spread * spread * spread)
    };
    shares.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::wald;

    /// For k-ary response the test of two samples is the textbook χ² of the 2 × k table of answers.
    #[test]
    fn two_samples_of_k_ary_response() {
        let channel = Channel::k_ary(3, 0.7);
        let (now, then) = (&[400, 350, 250], &[1_000, 600, 400]);
        let sample = |support: &'static [u64; 3]| Sample { reports: support.iter().sum(), support };
        let found = Comparison::of_samples(&channel, sample(now), sample(then)).expect("reports");
        let wald = wald(&found.difference, &found.covariance).expect("positive definite");
        let pearson = crate::drift::pearson_two_sample(now, then, 0.0).expect("answers");
        assert!((wald.statistic / pearson.statistic - 1.0).abs() < 1e-10);
        assert!((found.expected.iter().sum::<f64>() - 1_000.0).abs() < 1e-9);
    }

    #[test]
    fn merging_adds() {
        let channel = Channel::unary(4, 0.5, 0.2);
        let current = Sample { reports: 1_000, support: &[300, 290, 250, 260] };
        let found = Comparison::with_known(&channel, current, &[0.4, 0.3, 0.2, 0.1]).expect("reports");
        assert!(found.difference.iter().sum::<f64>().abs() < 1e-14);
        let merged = found.merged(&[0, 1, 0, 1]);
        assert!((merged.difference[0] - found.difference[0] - found.difference[2]).abs() < 1e-15);
        assert!((merged.covariance.at(0, 0) - found.covariance.quadratic(&[1.0, 0.0, 1.0, 0.0])).abs() < 1e-15);
        assert!((merged.covariance.at(0, 0) + merged.covariance.at(0, 1)).abs() < 1e-15);
    }

    #[test]
    fn what_cannot_be_compared() {
        let channel = Channel::k_ary(2, 0.7);
        let [none, some] = [Sample { reports: 0, support: &[0, 0] }, Sample { reports: 3, support: &[1, 2] }];
        assert_eq!(Comparison::of_samples(&channel, none, some), None);
        assert_eq!(Comparison::of_samples(&channel, some, none), None);
        assert_eq!(Comparison::with_known(&channel, some, &[0.2, 0.3, 0.5]), None);
    }
}
