//! Shares that sum to 1 exactly: what is known about the sum is used before anything is tested.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | h | `shares` | unbiased estimate of k shares |
//! | Σ | `covariance` | its covariance |
//! | 1 | | the vector of ones |
//!
//! The estimates of k-ary response and subset selection sum to 1 by their construction: Σ1 = 0. Those of unary,
//! hashing, Hadamard and projective channels do not; their sum is 1 plus noise of variance 1ᵀΣ1. The true shares do sum
//! to 1, and the best linear unbiased estimate given that (generalized least squares under a linear restriction: Theil,
//! "Principles of Econometrics", 1971, section 6.8) is
//!
//! h − Σ1 (1ᵀh − 1)/(1ᵀΣ1), with covariance Σ − Σ1 1ᵀΣ/(1ᵀΣ1),
//!
//! whose rows sum to 0. No linear contrast has a larger variance than before, and sums of neighbouring cells have a far
//! smaller one: the noise of a cumulative share no longer grows towards its end.
//!
//! **Cost** O(k²). **Does not hold when** Σ is wrong by more than a factor: the estimate stays unbiased, the stated
//! covariance does not stay right.

use super::{Estimate, Matrix};

/// Below this share of the trace 1ᵀΣ1 is rounding: the estimate sums to 1 already.
const ROUNDING: f64 = 1e-9;

impl Estimate {
    /// The estimate that sums to 1, with its covariance, whose rows sum to 0. Itself when it does so already.
    #[must_use]
    pub fn sum_to_one(&self) -> Self {
        let (shares, covariance) = constrained(&self.shares, &self.covariance, 1.0);
        Self { shares, covariance }
    }
}

/// The values that sum to `total`, given their covariance, and the covariance that is left. For differences of shares
/// the total is 0.
///
/// # Panics
///
/// If there are not as many values as the matrix has rows.
#[must_use]
pub fn constrained(values: &[f64], covariance: &Matrix, total: f64) -> (Vec<f64>, Matrix) {
    let k = covariance.size();
    assert_eq!(values.len(), k, "one variance for each value");
    let sums: Vec<f64> = (0..k).map(|row| (0..k).map(|column| covariance.at(row, column)).sum()).collect();
    let variance: f64 = sums.iter().sum();
    let trace: f64 = (0..k).map(|row| covariance.at(row, row)).sum();
    if variance <= ROUNDING * trace {
        return (values.to_vec(), covariance.clone());
    }
    let excess = (values.iter().sum::<f64>() - total) / variance;
    let values = values.iter().zip(&sums).map(|(value, sum)| value - sum * excess).collect();
    (values, Matrix::symmetric(k, |u, v| covariance.at(u, v) - sums[u] * sums[v] / variance))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::Channel;

    /// Optimized unary encoding at ε = 1: the sum is exact, rows of the covariance sum to 0, and no variance grew.
    #[test]
    fn sums_are_exact() {
        let channel = Channel::unary(4, 0.5, 1.0 / (1.0 + libm::exp(1.0)));
        let free = channel.estimate(1_000, &[310, 330, 300, 320]).expect("reports");
        assert!((free.shares.iter().sum::<f64>() - 1.0).abs() > 0.1, "it does not sum to 1 by itself");
        let found = free.sum_to_one();
        assert!((found.shares.iter().sum::<f64>() - 1.0).abs() < 1e-14);
        for row in 0..4 {
            assert!((0..4).map(|column| found.covariance.at(row, column)).sum::<f64>().abs() < 1e-16);
            assert!(found.covariance.at(row, row) < free.covariance.at(row, row));
        }
        assert_eq!(found.sum_to_one(), found);
    }

    /// Of two cells with equal variance and no covariance, half of the excess leaves each.
    #[test]
    fn half_of_the_excess() {
        let covariance = Matrix::from_fn(2, |row, column| if row == column { 0.5 } else { 0.0 });
        let (values, rest) = constrained(&[0.7, 0.5], &covariance, 1.0);
        assert!((values[0] - 0.6).abs() < 1e-15 && (values[1] - 0.4).abs() < 1e-15);
        assert_eq!([rest.at(0, 0), rest.at(0, 1)], [0.25, -0.25]);
    }

    #[test]
    fn what_sums_to_one_stays() {
        let estimate = Channel::k_ary(3, 0.6).estimate(100, &[50, 30, 20]).expect("reports");
        assert_eq!(estimate.sum_to_one(), estimate);
    }
}
