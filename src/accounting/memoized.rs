//! Memoized randomized response over a hash (LOLOHA), calibrated exactly.
//!
//! **Promise.** A device hashes its value to one of g cells with its own public hash, perturbs the cell once and
//! remembers that (round one, ε_∞), and perturbs what it remembers afresh for each report (round two). One report is
//! ε₁-LDP, with equality for the real numbers of [`Calibration`] and from below for the integers of [`Weights`]; all
//! reports together are min(g, distinct cells) · ε_∞-LDP, however many there are.
//!
//! *Paper*: Arcolezi, Pinzón, Palamidessi and Gambs, "Frequency estimation of evolving data under local differential
//! privacy", EDBT 2023 (LOLOHA). The paper fixes the second round by a formula that is exact for g = 2 and wastes
//! budget above; here the second round **solves** P/Q = e^ε₁, which is linear in p₂.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | ε_∞, a | `epsilon_infinity` | parameter of round one in nats, its exponential | > ε₁ |
//! | ε₁ | `epsilon_1` | parameter of one report, nats | > 0 |
//! | g | `cells` | cells of the hash | ≥ 2 |
//! | p₁, q₁ | `keep_first` | a/(a+g−1), 1/(a+g−1): round one keeps the cell, names one other | |
//! | p₂, q₂ | `keep_second` | the same for round two; q₂ = (1−p₂)/(g−1) | |
//! | P, Q | `support`, `other` | p₁p₂ + (g−1)q₁q₂, (1−P)/(g−1): one report names the true cell, one other | |
//! | F | [`Weights::FALSE`] | weight of a false cell | 2^32 |
//! | A, W | `first_true`, `second_true` | weights of the true cell in rounds one and two | ≥ F |
//! | B | | ⌊e^ε₁ F⌋, rounded down | |
//!
//! **Variance** of an estimated share f → 0 from n reports: q*(1−q*)/(P−q*)²/n with q* = 1/g, as a public hash sends
//! another value to the true cell with probability 1/g.
//!
//! **Proof note for the integers.** Round one has the ratio A/F ≤ e^ε_∞. One report has the ratio P/Q = (AW + (g−1)F²)
//! / (AF + FW + (g−2)F²). W is the largest integer with F (AW + (g−1)F²) ≤ B (AF + FW + (g−2)F²), that is W (A−B) ≤ B
//! (A + (g−2)F) − (g−1)F², computed in integers; so P/Q ≤ B/F ≤ e^ε₁.
//!
//! **Does not protect** the moments at which what is remembered changes, and does not make reports of one device
//! unlinkable.

use core::ops::RangeInclusive;

use super::Epsilon;

/// The second round that makes one report exactly ε₁-LDP.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// g.
    pub cells: u32,
    /// p₁: probability that round one keeps the cell.
    pub keep_first: f64,
    /// p₂: probability that round two keeps what is remembered.
    pub keep_second: f64,
}

/// Parameters that no second round fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// Fewer than two cells.
    #[error("a hash needs at least 2 cells")]
    Cells,
    /// Not 0 < ε₁ < ε_∞, or too near for integer weights to tell.
    #[error("one report needs an epsilon above 0 and below that of the first round")]
    Order,
    /// The weights of all cells of one round do not fit 64 bits.
    #[error("the weights of all cells must sum to less than 2^64")]
    Weights,
}

impl Calibration {
    /// Solves P/Q = e^ε₁ for p₂.
    ///
    /// # Errors
    ///
    /// [`CalibrationError::Cells`], [`CalibrationError::Order`].
    pub fn exact(epsilon_infinity: Epsilon, epsilon_1: Epsilon, cells: u32) -> Result<Self, CalibrationError> {
        if cells < 2 {
            return Err(CalibrationError::Cells);
        }
        if !(0.0 < epsilon_1.nats() && epsilon_1 < epsilon_infinity) {
            return Err(CalibrationError::Order);
        }
        let (a, ratio) = (libm::exp(epsilon_infinity.nats()), libm::exp(epsilon_1.nats()));
        let others = f64::from(cells - 1);
        let (p1, q1) = (a / (a + others), 1.0 / (a + others));
        // P = q₁ + (p₁−q₁) p₂ and Q = (1−q₁)(1−p₂)/(g−1) + q₁ p₂.
        let elsewhere = (1.0 - q1) / others;
        let p2 = (ratio * elsewhere - q1) / (p1 - q1 + ratio * (elsewhere - q1));
        Ok(Self { cells, keep_first: p1, keep_second: p2 })
    }

    /// The calibration with the least variance among these numbers of cells.
    ///
    /// # Errors
    ///
    /// [`CalibrationError::Cells`] if the range is empty or begins below 2; [`CalibrationError::Order`].
    pub fn best(
        epsilon_infinity: Epsilon,
        epsilon_1: Epsilon,
        cells: RangeInclusive<u32>,
    ) -> Result<Self, CalibrationError> {
        let mut best = Self::exact(epsilon_infinity, epsilon_1, *cells.start())?;
        if cells.is_empty() {
            return Err(CalibrationError::Cells);
        }
        for g in cells {
            let next = Self::exact(epsilon_infinity, epsilon_1, g)?;
            if next.variance() < best.variance() {
                best = next;
            }
        }
        Ok(best)
    }

    /// P: probability that one report names the true cell.
    #[must_use]
    pub fn support(&self) -> f64 {
        self.keep_first * self.keep_second + (1.0 - self.keep_first) * (1.0 - self.keep_second) / self.others()
    }

    /// Q: probability that one report names one given other cell.
    #[must_use]
    pub fn other(&self) -> f64 {
        (1.0 - self.support()) / self.others()
    }

    /// n times the variance of an estimated share near 0 from n reports.
    #[must_use]
    pub fn variance(&self) -> f64 {
        let chance = 1.0 / f64::from(self.cells);
        let gap = self.support() - chance;
        chance * (1.0 - chance) / (gap * gap)
    }

    fn others(&self) -> f64 {
        f64::from(self.cells - 1)
    }
}

/// What a device loses over any number of reports, in nats: ε_∞ for each cell that it ever had to remember.
///
/// `distinct` is the number of distinct values that the device holds over time; g cells bound it.
#[must_use]
pub fn longitudinal(epsilon_infinity: Epsilon, cells: u32, distinct: u32) -> f64 {
    f64::from(cells.min(distinct)) * epsilon_infinity.nats()
}

/// Both rounds as integers, rounded against ourselves: a cell has the true weight or [`Weights::FALSE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weights {
    /// g.
    pub cells: u32,
    /// A: weight of the true cell in round one.
    pub first_true: u64,
    /// W: weight in round two of the cell remembered.
    pub second_true: u64,
}

impl Weights {
    /// F: weight of every other cell, in both rounds.
    pub const FALSE: u64 = 1 << 32;

    /// The largest weights that keep round one within ε_∞ and one report within ε₁.
    ///
    /// # Errors
    ///
    /// [`CalibrationError`]; [`CalibrationError::Order`] also when e^ε₁ and e^ε_∞ have the same weight.
    pub fn new(epsilon_infinity: Epsilon, epsilon_1: Epsilon, cells: u32) -> Result<Self, CalibrationError> {
        if cells < 2 {
            return Err(CalibrationError::Cells);
        }
        let first_true = weight_below(epsilon_infinity).ok_or(CalibrationError::Weights)?;
        let bound = weight_below(epsilon_1).ok_or(CalibrationError::Weights)?;
        if !(Self::FALSE < bound && bound < first_true) {
            return Err(CalibrationError::Order);
        }
        // Below 2^63 each, and the cells below 2^32: no product reaches 2^127.
        let (a, b, f, g) = (u128::from(first_true), u128::from(bound), u128::from(Self::FALSE), u128::from(cells));
        let second = (b * (a + (g - 2) * f) - (g - 1) * f * f) / (a - b);
        let second_true = u64::try_from(second).map_err(|_| CalibrationError::Weights)?;
        let fits = |weight: u64| u64::try_from(u128::from(weight) + (g - 1) * f).is_ok();
        if fits(first_true) && fits(second_true) {
            Ok(Self { cells, first_true, second_true })
        } else {
            Err(CalibrationError::Weights)
        }
    }
}

/// An integer at most e^ε F; `None` from 2^63 on.
fn weight_below(epsilon: Epsilon) -> Option<u64> {
    // `libm::exp` errs by less than one unit in the last place, 2^−52 relative; two are taken off. The product with a
    // power of two is exact.
    let exponential = libm::exp(epsilon.nats()) * (1.0 - 2.0 * f64::EPSILON);
    let weight = libm::floor(exponential * Weights::FALSE as f64);
    (weight < libm::exp2(63.0)).then_some(weight as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epsilon(nats: f64) -> Epsilon {
        Epsilon::new(nats).expect("an epsilon")
    }

    #[test]
    fn one_report_has_exactly_the_ratio_asked_for() {
        for (infinity, one) in [(1.0, 0.5), (2.0, 1.0), (4.0, 2.0), (5.0, 4.9)] {
            for cells in [2, 3, 8, 100] {
                let calibration = Calibration::exact(epsilon(infinity), epsilon(one), cells).expect("a calibration");
                let ratio = libm::log(calibration.support() / calibration.other());
                assert!(libm::fabs(ratio - one) < 1e-12, "{infinity} {one} {cells}: {ratio}");
                assert!(calibration.keep_second <= 1.0);
            }
        }
    }

    /// Exact arithmetic: one more in round two, or in round one, would exceed the bound.
    #[test]
    fn integer_weights_are_the_largest_within_the_bounds() {
        for (infinity, one) in [(1.0, 0.5), (2.0, 1.0), (4.0, 2.0), (5.0, 2.5), (8.0, 6.0)] {
            for cells in [2_u32, 3, 8, 13, 64] {
                let weights = Weights::new(epsilon(infinity), epsilon(one), cells).expect("weights");
                let (f, g) = (u128::from(Weights::FALSE), u128::from(cells));
                let bound = u128::from(weight_below(epsilon(one)).expect("a weight"));
                let within = |second: u64| {
                    let (a, w) = (u128::from(weights.first_true), u128::from(second));
                    f * (a * w + (g - 1) * f * f) <= bound * (a * f + f * w + (g - 2) * f * f)
                };
                assert!(within(weights.second_true) && !within(weights.second_true + 1));
                let first = libm::log(weights.first_true as f64 / Weights::FALSE as f64);
                assert!(first <= infinity && first > infinity - 1e-9, "{first}");

                // And they are the real calibration, to the grain of the weights.
                let real = Calibration::exact(epsilon(infinity), epsilon(one), cells).expect("a calibration");
                let second = weights.second_true as f64;
                let keep = second / (second + f64::from(cells - 1) * Weights::FALSE as f64);
                assert!(libm::fabs(keep - real.keep_second) < 1e-8, "{keep} {}", real.keep_second);
            }
        }
    }

    #[test]
    fn what_no_second_round_fits_is_refused() {
        let exact = |infinity, one, cells| Calibration::exact(epsilon(infinity), epsilon(one), cells);
        assert_eq!(exact(1.0, 0.5, 1), Err(CalibrationError::Cells));
        assert_eq!(exact(1.0, 1.0, 2), Err(CalibrationError::Order));
        assert_eq!(exact(1.0, 0.0, 2), Err(CalibrationError::Order));
        let weights = |infinity, one, cells| Weights::new(epsilon(infinity), epsilon(one), cells);
        assert_eq!(weights(1.0, 0.5, 1), Err(CalibrationError::Cells));
        assert_eq!(weights(1.0, 1.0 - 1e-13, 2), Err(CalibrationError::Order));
        assert_eq!(weights(1.0, 1.0, 2), Err(CalibrationError::Order));
        assert_eq!(weights(60.0, 1.0, 2), Err(CalibrationError::Weights));
        assert_eq!(weights(1.0, 0.5, u32::MAX), Err(CalibrationError::Weights));
        let empty = RangeInclusive::new(5, 4);
        assert_eq!(Calibration::best(epsilon(1.0), epsilon(0.5), empty), Err(CalibrationError::Cells));
    }

    #[test]
    fn losses_stop_at_the_number_of_cells() {
        assert_eq!(longitudinal(epsilon(2.0), 4, 3), 6.0);
        assert_eq!(longitudinal(epsilon(2.0), 4, 1_000), 8.0);
    }
}
