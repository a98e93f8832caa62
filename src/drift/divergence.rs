//! How far two windows are apart, from their counts alone: the numbers that people know from other monitors.
//!
//! Every function takes the counts of both windows over the same cells, so that a mergeable sketch is enough. The
//! counts are exact and taken as they are; counts that carry noise belong to the tests that know their covariance.
//!
//! | Symbol | Name | Meaning | Range |
//! | --- | --- | --- | --- |
//! | r_j, c_j | `reference`, `current` | counts of cell j | integers ≥ 0 |
//! | n₁, n₂ | totals | Σ r_j, Σ c_j | ≥ 1 |
//! | p_j, q_j | shares | r_j/n₁, c_j/n₂ | 0 to 1 |
//! | m_j | mixture | (p_j + q_j)/2 | 0 to 1 |
//!
//! | Function | Formula | Range |
//! | --- | --- | --- |
//! | [`CountPair::psi`] | Σ (q_j − p_j) ln(q_j/p_j), a share of zero replaced by 1e-4, not renormalized | ≥ 0 |
//! | [`CountPair::psi_exact`] | the same, nothing replaced | ≥ 0, ∞ when a cell is empty on one side only |
//! | [`CountPair::js_divergence`] | ½ Σ p_j ln(p_j/m_j) + ½ Σ q_j ln(q_j/m_j) | 0 to ln 2 |
//! | [`CountPair::js_distance`] | its square root | 0 to √ln 2 |
//! | [`CountPair::js_distance_base2`] | the same with logarithms of base 2 | 0 to 1 |
//! | [`CountPair::hellinger`] | √(½ Σ (√p_j − √q_j)²) | 0 to 1 |
//! | [`CountPair::tvd`] | ½ Σ \|p_j − q_j\|, the share of rows that would have to change cells | 0 to 1 |
//! | [`CountPair::l_inf`] | max \|p_j − q_j\| | 0 to 1 |
//! | [`CountPair::ks`] | max_j \|Σ_{i≤j} (p_i − q_i)\|, for cells in order | 0 to 1 |
//! | [`CountPair::chi_squared`] | Σ (√(n₂/n₁) r_j − √(n₁/n₂) c_j)²/(r_j + c_j) ~ χ² of cells − 1 degrees | ≥ 0 |
//!
//! Sources: PSI, Kullback, *Information Theory and Statistics* (1959), chapter 1, J(1,2); Jensen–Shannon, Lin, IEEE
//! Transactions on Information Theory 37 (1991), and its square root as a metric, Endres and Schindelin, same journal
//! 49 (2003); Hellinger and total variation, Gibbs and Su, International Statistical Review 70 (2002); the two-sample
//! χ² is Pearson's over the 2×k table, both windows random, no Yates correction, written so that no expected count is
//! rounded.
//!
//! Cost: O(cells) time, no memory. Bias: with n rows per window and no change, each is above 0 by chance: PSI by about
//! (cells − 1)(1/n₁ + 1/n₂), the total variation by [`CountPair::tvd_by_chance`]. Does not hold when: rows depend on
//! each other (the p-value is then too small), or cells expect fewer than 5 rows (pool them first:
//! [`CountPair::chi_squared`]).

use thiserror::Error;

use super::special::chi_squared_survival;

/// What replaces a share of zero in [`CountPair::psi`].
pub const PSI_ZERO: f64 = 1e-4;

/// Why two count vectors cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DivergenceError {
    /// The windows were counted over different cells.
    #[error("counts of {reference} and of {current} cells cannot be compared")]
    Cells {
        /// Cells of the reference.
        reference: usize,
        /// Cells of the current window.
        current: usize,
    },
    /// The reference counts nothing.
    #[error("the reference counts nothing")]
    EmptyReference,
    /// The current window counts nothing.
    #[error("the current window counts nothing")]
    EmptyCurrent,
}

/// Counts of two windows over the same cells, neither window empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountPair<'a> {
    reference: &'a [u64],
    current: &'a [u64],
    totals: (u128, u128),
}

/// A two-sample χ² test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoSample {
    /// Pearson's statistic.
    pub statistic: f64,
    /// Degrees of freedom: cells that any row is in, less one.
    pub df: usize,
    /// Probability of a statistic at least as large when both windows have the same shares; 1 when `df` is 0.
    pub p_value: f64,
}

impl<'a> CountPair<'a> {
    /// Counts over the same cells, in the same order.
    ///
    /// # Errors
    ///
    /// Vectors of different lengths; a window that counts nothing.
    pub fn new(reference: &'a [u64], current: &'a [u64]) -> Result<Self, DivergenceError> {
        if reference.len() != current.len() {
            return Err(DivergenceError::Cells { reference: reference.len(), current: current.len() });
        }
        let total = |counts: &[u64]| counts.iter().map(|count| u128::from(*count)).sum::<u128>();
        let totals = (total(reference), total(current));
        match totals {
            (0, _) => Err(DivergenceError::EmptyReference),
            (_, 0) => Err(DivergenceError::EmptyCurrent),
            _ => Ok(Self { reference, current, totals }),
        }
    }

    /// (p_j, q_j) for each cell.
    fn shares(&self) -> impl Iterator<Item = (f64, f64)> + 'a {
        let (n1, n2) = (self.totals.0 as f64, self.totals.1 as f64);
        self.counts().map(move |(r, c)| (r as f64 / n1, c as f64 / n2))
    }

    fn counts(&self) -> impl Iterator<Item = (u64, u64)> + 'a {
        self.reference.iter().copied().zip(self.current.iter().copied())
    }

    /// Population stability index; a share of zero counts as [`PSI_ZERO`].
    #[must_use]
    pub fn psi(&self) -> f64 {
        let filled = |share: f64| if share == 0.0 { PSI_ZERO } else { share };
        self.shares().map(|(p, q)| psi_term(filled(p), filled(q))).sum()
    }

    /// Population stability index as it is defined: infinite when a cell is empty in one window only.
    #[must_use]
    pub fn psi_exact(&self) -> f64 {
        self.shares().map(|(p, q)| psi_term(p, q)).sum()
    }

    /// Jensen–Shannon divergence in nats.
    ///
    /// With t = (p − q)/(p + q) each term is ½ (p ln(1 + t) + q ln(1 − t)), which keeps its digits when p is near q.
    #[must_use]
    pub fn js_divergence(&self) -> f64 {
        js_divergence(self.shares())
    }

    /// Jensen–Shannon distance, natural logarithm.
    #[must_use]
    pub fn js_distance(&self) -> f64 {
        libm::sqrt(self.js_divergence())
    }

    /// Jensen–Shannon distance, logarithm of base 2.
    #[must_use]
    pub fn js_distance_base2(&self) -> f64 {
        libm::sqrt(self.js_divergence() / std::f64::consts::LN_2)
    }

    /// Hellinger distance.
    #[must_use]
    pub fn hellinger(&self) -> f64 {
        hellinger(self.shares())
    }

    /// Total variation distance: the share of rows that would have to change cells.
    #[must_use]
    pub fn tvd(&self) -> f64 {
        tvd(self.shares().map(|(p, q)| p - q))
    }

    /// The total variation distance to expect when nothing changed: Σ √(h_j (1 − h_j)(1/n₁ + 1/n₂)/(2π)), with the
    /// pooled shares h_j, from E\|N(0, σ²)\| = σ√(2/π).
    #[must_use]
    pub fn tvd_by_chance(&self) -> f64 {
        let (n1, n2) = (self.totals.0 as f64, self.totals.1 as f64);
        let variance = |(r, c): (u64, u64)| {
            let pooled = (r as f64 + c as f64) / (n1 + n2);
            pooled * (1.0 - pooled)
        };
        let scale = (1.0 / n1 + 1.0 / n2) / std::f64::consts::TAU;
        self.counts().map(|cell| libm::sqrt(libm::fmax(variance(cell), 0.0) * scale)).sum()
    }

    /// The largest difference of two shares.
    #[must_use]
    pub fn l_inf(&self) -> f64 {
        l_inf(self.shares().map(|(p, q)| p - q))
    }

    /// Kolmogorov–Smirnov distance over cells in order: a lower bound of the distance of the rows themselves.
    #[must_use]
    pub fn ks(&self) -> f64 {
        let (n1, n2) = (self.totals.0 as f64, self.totals.1 as f64);
        let mut sums = (0_u128, 0_u128);
        let distance = |(r, c): (u64, u64)| {
            sums.0 += u128::from(r);
            sums.1 += u128::from(c);
            libm::fabs(sums.0 as f64 / n1 - sums.1 as f64 / n2)
        };
        self.counts().map(distance).fold(0.0, libm::fmax)
    }

    /// Whether both windows have the same shares: Pearson's χ² over both as samples, without Yates' correction. Cells
    /// that are empty in both are left out.
    ///
    /// Its law is approximate where a cell expects fewer than 5 rows in a window; see [`CountPair::rare`].
    #[must_use]
    pub fn chi_squared(&self) -> TwoSample {
        let (n1, n2) = (self.totals.0 as f64, self.totals.1 as f64);
        let (up, down) = (libm::sqrt(n2 / n1), libm::sqrt(n1 / n2));
        let (mut statistic, mut cells) = (0.0, 0_usize);
        for (r, c) in self.counts().filter(|cell| *cell != (0, 0)) {
            let (r, c) = (r as f64, c as f64);
            let difference = up * r - down * c;
            statistic += difference * difference / (r + c);
            cells += 1;
        }
        // One window at least counts something, so one cell does.
        let df = cells - 1;
        if df == 0 {
            return TwoSample { statistic: 0.0, df, p_value: 1.0 };
        }
        TwoSample { statistic, df, p_value: chi_squared_survival(statistic, df) }
    }

    /// For each cell, whether it expects fewer than `least` rows in one of the windows when nothing changed.
    pub fn rare(&self, least: f64) -> impl Iterator<Item = bool> + 'a {
        let (n1, n2) = (self.totals.0 as f64, self.totals.1 as f64);
        let smaller = libm::fmin(n1, n2) / (n1 + n2);
        self.counts().map(move |(r, c)| (r as f64 + c as f64) * smaller < least)
    }
}

/// Jensen–Shannon divergence in nats, of shares (p, q) from 0 on.
pub(super) fn js_divergence(shares: impl Iterator<Item = (f64, f64)>) -> f64 {
    let half_sum: f64 = shares.map(|(p, q)| weighted_log1p(p, q) + weighted_log1p(q, p)).sum();
    libm::fmax(0.5 * half_sum, 0.0)
}

/// Hellinger distance of shares (p, q) from 0 on.
pub(super) fn hellinger(shares: impl Iterator<Item = (f64, f64)>) -> f64 {
    let square = |(p, q): (f64, f64)| {
        let difference = libm::sqrt(p) - libm::sqrt(q);
        difference * difference
    };
    libm::sqrt(0.5 * shares.map(square).sum::<f64>())
}

/// Total variation distance, from the differences of shares.
pub(super) fn tvd(differences: impl Iterator<Item = f64>) -> f64 {
    0.5 * differences.map(libm::fabs).sum::<f64>()
}

/// The largest of the differences of shares.
pub(super) fn l_inf(differences: impl Iterator<Item = f64>) -> f64 {
    differences.map(libm::fabs).fold(0.0, libm::fmax)
}

/// (q − p) ln(q/p), continued to 0 where both are 0.
fn psi_term(p: f64, q: f64) -> f64 {
    if p == q { 0.0 } else { (q - p) * libm::log(q / p) }
}

/// p ln(2p/(p + q)), continued to 0 at p = 0.
fn weighted_log1p(p: f64, q: f64) -> f64 {
    if p == 0.0 { 0.0 } else { p * libm::log1p((p - q) / (p + q)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair<'a>(reference: &'a [u64], current: &'a [u64]) -> CountPair<'a> {
        CountPair::new(reference, current).expect("counts")
    }

    #[test]
    fn same_shares_are_no_distance_apart() {
        // 1/3 and 2/6 are the same float; ten windows of unlike totals are the same shares up to rounding.
        for scale in 1..10 {
            let current = [scale, 2 * scale, 4 * scale];
            let pair = pair(&[3, 6, 12], &current);
            for distance in [pair.psi(), pair.js_distance(), pair.hellinger(), pair.tvd(), pair.l_inf(), pair.ks()] {
                assert!(distance.abs() < 1e-15, "{distance}");
            }
            assert!(pair.chi_squared().p_value > 1.0 - 1e-12);
        }
    }

    #[test]
    fn disjoint_windows_are_as_far_apart_as_can_be() {
        let pair = pair(&[5, 0], &[0, 7]);
        assert_eq!((pair.tvd(), pair.l_inf(), pair.ks()), (1.0, 1.0, 1.0));
        assert!((pair.hellinger() - 1.0).abs() < 1e-15);
        assert!((pair.js_distance_base2() - 1.0).abs() < 1e-15);
        assert_eq!(pair.psi_exact(), f64::INFINITY);
        assert!((pair.psi() - 2.0 * (1.0 - PSI_ZERO) * (1.0 / PSI_ZERO).ln()).abs() < 1e-12);
        // The 2×2 table with all rows on the diagonal: χ² = n.
        assert!((pair.chi_squared().statistic - 12.0).abs() < 1e-12);
    }

    #[test]
    fn a_small_difference_keeps_its_digits() {
        // p = (1/2, 1/2), q = (1/2 + d, 1/2 − d): to the leading order the divergence is d²/2, here with d = 1e-7. The
        // next term is smaller by d², so what is lost is rounding: 1e-16/d in the difference of the shares, twice.
        let n = 20_000_000;
        let divergence = pair(&[n / 2, n / 2], &[n / 2 + 2, n / 2 - 2]).js_divergence();
        assert!((divergence / 5e-15 - 1.0).abs() < 1e-8, "{divergence}");
    }

    #[test]
    fn the_distance_by_chance_is_the_mean_of_the_distance() {
        // 4,000 pairs of windows of 500 and 800 rows over 20 equal cells, seed 1: the mean of the distance has a
        // standard error of about 0.011/√4000 = 0.0002 around 0.0968; five of them fail with probability 6e-7.
        let mut random = fastrand::Rng::with_seed(1);
        let (runs, mut sum, mut expected) = (4_000, 0.0, 0.0);
        for _ in 0..runs {
            let mut draw = |n: u64| {
                let mut counts = [0_u64; 20];
                (0..n).for_each(|_| counts[random.usize(..20)] += 1);
                counts
            };
            let (reference, current) = (draw(500), draw(800));
            sum += pair(&reference, &current).tvd();
            expected += pair(&reference, &current).tvd_by_chance();
        }
        let (mean, expected) = (sum / f64::from(runs), expected / f64::from(runs));
        assert!((mean - expected).abs() < 0.001, "{mean}, expected {expected}");
    }

    #[test]
    fn what_cannot_be_compared() {
        assert_eq!(CountPair::new(&[1], &[1, 2]), Err(DivergenceError::Cells { reference: 1, current: 2 }));
        assert_eq!(CountPair::new(&[0, 0], &[1, 2]), Err(DivergenceError::EmptyReference));
        assert_eq!(CountPair::new(&[1, 0], &[0, 0]), Err(DivergenceError::EmptyCurrent));
        assert_eq!(CountPair::new(&[], &[]), Err(DivergenceError::EmptyReference));
        let huge = [u64::MAX, u64::MAX];
        assert!(pair(&huge, &[1, 1]).tvd() < 1e-15, "totals beyond 64 bits");
        assert_eq!(pair(&[4, 0], &[9, 0]).chi_squared(), TwoSample { statistic: 0.0, df: 0, p_value: 1.0 });
        assert_eq!(pair(&[4, 96], &[9, 91]).rare(7.0).collect::<Vec<_>>(), [true, false]);
    }
}
