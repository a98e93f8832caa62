//! How large the difference is, in a measure people know, with an interval that holds.
//!
//! For ordered cells the measure is the Kolmogorov–Smirnov distance, the largest absolute difference of cumulative shares; for unordered cells the L∞ distance,
//! the largest absolute difference of shares. Both are the largest of J absolute contrasts |c_jᵀ d|.
//!
//! | Symbol | Meaning |
//! | --- | --- |
//! | d, Σ | difference of shares; its covariance |
//! | J | number of contrasts: m − 1 cumulative sums, or m shares (1 if m = 2) |
//! | s_j | standard error of contrast j, √(c_jᵀ Σ c_j) |
//! | α | error probability of the interval |
//!
//! **Interval.** With z = Φ⁻¹(1 − α/(2J)) all J contrasts lie within z s_j of the truth together with probability at least 1 − α (Bonferroni); so the largest lies between
//! max_j(|c_jᵀ d| − z s_j) and max_j(|c_jᵀ d| + z s_j).
//!
//! **Estimate.** The largest of noisy values is too large on average. max_j(|c_jᵀ d| − κ s_j) with κ = Φ⁻¹(2^(−1/J)), the median of the largest of J
//! standard normals, corrects it (half-median unbiased; Chernozhukov, Lee and Rosen, "Intersection bounds", Econometrica 81(2), 2013, section 2).

use super::special::normal_quantile;
use crate::estimate::Matrix;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Kolmogorov–Smirnov distance over ordered cells.
    Ks,
    /// L∞ distance over unordered cells.
    LInfinity,
}

/// An effect with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// What is measured.
    pub measure: Measure,
    /// Estimate, in \[0, 1\].
    pub estimate: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// The cell whose contrast is the largest: the share that changed, or the last cell of the cumulative sum.
    pub cell: usize,
    /// Standard error of that contrast.
    pub standard_error: f64,
    /// Half-width of the interval in standard errors: z.
    pub z: f64,
}

impl Measure {
    /// The weights of contrast number `cell`: 1 for the cells it adds up.
    fn contrast(self, cell: usize, cells: usize) -> Vec<f64> {
        let adds = |i: usize| if self == Self::Ks { i <= cell } else { i == cell };
        (0..cells).map(|i| if adds(i) { 1.0 } else { 0.0 }).collect()
    }
}

impl Effect {
    /// The weights of the largest contrast.
    pub(super) fn contrast(&self, cells: usize) -> Vec<f64> {
        self.measure.contrast(self.cell, cells)
    }
}

/// The largest contrast of a difference with covariance Σ, at error probability `alpha`.
#[must_use]
pub fn effect(measure: Measure, difference: &[f64], covariance: &Matrix, alpha: f64) -> Effect {
    let cells = difference.len();
    let contrasts = if measure == Measure::Ks || cells == 2 { cells - 1 } else { cells };
    let z = -normal_quantile(alpha / (2.0 * contrasts as f64));
    let kappa = normal_quantile(libm::pow(2.0, -1.0 / contrasts as f64));
    let mut found = Effect { measure, estimate: 0.0, lower: 0.0, upper: 0.0, cell: 0, standard_error: 0.0, z };
    let mut largest = f64::NEG_INFINITY;
    for cell in 0..contrasts {
        let contrast = measure.contrast(cell, cells);
        let size = libm::fabs(contrast.iter().zip(difference).map(|(c, d)| c * d).sum::<f64>());
        let error = libm::sqrt(covariance.quadratic(&contrast).max(0.0));
        if size - kappa * error > largest {
            largest = size - kappa * error;
            (found.cell, found.standard_error) = (cell, error);
        }
        found.lower = found.lower.max(size - z * error);
        found.upper = found.upper.max(size + z * error);
    }
    found.estimate = largest.clamp(0.0, 1.0);
    found.upper = found.upper.min(1.0);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagonal(size: usize, variance: f64) -> Matrix {
        Matrix::from_fn(size, |row, column| if row == column { variance } else { 0.0 })
    }

    #[test]
    fn ks_is_the_largest_cumulative_difference() {
        let found = effect(Measure::Ks, &[0.1, 0.2, -0.25, -0.05], &diagonal(4, 0.0), 0.05);
        assert!((found.estimate - 0.3).abs() < 1e-12 && found.cell == 1);
        assert_eq!((found.lower, found.upper), (found.estimate, found.estimate));
    }

    #[test]
    fn l_infinity_is_the_largest_share() {
        let found = effect(Measure::LInfinity, &[0.1, 0.2, -0.25, -0.05], &diagonal(4, 0.0), 0.05);
        assert!((found.estimate - 0.25).abs() < 1e-12 && found.cell == 2);
    }

    #[test]
    fn one_contrast_needs_no_correction() {
        let found = effect(Measure::LInfinity, &[0.1, -0.1], &diagonal(2, 0.01), 0.05);
        assert!((found.estimate - 0.1).abs() < 1e-12);
        assert!((found.upper - 0.295_996_398_454_005_4).abs() < 1e-12, "0.1 + 1.96 · 0.1");
        assert_eq!(found.lower, 0.0);
    }
}
