//! Means from reports of Duchi's bit, the piecewise mechanism and their mixture.
//!
//! Duchi, Jordan and Wainwright, JASA 113(521), 2018, section 4.1 ("Duchi"); Wang et al., "Collecting and analyzing
//! multidimensional data with local differential privacy", ICDE 2019, sections III-B and III-C ("PM", "HM").
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `domain_size` | places of a grid; place x stands for t = 2x/(k−1) − 1 | 2–16,384 |
//! | y, g(y) | `values` | a report; its value, in places | |
//! | E, S | | e^ε; e^(ε/2) | |
//! | C | | PM on \[−1, 1\] reports from −C to C, in a window of width C−1 | |
//! | b, s | `half_width`, `window_share` | of the window, in places; of 65,536 cases, those with a window | |
//!
//! **Unbiased.** The mean of a report is a straight line in x, by the integer weights of the law alone: P\[bit 1\] = (x
//! W_t + (k−1−x) W_f) / ((k−1)(W_t + W_f)); and moving a window of 2b+1 places by one moves the mean of a place by β =
//! (2b+1)(W_t − W_f)/Z. g is that line inverted, so E\[g(y)\] = x. A mixture uses the line of the part that the report
//! comes from.
//!
//! **Variance.** Reports of a fleet are independent, so the standard error is s/√n with the sample variance s² of g(y);
//! this contains how devices differ. [`MeanLaw::noise`] is the part that the mechanism adds at a place, exact for the
//! law on the grid.
//!
//! **Parameters** ([`mean_mechanism`]). *s*: the noise of a window is a parabola in t that opens upward, that of the
//! bit one that opens downward. In the share d/(c + d), with c and d by how much noise at the ends and in the middle
//! differ, they cancel; to either side of it the greatest noise is a straight line in s, so the best share is this one
//! or one of the parts alone. *b*: searched for. The papers take C = (S+1)/(S−1), thus (2b+1)/(k−1) = (C−1)/(C+1) = 1/S
//! and s/65,536 = 1 − 1/S. A wider window has a smaller greatest noise, and by much at large ε (observed by Zhao et
//! al., "Local differential privacy-based federated learning for Internet of Things", IEEE IoT J. 8(11), 2021,
//! "PM-SUB"). n Var on \[−1, 1\] over 1,025 places:
//!
//! | ε | Duchi | PM as published | HM as published | [`mean_mechanism`] |
//! | --- | --- | --- | --- | --- |
//! | 0.5 | 16.671 | 21.224 | 16.671 | 16.671 (bit) |
//! | 0.7 | 8.838 | 10.775 | 8.705 | 8.698 |
//! | 1 | 4.683 | 5.224 | 4.289 | 4.267 |
//! | 2 | 1.724 | 1.227 | 1.042 | 0.982 |
//! | 3 | 1.221 | 0.492 | 0.432 | 0.362 |
//! | 4 | 1.076 | 0.241 | 0.219 | 0.156 |
//! | 6 | 1.010 | 0.0735 | 0.0704 | 0.0344 |
//!
//! **Cost**: O(k + b) an estimate. **Limits**: rounding a value to a place on the device adds up to 1/4 place² to the
//! variance, no bias.

use super::interval::Scalar;
use super::law::{Law, Rows, Windows};
use crate::privacy::HybridMean;
use crate::spec::{Mechanism, Randomizer, Weights};

/// How the mean of a report depends on the true place.
#[derive(Debug, Clone, PartialEq)]
pub struct MeanLaw {
    values: Vec<f64>,
    noise: Vec<f64>,
}

/// A mean over devices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanEstimate {
    /// In places, from 0 to k−1; the estimate may lie outside.
    pub places: Scalar,
    last_place: f64,
}

impl MeanLaw {
    /// The law of a mechanism for means over `domain_size` places, `None` for any other.
    ///
    /// # Panics
    ///
    /// If there are fewer than 2 places.
    #[must_use]
    pub fn of(randomizer: &Randomizer, domain_size: usize) -> Option<Self> {
        assert!(domain_size >= 2, "a mean lies between two places at least");
        let weights = randomizer.weights;
        match randomizer.mechanism {
            Mechanism::DuchiBit => Some(Self::of_bit(domain_size, weights)),
            Mechanism::Piecewise { half_width } => Some(Self::of_window(domain_size, half_width, weights)),
            Mechanism::Hybrid { half_width, window_share } => {
                let window = Self::of_window(domain_size, half_width, weights);
                let bit = Self::of_bit(domain_size, weights);
                let share = f64::from(window_share) / f64::from(HybridMean::SHARES);
                let mixed = |(of_window, of_bit): (&f64, &f64)| share * of_window + (1.0 - share) * of_bit;
                let noise = window.noise.iter().zip(&bit.noise).map(mixed).collect();
                Some(Self { values: [window.values, bit.values].concat(), noise })
            }
            _ => None,
        }
    }

    fn of_bit(domain_size: usize, weights: Weights) -> Self {
        let last = domain_size as f64 - 1.0;
        let (of_true, of_false) = (weights.of_true as f64, weights.of_false as f64);
        let law = Rows::from_fn(domain_size, 2, |place, bit| {
            let ones = (place as f64 * of_true + (last - place as f64) * of_false) / (last * (of_true + of_false));
            if bit == 1 { ones } else { 1.0 - ones }
        });
        let value = |bit: f64| last * (bit * (of_true + of_false) - of_false) / (of_true - of_false);
        Self::of_values(&law, vec![value(0.0), value(1.0)])
    }

    fn of_window(domain_size: usize, half_width: u32, weights: Weights) -> Self {
        let law = Windows::sliding(domain_size, half_width, weights);
        let reported: Vec<f64> = (0..law.outputs()).map(|place| place as f64).collect();
        let (at_first, slope) = (law.expected(&reported)[0], law.width() as f64 * law.contrast());
        let values = reported.iter().map(|place| (place - at_first) / slope).collect();
        Self::of_values(&law, values)
    }

    fn of_values(law: &dyn Law, values: Vec<f64>) -> Self {
        let squares: Vec<f64> = values.iter().map(|value| value * value).collect();
        let about_place = |(place, square): (usize, f64)| square - (place * place) as f64;
        Self { noise: law.expected(&squares).into_iter().enumerate().map(about_place).collect(), values }
    }

    /// g: for each report, its value in places.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Variance of the value of a report at a true place, in places².
    ///
    /// # Panics
    ///
    /// If there is no such place.
    #[must_use]
    pub fn noise(&self, place: usize) -> f64 {
        self.noise[place]
    }

    /// The greatest [`MeanLaw::noise`] of all places, in places².
    #[must_use]
    pub fn worst_noise(&self) -> f64 {
        self.noise.iter().copied().fold(0.0, f64::max)
    }

    /// The mean place of the devices behind the counters of a question. `None` for fewer than two reports, or counters
    /// of another question.
    #[must_use]
    pub fn estimate(&self, counters: &[u64]) -> Option<MeanEstimate> {
        if counters.len() != self.values.len() {
            return None;
        }
        let places = Scalar::of_mean(counters, &self.values)?;
        Some(MeanEstimate { places, last_place: self.noise.len() as f64 - 1.0 })
    }
}

impl MeanEstimate {
    /// As a part of the range, from 0 to 1.
    #[must_use]
    pub fn of_range(&self) -> Scalar {
        self.places.scaled(1.0 / self.last_place, 0.0)
    }

    /// From −1 to 1, as in the papers.
    #[must_use]
    pub fn centered(&self) -> Scalar {
        self.places.scaled(2.0 / self.last_place, -1.0)
    }
}

/// The mechanism whose greatest variance of a mean over `domain_size` places is least with these weights: Duchi's bit
/// alone, or the mixture with the best window.
///
/// The half width is found by ternary search, as the greatest variance first falls and then rises with it; what
/// rounding the share to 65,536 parts can mislead it by is below 10⁻⁴ of that variance. O(k log k).
///
/// # Panics
///
/// If there are fewer than 2 places or more than 16,384, or W_t ≤ W_f.
#[must_use]
pub fn mean_mechanism(domain_size: usize, weights: Weights) -> Mechanism {
    assert!((2..=16_384).contains(&domain_size), "from 2 to 16,384 places");
    assert!(weights.of_true > weights.of_false, "reports that tell places apart");
    let bit = MeanLaw::of_bit(domain_size, weights);
    let mixture = |half_width: u32| {
        let window_share = cancelling_share(&MeanLaw::of_window(domain_size, half_width, weights), &bit);
        Mechanism::Hybrid { half_width, window_share }
    };
    let noise = |half_width: u32| {
        let randomizer = Randomizer { mechanism: mixture(half_width), weights };
        MeanLaw::of(&randomizer, domain_size).map_or(f64::INFINITY, |law| law.worst_noise())
    };
    // Fits: there are at most 16,384 places.
    let (mut low, mut high) = (0, domain_size as u32 - 1);
    while high - low > 2 {
        let third = (high - low) / 3;
        if noise(low + third) <= noise(high - third) { high -= third } else { low += third }
    }
    let best = (low..=high).min_by(|a, b| noise(*a).total_cmp(&noise(*b))).unwrap_or(low);
    if noise(best) < bit.worst_noise() { mixture(best) } else { Mechanism::DuchiBit }
}

/// The cases of 65,536 in which a window is taken, so that the noise of the mixture is the same in the middle as at the
/// ends.
fn cancelling_share(window: &MeanLaw, bit: &MeanLaw) -> u32 {
    let middle = bit.noise.len() / 2;
    let (rises, falls) = (window.noise[0] - window.noise[middle], bit.noise[middle] - bit.noise[0]);
    let share = falls / (rises.max(0.0) + falls);
    (libm::round(share * f64::from(HybridMean::SHARES)) as u32).clamp(1, HybridMean::SHARES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: usize = 1_025;

    fn weights(epsilon: f64) -> Weights {
        Weights::within((epsilon * 1e6) as u64)
    }

    fn law(mechanism: Mechanism, epsilon: f64) -> MeanLaw {
        MeanLaw::of(&Randomizer { mechanism, weights: weights(epsilon) }, PLACES).expect("a mechanism for means")
    }

    /// n Var at the worst place, on \[−1, 1\].
    fn worst(mechanism: Mechanism, epsilon: f64) -> f64 {
        let place = 2.0 / (PLACES as f64 - 1.0);
        law(mechanism, epsilon).worst_noise() * place * place
    }

    /// PM as published: (2b+1)/(k−1) is (C−1)/(C+1) = 1/S.
    fn published_half_width(epsilon: f64) -> u32 {
        libm::round(((PLACES as f64 - 1.0) * libm::exp(-epsilon / 2.0) - 1.0) / 2.0) as u32
    }

    fn piecewise(epsilon: f64) -> Mechanism {
        Mechanism::Piecewise { half_width: published_half_width(epsilon) }
    }

    /// HM as published, above ε = 0.61.
    fn hybrid(epsilon: f64) -> Mechanism {
        let window_share = libm::round(65_536.0 * (1.0 - libm::exp(-epsilon / 2.0))) as u32;
        Mechanism::Hybrid { half_width: published_half_width(epsilon), window_share }
    }

    /// Worst-case n Var by the formulas of the papers, which a grid of 1,025 places meets within 0.3 %.
    #[test]
    fn variances_of_the_papers() {
        for epsilon in [0.5, 1.0, 2.0, 4.0] {
            let check = |mechanism, expected: f64| {
                let found = worst(mechanism, epsilon);
                assert!((found / expected - 1.0).abs() < 3e-3, "{mechanism:?} at ε {epsilon}: {found}, not {expected}");
            };
            let (s, duchi) = (libm::exp(epsilon / 2.0), 1.0 / (libm::tanh(epsilon / 2.0) * libm::tanh(epsilon / 2.0)));
            let by_formula = (s + 3.0) / (3.0 * s * (s - 1.0)) + duchi / s;
            check(Mechanism::DuchiBit, duchi);
            check(piecewise(epsilon), 1.0 / (s - 1.0) + (s + 3.0) / (3.0 * (s - 1.0) * (s - 1.0)));
            check(hybrid(epsilon), by_formula);
        }
    }

    /// n Var as functions of t: 1/tanh²(ε/2) − t² for the bit; t²/(S−1) + (S+3)/(3(S−1)²) for the window.
    #[test]
    fn variances_at_each_place() {
        let (epsilon, s) = (1.0, libm::exp(0.5));
        let (bit, window) = (law(Mechanism::DuchiBit, epsilon), law(piecewise(epsilon), epsilon));
        for place in (0..PLACES).step_by(64) {
            let t = place as f64 / 512.0 - 1.0;
            let check = |law: &MeanLaw, expected: f64| {
                let found = law.noise(place) / (512.0 * 512.0);
                assert!((found / expected - 1.0).abs() < 1e-3, "at {t}: {found}, not {expected}");
            };
            check(&bit, 1.0 / (libm::tanh(0.5) * libm::tanh(0.5)) - t * t);
            check(&window, t * t / (s - 1.0) + (s + 3.0) / (3.0 * (s - 1.0) * (s - 1.0)));
        }
    }

    #[test]
    fn reports_have_the_true_place_as_their_mean() {
        let weights = Weights { of_true: 7, of_false: 2 };
        let window = MeanLaw::of_window(33, 5, weights);
        let means = Windows::sliding(33, 5, weights).expected(window.values());
        // Prefix sums of 43 values below 200 lose less than 1e-11.
        assert!(means.iter().enumerate().all(|(place, mean)| (mean - place as f64).abs() < 1e-10), "{means:?}");
        let bit = MeanLaw::of_bit(33, weights);
        let mean = |ones: f64| (1.0 - ones) * bit.values()[0] + ones * bit.values()[1];
        // P[1] is 2/9 at place 0, 7/9 at place 32 and 1/2 in the middle.
        for (ones, place) in [(2.0 / 9.0, 0.0), (0.5, 16.0), (7.0 / 9.0, 32.0)] {
            assert!((mean(ones) - place).abs() < 1e-12);
        }
    }

    /// No other half width, nor share in steps of 1/64, has a greatest variance below that of the chosen mechanism by
    /// more than 1e-4 relative; nor have the published parameters.
    #[test]
    fn least_variances() {
        for epsilon in [0.3, 0.5, 0.7, 1.0, 2.0, 3.0, 4.0, 6.0] {
            let chosen = mean_mechanism(PLACES, weights(epsilon));
            let least = worst(chosen, epsilon) * (1.0 - 1e-4);
            let windows = (0..PLACES as u32).step_by(15).map(|half_width| Mechanism::Piecewise { half_width });
            let bit = law(Mechanism::DuchiBit, epsilon);
            for mechanism in windows.chain([Mechanism::DuchiBit, hybrid(epsilon)]) {
                let window = law(mechanism, epsilon);
                for share in (1..=64).map(|share| f64::from(share) / 64.0) {
                    let mixed = |place: usize| share * window.noise(place) + (1.0 - share) * bit.noise(place);
                    // The greatest of a parabola is at an end or in the middle.
                    let greatest = mixed(0).max(mixed(PLACES / 2)) / (512.0 * 512.0);
                    assert!(
                        greatest >= least,
                        "ε {epsilon}: {mechanism:?} in {share}: {greatest}; {chosen:?}: {least}"
                    );
                }
            }
        }
    }

    /// The table of the module docs, to its digits.
    #[test]
    fn variances_of_the_table() {
        for (epsilon, duchi, pm, hm, here) in [
            (0.5, 16.671, 21.224, 16.671, 16.671),
            (0.7, 8.838, 10.775, 8.705, 8.698),
            (1.0, 4.683, 5.224, 4.289, 4.267),
            (2.0, 1.724, 1.227, 1.042, 0.982),
            (3.0, 1.221, 0.492, 0.432, 0.362),
            (4.0, 1.076, 0.241, 0.219, 0.156),
            (6.0, 1.010, 0.0735, 0.0704, 0.0344),
        ] {
            let check = |mechanism, expected: f64| {
                let (found, digit) = (worst(mechanism, epsilon), if expected < 0.1 { 1e-4 } else { 1e-3 });
                assert!(
                    (found - expected).abs() <= 0.51 * digit,
                    "{mechanism:?} at ε {epsilon}: {found}, not {expected}"
                );
            };
            check(Mechanism::DuchiBit, duchi);
            check(piecewise(epsilon), pm);
            check(if epsilon > 0.61 { hybrid(epsilon) } else { Mechanism::DuchiBit }, hm);
            check(mean_mechanism(PLACES, weights(epsilon)), here);
        }
    }

    #[test]
    fn a_bit_for_small_epsilon() {
        assert_eq!(mean_mechanism(PLACES, weights(0.5)), Mechanism::DuchiBit);
        assert!(matches!(mean_mechanism(PLACES, weights(0.7)), Mechanism::Hybrid { .. }));
        assert_eq!(mean_mechanism(2, weights(1.0)), Mechanism::DuchiBit, "a bit for two places");
    }

    #[test]
    fn units() {
        let law = law(Mechanism::DuchiBit, 1.0);
        let mean = law.estimate(&[300, 700]).expect("reports");
        let (places, range, centered) = (mean.places, mean.of_range(), mean.centered());
        assert!((range.value - places.value / 1_024.0).abs() < 1e-12);
        assert!((centered.value - (2.0 * range.value - 1.0)).abs() < 1e-12);
        // t̂ = (E+1)/(E−1) · (0.7 − 0.3), its standard error (E+1)/(E−1) · √((1 − 0.4²)/999).
        let scale = 1.0 / libm::tanh(0.5);
        assert!((centered.value - 0.4 * scale).abs() < 1e-8);
        assert!((centered.standard_error - scale * libm::sqrt(0.84 / 999.0)).abs() < 1e-8);
        assert_eq!(law.estimate(&[1, 0]), None);
        assert_eq!(law.estimate(&[1, 5, 9]), None);
    }
}
