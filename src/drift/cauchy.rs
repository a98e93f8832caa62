//! Several dependent p-values of one hypothesis made one: the Cauchy combination.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | p_i, w_i | | p-values; weights that sum to 1 |
//! | T | | Σ w_i tan((1/2 − p_i) π): Cauchy if the p_i are independent and uniform |
//! | p | result | P\[Cauchy > T\] = 1/2 − arctan(T)/π |
//!
//! Liu and Xie, "Cauchy combination test: a powerful test with analytic p-value calculation under arbitrary
//! dependency structures", JASA 115(529), 2020. The tail of T is that of a Cauchy variable under any correlation of
//! normal scores as p → 0. At a level of 5 % the tests that [`one_shot`](super::one_shot()) combines rejected 5.2 to
//! 5.6 % on average over the cells of its bench (`docs/drift.md`): no correction is made, as no constant would hold for
//! all correlations.
//!
//! **Numbers.** tan((1/2 − p)π) = cos(πp)/sin(πp), without cancellation for p of any smallness, and 1/2 − arctan(T)/π =
//! atan2(1, T)/π. A p-value above 0.999 counts as 0.999, as one test that fits too well must not silence the others.
//!
//! **Cost** O(number of tests). **Limits.** Not for tests of different hypotheses; for those control false discoveries.

use core::f64::consts::PI;

/// Largest p-value that is told apart.
const LARGEST: f64 = 0.999;

/// The combination of p-values with equal weights. `None` without one, or with one that is no probability.
#[must_use]
pub fn cauchy_combination(p_values: &[f64]) -> Option<f64> {
    let proper = p_values.iter().all(|p| (0.0..=1.0).contains(p));
    if p_values.is_empty() || !proper {
        return None;
    }
    let term = |p: &f64| {
        let angle = p.min(LARGEST) * PI;
        libm::cos(angle) / libm::sin(angle)
    };
    let statistic = p_values.iter().map(term).sum::<f64>() / p_values.len() as f64;
    Some(libm::atan2(1.0, statistic) / PI)
}

/// ln p of the combination of p-values that are given by their logarithms, for those that are 0 in `f64`. Logarithms
/// above 0 count as 0.
///
/// # Panics
///
/// If there is none, or one is NaN.
#[must_use]
pub fn combined_log_p(logs: &[f64]) -> f64 {
    /// Below, tan((1/2 − p)π) = 1/(pπ) to 20 digits, and p = 1/Σ(w_i/p_i).
    const TAIL: f64 = -27.6;
    let least = logs.iter().copied().fold(0.0, f64::min);
    if least < TAIL && !logs.iter().any(|log| log.is_nan()) {
        let weight = 1.0 / logs.len() as f64;
        return least - libm::log(logs.iter().map(|log| weight * libm::exp(least - log.min(0.0))).sum());
    }
    let p_values: Vec<f64> = logs.iter().map(|log| libm::exp(*log).min(1.0)).collect();
    libm::log(cauchy_combination(&p_values).expect("p-values"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(p_values: &[f64], expected: f64) {
        let found = cauchy_combination(p_values).expect("p-values");
        assert!((found - expected).abs() <= 1e-13 * expected, "{found}, not {expected}");
    }

    #[test]
    fn one_p_value_is_itself() {
        for p in [1e-300, 1e-17, 0.05, 0.5, 0.99] {
            check(&[p], p);
            check(&[p, p, p], p);
        }
        check(&[0.0, 0.7], 0.0);
    }

    /// In the tail 1/p is the mean of the 1/p_i: 2/(1/1e-200 + 1/2e-200) = 4e-200/3.
    #[test]
    fn tiny_p_values_have_a_harmonic_mean() {
        check(&[1e-200, 2e-200], 4e-200 / 3.0);
        check(&[1e-200, 1.0], 2e-200);
    }

    /// In logarithms equal p-values combine to themselves, a p-value of 1 takes nothing but its weight, and the two
    /// formulas meet.
    #[test]
    fn logarithms() {
        for p in [1e-10, 0.001, 0.3, 0.7] {
            let log = libm::log(p);
            assert!((libm::exp(combined_log_p(&[log, log, log])) / p - 1.0).abs() < 1e-9);
        }
        let [above, below] = [-27.59, -27.61].map(|log| combined_log_p(&[log, -3.0]));
        assert!((above - below - 0.02).abs() < 1e-6);
        assert!((combined_log_p(&[-2_000.0, -5.0]) + 2_000.0 - libm::log(2.0)).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_probability() {
        assert_eq!(cauchy_combination(&[]), None);
        assert_eq!(cauchy_combination(&[0.3, f64::NAN]), None);
        assert_eq!(cauchy_combination(&[1.1]), None);
    }
}
