//! Is a score of 80 % right in 80 % of the cases, and is it still?
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | C_by | `pairs` | share of (score's cell b, label y), y = 1 positive (or right); Σ its covariance |
//! | m_b | `centers` | what scores of the cell say, public: their mean in the reference, or the middle of the cell |
//! | g_b, σ_b | `gap` | C_b1 − m_b (C_b0 + C_b1), linear in the shares; its standard error |
//! | ECE | `error` | expected calibration error, Σ \|g_b\| (Naeini, Cooper and Hauskrecht, AAAI 2015, section 2) |
//!
//! **Bias.** \|ĝ\| is too large on average: by σ√(2/π) for each cell of a calibrated model, which under local privacy
//! is most of what one sees. With x = ĝ/σ ~ N(δ, 1) the bias is b(δ) = 2φ(δ) − 2\|δ\|Φ(−\|δ\|), and E b(x) is the bias
//! that noise √2 times as large would add. Extrapolating from noise √2σ and σ linearly to 0, as
//! simulation-extrapolation does (Cook and Stefanski, JASA 89, 1994), gives σ(\|x\| − (1 + √2) b(x)): **unbiased where
//! the cell is calibrated** (δ = 0) and where its gap is clear, and in between up to 0.4σ too small (at δ = 0.9). No
//! estimator of \|δ\| is unbiased everywhere, as \|δ\| has a corner. Its variance is at most 1.77σ² (at δ = 1.3); the
//! interval takes that for cells within 4σ, and lengthens its upper end by the largest bias of them.
//!
//! **Tests.** gᵀ Cov(g)⁻¹ g is χ² with one degree of freedom a cell if the score is calibrated;
//! [`drift_of_calibration`] does the same with differences of rates c_b = C_b1/(C_b0 + C_b1) between two tables. Cells
//! whose share cannot be told from 0 are left out of tests.
//!
//! **Limits.** Cells are as fine as the calibration is known: gaps of opposite sign within a cell cancel. Where m_b is
//! off by η, so is the gap, by η times the cell's share.

use core::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

use super::delta::{Smooth, inverse, joined, mapped};
use super::{MIN_STANDARD_ERRORS, PairCells, Refused};
use crate::drift::special::{chi_squared_survival, normal_quantile};
use crate::drift::wald::Wald;
use crate::estimate::{Estimate, Interval, Scalar};

/// The largest bias of a cell's term, in its standard errors.
const LARGEST_BIAS: f64 = 0.4;
/// The largest variance of a cell's term, in that of its gap.
const LARGEST_VARIANCE: f64 = 1.77;
/// Beyond so many standard errors a gap is clear: bias and more variance than that of the gap are below half a percent.
const CLEAR: f64 = 4.0;

/// One line of a reliability table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reliability {
    /// m_b.
    pub center: f64,
    /// Share of the cell.
    pub share: Scalar,
    /// Rate of the positive label in the cell.
    pub rate: Result<Scalar, Refused>,
    /// g_b: share of the cell times what the rate is above the center.
    pub gap: Scalar,
}

/// How far scores are from rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationError {
    /// The expected calibration error without its bias; may lie below 0 by noise.
    pub error: Scalar,
    /// Covers the expected calibration error, at least.
    pub interval: Interval,
    /// The same sum with its bias, as it is usually shown.
    pub biased: f64,
    /// The test that all gaps are 0.
    pub wald: Wald,
}

/// How far rates are from those of the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationDrift {
    /// The test that no rate changed.
    pub wald: Wald,
    /// For each cell that could be compared, its number and the rate now less the rate then.
    pub differences: Vec<(usize, Scalar)>,
}

/// The reliability table of pairs with the columns "negative, positive" (or "wrong, right").
///
/// # Errors
///
/// [`Refused::Shape`] when there are not two columns or not one center a row.
pub fn reliability(pairs: &PairCells, centers: &[f64]) -> Result<Vec<Reliability>, Refused> {
    check(pairs, centers.len())?;
    let joint = pairs.joint();
    let line = |(bin, center): (usize, &f64)| {
        let (right, both) = (pairs.pair(bin, 1), pairs.row(bin));
        Reliability {
            center: *center,
            share: both.scalar(&joint.covariance),
            rate: right.over(&both, &joint.covariance).map(|rate| rate.scalar(&joint.covariance)),
            gap: right.plus(&both.affine(-center, 0.0)).scalar(&joint.covariance),
        }
    };
    Ok(centers.iter().enumerate().map(line).collect())
}

/// The expected calibration error, with an interval that covers it with probability `coverage` at least.
///
/// # Errors
///
/// As [`reliability`]; [`Refused::TooFew`] when no cell has a share above 0.
///
/// # Panics
///
/// If the coverage is not in (0, 1).
pub fn calibration_error(pairs: &PairCells, centers: &[f64], coverage: f64) -> Result<CalibrationError, Refused> {
    check(pairs, centers.len())?;
    let row = |bin: usize| {
        let mut row = vec![0.0; 2 * centers.len()];
        (row[2 * bin], row[2 * bin + 1]) = (-centers[bin], 1.0 - centers[bin]);
        row
    };
    let gaps = mapped(pairs.joint(), &(0..centers.len()).map(row).collect::<Vec<_>>());
    let terms: Vec<Term> = (0..centers.len()).map(|bin| Term::of(gaps.share(bin))).collect();
    let slopes: Vec<f64> = terms.iter().map(|term| term.slope).collect();
    let value = terms.iter().map(|term| term.value).sum::<f64>();
    let error = Scalar { value, standard_error: libm::sqrt(gaps.covariance.quadratic(&slopes).max(0.0)) };
    let reach = normal_quantile(0.5 + coverage / 2.0) * error.standard_error;
    let bias: f64 = terms.iter().map(|term| term.bias).sum();
    let interval = Interval { lower: (value - reach).max(0.0), upper: (value + reach + bias).max(0.0) };
    let biased = gaps.shares.iter().map(|gap| libm::fabs(*gap)).sum();
    let kept: Vec<usize> = (0..centers.len()).filter(|bin| is_resolved(pairs, *bin)).collect();
    Ok(CalibrationError { error, interval, biased, wald: all_zero(&chosen(&gaps, &kept))? })
}

/// Whether the rates of the positive label changed between two independent tables.
///
/// # Errors
///
/// [`Refused::Shape`] when one has not two columns, or they have different rows; [`Refused::TooFew`] when no cell has a
/// share above 0 in both.
pub fn drift_of_calibration(reference: &PairCells, current: &PairCells) -> Result<CalibrationDrift, Refused> {
    check(reference, current.rows())?;
    check(current, reference.rows())?;
    let kept: Vec<usize> =
        (0..current.rows()).filter(|bin| is_resolved(reference, *bin) && is_resolved(current, *bin)).collect();
    let all = joined(reference.joint(), current.joint());
    let rate = |offset: usize, bin: usize| {
        let at = offset + 2 * bin;
        Smooth::sum(&all, [at + 1]).over(&Smooth::sum(&all, [at, at + 1]), &all.covariance)
    };
    let offset = 2 * reference.rows();
    let difference = |bin: &usize| Ok(rate(offset, *bin)?.plus(&rate(0, *bin)?.affine(-1.0, 0.0)));
    let parts: Vec<Smooth> = kept.iter().map(difference).collect::<Result<_, _>>()?;
    let rows: Vec<Vec<f64>> = parts.iter().map(|part| part.gradient.clone()).collect();
    let covariance = mapped(&all, &rows).covariance;
    let differences = Estimate { shares: parts.iter().map(|part| part.value).collect(), covariance };
    let wald = all_zero(&differences)?;
    let listed = kept.iter().enumerate().map(|(place, bin)| (*bin, differences.share(place))).collect();
    Ok(CalibrationDrift { wald, differences: listed })
}

fn check(pairs: &PairCells, rows: usize) -> Result<(), Refused> {
    if pairs.columns() != 2 {
        return Err(Refused::Shape { found: pairs.columns(), expected: 2 });
    }
    if pairs.rows() != rows {
        return Err(Refused::Shape { found: rows, expected: pairs.rows() });
    }
    Ok(())
}

fn is_resolved(pairs: &PairCells, bin: usize) -> bool {
    let share = pairs.row(bin).scalar(&pairs.joint().covariance);
    share.value > MIN_STANDARD_ERRORS * share.standard_error
}

fn chosen(of: &Estimate, kept: &[usize]) -> Estimate {
    let row = |bin: &usize| (0..of.shares.len()).map(|at| if at == *bin { 1.0 } else { 0.0 }).collect();
    mapped(of, &kept.iter().map(row).collect::<Vec<Vec<f64>>>())
}

/// The test that numbers without a constraint are all 0.
fn all_zero(of: &Estimate) -> Result<Wald, Refused> {
    let df = of.shares.len();
    if df == 0 {
        return Err(Refused::TooFew);
    }
    let statistic = inverse(&of.covariance).ok_or(Refused::Singular)?.quadratic(&of.shares);
    Ok(Wald { statistic, df, p_value: chi_squared_survival(statistic, df) })
}

/// What a cell adds to the error.
struct Term {
    value: f64,
    /// Its standard error over that of the gap, with the sign of the gap.
    slope: f64,
    /// The most that it is too small by on average.
    bias: f64,
}

impl Term {
    fn of(gap: Scalar) -> Self {
        let (size, sigma) = (libm::fabs(gap.value), gap.standard_error);
        let sign = libm::copysign(1.0, gap.value);
        if size >= CLEAR * sigma {
            return Self { value: size, slope: sign, bias: 0.0 };
        }
        let value = size - (1.0 + SQRT_2) * sigma * folding_bias(size / sigma);
        Self { value, slope: sign * libm::sqrt(LARGEST_VARIANCE), bias: LARGEST_BIAS * sigma }
    }
}

/// E|N(δ, 1)| − δ, for δ ≥ 0.
fn folding_bias(delta: f64) -> f64 {
    let density = libm::exp(-delta * delta / 2.0) / libm::sqrt(2.0 * PI);
    2.0 * density - delta * libm::erfc(delta * FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and variance of a term with σ = 1 at δ, by the trapezoidal rule, which is exact to rounding here.
    fn moments(delta: f64) -> (f64, f64) {
        let step = 1e-3;
        let at = |place: i32| {
            let z = f64::from(place) * step;
            let weight = (-z * z / 2.0).exp() / (2.0 * PI).sqrt() * step;
            let x = (z + delta).abs();
            (weight, x - (1.0 + SQRT_2) * folding_bias(x))
        };
        let mean: f64 = (-9_000..=9_000).map(at).map(|(weight, value)| weight * value).sum();
        let square: f64 = (-9_000..=9_000).map(at).map(|(weight, value)| weight * value * value).sum();
        (mean, square - mean * mean)
    }

    #[test]
    fn terms_have_the_documented_bias_and_variance() {
        // The corner of |x| at 0 costs the trapezoidal rule step²/8 of twice its slope and density.
        assert!(moments(0.0).0.abs() < 1e-6);
        for step in 0..=40 {
            let delta = f64::from(step) / 10.0;
            let (mean, variance) = moments(delta);
            assert!((-LARGEST_BIAS..1e-6).contains(&(mean - delta)), "{delta}: {mean}");
            assert!((1.0..LARGEST_VARIANCE).contains(&variance), "{delta}: {variance}");
        }
        assert!((moments(CLEAR).0 - CLEAR).abs() < 0.005);
    }

    #[test]
    fn clear_gaps_are_summed_as_they_are() {
        let n = 1_000_000;
        // Half of the devices in each cell; the first says 0.2 and is 0.3, the second says 0.8 and is 0.6.
        let pairs = PairCells::of_counts(&[7 * n, 3 * n, 4 * n, 6 * n], 2, 2).expect("a table");
        let found = calibration_error(&pairs, &[0.2, 0.8], 0.95).expect("enough");
        assert!((found.error.value - 0.15).abs() < 1e-12 && (found.biased - 0.15).abs() < 1e-12);
        assert!(found.interval.contains(0.15) && found.wald.df == 2 && found.wald.p_value < 1e-9);
        let table = reliability(&pairs, &[0.2, 0.8]).expect("two lines");
        assert!((table[0].gap.value - 0.05).abs() < 1e-12 && (table[1].gap.value + 0.1).abs() < 1e-12);
        let rate = table[1].rate.expect("enough");
        assert!((rate.value - 0.6).abs() < 1e-12);
        assert!((rate.standard_error / (0.24 / (10.0 * n as f64)).sqrt() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn drift_is_a_difference_of_rates() {
        let table = |counts: &[u64]| PairCells::of_counts(counts, 3, 2).expect("a table");
        let (then, now) = (table(&[700, 300, 400, 600, 0, 0]), table(&[1_400, 600, 500, 1_500, 0, 0]));
        let found = drift_of_calibration(&then, &now).expect("enough");
        assert_eq!(found.differences.iter().map(|(bin, _)| *bin).collect::<Vec<_>>(), [0, 1]);
        let second = found.differences[1].1;
        assert!((second.value - 0.15).abs() < 1e-12);
        let variance = 0.24 / 1_000.0 + 0.75 * 0.25 / 2_000.0;
        assert!((second.standard_error / f64::sqrt(variance) - 1.0).abs() < 1e-9);
        let statistic = 0.15 * 0.15 / variance;
        assert!(found.wald.df == 2 && (found.wald.statistic / statistic - 1.0).abs() < 1e-9);
    }

    #[test]
    fn parts_must_fit() {
        let pairs = PairCells::of_counts(&[1; 6], 3, 2).expect("a table");
        assert!(calibration_error(&pairs, &[0.5; 2], 0.95).is_err());
        assert!(reliability(&PairCells::of_counts(&[1; 6], 2, 3).expect("a table"), &[0.5; 2]).is_err());
    }
}
