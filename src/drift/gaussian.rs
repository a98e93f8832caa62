//! Normal vectors of a given covariance, the same on every machine: what simulated null laws are made of.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | Σ, L | [`Root`] | a covariance of k rows; its lower Cholesky factor, Σ = L Lᵀ |
//! | z | [`Normals`] | independent standard normals |
//!
//! Uniform bits are those of `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014, figure 17), normals those of Marsaglia's
//! polar method ("A convenient method for generating normal variables", SIAM Review 6(3), 1964), through `libm` alone.
//! A pivot below 10⁻¹² of the largest variance counts as 0: covariances of shares are singular along the vector of
//! ones. O(k³) to factor, O(k²) a draw. **Not for privacy**: the state is 64 bits and public.

use crate::estimate::Matrix;

/// A stream of standard normals that a seed decides.
#[derive(Debug, Clone)]
pub(super) struct Normals {
    state: u64,
    spare: Option<f64>,
}

impl Normals {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed, spare: None }
    }

    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// In [−1, 1).
    fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / 4_503_599_627_370_496.0 - 1.0
    }

    pub(super) fn next(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (u, v) = (self.uniform(), self.uniform());
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let scale = libm::sqrt(-2.0 * libm::log(s) / s);
                self.spare = Some(v * scale);
                return u * scale;
            }
        }
    }

    pub(super) fn vector(&mut self, size: usize) -> Vec<f64> {
        (0..size).map(|_| self.next()).collect()
    }
}

/// The lower Cholesky factor of a covariance.
#[derive(Debug, Clone)]
pub(super) struct Root {
    size: usize,
    entries: Vec<f64>,
    /// Whether every pivot is above 0.
    pub(super) definite: bool,
}

impl Root {
    pub(super) fn of(covariance: &Matrix) -> Self {
        let size = covariance.size();
        let floor = (0..size).map(|row| covariance.at(row, row)).fold(0.0, f64::max) * 1e-12;
        let mut root = Self { size, entries: vec![0.0; size * size], definite: true };
        for i in 0..size {
            for j in 0..=i {
                let known: f64 = (0..j).map(|l| root.at(i, l) * root.at(j, l)).sum();
                let rest = covariance.at(i, j) - known;
                root.entries[i * size + j] = match (i == j, root.at(j, j)) {
                    (true, _) if rest > floor => libm::sqrt(rest),
                    (true, _) | (false, 0.0) => 0.0,
                    (false, pivot) => rest / pivot,
                };
            }
            root.definite &= root.at(i, i) > 0.0;
        }
        root
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        self.entries[row * self.size + column]
    }

    /// L z.
    pub(super) fn times(&self, z: &[f64]) -> Vec<f64> {
        (0..self.size).map(|row| (0..=row).map(|column| self.at(row, column) * z[column]).sum()).collect()
    }

    /// L⁻¹ b, for a definite covariance.
    pub(super) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut solved = vec![0.0; self.size];
        for row in 0..self.size {
            let known: f64 = (0..row).map(|column| self.at(row, column) * solved[column]).sum();
            solved[row] = (b[row] - known) / self.at(row, row);
        }
        solved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_multiplies_to_its_covariance_and_solves() {
        let covariance = Matrix::symmetric(4, |row, column| if row == column { 2.0 + row as f64 } else { 0.5 });
        let root = Root::of(&covariance);
        let unit = |at: usize| -> Vec<f64> { (0..4).map(|i| f64::from(u8::from(i == at))).collect() };
        for row in 0..4 {
            let column_sum = |column: usize| -> f64 {
                (0..4).map(|l| root.times(&unit(l))[row] * root.times(&unit(l))[column]).sum()
            };
            assert!((0..4).all(|column| (column_sum(column) - covariance.at(row, column)).abs() < 1e-12));
        }
        let back = root.solve(&root.times(&[1.0, -2.0, 3.0, 0.25]));
        assert!(back.iter().zip([1.0, -2.0, 3.0, 0.25]).all(|(found, expected)| (found - expected).abs() < 1e-12));
        // The covariance of three shares that sum to 1: singular, and every draw sums to 0.
        let singular = Root::of(&Matrix::symmetric(3, |u, v| if u == v { 2.0 / 9.0 } else { -1.0 / 9.0 }));
        assert!(root.definite && !singular.definite);
        assert!(singular.times(&[0.3, -1.2, 2.0]).iter().sum::<f64>().abs() < 1e-9);
    }

    /// 200,000 draws, seed 1: mean within 4 standard errors (0.009), variance within 4 (0.013), 5 % beyond 1.96 within 4.
    #[test]
    fn normals_are_standard() {
        let n = 200_000;
        let draws = Normals::new(1).vector(n);
        let (n, sum) = (n as f64, draws.iter().sum::<f64>());
        let squares: f64 = draws.iter().map(|z| z * z).sum();
        let outside = draws.iter().filter(|z| z.abs() > 1.959_964).count() as f64 / n;
        assert!((sum / n).abs() < 0.009 && (squares / n - 1.0).abs() < 0.013 && (outside - 0.05).abs() < 0.002);
    }
}
