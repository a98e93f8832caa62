//! Contrasts of ordered cells: where the distribution moved and how its width changed, each as one normal score.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | f, F_j | `shares` | shares if nothing changed; their sums up to cell j |
//! | t_j, φ | | normal quantile of F_j; normal density |
//! | l | | weights of the contrast |
//! | δ | [`location_shift`], [`scale_shift`] | the change of shares that is looked for |
//! | Σ⁺ | | pseudo-inverse of the covariance, which is singular along the ones |
//! | z | [`linear_contrast`], [`directed`] | standard normal if nothing changed |
//!
//! Any contrast lᵀd/√(lᵀΣl) is a test ([`linear_contrast`]). The most powerful one against d = δ has l = Σ⁺δ
//! (Neyman–Pearson; Rao, "Linear Statistical Inference and its Applications", 8a), [`directed`]: z = δᵀΣ⁺d/√(δᵀΣ⁺δ).
//!
//! δ is that of a normal variable cut at the quantiles of F, however the feature itself is distributed: shifted by a
//! little, δ_j = φ(t_{j−1}) − φ(t_j), which are the normal scores E\[Z | cell j\] times f_j; made a little wider, δ_j =
//! t_{j−1} φ(t_{j−1}) − t_j φ(t_j), which are the squares E\[Z² − 1 | cell j\] times f_j. Without noise Σ⁺δ are the
//! scores themselves (van der Waerden's test, on grouped data); with noise in every cell the weights follow δ instead.
//!
//! Quantiles are the rational approximation 26.2.23 of Abramowitz and Stegun, "Handbook of Mathematical Functions",
//! with an error below 4.5e-4: a slightly other direction, not another level.
//!
//! **Cost** O(k), and one Cholesky factor. **Limits.** A change that is orthogonal to δ is not seen: use both with the
//! omnibus test.

use core::f64::consts::{PI, SQRT_2};

use crate::estimate::{Cholesky, Matrix};

/// A contrast in standard errors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    /// z; above 0 when the current distribution lies higher, or is wider.
    pub z: f64,
    /// P\[|Z| > |z|\].
    pub p_value: f64,
}

impl Contrast {
    fn of(z: f64) -> Self {
        Self { z, p_value: libm::erfc(libm::fabs(z) / SQRT_2) }
    }
}

/// The contrast lᵀd/√(lᵀΣl). `None` when its variance is not above 0.
///
/// # Panics
///
/// If the slices and the matrix differ in size.
#[must_use]
pub fn linear_contrast(weights: &[f64], difference: &[f64], covariance: &Matrix) -> Option<Contrast> {
    assert!(weights.len() == difference.len() && weights.len() == covariance.size(), "one weight for each cell");
    let value: f64 = weights.iter().zip(difference).map(|(l, d)| l * d).sum();
    let variance = covariance.quadratic(weights);
    (variance > 0.0).then(|| Contrast::of(value / libm::sqrt(variance)))
}

/// The most powerful contrast against a change δ that sums to 0: `factor` is that of Σ without its last row, `whitened`
/// that factor's L⁻¹d. `None` when δ is 0.
pub(super) fn directed(shift: &[f64], factor: &Cholesky, whitened: &[f64]) -> Option<Contrast> {
    let direction = factor.whiten(shift);
    let length: f64 = direction.iter().map(|x| x * x).sum();
    let along: f64 = direction.iter().zip(whitened).map(|(a, b)| a * b).sum();
    (length > 0.0).then(|| Contrast::of(along / libm::sqrt(length)))
}

/// δ of a small shift upwards, for cells in order with these shares. Sums to 0; all 0 when one cell has everything.
#[must_use]
pub fn location_shift(shares: &[f64]) -> Vec<f64> {
    differences(shares, |_, density| density)
}

/// δ of a small widening, for cells in order with these shares. Sums to 0.
#[must_use]
pub fn scale_shift(shares: &[f64]) -> Vec<f64> {
    differences(shares, |quantile, density| quantile * density)
}

/// value(t_{j−1}) − value(t_j), where value(±∞) = 0.
fn differences(shares: &[f64], value: fn(f64, f64) -> f64) -> Vec<f64> {
    let (mut below, mut sum) = (0.0, 0.0);
    let last = shares.len().saturating_sub(1);
    let difference = |(cell, share): (usize, &f64)| {
        sum += share;
        let inside = cell < last && sum > 1e-12 && sum < 1.0 - 1e-12;
        let above = if inside {
            let quantile = quantile(sum);
            value(quantile, libm::exp(-0.5 * quantile * quantile) / libm::sqrt(2.0 * PI))
        } else {
            0.0
        };
        let difference = below - above;
        below = above;
        difference
    };
    shares.iter().enumerate().map(difference).collect()
}

/// Φ⁻¹(probability) within 4.5e-4.
fn quantile(probability: f64) -> f64 {
    let tail = probability.min(1.0 - probability);
    let t = libm::sqrt(-2.0 * libm::log(tail));
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    libm::copysign(t - above / below, probability - 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::normal_quantile;
    use crate::estimate::Channel;

    #[test]
    fn quantiles_are_near() {
        for probability in [1e-9, 1e-3, 0.1, 0.4, 0.5, 0.7, 0.999] {
            assert!((quantile(probability) - normal_quantile(probability)).abs() < 4.5e-4);
        }
    }

    /// Moving N(0, 1) by h, or widening it by 1 + h, moves the shares of four cells by hδ.
    #[test]
    fn shifts_are_derivatives() {
        let shares = [0.1, 0.35, 0.35, 0.2];
        let ends = [0.1, 0.45, 0.8].map(normal_quantile);
        let below = |x: f64| libm::erfc(-x / SQRT_2) / 2.0;
        let h = 1e-4;
        let moved = |map: &dyn Fn(f64) -> f64| -> Vec<f64> {
            let sums: Vec<f64> = ends.iter().map(|end| below(map(*end))).chain([1.0]).collect();
            (0..4).map(|j| sums[j] - if j > 0 { sums[j - 1] } else { 0.0 }).collect()
        };
        let check = |delta: Vec<f64>, now: Vec<f64>| {
            assert!(delta.iter().sum::<f64>().abs() < 1e-15);
            for (j, share) in now.iter().enumerate() {
                assert!(((share - shares[j]) / h - delta[j]).abs() < 1e-3, "cell {j}");
            }
        };
        check(location_shift(&shares), moved(&|x| x - h));
        check(scale_shift(&shares), moved(&|x| x / (1.0 + h)));
    }

    /// The directed contrast is lᵀd/√(lᵀΣl) with l = Σ⁺δ, and against d = δ no other contrast is larger.
    #[test]
    fn directed_contrasts_are_the_largest() {
        let shares = [0.1, 0.35, 0.35, 0.2];
        let covariance = Channel::k_ary(4, 0.5).covariance(&shares, 1_000.0);
        let factor = covariance.cholesky(3).expect("positive definite");
        let shift = location_shift(&shares);
        let best = directed(&shift, &factor, &factor.whiten(&shift)).expect("a shift").z;
        for weights in [[-1.5, -0.5, 0.5, 1.5], [1.0, 0.0, 0.0, 0.0], [-1.4, -0.5, 0.4, 1.3]] {
            let other = linear_contrast(&weights, &shift, &covariance).expect("a variance").z;
            assert!(other.abs() <= best + 1e-12, "{weights:?}: {other}, more than {best}");
        }
        let squared = covariance.leading(3).inverse_quadratic(&shift[..3]).expect("positive definite");
        assert!((best * best / squared - 1.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_to_look_for() {
        assert_eq!(location_shift(&[1.0, 0.0, 0.0]), [0.0; 3]);
        let covariance = Matrix::from_fn(2, |_, _| 0.0);
        assert_eq!(linear_contrast(&[1.0, 0.0], &[0.1, -0.1], &covariance), None);
    }
}
