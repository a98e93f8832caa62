//! Distributions from reports of places: expectation maximization, with smoothing for cells in an order.
//!
//! Li, Wang, Lopuhaä-Zwakenberg, Škorić and Li, "Estimating numerical distributions under local differential privacy",
//! SIGMOD 2020, section 5.3 and algorithm 1 ("EM", "EMS").
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | A | `law` | A_yx = P\[report y, given symbol x\] | positive |
//! | n, c_y | `counts` | reports; reports of y | |
//! | f | `shares` | estimated shares of the symbols | sum 1 |
//! | τ | `gain` | a step that changes the log-likelihood by less is the last | nats |
//!
//! A step multiplies each share f_x by Σ_y (c_y/n) A_yx / (A f)_y: the expectation of how many devices had symbol x,
//! given all reports, in units of n. It never lowers the log-likelihood Σ_y c_y ln (A f)_y. With smoothing the step
//! then replaces the share of each cell by (left + 2 own + right)/4, at both ends by (2 own + neighbor)/3, and rescales
//! to sum 1. "No data" is no neighbor of a cell and is not smoothed.
//!
//! **Defaults**: τ = 10⁻³ as published (the paper lets EM alone stop at 10⁻³ e^ε). Smoothing acts over neighbors, so
//! with few cells it would spread shares too far: at 10⁵ reports, ε = 0.5 and 64 cells the Wasserstein distance to the
//! true distribution was 0.028 with the cells as they are, and 0.011 with each in four parts. Therefore [`square_wave`]
//! divides each cell into as many parts, all reported alike, as make up 256 at least, and sums them in the end. Printed
//! by `cargo bench --bench square_wave`.
//!
//! **Cost**: a step takes O(symbols + outputs) for sliding windows; some hundreds to a thousand steps. **Bias**: toward
//! smooth shares; there is no standard error. So the result is for people to look at; tests compare counts of reports.

use super::law::{Law, Windows};
use crate::spec::{Mechanism, Randomizer};

/// Least number of parts of the range that [`square_wave`] smooths over.
const SMOOTHED_PARTS: usize = 256;

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stop {
    /// τ: the log-likelihood changes by less, in nats.
    pub gain: f64,
    /// Most steps.
    pub max_steps: u32,
}

impl Default for Stop {
    fn default() -> Self {
        Self { gain: 1e-3, max_steps: 10_000 }
    }
}

/// Shares that expectation maximization ended at.
#[derive(Debug, Clone, PartialEq)]
pub struct Likeliest {
    /// One for each symbol; nonnegative, with sum 1.
    pub shares: Vec<f64>,
    /// Log-likelihood before the last step, in nats, up to a constant.
    pub log_likelihood: f64,
    /// Steps taken.
    pub steps: u32,
}

impl Likeliest {
    /// Shares of the cells among devices with data, the last symbol being "no data". `None` when none has data.
    #[must_use]
    pub fn given_data(&self) -> Option<Vec<f64>> {
        let (_, cells) = self.shares.split_last()?;
        let with_data: f64 = cells.iter().sum();
        (with_data > 0.0).then(|| cells.iter().map(|share| share / with_data).collect())
    }
}

/// The shares that make the counts likeliest ("EM"). `None` without reports.
///
/// # Panics
///
/// If there is not one count for each output.
#[must_use]
pub fn maximize_likelihood(law: &dyn Law, counts: &[u64], stop: Stop) -> Option<Likeliest> {
    maximize(law, counts, stop, |_| ())
}

/// Likely shares of which the first `cells`, in their order, are smooth ("EMS"). `None` without reports.
///
/// # Panics
///
/// If there is not one count for each output, or there are more cells than symbols.
#[must_use]
pub fn maximize_smoothed(law: &dyn Law, counts: &[u64], cells: usize, stop: Stop) -> Option<Likeliest> {
    maximize(law, counts, stop, |shares| smooth(&mut shares[..cells]))
}

/// The distribution behind reports of a square wave, "no data" last. `None` without reports, for counters of another
/// question, and for any other mechanism.
#[must_use]
pub fn square_wave(randomizer: &Randomizer, domain_size: usize, counters: &[u64]) -> Option<Likeliest> {
    let Mechanism::SquareWave { half_width } = randomizer.mechanism else { return None };
    let law = Windows::square_wave(domain_size, half_width, randomizer.weights);
    if counters.len() != law.outputs() {
        return None;
    }
    let (cells, parts) = (domain_size - 1, SMOOTHED_PARTS.div_ceil(domain_size - 1));
    let fine = maximize_smoothed(&law.refined(parts), counters, cells * parts, Stop::default())?;
    let (no_data, fine_cells) = fine.shares.split_last()?;
    let shares = fine_cells.chunks(parts).map(|shares| shares.iter().sum()).chain([*no_data]).collect();
    Some(Likeliest { shares, ..fine })
}

/// The half width, in places, of a square wave over `places` cells at ε.
///
/// Section 5.2 of the paper takes the width that lets a report tell most: on an interval of length 1, b maximizes
/// ln(1 + 2b) less the entropy of a report, at b = (ε E − E + 1) / (2E (E − 1 − ε)) with E = e^ε. On cells a window is
/// one cell wider than 2b, so b · `places` is too wide by half a cell or so. Of the integers within one of it, that one
/// is taken which maximizes the same thing on cells, ln(`places` + 2b) less the entropy of a report; no other integer
/// does better.
///
/// # Panics
///
/// If ε is not from 0.01 to 8, or there are no places or more than 16,384.
#[must_use]
pub fn square_wave_half_width(places: usize, epsilon: f64) -> u32 {
    assert!((0.01..=8.0).contains(&epsilon), "ε from 0.01 to 8");
    assert!((1..=16_384).contains(&places), "from 1 to 16,384 places");
    let e = libm::exp(epsilon);
    // Both differences lose at most 4 digits at ε = 0.01, of 16.
    let share = (epsilon * e - e + 1.0) / (2.0 * e * (e - 1.0 - epsilon));
    // Fits: the share is below 1/2.
    let below = libm::floor(share * places as f64) as u32;
    let tells = |half_width: &u32| information(places, *half_width, epsilon);
    (below.saturating_sub(1)..=below + 1).max_by(|a, b| tells(a).total_cmp(&tells(b))).unwrap_or(below)
}

/// ln(outputs) less the entropy of a report: what it tells about its place when all outputs are equally likely, in
/// nats.
fn information(places: usize, half_width: u32, epsilon: f64) -> f64 {
    let (width, outside) = (f64::from(2 * half_width + 1), places as f64 - 1.0);
    let near = libm::exp(epsilon) * width;
    let total = near + outside;
    // A report has probability e^ε/total in the window and 1/total outside: its entropy is ln(total) − ε · P[in the
    // window].
    libm::log(width + outside) - libm::log(total) + epsilon * near / total
}

fn maximize(law: &dyn Law, counts: &[u64], stop: Stop, smooth: impl Fn(&mut [f64])) -> Option<Likeliest> {
    assert_eq!(counts.len(), law.outputs(), "one count for each output");
    let reports: u64 = counts.iter().sum();
    if reports == 0 {
        return None;
    }
    let mut found = Likeliest {
        shares: vec![1.0 / law.symbols() as f64; law.symbols()],
        log_likelihood: f64::NEG_INFINITY,
        steps: 0,
    };
    while found.steps < stop.max_steps {
        let reported = law.reported(&found.shares);
        let pairs = || counts.iter().map(|count| *count as f64).zip(&reported);
        let log_likelihood: f64 = pairs().map(|(count, reported)| count * libm::log(*reported)).sum();
        if libm::fabs(log_likelihood - found.log_likelihood) < stop.gain {
            break;
        }
        let ratios: Vec<f64> = pairs().map(|(count, reported)| count / reported).collect();
        found.shares.iter_mut().zip(law.expected(&ratios)).for_each(|(share, factor)| *share *= factor);
        smooth(&mut found.shares);
        let sum: f64 = found.shares.iter().sum();
        found.shares.iter_mut().for_each(|share| *share /= sum);
        found.log_likelihood = log_likelihood;
        found.steps += 1;
    }
    Some(found)
}

/// Replaces each share by a mean of itself and its neighbors.
fn smooth(shares: &mut [f64]) {
    let [first, .., last] = *shares else { return };
    let mut left = first;
    for cell in 0..shares.len() {
        let own = shares[cell];
        shares[cell] = match (cell, shares.get(cell + 1)) {
            (0, Some(right)) => (2.0 * own + right) / 3.0,
            (_, Some(right)) => (left + 2.0 * own + right) / 4.0,
            (_, None) => (left + 2.0 * last) / 3.0,
        };
        left = own;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::law::Rows;
    use crate::spec::Weights;

    const THREE: Weights = Weights { of_true: 3, of_false: 1 };

    /// Counts in the proportions of A f have their greatest likelihood at f, and a law of full rank at f alone.
    #[test]
    fn finds_the_shares_that_counts_come_from() {
        let shares = [0.5, 0.2, 0.0, 0.3];
        let law = Windows::square_wave(4, 1, THREE);
        let counts: Vec<u64> = law.reported(&shares).iter().map(|reported| (reported * 14e8) as u64).collect();
        let found = maximize_likelihood(&law, &counts, Stop { gain: 1e-6, max_steps: 100_000 }).expect("reports");
        for (share, expected) in found.shares.iter().zip(shares) {
            assert!((share - expected).abs() < 2e-3, "{:?} after {} steps", found.shares, found.steps);
        }
    }

    #[test]
    fn no_step_lowers_the_likelihood() {
        let law =
            Rows::from_fn(3, 4, |x, y| [[4.0, 3.0, 2.0, 1.0], [1.0, 1.0, 4.0, 4.0], [3.0, 1.0, 1.0, 5.0]][x][y] / 10.0);
        let after = |max_steps| {
            maximize_likelihood(&law, &[90, 20, 30, 60], Stop { gain: 0.0, max_steps }).expect("reports").log_likelihood
        };
        // From the first step on; rounding of a sum of 4 terms below 1,000 is below 1e-12.
        for steps in 1..60 {
            assert!(after(steps + 1) >= after(steps) - 1e-12, "step {steps}");
        }
        assert!(after(2) > after(1) + 1.0, "and the first does raise it");
    }

    #[test]
    fn smoothing_keeps_even_shares_and_spreads_a_peak() {
        let check = |mut shares: Vec<f64>, expected: &[f64]| {
            smooth(&mut shares);
            assert!(shares.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{shares:?}");
        };
        check(vec![0.2; 5], &[0.2; 5]);
        check(vec![0.0, 0.0, 1.0, 0.0, 0.0], &[0.0, 0.25, 0.5, 0.25, 0.0]);
        check(vec![1.0, 0.0, 0.0], &[2.0 / 3.0, 0.25, 0.0]);
        check(vec![0.0, 1.0], &[1.0 / 3.0, 2.0 / 3.0]);
        check(vec![1.0], &[1.0]);
    }

    #[test]
    fn no_data_is_told_apart() {
        let randomizer = Randomizer { mechanism: Mechanism::SquareWave { half_width: 2 }, weights: THREE };
        let law = Windows::square_wave(9, 2, THREE);
        let shares: Vec<f64> = [0.075; 8].into_iter().chain([0.4]).collect();
        let counts: Vec<u64> = law.reported(&shares).iter().map(|reported| (reported * 31e6) as u64).collect();
        let found = square_wave(&randomizer, 9, &counts).expect("reports of this law");
        assert!((found.shares[8] - 0.4).abs() < 1e-3, "{found:?}");
        let given_data = found.given_data().expect("data");
        assert!(given_data.iter().all(|share| (share - 0.125).abs() < 1e-3), "{given_data:?}");
        assert_eq!(square_wave(&randomizer, 9, &counts[1..]), None);
        assert_eq!(square_wave(&randomizer, 9, &vec![0; law.outputs()]), None);
        let other = Randomizer { mechanism: Mechanism::Piecewise { half_width: 2 }, ..randomizer };
        assert_eq!(square_wave(&other, 9, &counts), None);
    }

    /// The integer taken is the best of all integers.
    #[test]
    fn half_widths() {
        for places in [1, 2, 16, 64, 256, 1_024] {
            for epsilon in [0.1, 0.5, 1.0, 2.0, 4.0, 8.0] {
                let found = square_wave_half_width(places, epsilon);
                let best = (0..places as u32 / 2 + 1)
                    .max_by(|a, b| information(places, *a, epsilon).total_cmp(&information(places, *b, epsilon)))
                    .expect("a width");
                let tells = |half_width| information(places, half_width, epsilon);
                assert!(tells(found) >= tells(best), "{places} places at ε {epsilon}: {found}, not {best}");
            }
        }
        // b of the paper is 0.358, 0.256, 0.129 and 0.0308 (recomputed from its formula).
        assert_eq!([0.5, 1.0, 2.0, 4.0].map(|epsilon| square_wave_half_width(256, epsilon)), [91, 65, 32, 7]);
    }
}
