//! Simulated null laws, kept from one comparison to the next.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | Σ, L | `covariance`, `factor` | covariance of the difference; Cholesky's factor of it without its last row |
//! | A | | contrasts that a norm is taken of: cumulative sums of ordered cells, standard scores of unordered ones |
//! | C | `contrasts` | AΣAᵀ, the covariance of the contrasts |
//!
//! A law depends on the shape of C alone, C/trace C, which hardly changes for one question from window to window: it is
//! simulated again when an entry of C/trace C differs from those that are kept by more than a tolerance times the
//! largest. Noise in single cells hardly moves sums of them, nor does it move the correlations of standard scores.
//!
//! **Cost** O(k²) to look up, B k²/2 multiplications to simulate ([`norm_laws`]).

use std::collections::VecDeque;

use super::norm_law::{NormLaw, norm_laws};
use crate::estimate::{Cholesky, Matrix};

/// Laws that are kept: rare cells are merged into other numbers of groups now and then.
const MOST_KEPT: usize = 8;

/// Keeps simulated null laws from one comparison to the next, as many as eight.
#[derive(Debug, Clone)]
pub struct NormLaws {
    tolerance: f64,
    kept: VecDeque<Kept>,
}

#[derive(Debug, Clone)]
struct Kept {
    ordered: bool,
    /// Covariance of the contrasts that the laws are of.
    contrasts: Matrix,
    laws: [NormLaw; 2],
}

impl Default for NormLaws {
    /// With a tolerance of 2 %.
    fn default() -> Self {
        Self::with_tolerance(0.02)
    }
}

impl NormLaws {
    /// Nothing kept yet; 0 simulates for every comparison.
    ///
    /// # Panics
    ///
    /// If the tolerance is below 0.
    #[must_use]
    pub fn with_tolerance(tolerance: f64) -> Self {
        assert!(tolerance >= 0.0, "a tolerance from 0 on");
        Self { tolerance, kept: VecDeque::new() }
    }

    /// The laws for a covariance with its factor, and what statistics are multiplied with before they are asked.
    pub(super) fn laws(&mut self, ordered: bool, covariance: &Matrix, factor: &Cholesky) -> (&[NormLaw; 2], f64) {
        let contrasts = if ordered { of_cumulative(covariance) } else { of_scores(covariance) };
        let near = |kept: &Kept| kept.ordered == ordered && kept.is_near(&contrasts, self.tolerance);
        let place = self.kept.iter().position(near).unwrap_or_else(|| {
            if self.kept.len() == MOST_KEPT {
                self.kept.pop_front();
            }
            let rows = if ordered { cumulative_rows(factor) } else { cell_rows(factor, covariance) };
            let laws = norm_laws(&rows, factor.size());
            self.kept.push_back(Kept { ordered, contrasts: contrasts.clone(), laws });
            self.kept.len() - 1
        });
        let kept = &self.kept[place];
        (&kept.laws, libm::sqrt(trace(&kept.contrasts) / trace(&contrasts)))
    }
}

impl Kept {
    fn is_near(&self, contrasts: &Matrix, tolerance: f64) -> bool {
        let size = contrasts.size();
        if self.contrasts.size() != size {
            return false;
        }
        let (then, now) = (trace(&self.contrasts), trace(contrasts));
        let largest = (0..size).map(|row| contrasts.at(row, row) / now).fold(0.0, f64::max);
        let differs = |row, column| libm::fabs(self.contrasts.at(row, column) / then - contrasts.at(row, column) / now);
        (0..size).all(|row| (0..=row).all(|column| differs(row, column) <= tolerance * largest))
    }
}

fn trace(matrix: &Matrix) -> f64 {
    (0..matrix.size()).map(|cell| matrix.at(cell, cell)).sum()
}

/// Cov(D_i, D_j) for all sums but that of all cells, which is 0.
fn of_cumulative(covariance: &Matrix) -> Matrix {
    let size = covariance.size() - 1;
    let mut sums = vec![0.0; size * size];
    for row in 0..size {
        let mut along = 0.0;
        for column in 0..size {
            along += covariance.at(row, column);
            sums[row * size + column] = along + if row > 0 { sums[(row - 1) * size + column] } else { 0.0 };
        }
    }
    Matrix::symmetric(size, |row, column| sums[row * size + column])
}

/// Correlations of the differences.
fn of_scores(covariance: &Matrix) -> Matrix {
    let size = covariance.size();
    let errors: Vec<f64> = (0..size).map(|cell| libm::sqrt(covariance.at(cell, cell))).collect();
    let correlation = |row, column| covariance.at(row, column) / (errors[row] * errors[column]);
    Matrix::symmetric(size, |row, column| if row == column { 1.0 } else { correlation(row, column) })
}

/// D_1 … D_{k−1} as contrasts of L⁻¹d: sums of the rows of L.
pub(super) fn cumulative_rows(factor: &Cholesky) -> Vec<Vec<f64>> {
    let mut sum = vec![0.0; factor.size()];
    let row = |cell: usize| {
        sum.iter_mut().zip(factor.row(cell)).for_each(|(sum, entry)| *sum += entry);
        sum[..=cell].to_vec()
    };
    (0..factor.size()).map(row).collect()
}

/// d_j/√Σ_jj as contrasts of L⁻¹d; the last cell is what the others leave.
pub(super) fn cell_rows(factor: &Cholesky, covariance: &Matrix) -> Vec<Vec<f64>> {
    let size = factor.size();
    let scaled = |row: Vec<f64>, cell: usize| {
        let error = libm::sqrt(covariance.at(cell, cell));
        row.into_iter().map(|entry| entry / error).collect::<Vec<f64>>()
    };
    let last = (0..size).map(|column| -(column..size).map(|row| factor.row(row)[column]).sum::<f64>()).collect();
    let rows = (0..size).map(|cell| scaled(factor.row(cell)[..=cell].to_vec(), cell));
    // Two cells move by the same amount: one says it.
    if size == 1 { rows.collect() } else { rows.chain([scaled(last, size)]).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::Channel;

    fn ask(laws: &mut NormLaws, ordered: bool, shares: &[f64], reports: f64) -> f64 {
        let covariance = Channel::k_ary(shares.len(), 0.6).covariance(shares, reports);
        let factor = covariance.cholesky(shares.len() - 1).expect("positive definite");
        let (found, scale) = laws.laws(ordered, &covariance, &factor);
        // Half the standard deviation of the first contrast: its own unit whatever the number of reports.
        let unit = if ordered { libm::sqrt(covariance.at(0, 0)) } else { 1.0 };
        found[0].survival(2.0 * unit * scale)
    }

    /// A law that is kept gives what a new one gives, up to the scale it is asked at, and other shapes have their own.
    #[test]
    fn kept_laws_serve_other_sample_sizes() {
        let (even, uneven) = ([0.25; 4], [0.9, 0.05, 0.03, 0.02]);
        for ordered in [true, false] {
            let mut laws = NormLaws::default();
            let first = ask(&mut laws, ordered, &even, 1_000.0);
            assert!((ask(&mut laws, ordered, &even, 9_000.0) / first - 1.0).abs() < 1e-9);
            assert_eq!(laws.kept.len(), 1);
            ask(&mut laws, ordered, &uneven, 1_000.0);
            ask(&mut laws, ordered, &even, 1_000.0);
            assert_eq!(laws.kept.len(), 2);
            (0..20).for_each(|step| _ = ask(&mut laws, ordered, &[0.01 * f64::from(step + 1), 0.3, 0.3, 0.2], 1e3));
            assert!(laws.kept.len() <= MOST_KEPT);
        }
    }

    /// The variance of a contrast of L⁻¹d is the squared length of its row.
    #[test]
    fn rows_have_the_covariance_of_the_contrasts() {
        let covariance = Channel::k_ary(4, 0.6).covariance(&[0.1, 0.2, 0.3, 0.4], 1_000.0);
        let factor = covariance.cholesky(3).expect("positive definite");
        for (rows, contrasts) in [
            (cumulative_rows(&factor), of_cumulative(&covariance)),
            (cell_rows(&factor, &covariance), of_scores(&covariance)),
        ] {
            assert_eq!(rows.len(), contrasts.size());
            for (i, a) in rows.iter().enumerate() {
                for (j, b) in rows.iter().enumerate() {
                    let found: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                    let scale = libm::sqrt(contrasts.at(i, i) * contrasts.at(j, j));
                    assert!((found - contrasts.at(i, j)).abs() < 1e-12 * scale, "({i}, {j})");
                }
            }
        }
    }
}
