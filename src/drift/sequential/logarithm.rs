//! Sums of numbers that are held as logarithms: e-values span hundreds of orders of magnitude.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | l_i | `terms` | logarithms | \[−∞, ∞) |
//! | ln Σ exp l_i | [`log_sum`] | log of the sum; −∞ of nothing | \[−∞, ∞) |
//!
//! With m the largest term, ln Σ exp l_i = m + ln Σ exp(l_i − m), where no term overflows and one of them is 1 (Higham,
//! *Accuracy and Stability of Numerical Algorithms*, 2nd ed., 2002). Cost: one exponential a term, one
//! logarithm. Does not hold when a term is NaN or +∞: the result is then NaN.

/// ln Σ exp of the terms; −∞ when there are none, or all are −∞.
pub(super) fn log_sum(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + libm::log(terms.map(|term| libm::exp(term - largest)).sum::<f64>())
}

/// ln of the mean of exp of the terms.
pub(super) fn log_mean(terms: &[f64]) -> f64 {
    log_sum(terms.iter().copied()) - libm::log(terms.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_logarithms() {
        let found = log_sum([libm::log(2.0), libm::log(3.0), f64::NEG_INFINITY].into_iter());
        assert!((found - libm::log(5.0)).abs() < 1e-15);
        // exp(1000) overflows; its sum with itself is exp(1000 + ln 2).
        assert!((log_sum([1000.0, 1000.0].into_iter()) - 1000.0 - libm::log(2.0)).abs() < 1e-12);
        assert_eq!(log_sum([].into_iter()), f64::NEG_INFINITY);
        assert!((log_mean(&[0.0, 0.0]) - 0.0).abs() < 1e-15);
    }
}
