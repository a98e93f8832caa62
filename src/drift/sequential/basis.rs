//! Coordinates in which the sampling noise is 1 in every direction and the persistent offset is uncorrelated.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k, m | | cells; k − 1 | m ≥ 1 |
//! | S | `sampling` | covariance of one report's part, without the last cell | m × m, positive definite |
//! | B | `persistent` | covariance of the offset that stays over all looks | m × m, positive semidefinite |
//! | L | | Cholesky's factor, S = L Lᵀ | lower triangular |
//! | U, λ | `persistent()` | L⁻¹ B L⁻ᵀ = U diag(λ) Uᵀ; λ_i n is the offset's variance over that of n reports | λ ≥ 0 |
//! | A | `transform` | Uᵀ L⁻¹: A S Aᵀ = I, A B Aᵀ = diag(λ) | m × m |
//!
//! The simultaneous diagonalization of a definite and a semidefinite form (Golub and Van Loan, *Matrix Computations*,
//! 4th ed.), U by cyclic Jacobi rotations. Shares sum to 1, so all k cells together have a singular
//! covariance: the last is left out, and every quadratic form is the same whichever cell that is.
//!
//! **Cost**: O(m³) for A, m² for the coordinates of a vector. **Does not hold when** S is singular beyond the one
//! direction (a cell that neither is true nor reported by chance): [`Basis::new`] then gives `None`.

use crate::estimate::Matrix;

/// The coordinates of one pair of covariances.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Basis {
    /// A, row by row.
    transform: Vec<f64>,
    /// λ.
    persistent: Vec<f64>,
}

impl Basis {
    /// The coordinates of k × k covariances, of which the last row and column are left out.
    pub(super) fn new(sampling: &Matrix, persistent: &Matrix) -> Option<Self> {
        let m = sampling.size().checked_sub(1).filter(|m| *m > 0)?;
        let inverse = inverse_factor(sampling, m)?;
        // L⁻¹ B L⁻ᵀ.
        let half: Vec<f64> = places(m)
            .map(|(row, column)| (0..=row).map(|i| inverse[row * m + i] * persistent.at(i, column)).sum())
            .collect();
        let mut form: Vec<f64> = places(m)
            .map(|(row, column)| (0..=column).map(|i| half[row * m + i] * inverse[column * m + i]).sum())
            .collect();
        let vectors = diagonalize(&mut form, m);
        let transform = places(m)
            .map(|(row, column)| (column..m).map(|i| vectors[i * m + row] * inverse[i * m + column]).sum())
            .collect();
        let persistent: Vec<f64> = (0..m).map(|i| form[i * m + i].max(0.0)).collect();
        persistent.iter().all(|value| value.is_finite()).then_some(Self { transform, persistent })
    }

    /// m.
    pub(super) fn size(&self) -> usize {
        self.persistent.len()
    }

    /// λ.
    pub(super) fn persistent(&self) -> &[f64] {
        &self.persistent
    }

    /// Coordinate i of a difference of shares, of which the first m are read.
    pub(super) fn coordinate(&self, i: usize, difference: &[f64]) -> f64 {
        let m = self.size();
        self.transform[i * m..(i + 1) * m].iter().zip(difference).map(|(a, x)| a * x).sum()
    }

    /// All coordinates.
    pub(super) fn coordinates(&self, difference: &[f64]) -> Vec<f64> {
        (0..self.size()).map(|i| self.coordinate(i, difference)).collect()
    }
}

fn places(m: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..m).flat_map(move |row| (0..m).map(move |column| (row, column)))
}

/// L⁻¹ of the leading m × m part, row by row.
fn inverse_factor(matrix: &Matrix, m: usize) -> Option<Vec<f64>> {
    let mut factor = vec![0.0; m * m];
    for i in 0..m {
        for j in 0..=i {
            let known: f64 = (0..j).map(|l| factor[i * m + l] * factor[j * m + l]).sum();
            let rest = matrix.at(i, j) - known;
            if i != j {
                factor[i * m + j] = rest / factor[j * m + j];
            } else if rest > matrix.at(i, i) * 1e-12 {
                factor[i * m + i] = libm::sqrt(rest);
            } else {
                return None;
            }
        }
    }
    let mut inverse = vec![0.0; m * m];
    for column in 0..m {
        for row in column..m {
            let known: f64 = (column..row).map(|l| factor[row * m + l] * inverse[l * m + column]).sum();
            let one = if row == column { 1.0 } else { 0.0 };
            inverse[row * m + column] = (one - known) / factor[row * m + row];
        }
    }
    Some(inverse)
}

/// Makes a symmetric matrix diagonal by rotations; gives the eigenvectors as columns.
fn diagonalize(a: &mut [f64], m: usize) -> Vec<f64> {
    let mut vectors: Vec<f64> = places(m).map(|(row, column)| if row == column { 1.0 } else { 0.0 }).collect();
    let size: f64 = a.iter().map(|entry| entry * entry).sum();
    for _ in 0..30 {
        let off: f64 = places(m).filter(|(row, column)| row != column).map(|(r, c)| a[r * m + c] * a[r * m + c]).sum();
        // Squares: what is left is below 1e-14 of the matrix. NaN ends it too, and is refused by the caller.
        if off.partial_cmp(&(1e-28 * size)) != Some(core::cmp::Ordering::Greater) {
            break;
        }
        for p in 0..m {
            for q in p + 1..m {
                rotate(a, &mut vectors, m, p, q);
            }
        }
    }
    vectors
}

fn rotate(a: &mut [f64], vectors: &mut [f64], m: usize, p: usize, q: usize) {
    let off = a[p * m + q];
    if off == 0.0 {
        return;
    }
    let theta = (a[q * m + q] - a[p * m + p]) / (2.0 * off);
    let t = (if theta < 0.0 { -1.0 } else { 1.0 }) / (libm::fabs(theta) + libm::sqrt(theta * theta + 1.0));
    let c = 1.0 / libm::sqrt(t * t + 1.0);
    let s = t * c;
    for i in 0..m {
        let (x, y) = (a[i * m + p], a[i * m + q]);
        (a[i * m + p], a[i * m + q]) = (c * x - s * y, s * x + c * y);
        let (x, y) = (vectors[i * m + p], vectors[i * m + q]);
        (vectors[i * m + p], vectors[i * m + q]) = (c * x - s * y, s * x + c * y);
    }
    for i in 0..m {
        let (x, y) = (a[p * m + i], a[q * m + i]);
        (a[p * m + i], a[q * m + i]) = (c * x - s * y, s * x + c * y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A S Aᵀ = I and A B Aᵀ = diag(λ), to rounding: entries are sums of at most 16 products of size at most 30.
    #[test]
    fn both_covariances_are_diagonal() {
        let p = [0.1, 0.2, 0.3, 0.15, 0.25];
        let s = Matrix::from_fn(5, |i, j| if i == j { p[i] + 0.3 } else { 0.0 } - p[i] * p[j]);
        let b = Matrix::from_fn(5, |i, j| (if i == j { p[i] } else { 0.0 } - p[i] * p[j]) / 7.0);
        let basis = Basis::new(&s, &b).expect("definite");
        let form = |matrix: &Matrix, u: usize, v: usize| -> f64 {
            places(4).map(|(i, j)| basis.transform[u * 4 + i] * matrix.at(i, j) * basis.transform[v * 4 + j]).sum()
        };
        for (u, v) in places(4) {
            let one = if u == v { 1.0 } else { 0.0 };
            assert!((form(&s, u, v) - one).abs() < 1e-12);
            assert!((form(&b, u, v) - one * basis.persistent[u]).abs() < 1e-12);
        }
    }

    #[test]
    fn singular_noise_is_refused() {
        let ones = Matrix::from_fn(3, |_, _| 1.0);
        assert_eq!(Basis::new(&ones, &ones), None);
        assert_eq!(Basis::new(&Matrix::from_fn(1, |_, _| 1.0), &Matrix::from_fn(1, |_, _| 1.0)), None);
        assert_eq!(Basis::new(&Matrix::from_fn(3, |_, _| f64::NAN), &ones), None);
    }
}
