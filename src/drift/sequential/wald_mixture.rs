//! Have the shares changed? A mixture e-process for any channel, whose null hypothesis may hold a persistent offset.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | h_t, n_t | | unbiased shares of window t and its reports | |
//! | N | `reports` | Σ n_s over the looks so far | > 0 |
//! | r | | reference shares | |
//! | X | `difference` | Σ n_s h_s/N − r | k numbers that sum to 0 |
//! | S | `sampling` | N Cov\[X\] when the offset is known: covariance of one report | k × k, singular along 1 |
//! | B | `persistent` | covariance of the offset b, drawn once and kept over all looks | k × k |
//! | K, W | `concentrations` | the alternative's shift is drawn from N(0, W), W = S/K | K > 0 |
//! | E | [`WaldMixture::log_e`] gives ln E | evidence against "nothing changed" | (0, ∞) |
//! | λ_i, z_i | | B and X in the coordinates where S is the identity and B diagonal | λ ≥ 0 |
//!
//! E = N(X; 0, S/N + B + W) / N(X; 0, S/N + B), over all cells but one; with v_i = 1/N + λ_i,
//!
//! ln E = ½ Σ_i \[ ln v_i/(v_i + 1/K) + z_i² (1/v_i − 1/(v_i + 1/K)) \].
//!
//! With B = 0 and ρ = 1/K this is (1 + ρN)^(−m/2) exp(ρ N T/(2(1 + ρN))), T = N Σ z_i² ([`log_gaussian_mixture`]).
//!
//! **Argument.**
//! 1. *Null*: h_s = p + u + ε_s and r = p + v, with ε_s ~ N(0, S/n_s) independent over windows. What does not change
//!    from window to window is b = u − v ~ N(0, B): the noise v of a finite reference (S_ref), and the deviation u of
//!    the devices that answer from the population they stand for.
//! 2. *Alternative*: the same with b ~ N(0, B + W).
//! 3. Given b, the windows' joint density depends on b through exp(N bᵀS⁻¹X − N bᵀS⁻¹b/2) alone. So X is sufficient,
//!    and the ratio of the two mixture densities of *all* windows so far is the ratio of the densities of X, which is
//!    E.
//! 4. A ratio of the densities of one path under two laws is a martingale with mean 1 under the law below the line,
//!    whatever that law is: here a mixture over b. So E\[E_τ\] = 1 at bounded stopping times, and P\[sup E ≥ 1/α\] ≤ α
//!    (Ville, 1939; mixtures: Robbins 1970, Howard, Ramdas, McAuliffe and Sekhon, Annals of Statistics 49(2), 2021).
//! 5. *A B that is too large errs on the safe side.* Let the true offset be N(0, B₀) with B₀ ≤ B diagonal in the same
//!    coordinates. In information time N, with y = N z, ln of each mixture density has the diffusion coefficient
//!    σ_C = y C/(1 + C N), so that E has the drift E (σ_{B+W} − σ_B)(σ_{B₀} − σ_B) ≤ 0, as σ_C rises with C and has the
//!    sign of y: a supermartingale, in each coordinate, and their product too.
//! 6. An average over several K is a mixture again ([`super::dirichlet::CONCENTRATIONS`]).
//!
//! **Noisy references and repeated devices**, therefore, are no obstacles: they are in B.
//!
//! - *Finite reference*: B contains its covariance S_ref.
//! - *Devices that report in many windows*: if answers of a device have intra-class correlation ρ_d and M devices take
//!   part, u has covariance Ω = ρ_d (diag p − ppᵀ)/M. The operator declares an upper bound of ρ_d (default 0.2) and M.
//! - *Memoized answers*: the same noise is sent in each window, so a device counts once however often it reports, and
//!   B contains S/M whole: the covariance of M reports.
//!
//! Evidence then saturates: as N → ∞, v_i → λ_i, and only shifts larger than the offset are ever found. That is not
//! a weakness of the test: a smaller shift cannot be told from the choice of the fleet.
//!
//! **What breaks it.** Declaring a ρ_d below the true one, or more devices than there are: then B is too small,
//! and looking long enough finds the offset. A fleet that slowly turns over: u moves, which is a change, of size Ω at most.
//! The estimates are normal only approximately: some 20 reports that support each cell, summed over looks, should be
//! there. S is estimated from pooled shares, so that the level is asymptotic; measured in
//! `benches/drift/sequential.rs`.
//!
//! **Cost**: O(k³) once, k² + k · (number of K) a look. It needs X and N only, not the windows.

use super::basis::Basis;
use super::logarithm::log_mean;
use crate::estimate::Matrix;

/// How many values of K can be averaged over.
pub(super) const MOST_CONCENTRATIONS: usize = 8;

/// ln E of a statistic T that is χ² with `df` degrees of freedom after n reports, with W = ρ S and no persistent
/// offset.
#[must_use]
pub fn log_gaussian_mixture(statistic: f64, df: usize, reports: f64, rho: f64) -> f64 {
    let gain = rho * reports;
    gain * statistic / (2.0 * (1.0 + gain)) - df as f64 / 2.0 * libm::log1p(gain)
}

/// The e-process of one pair of covariances S and B.
#[derive(Debug, Clone, PartialEq)]
pub struct WaldMixture {
    basis: Basis,
    concentrations: Vec<f64>,
}

/// The posterior law of the offset in one coordinate.
struct Offset {
    mean: f64,
    variance: f64,
}

impl WaldMixture {
    /// For k × k covariances S of one report and B of the offset. `None` when S without its last row and column is not
    /// positive definite, or there are not 1 to 8 values of K.
    #[must_use]
    pub fn new(sampling: &Matrix, persistent: &Matrix, concentrations: &[f64]) -> Option<Self> {
        let proper = (1..=MOST_CONCENTRATIONS).contains(&concentrations.len()) && sampling.size() == persistent.size();
        let basis = proper.then(|| Basis::new(sampling, persistent)).flatten()?;
        Some(Self { basis, concentrations: concentrations.to_vec() })
    }

    /// ln E of the pooled difference X after N reports; 0 before the first.
    #[must_use]
    pub fn log_e(&self, difference: &[f64], reports: f64) -> f64 {
        let offset = |i: usize| Offset { mean: 0.0, variance: self.basis.persistent()[i] };
        self.log_ratio(|i| self.basis.coordinate(i, difference), reports, offset, &self.concentrations)
    }

    /// ln E that the shares moved *after* a time: `before` and `after` hold the pooled difference of the windows before
    /// and since, in coordinates, with their reports. The offset's law is updated by the windows before (conditional on
    /// the past, steps 1 to 4 hold again), so that those windows make a poor reference better. At most 8 values of K.
    pub(super) fn log_e_since(&self, before: (&[f64], f64), after: (&[f64], f64), concentrations: &[f64]) -> f64 {
        let offset = |i: usize| {
            let prior = self.basis.persistent()[i];
            let variance = prior / (1.0 + prior * before.1);
            Offset { mean: variance * before.1 * before.0[i], variance }
        };
        self.log_ratio(|i| after.0[i], after.1, offset, concentrations)
    }

    /// The coordinates that [`WaldMixture::log_e_since`] takes.
    pub(super) fn coordinates(&self, difference: &[f64]) -> Vec<f64> {
        self.basis.coordinates(difference)
    }

    fn log_ratio(
        &self,
        z: impl Fn(usize) -> f64,
        reports: f64,
        offset: impl Fn(usize) -> Offset,
        concentrations: &[f64],
    ) -> f64 {
        // NaN counts as none.
        if reports.partial_cmp(&0.0) != Some(core::cmp::Ordering::Greater) {
            return 0.0;
        }
        // Σ ln of the ratios of variances as ln of their product, taken out before it underflows.
        let mut products = [1.0; MOST_CONCENTRATIONS];
        let mut sums = [0.0; MOST_CONCENTRATIONS];
        for i in 0..self.basis.size() {
            let Offset { mean, variance } = offset(i);
            let null = variance + 1.0 / reports;
            let square = (z(i) - mean) * (z(i) - mean);
            for (at, concentration) in concentrations.iter().enumerate() {
                let alternative = null + 1.0 / concentration;
                products[at] *= null / alternative;
                sums[at] += square * (1.0 / null - 1.0 / alternative);
                if products[at] < 1e-200 {
                    sums[at] += libm::log(products[at]);
                    products[at] = 1.0;
                }
            }
        }
        let logs: [f64; MOST_CONCENTRATIONS] = core::array::from_fn(|at| (sums[at] + libm::log(products[at])) / 2.0);
        log_mean(&logs[..concentrations.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares_covariance(p: &[f64], noise: f64) -> Matrix {
        Matrix::from_fn(p.len(), |i, j| (if i == j { p[i] } else { 0.0 } - p[i] * p[j]) * (1.0 + noise))
    }

    /// ln N(x; 0, C) + const over the first cells, by Cholesky's factor of `Matrix` and the determinant of a 2 × 2
    /// matrix.
    fn log_density(x: &[f64], c: &Matrix) -> f64 {
        let determinant = c.at(0, 0) * c.at(1, 1) - c.at(0, 1) * c.at(1, 0);
        -(libm::log(determinant) + c.leading(2).inverse_quadratic(&x[..2]).expect("definite")) / 2.0
    }

    /// The coordinates change nothing: the same as the ratio of densities in the plain ones.
    #[test]
    fn it_is_the_ratio_of_densities() {
        let (s, b) = (shares_covariance(&[0.2, 0.3, 0.5], 1.5), shares_covariance(&[0.5, 0.3, 0.2], 0.0));
        let scaled = |matrix: &Matrix, factor: f64| Matrix::from_fn(3, |i, j| factor * matrix.at(i, j));
        let (n, k, x) = (700.0, 1_000.0, [0.03, -0.05, 0.02]);
        let b = scaled(&b, 1e-3);
        let null = scaled(&s, 1.0 / n).plus(&b);
        let expected = log_density(&x, &null.plus(&scaled(&s, 1.0 / k))) - log_density(&x, &null);
        let found = WaldMixture::new(&s, &b, &[k]).expect("definite").log_e(&x, n);
        assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
        // Without an offset, the form with T.
        let statistic = scaled(&s, 1.0 / n).leading(2).inverse_quadratic(&x[..2]).expect("definite");
        let zero = scaled(&b, 0.0);
        let found = WaldMixture::new(&s, &zero, &[k]).expect("definite").log_e(&x, n);
        assert!((found - log_gaussian_mixture(statistic, 2, n, 1.0 / k)).abs() < 1e-12);
    }

    /// Two ways to the same joint density: all windows at once, or the windows since given those before. The law under
    /// the alternative "shift after n₁" is compared in one dimension, where the joint covariance is [[1/n₁ + λ, λ], [λ,
    /// 1/n₂ + λ (+ 1/K)]].
    #[test]
    fn the_past_updates_the_offset() {
        let identity = Matrix::from_fn(2, |i, j| if i == j { 1.0 } else { -1.0 });
        let lambda = Matrix::from_fn(2, |i, j| if i == j { 0.004 } else { -0.004 });
        let (n1, n2, k, x) = (300.0, 200.0, 500.0, [0.05, 0.21]);
        let joint = |shift: f64| {
            let entries = [1.0 / n1 + 0.004, 0.004, 0.004, 1.0 / n2 + 0.004 + shift];
            log_density(&x, &Matrix::from_fn(2, |i, j| entries[2 * i + j]))
        };
        let mixture = WaldMixture::new(&identity, &lambda, &[k]).expect("definite");
        let [before, after] = x.map(|x| mixture.coordinates(&[x, -x]));
        let found = mixture.log_e_since((&before, n1), (&after, n2), &[k]);
        assert!((found - (joint(1.0 / k) - joint(0.0))).abs() < 1e-12);
    }

    #[test]
    fn before_the_first_report_there_is_no_evidence() {
        let s = shares_covariance(&[0.5, 0.5], 0.0);
        let mixture = WaldMixture::new(&s, &s, &[100.0]).expect("definite");
        assert_eq!(mixture.log_e(&[0.0, 0.0], 0.0), 0.0);
        assert_eq!(WaldMixture::new(&s, &s, &[]), None);
    }
}
