//! Intervals that hold at all looks together: for a share, for a contrast of shares, and for the largest contrast.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | y | `estimate` | unbiased, normal estimate of a number θ | |
//! | v | `sampling` | variance of y from the reports so far; falls as they grow | ≥ 0 |
//! | b | `persistent` | variance of the part of y's error that stays over all looks | ≥ 0 |
//! | w | `prior` | variance at which the interval is to be narrow, see below | > 0 |
//! | α | `alpha` | P\[the interval misses θ at any look\] is at most that | (0, 1) |
//! | u | [`half_width`] | half of the interval's length | |
//! | J, c_j | | contrasts and their weights | |
//!
//! u² = (v + b)(v + b + w)/w · \[2 ln 1/α + ln (v + b + w)/(v + b)\].
//!
//! **Argument.** For the true θ, N(y − θ; 0, v + b + w)/N(y − θ; 0, v + b) is the e-process of [`super::wald_mixture`]
//! in one dimension. It reaches 1/α exactly when |y − θ| ≥ u. The θ that it never rejects are a confidence sequence
//! (Robbins' normal mixture; Howard et al. 2021; with an offset added). w must be the same at all looks;
//! the interval is narrowest near v + b ≈ w/(2 ln 1/α + ln(1 + 2 ln 1/α)), and little wider within a factor 10 of it.
//!
//! **Contrasts and effect** ([`effect_bounds`]). Each of the J contrasts |c_jᵀδ| has its interval at α/J; all hold
//! together at all looks with probability 1 − α. So the largest, KS distance over cumulative sums or L∞ over shares,
//! lies between max_j(|c_jᵀx| − u_j) and max_j(|c_jᵀx| + u_j) at all looks.
//!
//! **Cost**: J k² for the effect. **Does not hold when** y is far from normal (few reports), or v is misjudged: v is
//! evaluated at estimated shares, so that coverage is asymptotic. The *pooled* current shares are bounded, an average
//! over all looks: after a change in between, that is less than the present shift.

use crate::drift::Measure;
use crate::estimate::{Interval, Matrix};

/// K of the prior, w = v N/K: the intervals are narrowest after some 10,000 reports.
pub const INTERVAL_CONCENTRATION: f64 = 1e3;

/// u of the table.
#[must_use]
pub fn half_width(sampling: f64, persistent: f64, prior: f64, alpha: f64) -> f64 {
    let null = sampling + persistent;
    if null <= 0.0 {
        return 0.0;
    }
    let alternative = null + prior;
    libm::sqrt(null * alternative / prior * (2.0 * libm::log(1.0 / alpha) + libm::log(alternative / null)))
}

/// Bounds of an effect that hold at all looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EffectBounds {
    /// The largest absolute contrast of the pooled estimate, noise and all: not to be shown without the bounds.
    pub largest: f64,
    /// The effect is at least this.
    pub lower: f64,
    /// The effect is at most this.
    pub upper: f64,
}

/// Bounds for the largest contrast of a difference of k shares: `sampling` is the covariance of one report,
/// `persistent` that of the offset. With two cells there is one contrast.
///
/// # Panics
///
/// If there are fewer than two cells.
#[must_use]
pub fn effect_bounds(
    measure: Measure,
    difference: &[f64],
    sampling: &Matrix,
    persistent: &Matrix,
    reports: f64,
    alpha: f64,
) -> EffectBounds {
    contrast_bounds(measure, difference, |cells, contrasts| {
        let sum = |matrix: &Matrix| {
            let row = |i: usize| cells.clone().map(|j| matrix.at(i, j)).sum::<f64>();
            cells.clone().map(row).sum::<f64>().max(0.0)
        };
        let one = sum(sampling);
        half_width(one / reports, sum(persistent), one / INTERVAL_CONCENTRATION, alpha / contrasts as f64)
    })
}

/// The same for half-widths of any origin: `half_width` gives that of the contrast which adds up some cells, of which
/// there are so many contrasts.
pub(super) fn contrast_bounds(
    measure: Measure,
    difference: &[f64],
    half_width: impl Fn(core::ops::RangeInclusive<usize>, usize) -> f64,
) -> EffectBounds {
    let cells = difference.len();
    assert!(cells >= 2, "at least two cells");
    let contrasts = if measure == Measure::Ks || cells == 2 { cells - 1 } else { cells };
    let mut bounds = EffectBounds { largest: 0.0, lower: 0.0, upper: 0.0 };
    for cell in 0..contrasts {
        let first = if measure == Measure::Ks { 0 } else { cell };
        let size = libm::fabs(difference[first..=cell].iter().sum::<f64>());
        let u = half_width(first..=cell, contrasts);
        bounds.largest = bounds.largest.max(size);
        bounds.lower = bounds.lower.max(size - u);
        bounds.upper = bounds.upper.max(size + u);
    }
    bounds.upper = bounds.upper.min(1.0);
    bounds
}

/// The interval of one number: y ± u, cut to \[`least`, `most`\].
#[must_use]
pub fn share_bounds(estimate: f64, half_width: f64, least: f64, most: f64) -> Interval {
    Interval { lower: (estimate - half_width).clamp(least, most), upper: (estimate + half_width).clamp(least, most) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::sequential::wald_mixture::WaldMixture;

    /// At y = u the e-process is 1/α, by another way of computing it.
    #[test]
    fn the_end_is_where_the_e_process_reaches_its_threshold() {
        let square = |v: f64| Matrix::from_fn(2, |i, j| if i == j { v } else { -v });
        let mixture = WaldMixture::new(&square(0.3), &square(1e-4), &[500.0]).expect("definite");
        for reports in [10.0, 1e3, 1e6] {
            let u = half_width(0.3 / reports, 1e-4, 0.3 / 500.0, 0.01);
            assert!((mixture.log_e(&[u, -u], reports) - libm::log(100.0)).abs() < 1e-9);
        }
    }

    #[test]
    fn the_largest_contrast() {
        let zero = Matrix::from_fn(4, |_, _| 0.0);
        let d = [0.1, 0.2, -0.25, -0.05];
        let ks = effect_bounds(Measure::Ks, &d, &zero, &zero, 10.0, 0.05);
        assert!((ks.lower - 0.3).abs() < 1e-15 && (ks.upper - 0.3).abs() < 1e-15);
        assert!((effect_bounds(Measure::LInfinity, &d, &zero, &zero, 10.0, 0.05).largest - 0.25).abs() < 1e-15);
        let noise = Matrix::from_fn(4, |i, j| if i == j { 0.3 } else { -0.1 });
        let [few, many] = [1e3, 1e6].map(|n| effect_bounds(Measure::Ks, &d, &noise, &zero, n, 0.05));
        assert!(few.lower < many.lower && many.upper < few.upper && many.lower > 0.29 && few.lower > 0.0);
    }

    #[test]
    fn cut_to_the_possible() {
        assert_eq!(share_bounds(0.02, 0.05, 0.0, 1.0).lower, 0.0);
    }
}
