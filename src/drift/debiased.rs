//! Distances that people know, from noisy shares alone: without the bias of noise, each with an interval.
//!
//! Every distance of two noisy histograms is too large, by what the noise adds: raw PSI at ε = 1 from 1,000 reports
//! is 1.5 where nothing changed. Here that is taken out. **Show only: never rank or alert on these figures.** A noisy
//! metric has a large interval and often the largest figure; evidence is what ranks ([`super::rank`]) and alerts.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | d, Σ | | difference of the shares, current less reference, and its covariance; both made to sum to 0 | |
//! | p | | mean of both shares, clipped, renormalized, at least √(Σ_vv/4) or 10⁻⁶ | (0, 1\] |
//! | M | [`Distance`] | a distance as a function of d at fixed p: between p − d/2 and p + d/2 | ≥ 0 |
//! | Q | | Σ d_v²/p_v | |
//! | c, ν | | tr((AΣ)²)/tr(AΣ) and tr(AΣ)²/tr((AΣ)²) with A = diag(1/p) | |
//! | δ, e | | true difference; noise of d, e ~ N(0, Σ) | |
//! | θ | | size: the true difference were θ d | ≥ 0 |
//!
//! **PSI** (PSI_u): Q − tr(AΣ), the second-order delta method: unbiased up to the noise of p, so possibly negative.
//! Q/c is close to χ²_ν(λ/c) with λ = Σ δ_v²/p_v, matched in mean and variance (Patnaik, Biometrika 36, 1949); the
//! interval holds the λ ≥ 0 for which neither tail of Q is below α/2. It is the square of a distance, like the PSI
//! that it approximates to second order: Σ (q − r) ln(q/r) = Σ d²/p (1 + d²/(12 p²) + …).
//!
//! **Jensen–Shannon, Hellinger**: the square of either is Q/8 to second order, so the law of Q serves: ends and
//! estimate are M(θd) at the θ = √(λ/Q) of the ends of λ and of the λ that leaves Q in the middle of its law.
//!
//! **The others** are seminorms, and |M(d) − M(δ)| ≤ M(e) whatever the direction of δ: M(d) ± the 1 − α quantile of
//! M(e) covers with probability 1 − α at least. Exactly so where nothing changed; at a large shift of one cell (L∞)
//! or to and fro (TVD) it covers more, being wider than it need be. The quantile is that of [`NormLaw`]. The estimate is the θ at which
//! M(θd + e) exceeds M(d) with probability 1/2, or 0 if it does so at θ = 0: median-unbiased for that direction. The
//! normed W1 is divided by the deviation s of the reference, whose own error adds (M/s) |gᵀe₁| to the noise, g = ∇s
//! and e₁ the noise of the reference, correlated with e.
//!
//! **A mean bias where nothing changed stays**: what cannot be below 0 and is not always 0 has a mean above 0.
//! Estimates are then 0 in half of all cases; their mean is half of that of the raw distance or less.
//!
//! **Calibration**: `cargo bench -p driftglass --bench drift -- effects`; a short form in `tests/it/debiased.rs`.
//!
//! **Cost** O(k³) once; O(k) for PSI, Jensen–Shannon and Hellinger, O((B + 14 [`DRAWS`]) k²) for the others. **Does
//! not hold when** most shares are within a standard error of 0: p is then noise, and PSI, Jensen–Shannon and
//! Hellinger, which weigh by 1/p, mean little.

use std::sync::OnceLock;

use super::divergence::{hellinger, js_divergence, l_inf, tvd};
use super::norm_law::{NormLaw, norm_laws};
use super::normal_draws::normal_draws;
use super::special::{log_chi_squared_survival, noncentral_chi_squared_survival};
use crate::estimate::{Cholesky, Estimate, Interval, Matrix, clipped, constrained};

/// Draws of the noise that an estimate is the median by: off by ±1.6 points of probability.
const DRAWS: usize = 1_024;

/// A distance of two distributions over cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distance<'a> {
    /// Population stability index, to second order: Σ d²/p. From 0, without bound.
    Psi,
    /// Largest absolute difference of cumulative shares, 0–1; cells are ordered.
    Ks,
    /// Jensen–Shannon distance, the square root of the divergence in nats, 0–√ln 2.
    JensenShannon,
    /// Hellinger distance √(½ Σ(√q − √r)²), 0–1.
    Hellinger,
    /// Wasserstein-1 distance in cells, 0 to k − 1; cells are ordered.
    Wasserstein,
    /// Wasserstein-1 distance between these positions of the cells, increasing, over the standard deviation of the
    /// reference over them.
    WassersteinNormed(&'a [f64]),
    /// Largest absolute difference of shares, 0–1.
    LInfinity,
    /// Total variation distance, 0–1.
    TotalVariation,
}

/// A distance without the bias of noise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Debiased {
    /// The estimate; PSI alone may be below 0.
    pub estimate: f64,
    /// Interval for the true distance.
    pub interval: Interval,
    /// The distance of the shares as they are, noise included.
    pub raw: f64,
}

/// Two estimates of the same cells, ready to be compared in any distance.
#[derive(Debug, Clone)]
pub struct DebiasedPair {
    difference: Vec<f64>,
    covariance: Matrix,
    center: Vec<f64>,
    reference: Estimate,
    /// Of the covariance without its last row.
    root: Cholesky,
    noise: OnceLock<Vec<Vec<f64>>>,
    /// Of the largest and of the summed absolute entry, of cumulative differences and of the cells.
    cumulative_laws: OnceLock<[NormLaw; 2]>,
    cell_laws: OnceLock<[NormLaw; 2]>,
}

impl DebiasedPair {
    /// Compares shares that sum to 1, up to their noise.
    ///
    /// # Panics
    ///
    /// If they have not the same number of cells, at least 2.
    #[must_use]
    pub fn new(current: &Estimate, reference: &Estimate) -> Self {
        let k = current.shares.len();
        assert!(k > 1 && reference.shares.len() == k, "two cells at least, the same in both");
        let (current, reference) = (current.sum_to_one(), reference.sum_to_one());
        let pairs = || current.shares.iter().zip(&reference.shares);
        let difference: Vec<f64> = pairs().map(|(now, then)| now - then).collect();
        let covariance = current.covariance.plus(&reference.covariance);
        let (difference, covariance) = constrained(&difference, &covariance, 0.0);
        let pooled = clipped(&pairs().map(|(now, then)| (now + then) / 2.0).collect::<Vec<_>>());
        let floor = |cell: usize| libm::sqrt(covariance.at(cell, cell).max(0.0) / 4.0).max(1e-6);
        let center = pooled.iter().enumerate().map(|(cell, share)| share.max(floor(cell))).collect();
        let root = covariance.leading(k - 1).root();
        Self {
            difference,
            covariance,
            center,
            reference,
            root,
            noise: OnceLock::new(),
            cumulative_laws: OnceLock::new(),
            cell_laws: OnceLock::new(),
        }
    }

    /// A distance with an interval that covers the true one with probability `coverage`.
    ///
    /// # Panics
    ///
    /// If the coverage is not in (0, 1), or positions are not one per cell and increasing.
    #[must_use]
    pub fn debiased(&self, distance: Distance<'_>, coverage: f64) -> Debiased {
        assert!(coverage > 0.0 && coverage < 1.0, "a coverage strictly between 0 and 1");
        if let Distance::WassersteinNormed(positions) = distance {
            let increasing = positions.windows(2).all(|pair| pair[0] < pair[1]);
            assert!(positions.len() == self.center.len() && increasing, "increasing positions, one per cell");
        }
        let tail = (1.0 - coverage) / 2.0;
        match distance {
            Distance::Psi => self.psi(tail),
            Distance::Hellinger | Distance::JensenShannon => self.smooth(distance, tail),
            _ => self.seminorm(distance, 2.0 * tail),
        }
    }

    fn psi(&self, tail: f64) -> Debiased {
        let raw = self.measure(Distance::Psi, &self.difference);
        let [lower, upper] = self.noncentralities(raw, [tail, 1.0 - tail]);
        let trace: f64 = (0..self.center.len()).map(|v| self.covariance.at(v, v) / self.center[v]).sum();
        Debiased { estimate: raw - trace, interval: Interval { lower, upper }, raw }
    }

    /// The λ at which Q is exceeded with these probabilities.
    fn noncentralities<const N: usize>(&self, q: f64, tails: [f64; N]) -> [f64; N] {
        let (p, k) = (&self.center, self.center.len());
        let trace: f64 = (0..k).map(|v| self.covariance.at(v, v) / p[v]).sum();
        let entry = |u: usize, v: usize| self.covariance.at(u, v) * self.covariance.at(u, v) / (p[u] * p[v]);
        let squares: f64 = (0..k).map(|u| (0..k).map(|v| entry(u, v)).sum::<f64>()).sum();
        if trace <= 0.0 || squares <= 0.0 {
            return [q; N];
        }
        let (c, df) = (squares / trace, trace * trace / squares);
        let mut above = |lambda: f64| match lambda {
            0.0 => libm::exp(log_chi_squared_survival(q / c, df)),
            lambda => noncentral_chi_squared_survival(q / c, df, lambda / c),
        };
        // λ is at most a few times what was seen and its noise.
        let most = 4.0 * q + 40.0 * c * (1.0 + df);
        tails.map(|tail| least(most, tail, 30, &mut above))
    }

    fn smooth(&self, distance: Distance<'_>, tail: f64) -> Debiased {
        let q = self.measure(Distance::Psi, &self.difference);
        let raw = self.measure(distance, &self.difference);
        let unit = |cell: &f64| if q > 0.0 { cell / libm::sqrt(q) } else { 0.0 };
        let direction: Vec<f64> = self.difference.iter().map(unit).collect();
        let at = |lambda: f64| self.measure(distance, &scaled(&direction, libm::sqrt(lambda)));
        let [lower, estimate, upper] = self.noncentralities(q, [tail, 0.5, 1.0 - tail]).map(at);
        // Where nothing was seen there is no direction: Q/8, which is the square of either.
        let upper = if q > 0.0 { upper } else { libm::sqrt(self.noncentralities(q, [1.0 - tail])[0] / 8.0) };
        Debiased { estimate, interval: Interval { lower, upper }, raw }
    }

    fn seminorm(&self, distance: Distance<'_>, alpha: f64) -> Debiased {
        let raw = self.measure(distance, &self.difference);
        if self.root.rows().all(|row| row.iter().all(|entry| *entry == 0.0)) {
            return Debiased { estimate: raw, interval: Interval { lower: raw, upper: raw }, raw };
        }
        let mut moved = vec![0.0; self.difference.len()];
        let mut above = |size: f64| {
            let mut count = 0;
            for noise in self.noise() {
                for ((moved, d), e) in moved.iter_mut().zip(&self.difference).zip(noise) {
                    *moved = size * d + e;
                }
                count += usize::from(self.measure(distance, &moved) >= raw);
            }
            count as f64 / DRAWS as f64
        };
        let size = if raw > 0.0 { least(4.0, 0.5, 14, &mut above) } else { 0.0 };
        let reach = self.reach(distance, raw, alpha);
        let interval = Interval { lower: (raw - reach).max(0.0), upper: raw + reach };
        Debiased { estimate: size * raw, interval, raw }
    }

    /// Draws of e.
    fn noise(&self) -> &[Vec<f64>] {
        self.noise.get_or_init(|| {
            let columns: Vec<&[f64]> = (0..self.root.size()).map(normal_draws).collect();
            let draw = |b: usize| {
                let mut noise = self.root.times(&columns.iter().map(|column| column[b]).collect::<Vec<_>>());
                noise.push(-noise.iter().sum::<f64>());
                noise
            };
            (0..DRAWS).map(draw).collect()
        })
    }

    /// The 1 − α quantile of M(e), and of what the deviation of the reference adds to it.
    fn reach(&self, distance: Distance<'_>, raw: f64, alpha: f64) -> f64 {
        let size = self.root.size();
        let cumulative = || self.cumulative_laws.get_or_init(|| norm_laws(&self.cumulative(|_| 1.0), size));
        let cells = || {
            let last = self.cumulative(|_| -1.0).pop();
            let rows: Vec<Vec<f64>> = self.root.rows().map(<[f64]>::to_vec).chain(last).collect();
            norm_laws(&rows, size)
        };
        let cells = || self.cell_laws.get_or_init(cells);
        match distance {
            Distance::Ks => cumulative()[0].quantile(alpha),
            Distance::Wasserstein => cumulative()[1].quantile(alpha),
            Distance::WassersteinNormed(positions) => {
                let deviation = self.deviation(positions);
                let mut rows = self.cumulative(|cell| (positions[cell + 1] - positions[cell]) / deviation);
                rows.push(self.deviation_row(positions, raw));
                norm_laws(&rows, size + 1)[1].quantile(alpha)
            }
            Distance::TotalVariation => cells()[1].quantile(alpha) / 2.0,
            _ => cells()[0].quantile(alpha),
        }
    }

    /// D_1 … D_{k−1} of e, each times a weight, in the coordinates of e.
    fn cumulative(&self, weight: impl Fn(usize) -> f64) -> Vec<Vec<f64>> {
        let mut sum = vec![0.0; self.root.size()];
        let row = |(cell, row): (usize, &[f64])| {
            sum.iter_mut().zip(row).for_each(|(sum, entry)| *sum += entry);
            scaled(&sum, weight(cell))
        };
        self.root.rows().enumerate().map(row).collect()
    }

    /// (M/s) gᵀe₁ in the coordinates of e and one of its own: cov(e₁, e) = −Σ₁.
    fn deviation_row(&self, positions: &[f64], raw: f64) -> Vec<f64> {
        let (mean, deviation) = (self.mean(positions), self.deviation(positions));
        // s² = Σ p (x − mean)², so ∂s/∂p_v = (x_v − mean)²/(2 s) up to a constant, and the noise sums to 0.
        let gradient: Vec<f64> = positions.iter().map(|at| (at - mean) * (at - mean) / (2.0 * deviation)).collect();
        let covariance = &self.reference.covariance;
        let k = gradient.len();
        let across: Vec<f64> = (0..k)
            .map(|row| -(0..k).map(|column| covariance.at(row, column) * gradient[column]).sum::<f64>())
            .collect();
        let mut row = self.root.whiten(&across);
        let known: f64 = row.iter().map(|entry| entry * entry).sum();
        row.push(libm::sqrt((covariance.quadratic(&gradient) - known).max(0.0)));
        scaled(&row, raw / deviation)
    }

    /// M at a difference.
    fn measure(&self, distance: Distance<'_>, difference: &[f64]) -> f64 {
        let cumulative = || {
            difference.iter().scan(0.0, |sum, d| {
                *sum += d;
                Some(libm::fabs(*sum))
            })
        };
        let last = difference.len() - 1;
        match distance {
            Distance::Psi => difference.iter().zip(&self.center).map(|(d, p)| d * d / p).sum(),
            Distance::Ks => cumulative().take(last).fold(0.0, f64::max),
            Distance::Wasserstein => cumulative().take(last).sum(),
            Distance::WassersteinNormed(positions) => {
                let steps = positions.windows(2).map(|pair| pair[1] - pair[0]);
                let moved: f64 = cumulative().zip(steps).map(|(sum, step)| sum * step).sum();
                moved / self.deviation(positions)
            }
            Distance::LInfinity => l_inf(difference.iter().copied()),
            Distance::TotalVariation => tvd(difference.iter().copied()),
            Distance::Hellinger => hellinger(self.pairs(difference)),
            Distance::JensenShannon => libm::sqrt(js_divergence(self.pairs(difference))),
        }
    }

    /// p − d/2 and p + d/2, not below 0.
    fn pairs(&self, difference: &[f64]) -> impl Iterator<Item = (f64, f64)> {
        self.center.iter().zip(difference).map(|(p, d)| ((p - d / 2.0).max(0.0), (p + d / 2.0).max(0.0)))
    }

    fn mean(&self, positions: &[f64]) -> f64 {
        clipped(&self.reference.shares).iter().zip(positions).map(|(share, at)| share * at).sum()
    }

    fn deviation(&self, positions: &[f64]) -> f64 {
        let mean = self.mean(positions);
        let part = |(share, at): (&f64, &f64)| share * (at - mean) * (at - mean);
        libm::sqrt(clipped(&self.reference.shares).iter().zip(positions).map(part).sum())
    }
}

fn scaled(values: &[f64], factor: f64) -> Vec<f64> {
    values.iter().map(|value| value * factor).collect()
}

/// The least size in \[0, most\] at which a probability that grows with it reaches `wanted`, by halving; `most` if it
/// never does.
fn least(most: f64, wanted: f64, halvings: usize, above: &mut dyn FnMut(f64) -> f64) -> f64 {
    if most == 0.0 || above(0.0) >= wanted {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, most);
    while above(high) < wanted && high < most * 1e6 {
        (low, high) = (high, high * 2.0);
    }
    for _ in 0..halvings {
        let middle = (low + high) / 2.0;
        if above(middle) >= wanted { high = middle } else { low = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(shares: &[f64]) -> Estimate {
        Estimate { shares: shares.to_vec(), covariance: Matrix::symmetric(shares.len(), |_, _| 0.0) }
    }

    /// Without noise every distance is its definition. Expected by hand.
    #[test]
    fn definitions() {
        let comparison = DebiasedPair::new(&exact(&[0.1, 0.3, 0.6]), &exact(&[0.3, 0.3, 0.4]));
        let check = |distance, expected: f64| {
            let found = comparison.debiased(distance, 0.9);
            assert!((found.estimate / expected - 1.0).abs() < 2e-3, "{distance:?}: {found:?}, not {expected}");
            assert!((found.raw / expected - 1.0).abs() < 1e-12, "{distance:?}: {found:?}, not {expected}");
        };
        check(Distance::Psi, 0.04 / 0.2 + 0.04 / 0.5);
        check(Distance::Ks, 0.2);
        check(Distance::LInfinity, 0.2);
        check(Distance::TotalVariation, 0.2);
        check(Distance::Wasserstein, 0.4);
        // Reference on 0, 1, 3: mean 1.5, variance 0.3·2.25 + 0.3·0.25 + 0.4·2.25 = 1.65.
        check(Distance::WassersteinNormed(&[0.0, 1.0, 3.0]), (0.2 + 0.2 * 2.0) / libm::sqrt(1.65));
        let root = |share: f64| libm::sqrt(share);
        let half = |a: f64, b: f64| (root(a) - root(b)) * (root(a) - root(b)) / 2.0;
        check(Distance::Hellinger, root(half(0.1, 0.3) + half(0.6, 0.4)));
        let part = |a: f64, b: f64| (a * libm::log(2.0 * a / (a + b)) + b * libm::log(2.0 * b / (a + b))) / 2.0;
        check(Distance::JensenShannon, root(part(0.1, 0.3) + part(0.6, 0.4)));
    }

    #[test]
    fn nothing_moved() {
        let comparison = DebiasedPair::new(&exact(&[0.5, 0.5]), &exact(&[0.5, 0.5]));
        let found = comparison.debiased(Distance::Ks, 0.9);
        assert_eq!((found.estimate, found.interval.lower, found.interval.upper), (0.0, 0.0, 0.0));
    }
}
