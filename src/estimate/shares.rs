//! De-biased shares and their covariance, from counts of support.

use super::{Channel, Matrix};

/// Shares with their covariance.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// One share per symbol or cell; may lie outside \[0, 1\]. They sum to 1 for k-ary response and subset selection,
    /// and after [`Estimate::sum_to_one`]; those of the other channels sum to 1 plus noise.
    pub shares: Vec<f64>,
    /// Covariance of the shares; its rows sum to 0 where the shares sum to 1 by construction.
    pub covariance: Matrix,
}

impl Channel {
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

impl Estimate {
    /// Shares of the cells among devices with data, the last symbol being "no data"; they sum to 1. `None` when too few
    /// have data to divide by: the share is within three standard errors of 0.
    ///
    /// The shares of all symbols are made to sum to 1 first: only then is f_cell/(1 − f_no data) the same function of
    /// them as f_cell/(sum over the cells), whose derivative J is.
    #[must_use]
    pub fn given_data(&self) -> Option<Self> {
        self.sum_to_one().among_data()
    }

    fn among_data(&self) -> Option<Self> {
        let m = self.shares.len() - 1;
        let with_data = 1.0 - self.shares[m];
        if with_data <= 3.0 * libm::sqrt(self.covariance.at(m, m)) {
            return None;
        }
        let shares: Vec<f64> = self.shares[..m].iter().map(|share| share / with_data).collect();
        // J A Jᵀ with the Jacobian J = (I − g 1ᵀ) / (1 − f_no data) of f ↦ f / (sum of f over the cells).
        let sums: Vec<f64> = (0..m).map(|row| (0..m).map(|column| self.covariance.at(row, column)).sum()).collect();
        let total: f64 = sums.iter().sum();
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

/// Shares clipped to \[0, 1\] and renormalized: for covariances, never for estimates. Even ones if none is above 0.
#[must_use]
pub fn clipped(shares: &[f64]) -> Vec<f64> {
    let clipped: Vec<f64> = shares.iter().map(|share| share.clamp(0.0, 1.0)).collect();
    let sum: f64 = clipped.iter().sum();
    if sum <= 0.0 {
        return vec![1.0 / clipped.len() as f64; clipped.len()];
    }
    clipped.iter().map(|share| share / sum).collect()
}
