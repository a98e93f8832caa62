//! Streams against references with seasons: the season is no evidence, the finite reference is none, and a shift is.
//!
//! Weekly windows over 16 months, three cells, months whose first cell runs from .1 to .5 and back. Fixed seeds; R runs.
//! A mean of e-values, cut off at 50, is compared with 1 plus 3.72 standard errors, a share of runs with α plus 3.3
//! binomial standard errors: a sound implementation fails with probability 1e-3 at most under a fresh seed.

use std::collections::BTreeMap;

use driftglass::drift::sequential::{Comparison, Repetition, SeasonalSettings, SeasonalStream, Step};
use driftglass::drift::{
    Calendar, Fallback, Measure, QuestionReference, Reference, SeasonKind, SeasonalReference, SpanPart,
};
use driftglass::estimate::{Channel, Matrix};
use driftglass::spec::{Mechanism, SpecId};
use fastrand::Rng;

use crate::randomizers::at_epsilon;

const CELLS: usize = 3;
const WEEKS: u64 = 70;
const WEEK: u64 = 604_800;
/// 2013-01-03, a Thursday.
const START: u64 = 1_357_171_200;
const REPORTS: u64 = 150;
const ALPHA: f64 = 0.05;
/// Device-windows that a month's average rests on.
const KNOWN: f64 = 400.0;
const WITH_DATA: f64 = 0.7;

/// True shares of a month.
fn month(number: u16) -> [f64; CELLS] {
    let p = 0.3 + 0.2 * libm::sin(std::f64::consts::TAU * f64::from(number) / 12.0);
    [p, 0.4 * (1.0 - p), 0.6 * (1.0 - p)]
}

fn normal(rng: &mut Rng) -> f64 {
    libm::sqrt(-2.0 * libm::log(1.0 - rng.f64())) * libm::cos(std::f64::consts::TAU * rng.f64())
}

/// An error of covariance (diag p − p pᵀ)/n from standard normals.
fn error(p: &[f64; CELLS], n: f64, draws: [f64; CELLS]) -> [f64; CELLS] {
    let parts = [0, 1, 2].map(|i| libm::sqrt(p[i] / n) * draws[i]);
    let sum: f64 = parts.iter().sum();
    [0, 1, 2].map(|i| parts[i] - p[i] * sum)
}

fn multinomial(p: &[f64; CELLS], n: f64) -> Matrix {
    Matrix::from_fn(CELLS, |i, j| (if i == j { p[i] } else { 0.0 } - p[i] * p[j]) / n)
}

/// What the months are known to be: independent errors, or one and the same in all.
fn reference(independent: bool, certain: bool, rng: &mut Rng) -> Reference {
    let shared = [normal(rng), normal(rng), normal(rng)];
    let known = |number: u16| {
        let p = month(number);
        let draws = if independent { [normal(rng), normal(rng), normal(rng)] } else { shared };
        let off = error(&p, KNOWN, draws);
        let covariance = multinomial(&p, if certain { 1e12 } else { KNOWN });
        let shares = (0..CELLS).map(|i| p[i] + off[i]).collect();
        (number, QuestionReference { device_windows: KNOWN as u64, shares, covariance })
    };
    let seasons: BTreeMap<u16, QuestionReference> = (1..=12).map(known).collect();
    let passing = Reference::passing(SpecId::from_bytes([0; 16]), vec![None]);
    Reference {
        calendar: Calendar { kind: SeasonKind::Month, utc_offset_secs: 0 },
        fallback: Fallback::Wait,
        independent_seasons: independent,
        questions: vec![Some(SeasonalReference { seasons, all: None })],
        ..passing
    }
}

fn part(week: u64) -> SpanPart {
    SpanPart { start_secs: START + week * WEEK, end_secs: START + (week + 1) * WEEK, reports: REPORTS }
}

/// True shares of a week: those of its months by its days, plus what the devices are off by, plus a shift.
fn truth(calendar: &Calendar, week: u64, off: &[f64; CELLS], shift: f64) -> Vec<f64> {
    let SpanPart { start_secs, end_secs, .. } = part(week);
    let mut cells = [0.0; CELLS];
    for (number, weight) in calendar.overlap(start_secs, end_secs) {
        let p = month(number);
        (0..CELLS).for_each(|i| cells[i] += weight * p[i]);
    }
    let cells = [cells[0] + off[0] + shift, cells[1] + off[1], cells[2] + off[2] - shift];
    cells.iter().map(|p| p.max(0.0) * WITH_DATA).chain([1.0 - WITH_DATA]).collect()
}

fn support(channel: &Channel, shares: &[f64], rng: &mut Rng) -> Vec<u64> {
    let p = channel.keep_probability();
    let mut support = vec![0; shares.len()];
    for _ in 0..REPORTS {
        let mut rest = rng.f64();
        let symbol = shares.iter().position(|share| {
            rest -= share;
            rest < 0.0
        });
        let symbol = symbol.unwrap_or(shares.len() - 1);
        if rng.f64() < p {
            support[symbol] += 1;
        } else {
            let other = rng.usize(..shares.len() - 1);
            support[other + usize::from(other >= symbol)] += 1;
        }
    }
    support
}

/// How a world runs.
#[derive(Clone, Copy)]
struct World {
    independent: bool,
    /// The reference is taken as exact, which it is not.
    certain: bool,
    /// Correlation of a device's answers; 300 devices.
    correlation: f64,
    /// A group that differs from the fleet by this in its first cell, held against the fleet's seasons and its own first
    /// four weeks.
    departs: Option<f64>,
    /// Week from which on the first cell has so much more.
    shift: Option<(u64, f64)>,
}

const QUIET: World = World { independent: true, certain: false, correlation: 0.0, departs: None, shift: None };
const DEVICES: u64 = 300;

fn channel() -> Channel {
    Channel::of(&at_epsilon(Mechanism::KAry, 3.0), CELLS + 1).expect("a frequency oracle")
}

fn run(world: World, rng: &mut Rng) -> Vec<(u64, Step)> {
    let channel = channel();
    let mut reference = reference(world.independent, world.certain, rng);
    let devices = [normal(rng), normal(rng), normal(rng)];
    let mut off = error(&[0.3, 0.28, 0.42], WITH_DATA * DEVICES as f64 / world.correlation.max(1e-12), devices);
    let departs = world.departs.unwrap_or(0.0);
    (off[0], off[2]) = (off[0] + departs, off[2] - departs);
    let weeks: Vec<Vec<u64>> = (0..WEEKS)
        .map(|week| {
            let shift = world.shift.map_or(0.0, |(from, shift)| if week >= from { shift } else { 0.0 });
            support(&channel, &truth(&reference.calendar, week, &off, shift), rng)
        })
        .collect();
    let mut first = 0;
    if world.departs.is_some() {
        first = 4;
        let sums: Vec<u64> = (0..=CELLS).map(|i| weeks[..4].iter().map(|week| week[i]).sum()).collect();
        let symbols = channel.estimate(4 * REPORTS, &sums).expect("reports").sum_to_one();
        let own = symbols.given_data().expect("data");
        let start = QuestionReference {
            device_windows: (4.0 * REPORTS as f64 * WITH_DATA) as u64,
            shares: own.shares,
            covariance: own.covariance,
        };
        reference = reference.departing(vec![Some((start, (0..4).map(part).collect()))]);
    }
    let repetition = match world.correlation {
        0.0 => Repetition::Once,
        correlation => Repetition::Fresh { correlation, devices: DEVICES },
    };
    let inflation = if world.independent { 1.0 } else { reference.averages(0) as f64 };
    // Starts of a change are what takes time, and only a shift has one.
    let memory = if world.shift.is_some() { 16 } else { 1 };
    let settings = SeasonalSettings { measure: Measure::LInfinity, repetition, alpha: ALPHA, memory, inflation };
    let mut stream = SeasonalStream::new(&channel, CELLS, 13, settings).expect("proper settings");
    let look = |week: u64| {
        let expected = reference.expectation(0, [part(week)]).expect("all months are known");
        (week, stream.look(week, REPORTS, &weeks[week as usize], &expected).expect("in order"))
    };
    (first..WEEKS).map(look).collect()
}

#[track_caller]
fn no_evidence(what: &str, world: World, seed: u64, runs: usize) {
    let mut rng = Rng::with_seed(seed);
    let (mut values, mut reached, mut missed) = (Vec::new(), 0, 0);
    for _ in 0..runs {
        let steps = run(world, &mut rng);
        let stop = steps.iter().find(|(_, step)| step.log_e >= libm::log(3.0)).unwrap_or(&steps[steps.len() - 1]);
        values.push(libm::exp(stop.1.log_e).min(50.0));
        reached += usize::from(steps.iter().any(|(_, step)| step.log_e >= libm::log(1.0 / ALPHA)));
        missed += usize::from(steps.iter().any(|(_, step)| step.effect.is_some_and(|effect| effect.lower > 0.0)));
    }
    let n = runs as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (n - 1.0);
    assert!(mean <= 1.0 + 3.72 * libm::sqrt(variance / n), "{what}: mean {mean}");
    assert!(variance > 1e-6, "{what}: it moves");
    let most = ALPHA * n + 3.3 * libm::sqrt(ALPHA * (1.0 - ALPHA) * n);
    assert!((reached as f64) <= most && (missed as f64) <= most, "{what}: {reached} and {missed} of {runs}");
}

#[test]
fn a_season_is_no_evidence() {
    no_evidence("independent", QUIET, 1, 300);
    // The same weeks against the average of the year are.
    let (channel, mut rng) = (channel(), Rng::with_seed(2));
    let mean = [0.3, 0.28, 0.42];
    let year = QuestionReference {
        device_windows: 12 * KNOWN as u64,
        shares: mean.to_vec(),
        covariance: multinomial(&mean, 12.0 * KNOWN),
    };
    let calendar = Calendar { kind: SeasonKind::Month, utc_offset_secs: 0 };
    let found = (0..30).filter(|_| {
        let mut plain = Comparison::new(&channel, CELLS + 1, &year, Repetition::Once).expect("fits");
        (0..WEEKS).any(|week| {
            let counts = support(&channel, &truth(&calendar, week, &[0.0; CELLS], 0.0), &mut rng);
            plain.look(week, REPORTS, &counts).expect("in order") >= libm::log(1.0 / ALPHA)
        })
    });
    assert!(found.count() > 25);
}

#[test]
fn errors_of_seasons_that_depend_on_each_other_are_no_evidence() {
    no_evidence("one error in all months", World { independent: false, ..QUIET }, 3, 300);
}

#[test]
fn lasting_differences_of_devices_are_no_evidence() {
    no_evidence("correlated", World { correlation: 0.2, ..QUIET }, 4, 300);
}

/// A group that has .15 more than the fleet for good is held against the fleet's seasons and what it was off at first.
#[test]
fn a_group_that_departs_for_good_is_no_evidence() {
    no_evidence("group", World { departs: Some(0.15), ..QUIET }, 5, 300);
}

/// What carries the finite reference matters: taken as exact, it is found to be wrong in more runs than α.
#[test]
fn a_reference_that_is_taken_as_exact_is_found_out() {
    let mut rng = Rng::with_seed(6);
    let careless = (0..100).filter(|_| {
        let steps = run(World { certain: true, ..QUIET }, &mut rng);
        steps.iter().any(|(_, step)| step.log_e >= libm::log(1.0 / ALPHA))
    });
    assert!(careless.count() > 15);
}

/// A shift of .12 from week 30 on, in the middle of the year's wave: found in nearly all runs, dated, and bounded.
#[test]
fn a_shift_on_top_of_the_season_is_found() {
    let mut rng = Rng::with_seed(7);
    let (mut found, mut dated, mut alarms, runs) = (0, 0, 0, 60);
    for _ in 0..runs {
        let steps = run(World { shift: Some((30, 0.12)), ..QUIET }, &mut rng);
        found += usize::from(steps[59].1.log_e >= libm::log(1.0 / ALPHA));
        let (week, last) = steps[41];
        alarms += usize::from(last.detection.log_shiryaev_roberts >= libm::log(500.0));
        dated += usize::from((week + 1).saturating_sub(last.detection.looks_since as u64).abs_diff(30) <= 4);
    }
    assert!(found > 50 && alarms > 50 && dated > 45, "{found}, {alarms} and {dated} of {runs}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let settings = SeasonalSettings {
        measure: Measure::Ks,
        repetition: Repetition::Once,
        alpha: ALPHA,
        memory: 4,
        inflation: 1.0,
    };
    let stream = |cells, errors, settings| SeasonalStream::new(&channel(), cells, errors, settings);
    assert!(stream(CELLS, 168, settings).is_some() && stream(CELLS, 600, settings).is_none());
    assert!(stream(CELLS + 1, 12, settings).is_none());
    for improper in [
        SeasonalSettings { inflation: 0.5, ..settings },
        SeasonalSettings { memory: 0, ..settings },
        SeasonalSettings { alpha: 0.0, ..settings },
        SeasonalSettings { repetition: Repetition::Memoized { devices: 0 }, ..settings },
    ] {
        assert!(stream(CELLS, 12, improper).is_none(), "{improper:?}");
    }
    let mut rng = Rng::with_seed(8);
    let expected = reference(true, false, &mut rng).expectation(0, [part(0)]).expect("known");
    let mut stream = stream(CELLS, 12, settings).expect("proper");
    assert!(stream.look(1, 5, &[1, 2, 3], &expected).is_err());
    assert!(stream.look(1, 5, &[1, 2, 1, 1], &expected).is_ok());
    assert!(stream.look(1, 5, &[1, 2, 1, 1], &expected).is_err());
}
