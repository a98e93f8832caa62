//! The difference of two samples of reports with its covariance if nothing changed.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | n₁, n₂ | `reports` | reports of the reference and of the current sample |
//! | c_j | `support` | reports that support symbol j |
//! | h₁, h₂ | | de-biased shares of both |
//! | f | [`Comparison::shares`] | shares if nothing changed: pooled, clipped and renormalized, or the known ones |
//! | g | | the same shares, pooled and made to sum to 1 but not clipped: of any sign |
//! | S(g) | | covariance of one report's de-biased support |
//! | d | [`Comparison::difference`] | h₂ − h₁, made to sum to 0 |
//! | Σ | [`Comparison::covariance`] | S(g)(1/n₁ + 1/n₂), or S(f)/n₂ for known shares |
//! | m_j | | q + (p−q) g_j, the share of reports that support j |
//! | e_j | [`Comparison::expected`] | supports expected in the smaller sample, n m_j |
//! | | [`Comparison::supports`] | the exact law of the support of each cell, given that of both samples |
//! | | [`Comparison::step`] | what one more report in support of a cell adds to its d, (1/n₁ + 1/n₂)/(p−q) |
//!
//! Source: Gaboardi and Rogers, "Local private hypothesis testing: chi-square tests", ICML 2018. Pooling matters: at
//! the shares of either sample alone Σ would be small just where that sample came out small, and the test would
//! reject too often. The pooled shares are independent of d if nothing changed (to first order), so what is chosen by
//! them — which cells to merge, which scores to use — costs no level.
//!
//! **Σ is taken where the reports are, and not at shares that could be true.** Given how many reports of both samples
//! support a cell, its difference has the variance m(1−m)(1/n₁ + 1/n₂)/(p−q)² at the observed m (hypergeometric, up to
//! 1/N), whatever the true share is: a cell that came out high by chance varies more in this comparison. For k-ary
//! response Σ is the conditional covariance of all answers, and the tests are those of the 2 × k table of them. At f in
//! place of g, as the paper has it, noise that is larger than the shares is clipped and divided by a large sum: all
//! cells get nearly the same variance, too small for those that came out high, which are those that contrasts by f weigh
//! most. With 1,000 reports of 64 symbols at ε = 0.5 the contrasts rejected 7 to 8 % at 5 % that way. The published form is
//! [`Channel::covariance`] at f, with [`projected_wald`](super::projected_wald()) or
//! [`linear_contrast`](super::linear_contrast()); both agree where shares are known well. g sums to 1, so that 1ᵀΣ1 is
//! what it is at the true shares, whatever they are.
//!
//! **Cost** O(k²). **Does not hold when** one device is in a sample more than once: then compare [`DeviceMoments`].
//!
//! [`DeviceMoments`]: super::DeviceMoments

use super::support_law::SupportLaw;
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
    /// The law of the support of each cell; none where it is not known.
    pub supports: Vec<SupportLaw>,
    /// What one more report in support of a cell adds to its difference.
    pub step: f64,
}

impl Comparison {
    /// Two samples of one channel, both of them noisy. `None` when either has no report or the support of another
    /// number of symbols.
    #[must_use]
    pub fn of_samples(channel: &Channel, current: Sample<'_>, reference: Sample<'_>) -> Option<Self> {
        let now = channel.shares(current.reports, current.support)?;
        let then = channel.shares(reference.reports, reference.support)?;
        let sums: Vec<u64> = current.support.iter().zip(reference.support).map(|(a, b)| a + b).collect();
        let pooled = channel.shares(current.reports + reference.reports, &sums)?;
        let shares = clipped(&pooled);
        let difference: Vec<f64> = now.iter().zip(&then).map(|(now, then)| now - then).collect();
        let (n1, n2) = (reference.reports as f64, current.reports as f64);
        let effective = n1 * n2 / (n1 + n2);
        let (pooled, _) = constrained(&pooled, &channel.covariance(&shares, effective), 1.0);
        let covariance = channel.covariance(&pooled, effective);
        let reports = [reference.reports, current.reports];
        let supports = sums.iter().map(|sum| SupportLaw::TwoSamples { supports: *sum, reports }).collect();
        let expected = expected(channel, &pooled, n1.min(n2));
        Some(Self { supports, step: step(channel, effective), ..Self::new(&difference, &covariance, expected, shares) })
    }

    /// A sample against shares that are known without error; they sum to 1. `None` as above.
    #[must_use]
    pub fn with_known(channel: &Channel, current: Sample<'_>, shares: &[f64]) -> Option<Self> {
        let now = channel.shares(current.reports, current.support).filter(|now| now.len() == shares.len())?;
        let difference: Vec<f64> = now.iter().zip(shares).map(|(now, then)| now - then).collect();
        let n = current.reports as f64;
        let covariance = channel.covariance(shares, n);
        let known = |probability| SupportLaw::Known { probability, reports: current.reports };
        let supports = channel.support_law(shares).into_iter().map(known).collect();
        let expected = expected(channel, shares, n);
        let compared = Self::new(&difference, &covariance, expected, shares.to_vec());
        Some(Self { supports, step: step(channel, n), ..compared })
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
        Some(Self::new(&difference, &covariance, expected, clipped(&pooled)))
    }

    fn new(difference: &[f64], covariance: &Matrix, expected: Vec<f64>, shares: Vec<f64>) -> Self {
        let (difference, covariance) = constrained(difference, covariance, 0.0);
        Self { difference, covariance, shares, expected, supports: Vec::new(), step: 0.0 }
    }

    /// The law of the support of a cell, and [`Comparison::step`].
    pub(super) fn support_of(&self, cell: usize) -> Option<(SupportLaw, f64)> {
        self.supports.get(cell).map(|law| (*law, self.step))
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
        let mut supports: Vec<Option<SupportLaw>> = vec![None; groups];
        for (group, law) in group.iter().zip(&self.supports) {
            supports[*group] = Some(supports[*group].map_or(*law, |sum| sum.joined(*law)));
        }
        let supports = supports.into_iter().flatten().collect();
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
            supports,
            step: self.step,
        }
    }
}

fn expected(channel: &Channel, shares: &[f64], n: f64) -> Vec<f64> {
    let (p, q) = (channel.keep_probability(), channel.false_probability());
    shares.iter().map(|share| (n * (q + (p - q) * share)).max(0.0)).collect()
}

/// What one report more in support of a cell adds to a difference of `effective` reports; given both samples it is one
/// less in the other.
fn step(channel: &Channel, effective: f64) -> f64 {
    1.0 / (effective * (channel.keep_probability() - channel.false_probability()))
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
