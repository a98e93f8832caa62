//! Omnibus test: has any share changed? A quadratic form in the difference that knows all noise in it.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | k | | cells |
//! | d | `difference` | current − reference shares; on average its entries sum to 0 |
//! | Σ | `covariance` | covariance of d if nothing changed, of both samples |
//! | 1 | | the vector of ones |
//! | f | `shares` | shares if nothing changed; they sum to 1 |
//! | v_j | `noise` | n·Var of the noise in share j: (f p(1−p) + (1−f) q(1−q))/(p−q)² |
//! | D_j | | f_j + v_j |
//! | T, df | [`Wald`] | statistic; k − 1 degrees of freedom |
//!
//! Three forms, each χ² with k − 1 degrees of freedom when nothing changed:
//!
//! - **Constrained** ([`wald()`]): T = dᵀΣ⁻¹d − (1ᵀd)²/(1ᵀΣ1). That the entries of E\[d\] sum to 0 is known, so 1ᵀd is
//!   noise, and what it says about the noise of the others is used: it is the statistic of [`constrained`] differences.
//!   Where Σ1 = 0 (k-ary response, subset selection) it is dᵀΣ⁻¹d over all cells but one, whichever that is.
//! - **Projected** ([`projected_wald`]): T = dᵀΣ⁻¹d − (1ᵀΣ⁻¹d)²/(1ᵀΣ⁻¹1), of Gaboardi and Rogers, "Local private
//!   hypothesis testing: chi-square tests", ICML 2018 (after Kifer and Rogers, "A new class of private chi-square
//!   hypothesis tests", AISTATS 2017). It ignores the direction 1 of d, and not only its noise: against a shift δ with
//!   1ᵀδ = 0 its non-centrality is δᵀΣ⁻¹δ − (1ᵀΣ⁻¹δ)²/(1ᵀΣ⁻¹1), that of the constrained form δᵀΣ⁻¹δ, never less; both
//!   are the same where Σ1 is a multiple of 1 (even shares).
//! - **In O(k)** ([`unary_wald`]): the projected form for unary channels, where the covariance of one report is diag(D)
//!   − ffᵀ. With g = 1 − Σf²/D (Sherman and Morrison): dᵀS⁻¹d = Σd²/D + (Σfd/D)²/g, 1ᵀS⁻¹d = Σd/D + (Σf/D)(Σfd/D)/g,
//!   1ᵀS⁻¹1 = Σ1/D + (Σf/D)²/g.
//!
//! The ordinary χ² on de-biased counts ignores the noise in Σ and alarms always.
//!
//! **Cost** O(k³) but for the last. **Limits.** The law is asymptotic: cells that few reports support are merged first
//! ([`super::RareCells`]). Events of one device are no sample: Σ is that of devices ([`super::DeviceMoments`]).

use super::special::chi_squared_survival;
use crate::estimate::{Matrix, constrained};

/// Result of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wald {
    /// T.
    pub statistic: f64,
    /// Degrees of freedom.
    pub df: usize,
    /// P\[χ²_df > T\].
    pub p_value: f64,
}

impl Wald {
    /// The result for a statistic that is χ² with `df` degrees of freedom.
    #[must_use]
    pub fn of(statistic: f64, df: usize) -> Self {
        Self { statistic, df, p_value: chi_squared_survival(statistic, df) }
    }
}

/// The constrained test of difference d with covariance Σ, singular along 1 or not. `None` for fewer than two cells, or
/// when Σ is singular otherwise.
///
/// # Panics
///
/// If there are not as many differences as Σ has rows.
#[must_use]
pub fn wald(difference: &[f64], covariance: &Matrix) -> Option<Wald> {
    let df = difference.len().checked_sub(1).filter(|df| *df > 0)?;
    let (difference, covariance) = constrained(difference, covariance, 0.0);
    let whitened = covariance.cholesky(df)?.whiten(&difference);
    Some(Wald::of(whitened.iter().map(|value| value * value).sum(), df))
}

/// The projected test of difference d with covariance Σ, which may be singular along 1. `None` for fewer than two
/// cells, or when Σ is singular otherwise.
///
/// # Panics
///
/// If there are not as many differences as Σ has rows.
#[must_use]
pub fn projected_wald(difference: &[f64], covariance: &Matrix) -> Option<Wald> {
    let k = difference.len();
    let df = k.checked_sub(1).filter(|df| *df > 0)?;
    assert_eq!(k, covariance.size(), "one row for each cell");
    let Some(factor) = covariance.cholesky(k) else {
        // Singular along 1: then 1ᵀd = 0, and there is nothing to project.
        return wald(difference, covariance);
    };
    let (d, one) = (factor.whiten(difference), factor.whiten(&vec![1.0; k]));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let along = dot(&one, &d);
    Some(Wald::of(dot(&d, &d) - along * along / dot(&one, &one), df))
}

/// The projected test for a unary channel, in O(k): `noise` is v and `per_report` what the covariance of one report is
/// multiplied with, 1/n₁ + 1/n₂ (1/n for a known reference). `None` for fewer than two cells.
///
/// # Panics
///
/// If the slices differ in length, or the noise or the factor is not above 0.
#[must_use]
pub fn unary_wald(difference: &[f64], shares: &[f64], noise: &[f64], per_report: f64) -> Option<Wald> {
    let df = difference.len().checked_sub(1).filter(|df| *df > 0)?;
    assert!(shares.len() == difference.len() && noise.len() == difference.len(), "one entry for each cell");
    assert!(per_report > 0.0 && noise.iter().all(|noise| *noise > 0.0), "noise in every cell");
    let sum = |term: &dyn Fn(f64, f64) -> f64| -> f64 {
        let cells = difference.iter().zip(shares.iter().zip(noise));
        cells.map(|(d, (f, v))| term(*d, *f) / (f + v)).sum()
    };
    let g = 1.0 - sum(&|_, f| f * f);
    let (fd, f1) = (sum(&|d, f| f * d), sum(&|_, f| f));
    let whole = sum(&|d, _| d * d) + fd * fd / g;
    let along = sum(&|d, _| d) + f1 * fd / g;
    let length = sum(&|_, _| 1.0) + f1 * f1 / g;
    Some(Wald::of((whole - along * along / length) / per_report, df))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::Channel;

    const SHARES: [f64; 5] = [0.4, 0.3, 0.15, 0.1, 0.05];
    const SHIFT: [f64; 5] = [0.03, -0.01, -0.04, 0.015, 0.01];

    fn unary() -> Channel {
        Channel::unary(5, 0.5, 1.0 / (1.0 + libm::exp(1.0)))
    }

    /// The dense form and the form in O(k) are one formula.
    #[test]
    fn both_projected_forms_agree() {
        for (p, q) in [(0.5, 0.1), (0.9, 0.1), (0.55, 0.45), (0.5, 3e-4)] {
            let channel = Channel::unary(5, p, q);
            let noise: Vec<f64> = SHARES.iter().map(|f| channel.noise(*f)).collect();
            let per_report = 1.0 / 3_000.0 + 1.0 / 7_000.0;
            let covariance = channel.covariance(&SHARES, 1.0 / per_report);
            let dense = projected_wald(&SHIFT, &covariance).expect("positive definite");
            let quick = unary_wald(&SHIFT, &SHARES, &noise, per_report).expect("five cells");
            assert!((dense.statistic / quick.statistic - 1.0).abs() < 1e-11, "{dense:?} {quick:?}");
        }
    }

    /// T by its formula, from dᵀΣ⁻¹d over all k cells; and for a shift that sums to 0 it is that non-centrality, which
    /// the projected form falls short of where shares are uneven.
    #[test]
    fn the_constraint_is_used() {
        let covariance = unary().covariance(&SHARES, 10_000.0);
        let d = [0.05, -0.01, -0.02, 0.02, 0.01];
        let sum: f64 = d.iter().sum();
        let whole = covariance.inverse_quadratic(&d).expect("positive definite");
        let expected = whole - sum * sum / covariance.quadratic(&[1.0; 5]);
        let found = wald(&d, &covariance).expect("positive definite").statistic;
        assert!((found / expected - 1.0).abs() < 1e-11);

        assert!(SHIFT.iter().sum::<f64>() < 0.01);
        let shift: Vec<f64> = SHIFT.iter().map(|value| value - SHIFT.iter().sum::<f64>() / 5.0).collect();
        let constrained = wald(&shift, &covariance).expect("positive definite").statistic;
        let expected = covariance.inverse_quadratic(&shift).expect("positive definite");
        let projected = projected_wald(&shift, &covariance).expect("positive definite").statistic;
        assert!((constrained / expected - 1.0).abs() < 1e-11 && projected < constrained);
    }

    /// k-ary response has Σ1 = 0: both are dᵀΣ⁻¹d over all cells but one.
    #[test]
    fn singular_covariances_leave_out_a_cell() {
        let covariance = Channel::k_ary(5, 0.5).covariance(&SHARES, 10_000.0);
        let shift: Vec<f64> = SHIFT.iter().map(|value| value - SHIFT.iter().sum::<f64>() / 5.0).collect();
        let expected = covariance.leading(4).inverse_quadratic(&shift[..4]).expect("positive definite");
        for test in [wald, projected_wald] {
            let found = test(&shift, &covariance).expect("singular along ones only");
            assert!((found.statistic / expected - 1.0).abs() < 1e-11 && found.df == 4);
        }
    }

    #[test]
    fn what_cannot_be_tested() {
        assert_eq!(wald(&[0.1], &Matrix::from_fn(1, |_, _| 1.0)), None);
        assert_eq!(unary_wald(&[], &[], &[], 1.0), None);
        assert_eq!(wald(&[0.1, 0.0, -0.1], &Matrix::from_fn(3, |_, _| 0.0)), None);
    }
}
