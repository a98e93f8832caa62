//! Shares of the labels today, without a label: the reference's confusion matrix, inverted.
//!
//! Lipton, Wang and Smola, "Detecting and correcting for label shift with black box predictors", ICML 2018, sections 3
//! and 4: if only the shares of the labels change and P\[prediction given label\] does not, then q = M π.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | R, K | `rows`, `columns` | cells of the prediction (or score), R ≥ K; labels, K ≥ 2 |
//! | C | `reference` | joint shares of prediction × label in the reference, with covariance Σ_C |
//! | p_j | | share of label j in the reference, Σ_i C_ij |
//! | M | | P\[prediction i given label j\] = C_ij/p_j |
//! | q, Σ_q | `current` | shares of the predictions today |
//! | π | `shares` | shares of the labels today |
//! | u | | residual q − M π |
//!
//! **Estimate.** The last row of u and the last label follow from the sums. With A the differences m_j − m_K of M's
//! columns without the last row, π solves generalized least squares, (AᵀΩ⁻¹A)⁻¹AᵀΩ⁻¹(q − m_K), where Ω = Cov u = Σ_q +
//! J Σ_C Jᵀ carries the noise of *both* sides: ∂u_a/∂C_bj = −(π_j/p_j)(\[a = b\] − M_aj). Ω depends on π and is
//! evaluated again at each of a few steps. Cov π = (AᵀΩ⁻¹A)⁻¹. With R = K it is plain inversion, as in the paper.
//!
//! **Is it label shift alone?** With R > K (cells of the score instead of classes) uᵀΩ⁻¹u is χ² with R − K degrees of
//! freedom if so (Hansen's test of overidentifying restrictions, Econometrica 50(4), 1982). With R = K every q fits,
//! and all that speaks against label shift is a share of π below 0: [`LabelShift::impossible`].
//!
//! **Refused** when the condition number of A, the ratio of its largest and least singular values, exceeds
//! [`MAX_CONDITION`], or the noise of A, √E‖dA‖², is more than [`MAX_NOISE`] of its least singular value: then A may be
//! singular, and least squares are biased towards the reference's predictions.
//!
//! **Cost**: O(R (RK)²) for Ω. **Does not hold when** P\[prediction given label\] changed, as it does under covariate
//! shift in general; the residual tells only as far as the cells can.

use super::delta::{inverse, mapped};
use super::{MIN_STANDARD_ERRORS, PairCells, Refused};
use crate::drift::quadratic_form::eigenvalues;
use crate::drift::special::chi_squared_survival;
use crate::drift::wald::Wald;
use crate::estimate::{Estimate, Matrix, Scalar};

/// The largest condition number that is inverted.
pub const MAX_CONDITION: f64 = 50.0;
/// The largest noise of the matrix that is inverted, in its least singular value.
pub const MAX_NOISE: f64 = 0.25;
/// Steps of least squares, each with the covariance at the estimate of the one before.
const STEPS: usize = 4;

/// Shares of the labels today.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelShift {
    /// π: one share per label, sums to 1, may lie outside \[0, 1\] by noise.
    pub labels: Estimate,
    /// π less the shares of the reference, with the covariance of the difference.
    pub shift: Estimate,
    /// The condition number of what was inverted.
    pub condition: f64,
    /// The test that nothing but the labels' shares changed; `None` with as many predictions as labels.
    pub residual: Option<Wald>,
}

impl LabelShift {
    /// P-value of a label's share being below 0 by chance, the least of all K times K (Bonferroni): small ones say that
    /// more than the labels' shares changed.
    #[must_use]
    pub fn impossible(&self) -> f64 {
        let labels = self.labels.shares.len();
        let least = (0..labels).map(|label| self.labels.share(label)).map(|Scalar { value, standard_error }| {
            // P[Z ≤ value / se]
            libm::erfc(-value / standard_error / core::f64::consts::SQRT_2) / 2.0
        });
        (least.fold(1.0, f64::min) * labels as f64).min(1.0)
    }
}

/// The shares of the labels today, from those of the predictions.
///
/// # Errors
///
/// [`Refused::Shape`] when the predictions are not those of the reference, are fewer than the labels, or there is one
/// label; [`Refused::TooFew`] when a label hardly occurs in the reference; [`Refused::IllConditioned`] and
/// [`Refused::TooNoisy`] as above; [`Refused::Singular`] when Ω is.
pub fn label_shift(reference: &PairCells, current: &Estimate) -> Result<LabelShift, Refused> {
    let (rows, labels) = (reference.rows(), reference.columns());
    if current.shares.len() != rows {
        return Err(Refused::Shape { found: current.shares.len(), expected: rows });
    }
    if labels < 2 || rows < labels {
        return Err(Refused::Shape { found: rows, expected: labels.max(2) });
    }
    let current = current.sum_to_one();
    let model = Model::of(reference)?;
    let condition = model.condition()?;
    let mut shares = model.priors.clone();
    let mut solved = None;
    for _ in 0..STEPS {
        let step = model.solve(&current, &shares)?;
        shares.clone_from(&step.shares);
        solved = Some(step);
    }
    let Solved { shares, covariance, statistic, by_reference } = solved.ok_or(Refused::Singular)?;
    let df = rows - labels;
    let residual = (df > 0).then(|| Wald { statistic, df, p_value: chi_squared_survival(statistic, df) });
    let labels_now = Estimate { shares, covariance };
    let shift = model.shift(&labels_now, &by_reference);
    Ok(LabelShift { labels: labels_now, shift, condition, residual })
}

/// The reference as a linear model.
struct Model<'a> {
    reference: &'a PairCells,
    /// p.
    priors: Vec<f64>,
    /// M, row by row.
    given: Vec<f64>,
}

/// One step of least squares.
struct Solved {
    shares: Vec<f64>,
    covariance: Matrix,
    statistic: f64,
    /// ∂π/∂C, one row a label.
    by_reference: Vec<Vec<f64>>,
}

impl<'a> Model<'a> {
    fn of(reference: &'a PairCells) -> Result<Self, Refused> {
        let shares = reference.column_shares();
        let known = |label: usize| {
            let Scalar { value, standard_error } = shares.share(label);
            value > 0.0 && value > MIN_STANDARD_ERRORS * standard_error
        };
        if !(0..reference.columns()).all(known) {
            return Err(Refused::TooFew);
        }
        let priors = shares.shares;
        let cells = reference.joint().shares.iter().enumerate();
        let given = cells.map(|(cell, share)| share / priors[cell % priors.len()]).collect();
        Ok(Self { reference, priors, given })
    }

    fn rows(&self) -> usize {
        self.reference.rows()
    }

    fn labels(&self) -> usize {
        self.priors.len()
    }

    fn at(&self, row: usize, label: usize) -> f64 {
        self.given[self.reference.cell(row, label)]
    }

    /// A: differences of columns, without the last row and the last label.
    fn difference(&self, row: usize, label: usize) -> f64 {
        self.at(row, label) - self.at(row, self.labels() - 1)
    }

    /// ∂M_aj/∂C: only the cells of column j count.
    fn slope(&self, row: usize, label: usize, of_row: usize) -> f64 {
        let own = if row == of_row { 1.0 } else { 0.0 };
        (own - self.at(row, label)) / self.priors[label]
    }

    fn condition(&self) -> Result<f64, Refused> {
        let (rows, free) = (self.rows(), self.labels() - 1);
        let gram = Matrix::symmetric(free, |u, v| {
            (0..rows).map(|row| self.difference(row, u) * self.difference(row, v)).sum()
        });
        let values = eigenvalues(&gram);
        let (least, most) = values.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), v| (a.min(*v), b.max(*v)));
        let condition = libm::sqrt(most / least.max(0.0));
        // Not finite when A is singular, or no number.
        if condition.is_nan() || condition > MAX_CONDITION {
            return Err(Refused::IllConditioned { condition, limit: MAX_CONDITION });
        }
        let noise: f64 = (0..rows).map(|row| (0..free).map(|label| self.variance(row, label)).sum::<f64>()).sum();
        let relative = libm::sqrt(noise / least);
        if relative > MAX_NOISE {
            return Err(Refused::TooNoisy { relative, limit: MAX_NOISE });
        }
        Ok(condition)
    }

    /// Variance of one difference of M.
    fn variance(&self, row: usize, label: usize) -> f64 {
        let mut slopes = vec![0.0; self.given.len()];
        for of_row in 0..self.rows() {
            slopes[self.reference.cell(of_row, label)] = self.slope(row, label, of_row);
            slopes[self.reference.cell(of_row, self.labels() - 1)] = -self.slope(row, self.labels() - 1, of_row);
        }
        self.reference.joint().covariance.quadratic(&slopes).max(0.0)
    }

    /// J: the slopes of the residuals by the reference's shares, without the last row.
    fn residual_slopes(&self, shares: &[f64]) -> Vec<Vec<f64>> {
        let row = |row: usize| {
            let slope = |cell: usize| {
                let (of_row, label) = (cell / self.labels(), cell % self.labels());
                -shares[label] * self.slope(row, label, of_row)
            };
            (0..self.given.len()).map(slope).collect()
        };
        (0..self.rows() - 1).map(row).collect()
    }

    fn solve(&self, current: &Estimate, at: &[f64]) -> Result<Solved, Refused> {
        let (m, free) = (self.rows() - 1, self.labels() - 1);
        let slopes = self.residual_slopes(at);
        let omega = mapped(self.reference.joint(), &slopes).covariance.plus(&current.covariance.leading(m));
        let precision = inverse(&omega).ok_or(Refused::Singular)?;
        // Aᵀ Ω⁻¹, one row a free label.
        let weighted: Vec<Vec<f64>> = (0..free)
            .map(|label| (0..m).map(|v| (0..m).map(|u| self.difference(u, label) * precision.at(u, v)).sum()).collect())
            .collect();
        let information =
            Matrix::symmetric(free, |u, v| (0..m).map(|row| weighted[u][row] * self.difference(row, v)).sum());
        let spread = inverse(&information).ok_or(Refused::Singular)?;
        // π = L (q − m_K) with L = (Aᵀ Ω⁻¹ A)⁻¹ Aᵀ Ω⁻¹; the last label has what is left.
        let mut linear: Vec<Vec<f64>> = (0..free)
            .map(|u| (0..m).map(|row| (0..free).map(|v| spread.at(u, v) * weighted[v][row]).sum()).collect())
            .collect();
        linear.push((0..m).map(|row| -linear.iter().map(|label| label[row]).sum::<f64>()).collect());
        let off = |row: usize| current.shares[row] - self.at(row, free);
        let mut shares: Vec<f64> =
            linear.iter().map(|weights| weights.iter().enumerate().map(|(row, w)| w * off(row)).sum()).collect();
        shares[free] += 1.0;
        let residual: Vec<f64> = (0..m)
            .map(|row| current.shares[row] - (0..=free).map(|label| self.at(row, label) * shares[label]).sum::<f64>())
            .collect();
        let sums: Vec<f64> = (0..free).map(|u| (0..free).map(|v| spread.at(u, v)).sum()).collect();
        let covariance = Matrix::symmetric(self.labels(), |u, v| match (u == free, v == free) {
            (false, false) => spread.at(u, v),
            (true, true) => sums.iter().sum(),
            (true, false) => -sums[v],
            (false, true) => -sums[u],
        });
        let statistic = precision.quadratic(&residual);
        let by_reference = linear
            .iter()
            .map(|weights| {
                let slope = |cell| weights.iter().zip(&slopes).map(|(w, slopes)| w * slopes[cell]).sum();
                (0..self.given.len()).map(slope).collect()
            })
            .collect();
        Ok(Solved { shares, covariance, statistic, by_reference })
    }

    /// π − p: both depend on the reference, so that Cov = Cov π + Cov p − Cov(π, p) − Cov(p, π).
    fn shift(&self, labels: &Estimate, by_reference: &[Vec<f64>]) -> Estimate {
        let (size, before) = (self.labels(), self.reference.column_shares());
        let joint = &self.reference.joint().covariance;
        // Cov(π_u, p_v) = ∂π_u/∂C Σ_C (cells of column v).
        let across = |u: usize, v: usize| -> f64 {
            (0..joint.size())
                .map(|cell| {
                    by_reference[u][cell] * (0..self.rows()).map(|row| joint.at(cell, row * size + v)).sum::<f64>()
                })
                .sum()
        };
        Estimate {
            shares: labels.shares.iter().zip(&self.priors).map(|(now, then)| now - then).collect(),
            covariance: Matrix::symmetric(size, |u, v| {
                labels.covariance.at(u, v) + before.covariance.at(u, v) - across(u, v) - across(v, u)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(counts: &[u64]) -> Estimate {
        PairCells::of_counts(counts, counts.len(), 1).expect("a table").joint().clone()
    }

    /// P[prediction 1 | label 0] = 0.2, P[prediction 1 | label 1] = 0.9; today 55 % are predicted 1, so half are.
    #[test]
    fn two_classes_by_hand() {
        let reference = PairCells::of_counts(&[560, 30, 140, 270], 2, 2).expect("a table");
        let found = label_shift(&reference, &shares(&[4_500, 5_500])).expect("well conditioned");
        let share = found.labels.share(1);
        assert!((share.value - 0.5).abs() < 1e-12);
        assert!((found.shift.shares[1] - 0.2).abs() < 1e-12 && found.residual.is_none());
        // π = (q − a)/(b − a): Var = (q(1−q)/n + (1−π)² a(1−a)/n_0 + π² b(1−b)/n_1)/(b − a)².
        let variance: f64 = (0.55 * 0.45 / 1e4 + 0.25 * 0.16 / 700.0 + 0.25 * 0.09 / 300.0) / 0.49;
        assert!((share.standard_error / variance.sqrt() - 1.0).abs() < 1e-9);
        assert!((found.condition - 1.0).abs() < 1e-12 && found.impossible() == 1.0);
    }

    /// Where today is the reference, exactly, π is its share with no noise of M left in the difference but that of q.
    #[test]
    fn without_shift_the_noise_of_the_matrix_cancels() {
        let reference = PairCells::of_counts(&[560, 30, 140, 270], 2, 2).expect("a table");
        let found = label_shift(&reference, &shares(&[5_900, 4_100])).expect("well conditioned");
        assert!(found.shift.shares[1].abs() < 1e-12);
        // To first order π − p = (q − ρ)/(b − a) with ρ the share of prediction 1 in the reference.
        let variance: f64 = (0.59 * 0.41) * (1.0 / 1e4 + 1.0 / 1e3) / 0.49;
        assert!((found.shift.standard_error(1) / variance.sqrt() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn impossible_shares_are_named() {
        let reference = PairCells::of_counts(&[560, 30, 140, 270], 2, 2).expect("a table");
        let found = label_shift(&reference, &shares(&[9_900, 100])).expect("well conditioned");
        assert!(found.labels.shares[1] < 0.0 && found.impossible() < 1e-6);
    }

    #[test]
    fn what_says_little_is_refused() {
        let of = |counts: &[u64]| {
            label_shift(&PairCells::of_counts(counts, 2, 2).expect("a table"), &shares(&[500, 500])).map(|_| ())
        };
        assert!(matches!(of(&[500, 500, 500, 500]), Err(Refused::IllConditioned { .. } | Refused::TooNoisy { .. })));
        assert!(matches!(of(&[52, 48, 48, 52]), Err(Refused::TooNoisy { .. })));
        assert_eq!(of(&[50, 0, 50, 0]), Err(Refused::TooFew));
        // Two of three labels predicted nearly alike.
        let alike = [400_000, 5_000, 5_000, 50_000, 250_200, 250_000, 50_000, 249_800, 250_000];
        let reference = PairCells::of_counts(&alike, 3, 3).expect("a table");
        let refused = label_shift(&reference, &shares(&[500, 500, 500]));
        assert!(matches!(refused, Err(Refused::IllConditioned { .. })), "{refused:?}");
        let few = PairCells::of_counts(&[1; 6], 2, 3).expect("a table");
        assert!(matches!(label_shift(&few, &shares(&[1, 1])), Err(Refused::Shape { .. })));
    }
}
