//! Small dense symmetric matrices: covariances of at most 128 shares.

/// A square matrix, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    size: usize,
    entries: Vec<f64>,
}

impl Matrix {
    /// The matrix with these entries.
    #[must_use]
    pub fn from_fn(size: usize, entry: impl Fn(usize, usize) -> f64) -> Self {
        let places = (0..size).flat_map(|row| (0..size).map(move |column| (row, column)));
        Self { size, entries: places.map(|(row, column)| entry(row, column)).collect() }
    }

    /// The symmetric matrix with these entries, of which those on and below the diagonal are asked for.
    #[must_use]
    pub fn symmetric(size: usize, entry: impl Fn(usize, usize) -> f64) -> Self {
        let mut entries = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..=row {
                let value = entry(row, column);
                entries[row * size + column] = value;
                entries[column * size + row] = value;
            }
        }
        Self { size, entries }
    }

    /// Number of rows.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// One entry.
    #[must_use]
    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.entries[row * self.size + column]
    }

    /// The first rows and columns.
    #[must_use]
    pub fn leading(&self, size: usize) -> Self {
        Self::from_fn(size, |row, column| self.at(row, column))
    }

    /// The sum of two matrices of one size.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self::from_fn(self.size, |row, column| self.at(row, column) + other.at(row, column))
    }

    /// cᵀ A c.
    #[must_use]
    pub fn quadratic(&self, c: &[f64]) -> f64 {
        let product = |row: usize| (0..self.size).map(|column| self.at(row, column) * c[column]).sum::<f64>();
        (0..self.size).map(|row| c[row] * product(row)).sum()
    }

    /// bᵀ A⁻¹ b by Cholesky's factor, or `None` if the matrix is not positive definite.
    #[must_use]
    pub fn inverse_quadratic(&self, b: &[f64]) -> Option<f64> {
        let whitened = self.cholesky(self.size)?.whiten(b);
        Some(whitened.iter().map(|value| value * value).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_quadratic_solves() {
        let entries = [4.0, 2.0, 2.0, 3.0];
        let matrix = Matrix::from_fn(2, |row, column| entries[2 * row + column]);
        // A⁻¹ = [3, −2; −2, 4] / 8, so bᵀ A⁻¹ b = (3·1 − 4·2 + 4·4) / 8 at b = (1, 2).
        let found = matrix.inverse_quadratic(&[1.0, 2.0]).expect("positive definite");
        assert!((found - 11.0 / 8.0).abs() < 1e-14);
        assert_eq!(Matrix::from_fn(2, |_, _| 1.0).inverse_quadratic(&[1.0, 0.0]), None);
    }
}
