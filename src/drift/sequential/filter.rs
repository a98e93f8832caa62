//! Evidence of a shift in windows whose expected values are off by errors that they share: a Gaussian model, look by
//! look.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | m | `size` | numbers that a look observes |
//! | z_t, R_t | `observed`, `noise` | what a look observes; covariance of its own noise |
//! | θ_b, C_b | `blocks` | error b, m numbers, drawn once from N(0, C_b) and kept over all looks; independent of the others |
//! | c_tb | `coefficients` | how much of error b is in look t |
//! | δ, Λ | | shift since look j, the same in all later looks; its prior is N(0, I/K) |
//! | d_t | `scale` | how much of δ is in look t, an m × m matrix |
//! | μ, P | | mean and covariance of all errors given the looks so far, without shift |
//! | ν, F | | innovation: what a number is off from its prediction by; its variance |
//! | X_j | `response` | by how much μ is moved by a shift since look j, per unit of δ |
//! | A_j, B_j | `information`, `score` | Σ gᵀg/F and Σ gᵀν/F over the looks since j, g the part of δ in an innovation |
//!
//! z_t = Σ_b c_tb θ_b + d_t δ + ε_t. Without shift the innovations are independent normals, whatever the errors θ are:
//! that is Kalman's filter (Journal of Basic Engineering 82, 1960) for a state that does not move. A shift δ since look
//! j adds g δ to them, which the same gains propagate (Willsky and Jones, IEEE Transactions on Automatic Control 21,
//! 1976). So the ratio of the densities of all looks so far with and without a shift, averaged over its prior, is
//!
//! ln Λ_j = −½ ln det(I + A_j/K) + ½ B_jᵀ (A_j + K I)⁻¹ B_j.
//!
//! **Argument.** A ratio of densities of one path under two laws is a martingale of mean 1 under the one below the line,
//! and that law has the errors θ in it. Nothing but the model is assumed; with one error that is in all looks alike it is
//! the e-process of [`super::wald_mixture`].
//!
//! **Estimate.** A_j⁻¹ B_j is the generalized least squares estimate of δ, with covariance A_j⁻¹. Estimates at different
//! looks have the covariance of the later one, as a Brownian motion over its time has: so bounds of [`super::interval`]
//! hold at all looks together, for each contrast.
//!
//! **Cost** of a look with N numbers in all errors and J starts: m (N² + J N m) and m³ for each start. **Does not hold
//! when** C_b is too small. Where C_b is too large the mean of Λ at any look that is named beforehand is at most 1 (for
//! it is convex in the looks); at a look chosen by looking that is so for one error in all looks, and measured else.

use super::logarithm::log_mean;
use crate::estimate::{Cholesky, Matrix};

/// The law of all errors given the looks so far, and what a shift would have done to it.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    size: usize,
    mean: Vec<f64>,
    covariance: Vec<f64>,
}

/// A shift since one look.
#[derive(Debug, Clone)]
pub(super) struct Shift {
    /// X: one row a number of the errors, m columns.
    response: Vec<f64>,
    information: Vec<f64>,
    score: Vec<f64>,
}

impl Filter {
    /// For m numbers a look, before any error is known.
    pub(super) fn new(size: usize) -> Self {
        Self { size, mean: Vec::new(), covariance: Vec::new() }
    }

    /// Adds an error with this covariance, of which the first m rows and columns are read.
    pub(super) fn add_block(&mut self, prior: &Matrix) {
        let (m, before) = (self.size, self.mean.len());
        let after = before + m;
        let old = &self.covariance;
        let entry = |row: usize, column: usize| match (row < before, column < before) {
            (true, true) => old[row * before + column],
            (false, false) => prior.at(row - before, column - before),
            _ => 0.0,
        };
        self.covariance = (0..after * after).map(|at| entry(at / after, at % after)).collect();
        self.mean.resize(after, 0.0);
    }

    /// Adds a look: m numbers with noise R = L Lᵀ, the errors in it by block and coefficient, and d.
    pub(super) fn look(
        &mut self,
        observed: &[f64],
        noise: &Cholesky,
        coefficients: &[(usize, f64)],
        scale: &Matrix,
        shifts: &mut [&mut Shift],
    ) {
        let (m, n) = (self.size, self.mean.len());
        shifts.iter_mut().for_each(|shift| shift.response.resize(n * m, 0.0));
        // L⁻¹ of what is observed, of the unit vectors, and of d: m independent numbers of variance 1.
        let numbers = noise.whiten(observed);
        let column = |j: usize| noise.whiten(&(0..m).map(|i| if i == j { 1.0 } else { 0.0 }).collect::<Vec<_>>());
        let inverse: Vec<Vec<f64>> = (0..m).map(column).collect();
        for i in 0..m {
            // The errors in this number.
            let enters: Vec<(usize, f64)> = coefficients
                .iter()
                .flat_map(|(block, c)| (0..m).map(move |j| (block * m + j, j, c)))
                .map(|(at, j, c)| (at, c * inverse[j][i]))
                .filter(|(_, h)| *h != 0.0)
                .collect();
            let own: Vec<f64> = (0..m).map(|a| (0..m).map(|j| inverse[j][i] * scale.at(j, a)).sum()).collect();
            let gain: Vec<f64> =
                (0..n).map(|row| enters.iter().map(|(at, h)| h * self.covariance[row * n + at]).sum()).collect();
            let variance = 1.0 + enters.iter().map(|(at, h)| h * gain[*at]).sum::<f64>();
            let innovation = numbers[i] - enters.iter().map(|(at, h)| h * self.mean[*at]).sum::<f64>();
            for shift in shifts.iter_mut() {
                shift.look(&enters, &own, &gain, innovation, variance);
            }
            for row in 0..n {
                let part = gain[row] / variance;
                self.mean[row] += part * innovation;
                let entries = &mut self.covariance[row * n..(row + 1) * n];
                entries.iter_mut().zip(&gain).for_each(|(entry, gain)| *entry -= part * gain);
            }
        }
    }
}

impl Shift {
    /// A shift since the next look.
    pub(super) fn new(size: usize) -> Self {
        Self { response: Vec::new(), information: vec![0.0; size * size], score: vec![0.0; size] }
    }

    fn look(&mut self, enters: &[(usize, f64)], own: &[f64], gain: &[f64], innovation: f64, variance: f64) {
        let m = own.len();
        let told = |a: usize| own[a] - enters.iter().map(|(at, h)| h * self.response[at * m + a]).sum::<f64>();
        let g: Vec<f64> = (0..m).map(told).collect();
        for a in 0..m {
            self.score[a] += g[a] * innovation / variance;
            for b in 0..m {
                self.information[a * m + b] += g[a] * g[b] / variance;
            }
        }
        for (row, gain) in gain.iter().enumerate() {
            let part = gain / variance;
            self.response[row * m..(row + 1) * m].iter_mut().zip(&g).for_each(|(x, g)| *x += part * g);
        }
    }

    /// ln Λ, averaged over K.
    pub(super) fn log_e(&self, concentrations: &[f64]) -> f64 {
        let m = self.score.len();
        let of = |k: &f64| {
            let raised = Matrix::symmetric(m, |a, b| self.information[a * m + b] + if a == b { *k } else { 0.0 });
            let Some(factor) = raised.cholesky(m) else { return f64::NEG_INFINITY };
            let determinant: f64 = (0..m).map(|a| 2.0 * libm::log(factor.row(a)[a])).sum();
            let whitened = factor.whiten(&self.score);
            let square: f64 = whitened.iter().map(|x| x * x).sum();
            (square - determinant + m as f64 * libm::log(*k)) / 2.0
        };
        log_mean(&concentrations.iter().map(of).collect::<Vec<_>>())
    }

    /// The estimate of δ with its covariance; none while they cannot be told.
    pub(super) fn estimate(&self) -> Option<(Vec<f64>, Matrix)> {
        let m = self.score.len();
        let factor = Matrix::symmetric(m, |a, b| self.information[a * m + b]).cholesky(m)?;
        let column = |j: usize| factor.whiten(&(0..m).map(|i| if i == j { 1.0 } else { 0.0 }).collect::<Vec<_>>());
        let inverse: Vec<Vec<f64>> = (0..m).map(column).collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let covariance = Matrix::symmetric(m, |a, b| dot(&inverse[a], &inverse[b]));
        let value = (0..m).map(|a| (0..m).map(|b| covariance.at(a, b) * self.score[b]).sum()).collect();
        Some((value, covariance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ln N(x; 0, C).
    fn log_density(x: &[f64], c: &Matrix) -> f64 {
        let factor = c.cholesky(x.len()).expect("definite");
        let determinant: f64 = (0..x.len()).map(|i| 2.0 * libm::log(factor.row(i)[i])).sum();
        -(determinant + factor.whiten(x).iter().map(|x| x * x).sum::<f64>()) / 2.0
    }

    /// Four looks of one number with two errors, the second look being a mix of both: the same as the ratio of the joint
    /// densities of the four numbers, written out; a shift since the third look is in two of them.
    #[test]
    fn it_is_the_ratio_of_joint_densities() {
        let z = [0.3, -0.1, 0.4, 0.25];
        let noise = [0.02, 0.01, 0.03, 0.02];
        let scale = [1.0, 0.8, 0.9, 1.1];
        let mixes: [&[(usize, f64)]; 4] = [&[(0, 1.0)], &[(0, 0.6), (1, 0.4)], &[(1, 1.0)], &[(0, -0.3), (1, 1.0)]];
        let priors = [0.05, 0.08];
        let one = |v: f64| Matrix::from_fn(1, |_, _| v);
        let mut filter = Filter::new(1);
        priors.iter().for_each(|prior| filter.add_block(&one(*prior)));
        let (mut all, mut late) = (Shift::new(1), Shift::new(1));
        for t in 0..4 {
            let root = one(noise[t]).cholesky(1).expect("definite");
            let mut shifts = if t < 2 { vec![&mut all] } else { vec![&mut all, &mut late] };
            filter.look(&z[t..=t], &root, mixes[t], &one(scale[t]), &mut shifts);
        }
        let coefficient =
            |t: usize, b: usize| mixes[t].iter().filter(|(block, _)| *block == b).map(|(_, c)| c).sum::<f64>();
        let null = Matrix::symmetric(4, |s, t| {
            let shared: f64 = (0..2).map(|b| priors[b] * coefficient(s, b) * coefficient(t, b)).sum();
            shared + if s == t { noise[t] } else { 0.0 }
        });
        let k = 20.0;
        for (shift, first) in [(&all, 0), (&late, 2)] {
            let part = |t: usize| if t >= first { scale[t] } else { 0.0 };
            let shifted = null.plus(&Matrix::symmetric(4, |s, t| part(s) * part(t) / k));
            let expected = log_density(&z, &shifted) - log_density(&z, &null);
            assert!((shift.log_e(&[k]) - expected).abs() < 1e-12, "{} is not {expected}", shift.log_e(&[k]));
        }
        // Generalized least squares by the inverse of the joint covariance.
        let factor = null.cholesky(4).expect("definite");
        let [x, y] = [factor.whiten(&scale), factor.whiten(&z)];
        let square: f64 = x.iter().map(|x| x * x).sum();
        let (value, covariance) = all.estimate().expect("definite");
        assert!((value[0] - x.iter().zip(&y).map(|(x, y)| x * y).sum::<f64>() / square).abs() < 1e-12);
        assert!((covariance.at(0, 0) - 1.0 / square).abs() < 1e-12);
    }
}
