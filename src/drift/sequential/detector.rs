//! When did it change? E-detectors: evidence summed over all times at which the change may have begun.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | e_t | `log_e` is ln e_t | e-value of look t: E\[e_t; past\] ≤ 1 if nothing changed | \[0, ∞) |
//! | SR_t | [`ShiryaevRoberts`] | (SR_{t−1} + 1) e_t | \[0, ∞) |
//! | C_t | [`Cusum`] | max(C_{t−1}, 1) e_t | \[0, ∞) |
//! | A | `average_run_length` | threshold | ≥ 1 |
//!
//! **Promise.** If nothing ever changes, the first look with SR_t ≥ A comes after at least A looks on average (Shin,
//! Ramdas and Rinaldo, "E-detectors: a nonparametric framework for sequential change detection", NEJSDS 2(2), 2024;
//! arXiv 2203.03532). *Argument*: SR_t = Σ_{j≤t} Π_{s=j..t} e_s, so SR_t − t is a supermartingale from 0;
//! at the alarm τ, A ≤ E\[SR_τ\] ≤ E\[τ\]. Since C_t ≤ SR_t, the same holds for C_t, with room to spare.
//!
//! If the detector begins anew after each alarm, the same sum over all cycles that end up to look T gives
//! A · E\[alarms up to T\] ≤ T: a bound on the number of false alarms in *any* span, not only in the long run
//! ([`super::alarms`]).
//!
//! **Cost**: constant. **Does not hold when** e_t has seen look t before it was bet on, or when E\[e_t; past\] > 1, as
//! for counts whose noise or reference is known less well than claimed ([`super::wald_mixture`]).

/// The Shiryaev–Roberts e-detector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShiryaevRoberts {
    log: f64,
}

/// The CUSUM e-detector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cusum {
    log: f64,
}

impl Default for ShiryaevRoberts {
    fn default() -> Self {
        Self { log: f64::NEG_INFINITY }
    }
}

impl Default for Cusum {
    fn default() -> Self {
        Self { log: f64::NEG_INFINITY }
    }
}

impl ShiryaevRoberts {
    /// Multiplies in ln e_t; gives ln SR_t.
    pub fn look(&mut self, log_e: f64) -> f64 {
        // ln(x + 1) from l = ln x, without overflow for large l.
        let plus_one = if self.log > 0.0 {
            self.log + libm::log1p(libm::exp(-self.log))
        } else {
            libm::log1p(libm::exp(self.log))
        };
        self.log = plus_one + log_e;
        self.log
    }
}

impl Cusum {
    /// Multiplies in ln e_t; gives ln C_t.
    pub fn look(&mut self, log_e: f64) -> f64 {
        self.log = self.log.max(0.0) + log_e;
        self.log
    }
}

/// ln of the threshold A that makes the average run length without change at least `average_run_length` looks.
///
/// # Panics
///
/// If the run length is below 1 or not finite.
#[must_use]
pub fn log_threshold(average_run_length: f64) -> f64 {
    assert!(average_run_length >= 1.0 && average_run_length.is_finite(), "a run length of at least one look");
    libm::log(average_run_length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// e = 2, 3, 0.25: SR = 2, 9, 2.5; C = 2, 6, 1.5.
    #[test]
    fn recursions() {
        let (mut sr, mut cusum) = (ShiryaevRoberts::default(), Cusum::default());
        for (e, expected_sr, expected_cusum) in [(2.0, 2.0, 2.0), (3.0, 9.0, 6.0), (0.25, 2.5, 1.5)] {
            assert!((libm::exp(sr.look(libm::log(e))) - expected_sr).abs() < 1e-14);
            assert!((libm::exp(cusum.look(libm::log(e))) - expected_cusum).abs() < 1e-14);
        }
    }

    #[test]
    fn an_impossible_look_resets_and_large_ones_do_not_overflow() {
        let mut sr = ShiryaevRoberts::default();
        assert_eq!(sr.look(f64::NEG_INFINITY), f64::NEG_INFINITY);
        assert_eq!(sr.look(5_000.0), 5_000.0);
        assert_eq!(sr.look(5_000.0), 10_000.0);
    }
}
