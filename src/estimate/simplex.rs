//! Shares for display: nonnegative, with sum 1.
//!
//! Norm-Sub (Wang, Lopuhaä-Zwakenberg, Li, Škorić and Li, "Locally differentially private frequency estimation with
//! consistency", NDSS 2020, section IV-B): one number δ is added to all shares, those that fall below 0 become 0, and δ
//! is such that the sum is 1. This is the point of the simplex nearest to the estimate (ibid., theorem 2).
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | f̂ | `shares` | unbiased shares, of any sign |
//! | δ | `shift` | Σ max(f̂_v + δ, 0) = 1 |
//!
//! **Cost**: O(k log k), exact up to rounding. **Bias**: rare symbols come out too frequent and frequent ones too rare.
//! So the result is for people to look at and **never for a test**: what is clipped has neither the mean nor the
//! covariance that tests rely on.

/// The nearest shares that are nonnegative and have sum 1.
///
/// ```
/// let shown = driftglass::estimate::norm_sub(&[0.7, 0.5, -0.2]);
/// assert!(shown.iter().zip([0.6, 0.4, 0.0]).all(|(found, expected)| (found - expected).abs() < 1e-15));
/// ```
///
/// # Panics
///
/// If there are no shares.
#[must_use]
pub fn norm_sub(shares: &[f64]) -> Vec<f64> {
    assert!(!shares.is_empty(), "the simplex has a corner at least");
    let mut sorted = shares.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    // With the m greatest shares left, δ = (1 − their sum) / m; m is the most with which all of them stay positive.
    let (mut sum, mut shift) = (0.0, 0.0);
    for (before, share) in sorted.iter().enumerate() {
        let candidate = (1.0 - sum - share) / (before as f64 + 1.0);
        if share + candidate <= 0.0 {
            break;
        }
        sum += share;
        shift = candidate;
    }
    shares.iter().map(|share| (share + shift).max(0.0)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What makes a point of the simplex the nearest one: what was subtracted is the same wherever something is
        /// left, and more nowhere.
        #[test]
        fn the_nearest_point_of_the_simplex(shares in prop::collection::vec(-3.0_f64..3.0, 1..40)) {
            let shown = norm_sub(&shares);
            // At most 40 sums of numbers below 120: 1e-12 is 100 times their rounding.
            prop_assert!((shown.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let moves = || shown.iter().zip(&shares).map(|(shown, share)| (*shown, shown - share));
            for (left, moved) in moves() {
                prop_assert!(left >= 0.0);
                for (_, other) in moves().filter(|(left, _)| *left > 0.0) {
                    prop_assert!(moved >= other - 1e-12, "lowered by more than what is left elsewhere was");
                    prop_assert!(left == 0.0 || moved <= other + 1e-12, "lowered by less");
                }
            }
        }
    }

    #[test]
    fn shares_on_the_simplex_stay() {
        assert_eq!(norm_sub(&[0.25, 0.75, 0.0]), [0.25, 0.75, 0.0]);
        assert_eq!(norm_sub(&[-4.0]), [1.0]);
        assert_eq!(norm_sub(&[0.0, 9.0]), [0.0, 1.0]);
    }
}
