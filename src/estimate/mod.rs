//! From sums of reports to de-biased shares with their covariance.
//!
//! | Symbol | Meaning |
//! | --- | --- |
//! | k, w | symbols; size of a reported subset |
//! | n, c_v | reports; reports that support v |
//! | p, q | P\[support v, given x = v\]; given x ≠ v |
//! | r | P\[support u and v, given x = u\] = p (w−1)/(k−1) |
//! | t | P\[support u and v, given x is neither\] |
//! | f | shares of the symbols, "no data" last |
//! | g | shares of the cells among devices with data: g = f / (1 − f_no data) |
//!
//! The estimate f̂_v = (c_v/n − q)/(p − q) is unbiased (Ye and Barg 2018, eq. 19). Its covariance is that of one report's support vector,
//! divided by n (p−q)²: E\[y_u y_v\] = r (f_u + f_v) + t (1 − f_u − f_v) and E\[y_v\] = q + (p−q) f_v. It is evaluated at shares clipped to
//! \[0, 1\] and renormalized, while the estimate itself is never clipped. It treats devices as a sample; for a fixed fleet with
//! differing devices it errs on the safe side. g has its covariance by the delta method.

use crate::aggregate::Aggregate;
use crate::spec::Randomizer;

mod matrix;

pub use matrix::Matrix;

/// The channel that a randomizer makes between true shares and support.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Channel {
    k: usize,
    p: f64,
    q: f64,
    r: f64,
    t: f64,
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
    /// The channel of subset selection.
    #[must_use]
    pub fn of(randomizer: &Randomizer, domain_size: usize) -> Self {
        let (k, w) = (domain_size as f64, randomizer.subset_size as f64);
        let keep = w * randomizer.weight_true as f64;
        let p = keep / (keep + (k - w) * randomizer.weight_false as f64);
        let r = p * (w - 1.0) / (k - 1.0);
        let others = ((k - 1.0) * (k - 2.0)).max(1.0);
        let t = (p * (w - 1.0) * (w - 2.0) + (1.0 - p) * w * (w - 1.0)) / others;
        Self { k: domain_size, p, q: r + (1.0 - p) * w / (k - 1.0), r, t }
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

    /// De-biased shares of the symbols, or `None` without reports.
    #[must_use]
    pub fn estimate(&self, aggregate: &Aggregate) -> Option<Estimate> {
        let n = aggregate.reports() as f64;
        if n == 0.0 || aggregate.support().len() != self.k {
            return None;
        }
        let debias = |count: &u64| (*count as f64 / n - self.q) / (self.p - self.q);
        let shares: Vec<f64> = aggregate.support().iter().map(debias).collect();
        let covariance = self.covariance(&clipped(&shares), n);
        Some(Estimate { shares, covariance })
    }

    /// Covariance of the estimate from n reports when the true shares are f.
    #[must_use]
    pub fn covariance(&self, f: &[f64], n: f64) -> Matrix {
        let mean = |v: usize| self.q + (self.p - self.q) * f[v];
        let scale = n * (self.p - self.q) * (self.p - self.q);
        Matrix::from_fn(self.k, |u, v| {
            let both = if u == v { mean(u) } else { self.r * (f[u] + f[v]) + self.t * (1.0 - f[u] - f[v]) };
            (both - mean(u) * mean(v)) / scale
        })
    }
}

impl Estimate {
    /// Shares of the cells among devices with data, the last symbol being "no data". `None` when too few have data to divide by: the share is within
    /// three standard errors of 0.
    #[must_use]
    pub fn given_data(&self) -> Option<Self> {
        let m = self.shares.len() - 1;
        let with_data = 1.0 - self.shares[m];
        if with_data <= 3.0 * libm::sqrt(self.covariance.at(m, m)) {
            return None;
        }
        let shares: Vec<f64> = self.shares[..m].iter().map(|share| share / with_data).collect();
        // Jacobian of f ↦ f / (sum of f over the cells): (I − g 1ᵀ) / (1 − f_no data).
        let jacobian = |row: usize, column: usize| (f64::from(u8::from(row == column)) - shares[row]) / with_data;
        let covariance = self.covariance.leading(m).congruent(jacobian);
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
