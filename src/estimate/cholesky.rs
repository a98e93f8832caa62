//! Cholesky's factor of a covariance: A = L Lᵀ with L lower triangular, so that L⁻¹ x has independent coordinates.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | A | [`Matrix`] | symmetric, n rows |
//! | L | `factor` | lower triangular, row by row |
//!
//! Golub and Van Loan, "Matrix Computations", algorithm 4.2.1 (row by row). **Cost** n³/6 multiplications to factor,
//! n²/2 to solve. A matrix counts as singular when a pivot is below 1e-12 of its diagonal entry: then what is left of
//! it is rounding. [`Matrix::root`] takes such a pivot as 0 and goes on: the factor of a covariance that is singular by
//! construction, as that of shares that sum to 1, for drawing from it and not for solving.

use super::Matrix;

/// Least pivot as a share of the diagonal entry.
const LEAST_PIVOT: f64 = 1e-12;

/// The factor L.
#[derive(Debug, Clone, PartialEq)]
pub struct Cholesky {
    size: usize,
    factor: Vec<f64>,
}

impl Matrix {
    /// The factor of the first `size` rows and columns, or `None` if they are not positive definite.
    ///
    /// # Panics
    ///
    /// If the matrix is smaller.
    #[must_use]
    pub fn cholesky(&self, size: usize) -> Option<Cholesky> {
        assert!(size <= self.size(), "rows of the matrix");
        self.factored(size, false)
    }

    /// The factor of all rows of a covariance that may be singular: columns of no variance are 0.
    #[must_use]
    pub fn root(&self) -> Cholesky {
        self.factored(self.size(), true).expect("pivots of 0 are allowed")
    }

    fn factored(&self, size: usize, singular: bool) -> Option<Cholesky> {
        let mut factor = vec![0.0; size * size];
        for i in 0..size {
            for j in 0..=i {
                let (above, below) = (&factor[j * size..j * size + j], &factor[i * size..i * size + j]);
                let known: f64 = above.iter().zip(below).map(|(a, b)| a * b).sum();
                let rest = self.at(i, j) - known;
                let pivot = factor[j * size + j];
                if i != j {
                    factor[i * size + j] = if pivot > 0.0 { rest / pivot } else { 0.0 };
                } else if rest > LEAST_PIVOT * self.at(i, i) {
                    factor[i * size + i] = libm::sqrt(rest);
                } else if !singular {
                    return None;
                }
            }
        }
        Some(Cholesky { size, factor })
    }
}

impl Cholesky {
    /// Number of rows.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Row i of L, of which entries 0..=i are not 0.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.factor[i * self.size..(i + 1) * self.size]
    }

    /// The rows of L, of its full length each.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.factor.chunks(self.size.max(1))
    }

    /// L z.
    ///
    /// # Panics
    ///
    /// If z has fewer entries than L has rows.
    #[must_use]
    pub fn times(&self, z: &[f64]) -> Vec<f64> {
        assert!(z.len() >= self.size, "one entry for each column");
        (0..self.size).map(|i| self.row(i)[..=i].iter().zip(z).map(|(l, z)| l * z).sum()).collect()
    }

    /// L⁻¹ b, for the first entries of b. Coordinates without variance, which only a [`Matrix::root`] has, are 0.
    ///
    /// # Panics
    ///
    /// If b has fewer entries than L has rows.
    #[must_use]
    pub fn whiten(&self, b: &[f64]) -> Vec<f64> {
        assert!(b.len() >= self.size, "one entry for each row");
        let mut solved: Vec<f64> = Vec::with_capacity(self.size);
        for (i, value) in b.iter().enumerate().take(self.size) {
            let known: f64 = self.row(i).iter().zip(&solved).map(|(l, x)| l * x).sum();
            let pivot = self.row(i)[i];
            solved.push(if pivot > 0.0 { (value - known) / pivot } else { 0.0 });
        }
        solved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_multiplies_back() {
        let a = Matrix::from_fn(5, |row, column| {
            1.0 / (1.0 + (row + column) as f64) + if row == column { 1.0 } else { 0.0 }
        });
        let l = a.cholesky(5).expect("positive definite");
        for row in 0..5 {
            for column in 0..5 {
                let product: f64 = l.row(row).iter().zip(l.row(column)).map(|(a, b)| a * b).sum();
                assert!((product - a.at(row, column)).abs() < 1e-15);
            }
        }
        let b = [1.0, -2.0, 0.5, 3.0, 0.0];
        let back = l.whiten(&l.times(&b));
        assert!(back.iter().zip(&b).all(|(found, expected)| (found - expected).abs() < 1e-14));
        let whitened: f64 = l.whiten(&b).iter().map(|x| x * x).sum();
        let expected = a.inverse_quadratic(&b).expect("positive definite");
        assert!((whitened / expected - 1.0).abs() < 1e-14);
    }

    #[test]
    fn singular_matrices_have_none() {
        // diag(f) − f fᵀ with f = (0.3, 0.3, 0.4): singular, and by rounding perhaps barely positive.
        let f = [0.3, 0.3, 0.4];
        let a = Matrix::from_fn(3, |u, v| if u == v { f[u] - f[u] * f[v] } else { -f[u] * f[v] });
        assert_eq!(a.cholesky(3), None);
        assert!(a.cholesky(2).is_some());
        // Its root multiplies back all the same, and what it draws sums to 0.
        let root = a.root();
        for (row, column) in [(0, 0), (1, 0), (2, 0), (1, 1), (2, 1), (2, 2)] {
            let product: f64 = root.row(row).iter().zip(root.row(column)).map(|(a, b)| a * b).sum();
            assert!((product - a.at(row, column)).abs() < 1e-15);
        }
        assert!(root.times(&[0.3, -1.2, 2.0]).iter().sum::<f64>().abs() < 1e-12);
        assert_eq!(Matrix::from_fn(2, |_, _| 0.0).root().times(&[1.0, 1.0]), [0.0, 0.0]);
    }
}
