//! Omnibus test: has any share changed?
//!
//! T = dᵀ Σ⁻¹ d over all cells but one, with d = current − reference and Σ the covariance of both, is χ² with m − 1 degrees of freedom when
//! nothing changed (Gaboardi and Rogers, "Local private hypothesis testing: chi-square tests", ICML 2018; Kifer and Rogers, "A new class of private chi-square
//! hypothesis tests", AISTATS 2017). The shares sum to 1, so Σ is singular along the vector of ones; leaving out one cell is the same as projecting it out. The
//! ordinary χ² on de-biased counts ignores the noise in Σ and alarms always.

use super::special::chi_squared_survival;
use crate::estimate::Matrix;

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

/// The test of difference d with covariance Σ. `None` when Σ without its last row is not positive definite.
#[must_use]
pub fn wald(difference: &[f64], covariance: &Matrix) -> Option<Wald> {
    let df = difference.len().checked_sub(1).filter(|df| *df > 0)?;
    let statistic = covariance.leading(df).inverse_quadratic(&difference[..df])?;
    Some(Wald { statistic, df, p_value: chi_squared_survival(statistic, df) })
}
