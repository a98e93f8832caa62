//! From sums of reports to de-biased shares with their covariance, and to means, counts, distributions and words.
//!
//! Here are the shares of frequency oracles; the modules have the other estimators. What is unbiased and has a standard
//! error ([`Estimate`], [`MeanLaw`], [`CountLaw`], [`heavy_hitters()`]) is for tests; what is projected or smoothed
//! ([`norm_sub`], [`square_wave`]) is for people to look at, and never tested on.
//!
//! | Symbol | Meaning |
//! | --- | --- |
//! | k | symbols |
//! | n, c_v | reports; reports that support v |
//! | p, q | P\[support v, given x = v\]; given x ≠ v |
//! | r | P\[support u and v, given x = u\] |
//! | t | P\[support u and v, given x is neither\] |
//! | f | shares of the symbols, "no data" last |
//! | g | shares of the cells among devices with data: g = f / (1 − f_no data) |
//!
//! The estimate f̂_v = (c_v/n − q)/(p − q) is unbiased (Wang, Blocki, Li and Jha, USENIX Security 2017, theorem 1). Its covariance is that of one
//! report's support vector, divided by n (p−q)²: E\[y_u y_v\] = r (f_u + f_v) + t (1 − f_u − f_v) and E\[y_v\] = q + (p−q) f_v. It is evaluated at shares clipped to
//! \[0, 1\] and renormalized, while the estimate itself is never clipped. It treats devices as a sample; for a fixed fleet with
//! differing devices it errs on the safe side. g has its covariance by the delta method.

use crate::privacy::ProjectiveGeometry;
use crate::spec::{Geometry, Mechanism, Randomizer, Weights};

mod count;
mod expectation;
mod heavy_hitters;
mod interval;
mod law;
mod matrix;
mod mean;
mod simplex;

pub use count::CountLaw;
pub use expectation::{Likeliest, Stop, maximize_likelihood, maximize_smoothed, square_wave, square_wave_half_width};
pub use heavy_hitters::{HeavyHitter, Search, heavy_hitters};
pub use interval::{Interval, Scalar, normal_quantile};
pub use law::{Law, Rows, Windows};
pub use matrix::Matrix;
pub use mean::{MeanEstimate, MeanLaw, mean_mechanism};
pub use simplex::norm_sub;

/// The channel that a randomizer makes between true shares and support.
#[derive(Debug, Clone)]
pub struct Channel {
    k: usize,
    p: f64,
    q: f64,
    r: f64,
    t: f64,
    /// Where t depends on x: hyperplanes through the points that two others share.
    pencils: Option<ProjectiveGeometry>,
}

/// Shares with their covariance.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// One share per symbol or cell; sums to 1, may lie outside \[0, 1\].
    pub shares: Vec<f64>,
    /// Covariance of the shares; its rows sum to 0.
    pub covariance: Matrix,
}

impl Channel {
    /// The channel of a mechanism that shares are counted from, `None` for any other.
    #[must_use]
    pub fn of(randomizer: &Randomizer, domain_size: usize) -> Option<Self> {
        let weights = randomizer.weights;
        let k = domain_size as f64;
        let channel = |p, q, r, t| Some(Self { k: domain_size, p, q, r, t, pencils: None });
        match randomizer.mechanism {
            Mechanism::KAry => Some(Self::of_subsets(domain_size, 1, weights)),
            Mechanism::SubsetSelection { subset_size } => Some(Self::of_subsets(domain_size, subset_size, weights)),
            Mechanism::OptimizedUnary => {
                let q = 1.0 / (1.0 + ratio(weights));
                channel(0.5, q, 0.5 * q, q * q)
            }
            Mechanism::Hadamard => {
                let p = ratio(weights) / (1.0 + ratio(weights));
                channel(p, 0.5, p / 2.0, 0.25)
            }
            Mechanism::LocalHashing { hash_range } => {
                let p = kept(weights, f64::from(hash_range));
                let [q, r, t] = collisions(hash_range, p);
                channel(p, q, r, t)
            }
            Mechanism::MemoizedHashing { hash_range, fresh, .. } => {
                let g = f64::from(hash_range);
                let (first, second) = (kept(weights, g), kept(fresh, g));
                let p = first * second + (1.0 - first) * (1.0 - second) / (g - 1.0);
                let [q, r, t] = collisions(hash_range, p);
                channel(p, q, r, t)
            }
            Mechanism::ProjectiveGeometry { field_size, dimension } => {
                let geometry = Geometry::of(field_size, dimension)?;
                let [points, one, two, three] =
                    [geometry.points, geometry.on_hyperplane, geometry.on_two, geometry.on_three].map(f64::from);
                let e = ratio(weights);
                let total = e * one + (points - one);
                Some(Self {
                    k: domain_size,
                    p: e * one / total,
                    q: (e * two + (one - two)) / total,
                    r: e * two / total,
                    t: (e * three + (two - three)) / total,
                    pencils: Some(ProjectiveGeometry::new(k as u64, field_size, dimension, weights)),
                })
            }
            Mechanism::SquareWave { .. }
            | Mechanism::DuchiBit
            | Mechanism::Piecewise { .. }
            | Mechanism::Hybrid { .. }
            | Mechanism::DiscreteLaplace => None,
        }
    }

    fn of_subsets(domain_size: usize, subset_size: usize, weights: Weights) -> Self {
        let (k, w) = (domain_size as f64, subset_size as f64);
        let keep = w * weights.of_true as f64;
        let p = keep / (keep + (k - w) * weights.of_false as f64);
        let r = p * (w - 1.0) / (k - 1.0);
        let others = ((k - 1.0) * (k - 2.0)).max(1.0);
        let t = (p * (w - 1.0) * (w - 2.0) + (1.0 - p) * w * (w - 1.0)) / others;
        Self { k: domain_size, p, q: r + (1.0 - p) * w / (k - 1.0), r, t, pencils: None }
    }

    /// P\[a report supports v, given that v is true\].
    #[must_use]
    pub fn keep_probability(&self) -> f64 {
        self.p
    }

    /// P\[a report supports v, given that another symbol is true\].
    #[must_use]
    pub fn false_probability(&self) -> f64 {
        self.q
    }

    /// n times the variance of one estimated share f, devices not being a sample: (f p(1−p) + (1−f) q(1−q)) / (p−q)².
    #[must_use]
    pub fn noise(&self, f: f64) -> f64 {
        let (p, q) = (self.p, self.q);
        (f * p * (1.0 - p) + (1.0 - f) * q * (1.0 - q)) / ((p - q) * (p - q))
    }

    /// How far one fake report can move a share, times n: (1−q)/(p−q).
    #[must_use]
    pub fn influence(&self) -> f64 {
        (1.0 - self.q) / (self.p - self.q)
    }

    /// De-biased shares of the symbols from `reports` reports, of which `support` support each. `None` without reports.
    #[must_use]
    pub fn estimate(&self, reports: u64, support: &[u64]) -> Option<Estimate> {
        let shares = self.shares(reports, support)?;
        let covariance = self.covariance(&clipped(&shares), reports as f64);
        Some(Estimate { shares, covariance })
    }

    /// The shares of [`Channel::estimate`] alone: k steps, where their covariance takes k².
    #[must_use]
    pub fn shares(&self, reports: u64, support: &[u64]) -> Option<Vec<f64>> {
        let n = reports as f64;
        if n == 0.0 || support.len() != self.k {
            return None;
        }
        let debias = |count: &u64| (*count as f64 / n - self.q) / (self.p - self.q);
        Some(support.iter().map(debias).collect())
    }

    /// Covariance of the estimate from n reports when the true shares are f.
    #[must_use]
    pub fn covariance(&self, f: &[f64], n: f64) -> Matrix {
        let mean = |v: usize| self.q + (self.p - self.q) * f[v];
        let scale = n * (self.p - self.q) * (self.p - self.q);
        let both = |u: usize, v: usize| {
            let line = self.pencils.as_ref().map_or(0.0, |space| space.pencil(u, v).map(|x| f[x]).sum());
            let near = f[u] + f[v] + line;
            self.r * near + self.t * (1.0 - near)
        };
        Matrix::symmetric(self.k, |u, v| {
            let both = if u == v { mean(u) } else { both(u, v) };
            (both - mean(u) * mean(v)) / scale
        })
    }
}

fn ratio(weights: Weights) -> f64 {
    weights.of_true as f64 / weights.of_false as f64
}

/// P\[k-ary response keeps the true one of g symbols\].
fn kept(weights: Weights, g: f64) -> f64 {
    ratio(weights) / (ratio(weights) + g - 1.0)
}

/// q, r and t of a report of one bucket, kept with probability p, when the buckets of different symbols are independent. Bucket y has the 16-bit values from ⌈y 2^16/g⌉ on, so its
/// probability is 1/g only up to rounding.
fn collisions(hash_range: u32, p: f64) -> [f64; 3] {
    let g = f64::from(hash_range);
    let start = |bucket: u32| (u64::from(bucket) << 16).div_ceil(u64::from(hash_range)) as f64 / 65_536.0;
    let other = (1.0 - p) / (g - 1.0);
    let mut sums = [0.0; 3];
    for bucket in 0..hash_range {
        let size = start(bucket + 1) - start(bucket);
        let reported = size * p + (1.0 - size) * other;
        sums[0] += reported * size;
        sums[1] += p * size * size;
        sums[2] += reported * size * size;
    }
    sums
}

impl Estimate {
    /// Shares of the cells among devices with data, the last symbol being "no data". `None` when too few have data to divide by: the share is within
    /// three standard errors of 0.
    #[must_use]
    pub fn given_data(&self) -> Option<Self> {
        let m = self.shares.len() - 1;
        // Not 1 − f_no data: supports of unary, hashed and Hadamard reports do not add up exactly, and the sum over the
        // cells is what the covariance below belongs to. It also takes out of the shares the noise that they have in common.
        let with_data: f64 = self.shares[..m].iter().sum();
        // J A Jᵀ with the Jacobian J = (I − g 1ᵀ) / Σf of f ↦ f / Σf, sums over the cells.
        let sums: Vec<f64> = (0..m).map(|row| (0..m).map(|column| self.covariance.at(row, column)).sum()).collect();
        let total: f64 = sums.iter().sum();
        if with_data <= 3.0 * libm::sqrt(total.max(0.0)) {
            return None;
        }
        let shares: Vec<f64> = self.shares[..m].iter().map(|share| share / with_data).collect();
        let covariance = Matrix::symmetric(m, |u, v| {
            let entry =
                self.covariance.at(u, v) - shares[u] * sums[v] - sums[u] * shares[v] + shares[u] * shares[v] * total;
            entry / (with_data * with_data)
        });
        Some(Self { shares, covariance })
    }

    /// Standard error of one share.
    #[must_use]
    pub fn standard_error(&self, cell: usize) -> f64 {
        libm::sqrt(self.covariance.at(cell, cell).max(0.0))
    }
}

/// Shares clipped to \[0, 1\] and renormalized: for covariances, never for estimates.
#[must_use]
pub fn clipped(shares: &[f64]) -> Vec<f64> {
    let clipped: Vec<f64> = shares.iter().map(|share| share.clamp(0.0, 1.0)).collect();
    let sum: f64 = clipped.iter().sum();
    clipped.iter().map(|share| share / sum).collect()
}
