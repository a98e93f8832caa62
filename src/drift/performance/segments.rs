//! Which segment differs from the rest, and the canary from the stable arm.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | x_i, σ_i | `Scalar` | a figure of segment i (a share, an accuracy, a recall), with its standard error |
//! | w_j | `weight` | devices of segment j |
//! | d_i | `difference` | x_i − Σ_{j≠i} w_j x_j / Σ_{j≠i} w_j |
//! | z_i | | d_i/se(d_i), with se² = σ_i² + Σ_{j≠i} (w_j/Σ w)² σ_j² |
//! | q | `level` | false discovery rate that is accepted |
//! | τ | [`EFFECT`] | scale of z under the alternative that evidence bets on |
//!
//! Segments have different devices, so their figures are independent, each with the noise of the channel in its σ.
//! Every segment is compared with all others; z_i is standard normal if it does not differ. Differences of one family
//! depend on each other (each x stands in all the others' rests), so the set is chosen by e-values: E = (1 + τ²)^(−½)
//! exp(τ² z²/(2(1 + τ²))), the mean likelihood ratio under z ~ N(θ, 1), θ ~ N(0, τ²), has mean 1 if θ = 0, and e-BH
//! (Wang and Ramdas, "False discovery rate control with e-values", JRSS B 84(3), 2022) keeps the false discovery rate
//! at q under any dependence. The set of Benjamini and Hochberg (JRSS B 57(1), 1995), from p-values, finds more; its
//! level is proved for independence and positive dependence alone, which the family is not far from when segments are
//! many.
//!
//! **Limits.** One look: for repeated looks use sequential evidence. E is asymptotic, like z. A difference that is
//! significant need not matter: `difference` has its interval beside it.

use super::Refused;
use crate::drift::sequential::{benjamini_hochberg, e_bh};
use crate::drift::special::normal_quantile;
use crate::drift::wald::{Wald, wald};
use crate::estimate::{Estimate, Interval, Scalar};

/// τ: differences of three standard errors are bet on.
pub const EFFECT: f64 = 3.0;

/// A figure of one segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// The figure.
    pub figure: Scalar,
    /// Devices that it is about, above 0.
    pub weight: f64,
}

/// A segment beside all others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrast {
    /// The segment's figure less that of the rest.
    pub difference: Scalar,
    /// P-value of no difference, two-sided.
    pub p_value: f64,
    /// Evidence of a difference: an e-value.
    pub e_value: f64,
    /// Whether e-BH selects it.
    pub by_evidence: bool,
    /// Whether Benjamini and Hochberg's procedure does.
    pub by_p_value: bool,
}

/// Compares each segment with the rest, at the false discovery rate `level`.
///
/// # Errors
///
/// [`Refused::TooFew`] for fewer than two segments, or one without weight or standard error.
pub fn contrasts(segments: &[Segment], level: f64) -> Result<Vec<Contrast>, Refused> {
    let proper = |segment: &Segment| segment.weight > 0.0 && segment.figure.standard_error > 0.0;
    if segments.len() < 2 || !segments.iter().all(proper) {
        return Err(Refused::TooFew);
    }
    let total: f64 = segments.iter().map(|segment| segment.weight).sum();
    let sum: f64 = segments.iter().map(|segment| segment.weight * segment.figure.value).sum();
    let variance = |segment: &Segment| segment.figure.standard_error * segment.figure.standard_error;
    let squares: f64 = segments.iter().map(|segment| segment.weight * segment.weight * variance(segment)).sum();
    let difference = |segment: &Segment| {
        let rest = total - segment.weight;
        let value = segment.figure.value - (sum - segment.weight * segment.figure.value) / rest;
        let others = (squares - segment.weight * segment.weight * variance(segment)) / (rest * rest);
        Scalar { value, standard_error: libm::sqrt(variance(segment) + others.max(0.0)) }
    };
    let mut found: Vec<Contrast> = segments.iter().map(|segment| contrast(difference(segment))).collect();
    let log_e: Vec<f64> = found.iter().map(|of| libm::log(of.e_value)).collect();
    let p_values: Vec<f64> = found.iter().map(|of| of.p_value).collect();
    e_bh(&log_e, None, level).into_iter().for_each(|at| found[at].by_evidence = true);
    benjamini_hochberg(&p_values, None, level).into_iter().for_each(|at| found[at].by_p_value = true);
    Ok(found)
}

/// One comparison by itself.
fn contrast(difference: Scalar) -> Contrast {
    let z = difference.value / difference.standard_error;
    let square = EFFECT * EFFECT;
    let e_value = libm::exp(square * z * z / (2.0 * (1.0 + square))) / libm::sqrt(1.0 + square);
    let p_value = libm::erfc(libm::fabs(z) / core::f64::consts::SQRT_2);
    Contrast { difference, p_value, e_value, by_evidence: false, by_p_value: false }
}

/// The test whether a segment's distribution differs from that of the rest, by the covariances of both.
///
/// # Errors
///
/// [`Refused::Shape`] when they have different cells; [`Refused::Singular`] when there is one cell, or no noise.
pub fn distributions(segment: &Estimate, rest: &Estimate) -> Result<Wald, Refused> {
    let (found, expected) = (segment.shares.len(), rest.shares.len());
    if found != expected {
        return Err(Refused::Shape { found, expected });
    }
    let (segment, rest) = (segment.sum_to_one(), rest.sum_to_one());
    let difference: Vec<f64> = segment.shares.iter().zip(&rest.shares).map(|(a, b)| a - b).collect();
    wald(&difference, &segment.covariance.plus(&rest.covariance)).ok_or(Refused::Singular)
}

/// The canary beside the stable arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arms {
    /// Canary less stable.
    pub difference: Scalar,
    /// Its interval.
    pub interval: Interval,
    /// P-value of no difference, two-sided.
    pub p_value: f64,
    /// What follows.
    pub state: ArmState,
}

/// Whether a canary is worse, where more is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArmState {
    /// The interval lies at or above −margin.
    NotWorse,
    /// It lies below −margin.
    Worse,
    /// It contains −margin: neither is shown.
    Inconclusive,
}

/// Compares one figure of both arms, of which more is better; a loss of `margin` is accepted. Give figures of which
/// less is better with their sign changed.
///
/// # Panics
///
/// If the coverage is not in (0, 1).
#[must_use]
pub fn arms(stable: Scalar, canary: Scalar, margin: f64, coverage: f64) -> Arms {
    let standard_error = libm::hypot(stable.standard_error, canary.standard_error);
    let difference = Scalar { value: canary.value - stable.value, standard_error };
    let reach = normal_quantile(0.5 + coverage / 2.0) * standard_error;
    let interval = Interval { lower: difference.value - reach, upper: difference.value + reach };
    let state = match interval {
        Interval { lower, .. } if lower >= -margin => ArmState::NotWorse,
        Interval { upper, .. } if upper < -margin => ArmState::Worse,
        _ => ArmState::Inconclusive,
    };
    Arms { difference, interval, p_value: contrast(difference).p_value, state }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(value: f64, standard_error: f64, weight: f64) -> Segment {
        Segment { figure: Scalar { value, standard_error }, weight }
    }

    #[test]
    fn differences_from_the_rest_by_hand() {
        let segments = [segment(0.7, 0.01, 100.0), segment(0.9, 0.02, 100.0), segment(0.8, 0.03, 300.0)];
        let found = contrasts(&segments, 0.05).expect("three segments");
        assert!((found[0].difference.value - (0.7 - (90.0 + 240.0) / 400.0)).abs() < 1e-12);
        let variance: f64 = 1e-4 + (4e-4 + 9.0 * 9e-4) / 16.0;
        assert!((found[0].difference.standard_error - variance.sqrt()).abs() < 1e-12);
    }

    /// The mean of E under z ~ N(0, 1) is 1, by the trapezoidal rule; at 60 the integrand is below 1e-30.
    #[test]
    fn evidence_is_an_e_value() {
        let at = |place: i32| {
            let z = f64::from(place) * 0.01;
            let e = contrast(Scalar { value: z, standard_error: 1.0 }).e_value;
            e * (-z * z / 2.0).exp() / (2.0 * core::f64::consts::PI).sqrt() * 0.01
        };
        assert!(((-3_000..=3_000).map(at).sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_weak_segment_is_selected() {
        let mut segments = vec![segment(0.9, 0.01, 1_000.0); 20];
        segments[7].figure.value = 0.8;
        let found = contrasts(&segments, 0.05).expect("twenty segments");
        let chosen = |wanted: fn(&Contrast) -> bool| -> Vec<usize> {
            found.iter().enumerate().filter(|(_, of)| wanted(of)).map(|(place, _)| place).collect()
        };
        assert_eq!((chosen(|of| of.by_evidence), chosen(|of| of.by_p_value)), (vec![7], vec![7]));
        assert!((found[7].difference.value + 0.1).abs() < 1e-12);
        assert!(contrasts(&segments[..1], 0.05).is_err() && contrasts(&[segment(0.5, 0.0, 1.0); 2], 0.05).is_err());
    }

    #[test]
    fn arms_within_a_margin() {
        let scalar = |value| Scalar { value, standard_error: 0.01 };
        let state = |canary, margin| arms(scalar(0.9), scalar(canary), margin, 0.95).state;
        assert_eq!(state(0.9, 0.05), ArmState::NotWorse);
        assert_eq!(state(0.8, 0.05), ArmState::Worse);
        assert_eq!(state(0.9, 0.02), ArmState::Inconclusive);
        let p_value = arms(scalar(0.9), scalar(0.9 + 0.01 * 2.0_f64.sqrt() * 1.959_963_984_540_054), 0.0, 0.95).p_value;
        assert!((p_value - 0.05).abs() < 1e-12);
    }
}
