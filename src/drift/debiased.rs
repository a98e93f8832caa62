//! Distances that people know, from noisy shares alone: without the bias of noise, each with an interval.
//!
//! Every distance of two noisy histograms is too large, by what the noise adds: raw PSI at ε = 1 from 1,000 reports is 1.5
//! where nothing changed. Here that is taken out. **Show only: never rank or alert on these figures.** A noisy metric has
//! a large interval and often the largest figure; evidence is what ranks ([`super::rank`]) and alerts.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | d, Σ | | difference of the shares, current less reference; sum of both covariances | |
//! | p | | mean of both shares, clipped, renormalized, at least √(Σ_vv/4) or 10⁻⁶ | (0, 1\] |
//! | M | [`Distance`] | a distance as a function of d at fixed p: between p − d/2 and p + d/2 | ≥ 0 |
//! | Q | | Σ d_v²/p_v | |
//! | c, ν | | tr((AΣ)²)/tr(AΣ) and tr(AΣ)²/tr((AΣ)²) with A = diag(1/p) | |
//! | θ, u | | size and direction: d = θ u with θ = 1 for what was seen | |
//!
//! **PSI** (PSI_u): Q − tr(AΣ), the second-order delta method: unbiased up to the noise of p, so possibly negative. Q/c is
//! close to χ²_ν(λ/c) with λ = Σ δ_v²/p_v, matched in mean and variance (Patnaik, Biometrika 36, 1949); the interval holds
//! the λ ≥ 0 for which neither tail of Q is below α/2. It is the square of a distance, like the PSI that it
//! approximates to second order: Σ (q − r) ln(q/r) = Σ d²/p (1 + d²/(12 p²) + …).
//!
//! **All others**: M is not smooth at 0, or its curvature matters. Let true shifts be θ u along the direction seen. The
//! estimate is the θ at which M(θu + e), e ~ N(0, Σ), exceeds M(d) with probability 1/2, or 0 if it does so at θ = 0:
//! median-unbiased for that direction; its mean is above 0 where nothing changed, as it cannot be below. Jensen–Shannon
//! and Hellinger have the ends with α/2 and 1 − α/2. The others are seminorms, so |M(d) − M(δ)| ≤ M(e), and M(d) ± the 1 −
//! α quantile of M(e) covers with 1 − α at least, whatever the direction: ends along u covered 82 to 86 % of nominal
//! 90 % at ε = 1, n = 10⁴. e are [`DRAWS`] fixed normal vectors, so the same aggregates
//! give the same figures everywhere.
//!
//! **Calibration** (`tests/it/debiased.rs`): cover and bias at ε 1 and 4, n 10⁴ and 10⁵, without and with a shift.
//!
//! **Cost**: O(k³ + DRAWS · k² + 40 · DRAWS · k) a distance. **Does not hold when** most shares are within a standard error
//! of 0: p is then noise, and PSI, Jensen–Shannon and Hellinger, which weigh by 1/p, mean little.

use super::normal_draws::Normals;
use super::special::{log_chi_squared_survival, noncentral_chi_squared_survival};
use crate::estimate::{Estimate, Interval, Matrix, clipped};

/// Draws of the noise: an end is off by what ±1 point of probability makes.
const DRAWS: usize = 600;

const SEED: u64 = 0x00de_b1a5;

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
    reference: Vec<f64>,
    noise: Vec<Vec<f64>>,
}

impl DebiasedPair {
    /// Compares shares. Both estimates are of cells that sum to 1.
    ///
    /// # Panics
    ///
    /// If they have not the same number of cells, at least 2.
    #[must_use]
    pub fn new(current: &Estimate, reference: &Estimate) -> Self {
        let k = current.shares.len();
        assert!(k > 1 && reference.shares.len() == k, "two cells at least, the same in both");
        let covariance = current.covariance.plus(&reference.covariance);
        let pairs = || current.shares.iter().zip(&reference.shares);
        let pooled = clipped(&pairs().map(|(now, then)| (now + then) / 2.0).collect::<Vec<_>>());
        let floor = |cell: usize| libm::sqrt(covariance.at(cell, cell).max(0.0) / 4.0).max(1e-6);
        let center = pooled.iter().enumerate().map(|(cell, share)| share.max(floor(cell))).collect();
        let root = covariance.root();
        let mut normals = Normals::new(SEED);
        Self {
            difference: pairs().map(|(now, then)| now - then).collect(),
            center,
            reference: clipped(&reference.shares),
            noise: (0..DRAWS).map(|_| root.times(&normals.by_ref().take(k).collect::<Vec<_>>())).collect(),
            covariance,
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
        if distance == Distance::Psi { self.psi(tail) } else { self.along(distance, tail) }
    }

    fn psi(&self, tail: f64) -> Debiased {
        let (p, k) = (&self.center, self.center.len());
        let q: f64 = self.difference.iter().zip(p).map(|(d, p)| d * d / p).sum();
        let trace: f64 = (0..k).map(|v| self.covariance.at(v, v) / p[v]).sum();
        let entry = |u: usize, v: usize| self.covariance.at(u, v) * self.covariance.at(u, v) / (p[u] * p[v]);
        let squares: f64 = (0..k).map(|u| (0..k).map(|v| entry(u, v)).sum::<f64>()).sum();
        if trace <= 0.0 {
            return Debiased { estimate: q, interval: Interval { lower: q, upper: q }, raw: q };
        }
        let (c, df) = (squares / trace, trace * trace / squares);
        let mut above = |lambda: f64| match lambda {
            0.0 => libm::exp(log_chi_squared_survival(q / c, df)),
            lambda => noncentral_chi_squared_survival(q / c, df, lambda / c),
        };
        // λ is at most a few times what was seen and its noise.
        let most = 4.0 * q + 40.0 * c * (1.0 + df);
        let interval = Interval { lower: least(most, tail, &mut above), upper: least(most, 1.0 - tail, &mut above) };
        Debiased { estimate: q - trace, interval, raw: q }
    }

    fn along(&self, distance: Distance<'_>, tail: f64) -> Debiased {
        let raw = self.measure(distance, &self.difference);
        let mut moved = vec![0.0; self.difference.len()];
        let mut above = |size: f64| {
            let mut count = 0;
            for noise in &self.noise {
                for ((moved, d), e) in moved.iter_mut().zip(&self.difference).zip(noise) {
                    *moved = size * d + e;
                }
                count += usize::from(self.measure(distance, &moved) >= raw);
            }
            count as f64 / DRAWS as f64
        };
        let most = if raw > 0.0 { 4.0 } else { 0.0 };
        let [lower, estimate, upper] = [tail, 0.5, 1.0 - tail].map(|wanted| {
            let size = least(most, wanted, &mut above);
            let along: Vec<f64> = self.difference.iter().map(|d| d * size).collect();
            self.measure(distance, &along)
        });
        let smooth = matches!(distance, Distance::JensenShannon | Distance::Hellinger);
        let interval = if smooth { Interval { lower, upper } } else { self.around(distance, raw, 2.0 * tail) };
        Debiased { estimate, interval, raw }
    }

    /// M(d) ± the 1 − α quantile of M(e), for a seminorm.
    fn around(&self, distance: Distance<'_>, raw: f64, alpha: f64) -> Interval {
        let mut noise: Vec<f64> = self.noise.iter().map(|noise| self.measure(distance, noise)).collect();
        noise.sort_by(f64::total_cmp);
        let reach = noise[(libm::ceil((1.0 - alpha) * DRAWS as f64) as usize).min(DRAWS - 1)];
        Interval { lower: (raw - reach).max(0.0), upper: raw + reach }
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
            Distance::LInfinity => difference.iter().map(|d| libm::fabs(*d)).fold(0.0, f64::max),
            Distance::TotalVariation => difference.iter().map(|d| libm::fabs(*d)).sum::<f64>() / 2.0,
            Distance::Hellinger => {
                let square = |[then, now]: [f64; 2]| {
                    let root = libm::sqrt(now) - libm::sqrt(then);
                    root * root
                };
                libm::sqrt(self.pairs(difference).map(square).sum::<f64>() / 2.0)
            }
            Distance::JensenShannon => {
                let part = |share: f64, middle: f64| if share > 0.0 { share * libm::log(share / middle) } else { 0.0 };
                let both = |[then, now]: [f64; 2]| {
                    let middle = (then + now) / 2.0;
                    (part(then, middle) + part(now, middle)) / 2.0
                };
                libm::sqrt(self.pairs(difference).map(both).sum::<f64>().max(0.0))
            }
        }
    }

    /// p − d/2 and p + d/2, not below 0.
    fn pairs(&self, difference: &[f64]) -> impl Iterator<Item = [f64; 2]> {
        self.center.iter().zip(difference).map(|(p, d)| [(p - d / 2.0).max(0.0), (p + d / 2.0).max(0.0)])
    }

    fn deviation(&self, positions: &[f64]) -> f64 {
        let mean = |value: &dyn Fn(f64) -> f64| -> f64 {
            self.reference.iter().zip(positions).map(|(share, at)| share * value(*at)).sum()
        };
        let center = mean(&|at| at);
        libm::sqrt(mean(&|at| (at - center) * (at - center)))
    }
}

/// The least size in \[0, most\] at which a probability that grows with it reaches `wanted`; `most` if it never does.
fn least(most: f64, wanted: f64, above: &mut dyn FnMut(f64) -> f64) -> f64 {
    if most == 0.0 || above(0.0) >= wanted {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, most);
    while above(high) < wanted && high < most * 1e6 {
        (low, high) = (high, high * 2.0);
    }
    for _ in 0..14 {
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
