//! The channel between true symbols and what reports support: the numbers p, q, r, t that a randomizer fixes.
//!
//! What is estimated with them is in the modules beside; devices show p and q to their people.

use crate::privacy::ProjectiveGeometry;
use crate::spec::{Geometry, Mechanism, Randomizer, Weights};

/// The channel that a randomizer makes between true shares and support.
#[derive(Debug, Clone)]
pub struct Channel {
    pub(super) k: usize,
    pub(super) p: f64,
    pub(super) q: f64,
    pub(super) r: f64,
    pub(super) t: f64,
    /// Where t depends on x: hyperplanes through the points that two others share.
    pub(super) pencils: Option<ProjectiveGeometry>,
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

    /// A channel whose report has one independent bit for each of k symbols, set with probability p for the true one
    /// and q for another: symmetric unary encoding (p = e^(ε/2)/(1 + e^(ε/2)), q = 1 − p), or optimized (p = 1/2, q =
    /// 1/(1 + e^ε)); Wang, Blocki, Li and Jha 2017, sections 4.2 and 4.3.
    ///
    /// # Panics
    ///
    /// If not 0 ≤ q < p ≤ 1.
    #[must_use]
    pub fn unary(k: usize, p: f64, q: f64) -> Self {
        assert!(0.0 <= q && q < p && p <= 1.0, "a bit that tells something");
        Self { k, p, q, r: p * q, t: q * q, pencils: None }
    }

    /// k-ary randomized response that keeps the true symbol with probability p and sends each other one with
    /// probability (1 − p)/(k − 1).
    ///
    /// # Panics
    ///
    /// If k < 2, or p is not above 1/k and at most 1.
    #[must_use]
    pub fn k_ary(k: usize, p: f64) -> Self {
        assert!(k >= 2 && p * k as f64 > 1.0 && p <= 1.0, "a symbol that tells something");
        Self { k, p, q: (1.0 - p) / (k as f64 - 1.0), r: 0.0, t: 0.0, pencils: None }
    }

    /// Number of symbols, k.
    #[must_use]
    pub fn symbols(&self) -> usize {
        self.k
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

    /// a and b such that the covariance of one report at shares f, where only differences of symbols are looked at, is
    /// diag(a + b f) − f fᵀ: what it has besides is a column plus a row. `None` where the covariance of two symbols depends
    /// on a third.
    #[must_use]
    pub fn diagonal(&self) -> Option<[f64; 2]> {
        let spread = self.p - self.q;
        let square = spread * spread;
        self.pencils.is_none().then_some([(self.q - self.t) / square, (spread - 2.0 * (self.r - self.t)) / square])
    }

    /// How far one fake report can move a share, times n: (1−q)/(p−q).
    #[must_use]
    pub fn influence(&self) -> f64 {
        (1.0 - self.q) / (self.p - self.q)
    }
}

fn ratio(weights: Weights) -> f64 {
    weights.of_true as f64 / weights.of_false as f64
}

/// P\[k-ary response keeps the true one of g symbols\].
pub(super) fn kept(weights: Weights, g: f64) -> f64 {
    ratio(weights) / (ratio(weights) + g - 1.0)
}

/// q, r and t of a report of one bucket, kept with probability p, when the buckets of different symbols are independent.
/// Bucket y has the 15-bit values from ⌈y 2^15/g⌉ on, so its probability is 1/g only up to rounding.
fn collisions(hash_range: u32, p: f64) -> [f64; 3] {
    let g = f64::from(hash_range);
    let start = |bucket: u32| (u64::from(bucket) << 15).div_ceil(u64::from(hash_range)) as f64 / 32_768.0;
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
