//! Joint shares of two metrics: one row a cell of the first, one column a cell of the second.
//!
//! A metric whose source is a pair (or a joint) has the cells row · columns + column, so the answers to a question
//! about it, after [`Estimate::given_data`], are such a table. Tables of the operator's own data
//! ([`of_counts`](PairCells::of_counts)) have the covariance of a multinomial and stand wherever a private one does.
//!
//! **Limits.** Shares are de-biased, so single ones may lie below 0. Their sum is made exactly 1, which costs nothing
//! and takes noise away where the channel left the sum free.

use super::Refused;
use super::delta::{Smooth, mapped};
use crate::estimate::{Estimate, Matrix};

/// Shares of the pairs of cells, with their covariance.
#[derive(Debug, Clone, PartialEq)]
pub struct PairCells {
    rows: usize,
    columns: usize,
    joint: Estimate,
}

/// Shares of the cells among devices with data, the last symbol being "no data": [`Estimate::given_data`].
///
/// # Errors
///
/// [`Refused::TooFew`] when no device with data can be told from none.
pub fn given_data(symbols: &Estimate) -> Result<Estimate, Refused> {
    if symbols.shares.len() < 2 {
        return Err(Refused::TooFew);
    }
    symbols.given_data().ok_or(Refused::TooFew)
}

impl PairCells {
    /// The table of these shares, row by row.
    ///
    /// # Errors
    ///
    /// [`Refused::Shape`] when there are not rows · columns shares, or none.
    pub fn new(joint: &Estimate, rows: usize, columns: usize) -> Result<Self, Refused> {
        let (found, expected) = (joint.shares.len(), rows * columns);
        if found != expected || found == 0 {
            return Err(Refused::Shape { found, expected });
        }
        Ok(Self { rows, columns, joint: joint.sum_to_one() })
    }

    /// The table of a question about a pair, from its symbols, of which "no data" is the last.
    ///
    /// # Errors
    ///
    /// [`Refused::TooFew`] when no device with data can be told from none, and as [`PairCells::new`].
    pub fn of_symbols(symbols: &Estimate, rows: usize, columns: usize) -> Result<Self, Refused> {
        Self::new(&given_data(symbols)?, rows, columns)
    }

    /// The table of plain counts, as of the operator's own test set.
    ///
    /// # Errors
    ///
    /// [`Refused::TooFew`] for no counts at all, and as [`PairCells::new`].
    pub fn of_counts(counts: &[u64], rows: usize, columns: usize) -> Result<Self, Refused> {
        let n = counts.iter().sum::<u64>() as f64;
        if n == 0.0 {
            return Err(Refused::TooFew);
        }
        let shares: Vec<f64> = counts.iter().map(|count| *count as f64 / n).collect();
        let covariance = Matrix::symmetric(shares.len(), |u, v| {
            let both = if u == v { shares[u] } else { 0.0 };
            (both - shares[u] * shares[v]) / n
        });
        Self::new(&Estimate { shares, covariance }, rows, columns)
    }

    /// Cells of the first metric.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Cells of the second metric.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The joint shares, row by row; they sum to 1.
    #[must_use]
    pub fn joint(&self) -> &Estimate {
        &self.joint
    }

    /// Shares of the first metric's cells.
    #[must_use]
    pub fn row_shares(&self) -> Estimate {
        self.merged(self.rows, |row, _| Some(row))
    }

    /// Shares of the second metric's cells.
    #[must_use]
    pub fn column_shares(&self) -> Estimate {
        self.merged(self.columns, |_, column| Some(column))
    }

    /// Shares of groups of pairs: `group(row, column)` below `groups`, or `None` for a pair that is left out.
    ///
    /// With the cells (confidence × class) × label, the groups confidence · 2 + (class = label) are those of
    /// confidence × correct.
    #[must_use]
    pub fn merged(&self, groups: usize, group: impl Fn(usize, usize) -> Option<usize>) -> Estimate {
        let place = |cell: usize| group(cell / self.columns, cell % self.columns);
        let weights = |of: usize| {
            let weight = |cell| if place(cell) == Some(of) { 1.0 } else { 0.0 };
            (0..self.rows * self.columns).map(weight).collect()
        };
        mapped(&self.joint, &(0..groups).map(weights).collect::<Vec<Vec<f64>>>())
    }

    /// The number of a pair among the joint shares.
    pub(super) fn cell(&self, row: usize, column: usize) -> usize {
        row * self.columns + column
    }

    /// Share of one pair.
    pub(super) fn pair(&self, row: usize, column: usize) -> Smooth {
        Smooth::sum(&self.joint, [self.cell(row, column)])
    }

    /// Share of a row.
    pub(super) fn row(&self, row: usize) -> Smooth {
        Smooth::sum(&self.joint, (0..self.columns).map(|column| self.cell(row, column)))
    }

    /// Share of a column.
    pub(super) fn column(&self, column: usize) -> Smooth {
        Smooth::sum(&self.joint, (0..self.rows).map(|row| self.cell(row, column)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_are_sums() {
        let pairs = PairCells::of_counts(&[1, 2, 3, 4, 5, 5], 2, 3).expect("a table");
        let close = |found: &[f64], expected: &[f64]| {
            assert!(found.len() == expected.len());
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{found:?}");
        };
        close(&pairs.row_shares().shares, &[0.3, 0.7]);
        close(&pairs.column_shares().shares, &[0.25, 0.35, 0.4]);
        assert!((pairs.row_shares().covariance.at(0, 0) - 0.3 * 0.7 / 20.0).abs() < 1e-17);
        close(&pairs.merged(1, |row, column| (row == column).then_some(0)).shares, &[0.3]);
    }

    #[test]
    fn tables_must_fit() {
        let refused = PairCells::of_counts(&[1, 2, 3], 2, 2);
        assert_eq!(refused, Err(Refused::Shape { found: 3, expected: 4 }));
        assert_eq!(PairCells::of_counts(&[0; 4], 2, 2), Err(Refused::TooFew));
    }
}
