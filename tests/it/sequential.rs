//! What the sequential statements promise: mean of at most 1, bets on the past alone, windows that enter once.
//!
//! Means are estimated from `RUNS` runs with fixed seeds. A test fails wrongly with probability 1e-4: the mean of
//! e-values, cut off at 50 so that it has a variance (which only lowers it), is compared with 1 + 3.72 standard errors.

use driftglass::drift::sequential::wald_mixture::WaldMixture;
use driftglass::drift::sequential::{
    AlarmBudget, Comparison, Dirichlet, LookError, Repetition, Step, Stream, StreamSettings, TwoSample, replay,
};
use driftglass::drift::{Measure, QuestionReference};
use driftglass::estimate::{Channel, Matrix};
use driftglass::spec::Mechanism;
use fastrand::Rng;

use crate::randomizers::at_epsilon;

const RUNS: usize = 4_000;
/// Of the standard normal law: 1e-4 lies above.
const Z: f64 = 3.72;

fn draw(n: u64, p: &[f64], rng: &mut Rng) -> Vec<u64> {
    let mut counts = vec![0; p.len()];
    for _ in 0..n {
        let u = rng.f64();
        let mut sum = 0.0;
        let place = p.iter().position(|p| {
            sum += p;
            u < sum
        });
        counts[place.unwrap_or(p.len() - 1)] += 1;
    }
    counts
}

fn normal(rng: &mut Rng) -> f64 {
    libm::sqrt(-2.0 * libm::log(1.0 - rng.f64())) * libm::cos(2.0 * std::f64::consts::PI * rng.f64())
}

/// Fails if the mean of the e-values, given as logarithms, is above 1.
#[track_caller]
fn mean_at_most_one(log_e: &[f64]) {
    let values: Vec<f64> = log_e.iter().map(|log| libm::exp(*log).min(50.0)).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (n - 1.0);
    let bound = 1.0 + Z * libm::sqrt(variance / n);
    assert!(mean <= bound, "mean {mean} above {bound}");
    // Not for want of evidence: a process that is stuck would pass.
    assert!(variance > 1e-6);
}

/// The first look with E ≥ 3, or the last: a time chosen by looking.
fn stopped(mut look: impl FnMut() -> f64, looks: usize) -> f64 {
    let mut log_e = 0.0;
    for _ in 0..looks {
        log_e = look();
        if log_e >= libm::log(3.0) {
            break;
        }
    }
    log_e
}

#[test]
fn dirichlet_and_two_sample_e_values_have_mean_at_most_one() {
    let p = [0.1, 0.2, 0.3, 0.4];
    let mut rng = Rng::with_seed(1);
    let known = |_| {
        let mut process = Dirichlet::new(&p).expect("probabilities");
        stopped(|| process.look(&draw(100, &p, &mut rng)), 20)
    };
    mean_at_most_one(&(0..RUNS).map(known).collect::<Vec<_>>());
    let mut rng = Rng::with_seed(2);
    let unknown = |_| {
        let mut process = TwoSample::new(4);
        stopped(|| process.look([&draw(100, &p, &mut rng), &draw(50, &p, &mut rng)]), 20)
    };
    mean_at_most_one(&(0..RUNS).map(unknown).collect::<Vec<_>>());
}

/// Offsets drawn once, with the declared covariance, and with half of it; one dimension, 200 looks.
#[test]
fn persistent_offsets_are_in_the_null_hypothesis() {
    let square = |v: f64| Matrix::from_fn(2, |i, j| if i == j { v } else { -v });
    let offset = 1.0 / 3_000.0;
    let mixture = WaldMixture::new(&square(1.0), &square(offset), &[1e2, 1e3, 1e4]).expect("definite");
    for (seed, actual) in [(3, offset), (4, offset / 2.0), (5, 0.0)] {
        let mut rng = Rng::with_seed(seed);
        let run = |_| {
            let shift = libm::sqrt(actual) * normal(&mut rng);
            let (mut sum, mut reports) = (0.0, 0.0);
            stopped(
                || {
                    reports += 100.0;
                    sum += 100.0 * shift + 10.0 * normal(&mut rng);
                    mixture.log_e(&[sum / reports, -sum / reports], reports)
                },
                200,
            )
        };
        mean_at_most_one(&(0..RUNS).map(run).collect::<Vec<_>>());
    }
    // The declaration matters: without it the offset is found in most runs.
    let careless = WaldMixture::new(&square(1.0), &square(0.0), &[1e2, 1e3, 1e4]).expect("definite");
    let mut rng = Rng::with_seed(6);
    let found = (0..200).filter(|_| {
        let shift = libm::sqrt(offset) * normal(&mut rng);
        let mean = shift + normal(&mut rng) / libm::sqrt(1e6);
        careless.log_e(&[mean, -mean], 1e6) >= libm::log(20.0)
    });
    assert!(found.count() > 150);
}

const CELLS: usize = 3;
const SHARES: [f64; CELLS] = [0.2, 0.3, 0.5];

/// A question over three cells and "no data", by optimized unary encoding or k-ary response.
fn question(mechanism: Mechanism) -> (Channel, QuestionReference) {
    let channel = Channel::of(&at_epsilon(mechanism, 2.0), CELLS + 1).expect("a frequency oracle");
    let entry = |i: usize, j: usize| (if i == j { SHARES[i] } else { 0.0 } - SHARES[i] * SHARES[j]) / 30_000.0;
    let covariance = Matrix::from_fn(CELLS, entry);
    (channel, QuestionReference { device_windows: 30_000, shares: SHARES.to_vec(), covariance })
}

/// Support of n reports: each symbol for itself, right for unary encoding given the true counts.
fn unary_support(channel: &Channel, n: u64, shares: &[f64], rng: &mut Rng) -> Vec<u64> {
    let (p, q) = (channel.keep_probability(), channel.false_probability());
    let truth = draw(n, shares, rng);
    let ones = |n: u64, chance: f64, rng: &mut Rng| (0..n).filter(|_| rng.f64() < chance).count() as u64;
    truth.iter().map(|count| ones(*count, p, rng) + ones(n - count, q, rng)).collect()
}

/// 40 % without data; and a share without data that grows from look to look, which is no drift.
fn symbols(with_data: f64) -> Vec<f64> {
    SHARES.iter().map(|share| share * with_data).chain([1.0 - with_data]).collect()
}

/// The reference is drawn anew in each run, from its own covariance along two normal directions.
fn noisy(reference: &QuestionReference, rng: &mut Rng) -> QuestionReference {
    let draws = SHARES.map(|share| libm::sqrt(share / 30_000.0) * normal(rng));
    let sum: f64 = draws.iter().sum();
    let shares = (0..CELLS).map(|i| SHARES[i] + draws[i] - SHARES[i] * sum).collect();
    QuestionReference { shares, ..reference.clone() }
}

#[test]
fn comparisons_of_unary_reports_have_mean_at_most_one() {
    let (channel, reference) = question(Mechanism::OptimizedUnary);
    let mut rng = Rng::with_seed(7);
    let run = |_| {
        let reference = noisy(&reference, &mut rng);
        let mut process = Comparison::new(&channel, CELLS + 1, &reference, Repetition::Once).expect("fits");
        let mut number = 0;
        let look = || {
            number += 1;
            let with_data = 0.4 + 0.02 * number as f64;
            let support = unary_support(&channel, 200, &symbols(with_data), &mut rng);
            process.look(number, 200, &support).expect("in order")
        };
        stopped(look, 25)
    };
    mean_at_most_one(&(0..RUNS / 4).map(run).collect::<Vec<_>>());
}

/// 500 devices send the same bits in each of 100 windows. Declared as memoized that is no evidence; declared as new
/// devices it mostly is.
#[test]
fn memoized_answers_count_once() {
    let (channel, reference) = question(Mechanism::OptimizedUnary);
    let run = |repetition: Repetition, seed: u64, runs: usize| -> Vec<f64> {
        let mut rng = Rng::with_seed(seed);
        let one = |_| {
            let reference = noisy(&reference, &mut rng);
            let support = unary_support(&channel, 500, &symbols(0.7), &mut rng);
            let mut process = Comparison::new(&channel, CELLS + 1, &reference, repetition).expect("fits");
            let mut number = 0;
            let look = || {
                number += 1;
                process.look(number, 500, &support).expect("in order")
            };
            stopped(look, 100)
        };
        (0..runs).map(one).collect()
    };
    mean_at_most_one(&run(Repetition::Memoized { devices: 500 }, 11, RUNS / 2));
    let careless = run(Repetition::Once, 12, 200);
    assert!(careless.iter().filter(|log| **log >= libm::log(3.0)).count() > 150);
}

fn settings() -> StreamSettings {
    StreamSettings { measure: Measure::Ks, repetition: Repetition::Once, alpha: 0.05, memory: 16 }
}

fn steps(seed: u64, change: Option<usize>, looks: usize) -> Vec<Step> {
    let (channel, reference) = question(Mechanism::OptimizedUnary);
    let mut rng = Rng::with_seed(seed);
    let mut stream = Stream::new(&channel, CELLS + 1, &reference, settings()).expect("fits");
    let mut look = |t: usize| {
        let shares = if change.is_some_and(|change| t >= change) { vec![0.27, 0.18, 0.25, 0.3] } else { symbols(0.7) };
        let support = unary_support(&channel, 2_000, &shares, &mut rng);
        stream.look(t as u64, 2_000, &support).expect("in order")
    };
    (1..=looks).map(&mut look).collect()
}

/// What was said up to look t does not depend on what comes later.
#[test]
fn the_past_is_never_computed_again() {
    let (quiet, moved) = (steps(8, None, 12), steps(8, Some(9), 12));
    assert_eq!(quiet[..8], moved[..8]);
    assert_ne!(quiet[8], moved[8]);
}

/// The shares (0.2, 0.3, 0.5) become (0.386, 0.257, 0.357): KS distance 0.186 by the first cell.
#[test]
fn a_change_is_found_dated_and_bounded() {
    let found = steps(9, Some(9), 30);
    let budget = AlarmBudget::new(1.0, 365.0, 1).expect("in range");
    let alarm = found.iter().find(|step| step.detection.log_shiryaev_roberts >= budget.log_detector_threshold());
    let alarm = alarm.expect("an alarm");
    assert!((9..=13).contains(&alarm.number), "{alarm:?}");
    assert_eq!(alarm.number + 1 - alarm.detection.looks_since as u64, 9, "{alarm:?}");
    let last = found[29];
    assert!(last.log_e >= libm::log(1e3) && last.detection.looks_since == 16, "{last:?}");
    // Pooled over all looks: 22 of 30 are shifted.
    let truth = (0.27 / 0.7 - 0.2) * 22.0 / 30.0;
    let effect = last.effect.expect("answers with data");
    assert!(effect.lower < truth && truth < effect.upper && effect.lower > 0.05, "{effect:?}, {truth}");
}

/// The bounds hold the true effect at all of 40 looks in 95 % of runs at least. Of 300 runs 15 may miss on average, and
/// 30 or more do with probability 3e-4 if exactly 5 % miss.
#[test]
fn bounds_of_the_effect_hold_at_all_looks() {
    let (channel, reference) = question(Mechanism::OptimizedUnary);
    let shares = [0.3, 0.25, 0.2, 0.25];
    // The first two cells together: 0.733 in place of 0.5.
    let truth = 0.55 / 0.75 - SHARES[0] - SHARES[1];
    let mut rng = Rng::with_seed(10);
    let mut widths = Vec::new();
    let misses = (0..300).filter(|_| {
        let reference = noisy(&reference, &mut rng);
        let mut stream = Stream::new(&channel, CELLS + 1, &reference, settings()).expect("fits");
        let mut missed = false;
        for number in 1..=40 {
            let support = unary_support(&channel, 300, &shares, &mut rng);
            if let Some(effect) = stream.look(number, 300, &support).expect("in order").effect {
                missed |= truth < effect.lower || effect.upper < truth;
                if number == 40 {
                    widths.push(effect.upper - effect.lower);
                }
            }
        }
        missed
    });
    assert!(misses.count() < 30);
    // And they say something: from 12,000 reports the effect of 0.23 is known to 0.1 or so.
    assert!(widths.iter().all(|width| *width < 0.15) && widths.len() == 300);
}

/// A window that comes late enters as a look of its own; a number that is not new is refused and changes nothing.
#[test]
fn a_late_window_enters_once() {
    let (channel, reference) = question(Mechanism::KAry);
    let stream = || Stream::new(&channel, CELLS + 1, &reference, settings()).expect("fits");
    let windows: [(u64, &[u64]); 3] = [(100, &[20, 30, 25, 25]), (90, &[15, 30, 25, 20]), (5, &[1, 1, 1, 2])];
    let (mut with, mut without) = (stream(), stream());
    for (number, (reports, support)) in (1..).zip(windows) {
        let step = with.look(number, reports, support);
        assert_eq!(step, without.look(number, reports, support));
        let again = with.look(number, reports, support);
        assert_eq!(again, Err(LookError::Order { number, last: number }));
    }
    assert_eq!(with.look(9, 1, &[1]), Err(LookError::Symbols { expected: 4, found: 1 }));
    // Replaying the closed windows gives the same steps.
    let closed = (1..).zip(windows).map(|(number, (reports, support))| (number, reports, support));
    let replayed = replay(stream(), closed, f64::INFINITY).expect("in order");
    assert_eq!(replayed.last(), without_last(stream(), windows).as_ref());
}

fn without_last(mut stream: Stream, windows: [(u64, &[u64]); 3]) -> Option<Step> {
    (1..).zip(windows).map(|(number, (reports, support))| stream.look(number, reports, support).expect("new")).last()
}

#[test]
fn a_window_without_reports_is_no_evidence() {
    let (channel, reference) = question(Mechanism::KAry);
    let mut stream = Stream::new(&channel, CELLS + 1, &reference, settings()).expect("fits");
    let step = stream.look(1, 0, &[0; 4]).expect("in order");
    assert_eq!((step.log_e, step.effect), (0.0, None));
    let one = stream.look(2, 1, &[1, 0, 0, 0]).expect("in order");
    assert!(one.log_e.is_finite());
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let (channel, reference) = question(Mechanism::KAry);
    let with = |symbols, repetition| Comparison::new(&channel, symbols, &reference, repetition);
    assert!(with(CELLS + 1, Repetition::Once).is_some() && with(CELLS + 2, Repetition::Once).is_none());
    assert!(with(CELLS + 1, Repetition::Fresh { correlation: 1.5, devices: 9 }).is_none());
    assert!(with(CELLS + 1, Repetition::Memoized { devices: 0 }).is_none());
}
