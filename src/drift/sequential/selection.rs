//! Which of many tests reject: e-BH for e-values at any time, BH and BY for p-values of one look.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | m | `values.len()` | tests | ≥ 0 |
//! | q | `level` | bound of the false discovery rate, E\[false rejections / rejections\] | (0, 1) |
//! | e_(j) | `log_e` | e-values in falling order, here as logarithms | \[0, ∞) |
//! | p_(j) | `p` | p-values in rising order | \[0, 1\] |
//! | w_i | `weights` | how much test i matters beforehand; rescaled to mean 1 | ≥ 0 |
//!
//! **e-BH** ([`e_bh`]): reject the j* largest, j* the largest j with e_(j) ≥ m/(q j) (Wang and Ramdas, "False discovery
//! rate control with e-values", JRSS-B 84(3), 2022). FDR ≤ q m₀/m under *any* dependence, since each
//! rejected null has 1/j* ≤ q e_i/m and E\[e_i\] ≤ 1. E-processes keep E\[e_i\] ≤ 1 at any stopping time, so it may be
//! repeated at every look of windows that all streams share. Weighted: w_i e_i in place of e_i, with Σ w_i = m.
//!
//! **BH** ([`benjamini_hochberg`]): j* the largest j with p_(j) ≤ q j/m (Benjamini and Hochberg, JRSS-B 57(1), 1995);
//! weighted: p_i/w_i in place of p_i (Genovese, Roeder and Wasserman, Biometrika 93(3), 2006). **BY**
//! ([`benjamini_yekutieli`]): BH at q / Σ_{i≤m} 1/i, under any dependence (Annals of Statistics 29(4), 2001).
//!
//! **Cost**: one sort. **Does not hold when** BH or BY is repeated at each look (0.42 of the rejections were false
//! after 50 looks at 1,000 metrics), when BH's p-values depend negatively, or when weights are chosen from the data.

/// Numbers of the tests that e-BH rejects at level q, in rising order. `log_e` holds ln e; weights are 1 when `None`.
///
/// # Panics
///
/// If the level is not in (0, 1), or weights are negative, all 0, or not one for each test.
#[must_use]
pub fn e_bh(log_e: &[f64], weights: Option<&[f64]>, level: f64) -> Vec<usize> {
    assert!(level > 0.0 && level < 1.0, "a level strictly between 0 and 1");
    let weights = normalized(log_e.len(), weights);
    // −ln of the bound m/(q j): the weighted −ln e must be at most that.
    let values: Vec<f64> = log_e.iter().zip(&weights).map(|(e, weight)| -(e + libm::log(*weight))).collect();
    let m = log_e.len() as f64;
    step_up(&values, |rank| libm::log(level * rank as f64 / m))
}

/// Numbers of the tests that BH rejects at level q, in rising order; weights are 1 when `None`.
///
/// # Panics
///
/// As [`e_bh`].
#[must_use]
pub fn benjamini_hochberg(p: &[f64], weights: Option<&[f64]>, level: f64) -> Vec<usize> {
    assert!(level > 0.0 && level < 1.0, "a level strictly between 0 and 1");
    let weights = normalized(p.len(), weights);
    // Without weight a test is never rejected: 0/0 is NaN, which is no less than any bound.
    let values: Vec<f64> = p.iter().zip(&weights).map(|(p, weight)| p / weight).collect();
    let m = p.len() as f64;
    step_up(&values, |rank| level * rank as f64 / m)
}

/// [`benjamini_hochberg`] at level q / Σ 1/i: holds under any dependence.
///
/// # Panics
///
/// As [`e_bh`].
#[must_use]
pub fn benjamini_yekutieli(p: &[f64], weights: Option<&[f64]>, level: f64) -> Vec<usize> {
    assert!(level > 0.0 && level < 1.0, "a level strictly between 0 and 1");
    let harmonic: f64 = (1..=p.len()).map(|i| 1.0 / i as f64).sum();
    benjamini_hochberg(p, weights, level / harmonic.max(1.0))
}

/// The tests whose value is among the j* smallest, j* the largest j with the j-th smallest at most `bound(j)`. NaN
/// never passes a bound and sorts last.
fn step_up(values: &[f64], bound: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    let key = |at: usize| if values[at].is_nan() { f64::INFINITY } else { values[at] };
    order.sort_by(|a, b| key(*a).total_cmp(&key(*b)));
    let last = (1..=order.len()).rev().find(|rank| values[order[rank - 1]] <= bound(*rank)).unwrap_or(0);
    let mut rejected = order[..last].to_vec();
    rejected.sort_unstable();
    rejected
}

fn normalized(tests: usize, weights: Option<&[f64]>) -> Vec<f64> {
    let Some(weights) = weights else { return vec![1.0; tests] };
    let sum: f64 = weights.iter().sum();
    let proper = weights.len() == tests && weights.iter().all(|weight| *weight >= 0.0) && sum > 0.0;
    assert!(proper && sum.is_finite(), "one weight at least 0 for each test, not all 0");
    weights.iter().map(|weight| weight * tests as f64 / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(values: &[f64]) -> Vec<f64> {
        values.iter().map(|value| libm::log(*value)).collect()
    }

    /// m = 4, q = 0.1: the bounds are 40, 20, 13.33, 10. The third largest is 13 < 13.33, the fourth 10 ≥ 10: all four.
    #[test]
    fn the_largest_rank_counts() {
        assert_eq!(e_bh(&logs(&[50.0, 10.000_001, 13.0, 19.0]), None, 0.1), [0, 1, 2, 3]);
        assert_eq!(e_bh(&logs(&[50.0, 9.9, 13.0, 19.0]), None, 0.1), [0]);
        assert_eq!(e_bh(&[f64::NEG_INFINITY, f64::NAN], None, 0.1), [0_usize; 0]);
        assert_eq!(e_bh(&[], None, 0.1), [0_usize; 0]);
    }

    /// Weight 3 of (3, 1): rescaled 1.5 and 0.5. Bounds 20 and 10: 15 · 1.5 = 22.5 passes, 15 · 0.5 = 7.5 does not.
    #[test]
    fn weights_count() {
        assert_eq!(e_bh(&logs(&[15.0, 15.0]), Some(&[3.0, 1.0]), 0.1), [0]);
        assert_eq!(benjamini_hochberg(&[0.06, 0.06], Some(&[3.0, 1.0]), 0.1), [0]);
        assert_eq!(benjamini_hochberg(&[0.0, 0.06], Some(&[0.0, 1.0]), 0.1), [1]);
    }

    /// BY at m = 2 divides by 1.5.
    #[test]
    fn any_dependence_costs_the_harmonic_sum() {
        assert_eq!(benjamini_hochberg(&[0.04, 0.09], None, 0.1), [0, 1]);
        assert_eq!(benjamini_yekutieli(&[0.04, 0.09], None, 0.1), [0_usize; 0]);
        assert_eq!(benjamini_yekutieli(&[0.03, 0.09], None, 0.1), [0]);
    }
}
