//! The delta method: smooth functions of noisy shares with their standard errors.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | f, Σ | `Estimate` | estimated shares and their covariance |
//! | h(f) | `value` | a function of the shares |
//! | ∇h | `gradient` | its derivative by each share |
//!
//! √n (f̂ − f) tends to a normal law, so h(f̂) has variance ∇hᵀ Σ ∇h to first order (van der Vaart, "Asymptotic
//! Statistics", 1998, theorem 3.1). Gradients are carried along by the rules of sum, product and quotient, so that no
//! formula is derived by hand. **Limits**: a quotient has a relative bias of the square of its denominator's relative
//! error; beyond a third it is refused.

use super::{MIN_STANDARD_ERRORS, Refused};
use crate::estimate::{Estimate, Matrix, Scalar};

/// The value of a function of shares, and its gradient.
#[derive(Debug, Clone)]
pub(super) struct Smooth {
    pub(super) value: f64,
    pub(super) gradient: Vec<f64>,
}

impl Smooth {
    /// Σ of the shares of these cells.
    pub(super) fn sum(of: &Estimate, cells: impl IntoIterator<Item = usize>) -> Self {
        Self::linear(of, cells.into_iter().map(|cell| (cell, 1.0)))
    }

    /// Σ weight · share.
    pub(super) fn linear(of: &Estimate, weights: impl IntoIterator<Item = (usize, f64)>) -> Self {
        let mut linear = Self { value: 0.0, gradient: vec![0.0; of.shares.len()] };
        for (cell, weight) in weights {
            linear.value += weight * of.shares[cell];
            linear.gradient[cell] += weight;
        }
        linear
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        self.combined(self.value + other.value, 1.0, other, 1.0)
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        self.combined(self.value * other.value, other.value, other, self.value)
    }

    /// a · h + b.
    pub(super) fn affine(&self, a: f64, b: f64) -> Self {
        Self { value: a * self.value + b, gradient: self.gradient.iter().map(|slope| a * slope).collect() }
    }

    /// The quotient, refused unless the denominator lies above 0 by [`MIN_STANDARD_ERRORS`].
    pub(super) fn over(&self, denominator: &Self, covariance: &Matrix) -> Result<Self, Refused> {
        let found = denominator.scalar(covariance);
        if found.value <= MIN_STANDARD_ERRORS * found.standard_error || found.value <= 0.0 {
            return Err(Refused::TooFew);
        }
        let value = self.value / found.value;
        Ok(self.combined(value, 1.0 / found.value, denominator, -value / found.value))
    }

    pub(super) fn scalar(&self, covariance: &Matrix) -> Scalar {
        Scalar { value: self.value, standard_error: libm::sqrt(covariance.quadratic(&self.gradient).max(0.0)) }
    }

    fn combined(&self, value: f64, slope: f64, other: &Self, other_slope: f64) -> Self {
        let pairs = self.gradient.iter().zip(&other.gradient);
        Self { value, gradient: pairs.map(|(a, b)| slope * a + other_slope * b).collect() }
    }
}

/// Independent estimates side by side.
pub(super) fn joined(one: &Estimate, two: &Estimate) -> Estimate {
    let (first, size) = (one.shares.len(), one.shares.len() + two.shares.len());
    let covariance = Matrix::from_fn(size, |row, column| match (row < first, column < first) {
        (true, true) => one.covariance.at(row, column),
        (false, false) => two.covariance.at(row - first, column - first),
        _ => 0.0,
    });
    Estimate { shares: one.shares.iter().chain(&two.shares).copied().collect(), covariance }
}

/// L f and L Σ Lᵀ, for a linear map by its rows.
pub(super) fn mapped(given: &Estimate, rows: &[Vec<f64>]) -> Estimate {
    let size = given.shares.len();
    let product = |row: &Vec<f64>| -> Vec<f64> {
        (0..size).map(|b| (0..size).map(|a| row[a] * given.covariance.at(a, b)).sum()).collect()
    };
    let half: Vec<Vec<f64>> = rows.iter().map(product).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    Estimate {
        shares: rows.iter().map(|row| dot(row, &given.shares)).collect(),
        covariance: Matrix::symmetric(rows.len(), |row, column| dot(&half[row], &rows[column])),
    }
}

/// The inverse of a symmetric positive definite matrix by Cholesky's factor, or `None` if it is not one.
pub(super) fn inverse(matrix: &Matrix) -> Option<Matrix> {
    let n = matrix.size();
    let scale = (0..n).map(|place| matrix.at(place, place)).fold(0.0, f64::max);
    let mut factor = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let known: f64 = (0..j).map(|l| factor[i * n + l] * factor[j * n + l]).sum();
            let rest = matrix.at(i, j) - known;
            if i != j {
                factor[i * n + j] = rest / factor[j * n + j];
            } else if rest > scale * 1e-13 {
                factor[i * n + i] = libm::sqrt(rest);
            } else {
                return None;
            }
        }
    }
    // Columns of the factor's inverse; A⁻¹ = L⁻ᵀ L⁻¹.
    let mut lower = vec![0.0; n * n];
    for column in 0..n {
        for row in column..n {
            let known: f64 = (column..row).map(|l| factor[row * n + l] * lower[l * n + column]).sum();
            let unit = if row == column { 1.0 } else { 0.0 };
            lower[row * n + column] = (unit - known) / factor[row * n + row];
        }
    }
    Some(Matrix::symmetric(n, |row, column| {
        (row.max(column)..n).map(|l| lower[l * n + row] * lower[l * n + column]).sum()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Estimate {
        let entries = [0.010, -0.002, 0.001, -0.002, 0.020, -0.004, 0.001, -0.004, 0.015];
        let covariance = Matrix::from_fn(3, |row, column| entries[3 * row + column] * 0.01);
        Estimate { shares: vec![0.2, 0.5, 0.31], covariance }
    }

    /// Gradients against central differences of the same functions.
    #[test]
    fn gradients_are_derivatives() {
        let value = |of: &Estimate| {
            let (a, b) = (Smooth::sum(of, [0, 1]), Smooth::linear(of, [(1, 2.0), (2, -0.5)]));
            a.times(&b).plus(&b.affine(3.0, 1.0)).over(&a, &of.covariance).expect("far from 0")
        };
        let at = three();
        let found = value(&at);
        for cell in 0..3 {
            let moved = |by: f64| {
                let mut moved = at.clone();
                moved.shares[cell] += by;
                value(&moved).value
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((found.gradient[cell] - slope).abs() < 1e-8, "{cell}: {} is not {slope}", found.gradient[cell]);
        }
    }

    #[test]
    fn a_denominator_near_zero_is_refused() {
        let of = three();
        let small = Smooth::linear(&of, [(0, 0.2), (1, -0.07)]);
        assert_eq!(Smooth::sum(&of, [2]).over(&small, &of.covariance).err(), Some(Refused::TooFew));
    }

    #[test]
    fn inverses_invert() {
        let matrix = three().covariance;
        let inverse = inverse(&matrix).expect("positive definite");
        for row in 0..3 {
            for column in 0..3 {
                let product: f64 = (0..3).map(|l| matrix.at(row, l) * inverse.at(l, column)).sum();
                assert!((product - if row == column { 1.0 } else { 0.0 }).abs() < 1e-12);
            }
        }
        assert!(super::inverse(&Matrix::from_fn(2, |_, _| 1.0)).is_none());
    }
}
