//! What one report adds to the noise of shares among answers with data.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | f̂, d̂ | | unbiased shares of the symbols from one report; Σ of f̂ over the k data cells |
//! | C | `Channel::covariance` | covariance of f̂ |
//! | g | `center` | shares among answers with data that f̂ is held against |
//! | A | | f̂ − g d̂ over the data cells: J f̂ with J = I − g 1ᵀ; of mean (p − g) d, exactly |
//! | S | `own` | Cov\[A\] = J C Jᵀ |
//! | κ | `with_share` | Cov\[A, d̂\] = J C 1 |
//! | c | `share` | Var\[d̂\] = 1ᵀ C 1 |
//!
//! A is linear in the reports, where shares among answers with data are a ratio, which is biased for one window by an
//! amount of order 1/n; over a thousand windows that bias would be found.

use crate::estimate::{Channel, Matrix};

/// S, κ and c of one report.
pub(super) struct Sampling {
    pub(super) own: Matrix,
    pub(super) with_share: Vec<f64>,
    pub(super) share: f64,
}

impl Sampling {
    /// When the shares among answers with data are `cells`, and the share of answers with data is `with_data`. A channel
    /// with one symbol more than cells has "no data" as the last.
    pub(super) fn new(channel: &Channel, cells: &[f64], with_data: f64, center: &[f64]) -> Self {
        let k = cells.len();
        let mut symbols: Vec<f64> = cells.iter().map(|share| share * with_data).collect();
        if channel.symbols() > k {
            symbols.push(1.0 - with_data);
        }
        let one = channel.covariance(&symbols, 1.0);
        let rows: Vec<f64> = (0..k).map(|i| (0..k).map(|j| one.at(i, j)).sum()).collect();
        let all: f64 = rows.iter().sum();
        let own = Matrix::symmetric(k, |i, j| {
            one.at(i, j) - center[i] * rows[j] - rows[i] * center[j] + center[i] * center[j] * all
        });
        let with_share = (0..k).map(|i| rows[i] - center[i] * all).collect();
        Self { own, with_share, share: all }
    }
}

/// Covariance of one draw of a cell: diag p − p pᵀ.
pub(super) fn multinomial(cells: &[f64], i: usize, j: usize) -> f64 {
    (if i == j { cells[i] } else { 0.0 }) - cells[i] * cells[j]
}
