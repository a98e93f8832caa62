//! The planner's power is the power that the shipped verdict rule has, by simulation.
//!
//! Three specs, each with both directions that are planned for. Reports of k-ary response are drawn one by one, those of
//! optimized unary encoding bit by bit; the centre's [`assess`] judges them against an exact reference or one of 20,000
//! reports. Seed 8, 1,000 windows per case: the standard error of a power of 0.8 is 1.3 points, and the planned shift has
//! the planned power 0.8 ± 0.05. [`Direction::Worst`] is a lower bound of the power, close where few cells see the shift.

#![allow(clippy::print_stdout, reason = "the figures are read with --nocapture")]

use driftglass::aggregate::Aggregate;
use driftglass::drift::{
    Conditions, Detector, Direction, Fleet, Look, Measure, QuestionReference, Verdict, assess, normal_quantile,
};
use driftglass::estimate::{Channel, Matrix};
use driftglass::spec::{
    CellKind, Cells, Mechanism, Metric, QualityCodes, Question, QuestionKind, Randomizer, Source, Weights,
};
use fastrand::Rng;

const WINDOWS: usize = 1_000;

struct Case {
    shares: Vec<f64>,
    ordered: bool,
    mechanism: Mechanism,
    epsilon_micronats: u64,
    with_data: f64,
    reports: u64,
    delta: f64,
    level: f64,
    /// Devices behind the reference; none: exact.
    reference: Option<u64>,
}

impl Case {
    fn question(&self) -> (Question, Metric) {
        let labels = (0..self.shares.len()).map(|cell| format!("{cell}")).collect();
        let edges: Vec<f64> = (1..self.shares.len()).map(|edge| edge as f64).collect();
        let spellings = edges.iter().map(f64::to_string).collect();
        let kind = if self.ordered { CellKind::Numeric { edges } } else { CellKind::Category { labels } };
        let metric = Metric {
            name: "metric".to_owned(),
            unit: String::new(),
            source: Source::Outcome,
            cells: Cells { kind, other: false, missing: false, codes: QualityCodes::default(), spellings },
        };
        let question = Question {
            name: "question".to_owned(),
            metric: 0,
            kind: QuestionKind::SampledEvent,
            weight: 1,
            epsilon_micronats: self.epsilon_micronats,
            randomizer: Randomizer { mechanism: self.mechanism, weights: Weights::within(self.epsilon_micronats) },
            domain_size: self.shares.len() + 1,
        };
        (question, metric)
    }

    /// Counters of reports from devices with these cells, of which some have no data.
    fn counters(&self, shares: &[f64], channel: &Channel, rng: &mut Rng) -> Vec<u64> {
        let k = shares.len() + 1;
        let (p, q) = (channel.keep_probability(), channel.false_probability());
        let mut counters = vec![0; k];
        for _ in 0..self.reports {
            let mut left = rng.f64();
            let cell = shares.iter().position(|share| {
                left -= share;
                left < 0.0
            });
            let symbol = if rng.f64() < self.with_data { cell.unwrap_or(k - 2) } else { k - 1 };
            if self.mechanism == Mechanism::OptimizedUnary {
                for (other, counter) in counters.iter_mut().enumerate() {
                    *counter += u64::from(rng.f64() < if other == symbol { p } else { q });
                }
            } else if rng.f64() < p {
                counters[symbol] += 1;
            } else {
                counters[(symbol + rng.usize(1..k)) % k] += 1;
            }
        }
        counters
    }

    /// The share of windows that are called drifted.
    fn simulated(&self, after: &[f64], rng: &mut Rng) -> f64 {
        let (question, _) = self.question();
        let channel = Channel::of(&question.randomizer, question.domain_size).expect("counted");
        let covariance = self.covariance();
        let drifted = |_: &usize| {
            let shares = match self.reference {
                None => self.shares.clone(),
                // Devices of the reference are drawn one by one, without noise.
                Some(devices) => {
                    let mut counts = vec![0.0; self.shares.len()];
                    for _ in 0..devices {
                        let mut left = rng.f64();
                        let cell = self.shares.iter().position(|share| {
                            left -= share;
                            left < 0.0
                        });
                        counts[cell.unwrap_or(0)] += 1.0 / devices as f64;
                    }
                    counts
                }
            };
            let device_windows = self.reference.unwrap_or(1_000_000_000);
            let reference = QuestionReference { device_windows, shares, covariance: covariance.clone() };
            let aggregate = Aggregate::from_sums(self.reports, self.counters(after, &channel, rng));
            let found = assess(&question, self.ordered, &aggregate, &reference, self.delta, self.level);
            found.is_some_and(|found| found.verdict == Verdict::Drift)
        };
        (0..WINDOWS).filter(drifted).count() as f64 / WINDOWS as f64
    }

    fn covariance(&self) -> Matrix {
        let scale = self.reference.map_or(0.0, |devices| 1.0 / devices as f64);
        let p = &self.shares;
        Matrix::symmetric(p.len(), |u, v| scale * (if u == v { p[u] } else { 0.0 } - p[u] * p[v]))
    }

    /// The shares after a shift of this size.
    fn after(&self, measure: Measure, direction: Direction, size: f64) -> Vec<f64> {
        let k = self.shares.len();
        let mut after = self.shares.clone();
        match (measure, direction) {
            (Measure::Ks, Direction::Worst) => {
                // Between the two cells at the middle cut, where the cumulative share has its largest error.
                after[k / 2 - 1] -= size;
                after[k / 2] += size;
            }
            (Measure::LInfinity, Direction::Worst) => {
                // The largest share has the largest error; it gains what the others lose in proportion.
                let rest = 1.0 - after[0];
                after.iter_mut().skip(1).for_each(|share| *share -= size * *share / rest);
                after[0] += size;
            }
            (_, Direction::Location) => {
                let mut below = 0.0;
                let mut moved = |share: &f64| {
                    let [from, to] = [below, below + share].map(|at: f64| match at {
                        at if at < 1e-12 => 0.0,
                        at if at > 1.0 - 1e-12 => 1.0,
                        at => libm::erfc((size - normal_quantile(at)) / core::f64::consts::SQRT_2) / 2.0,
                    });
                    below += share;
                    to - from
                };
                after = self.shares.iter().map(&mut moved).collect();
            }
            (_, Direction::Spread) => {
                let hold = |odd: usize| self.shares.iter().skip(odd).step_by(2).sum::<f64>();
                let holds = [hold(0), hold(1)];
                for (cell, share) in after.iter_mut().enumerate() {
                    *share += [1.0, -1.0][cell % 2] * size * *share / holds[cell % 2];
                }
            }
        }
        after
    }
}

fn check(name: &str, case: &Case, rng: &mut Rng) {
    let (question, metric) = case.question();
    let reference = QuestionReference {
        device_windows: case.reference.unwrap_or(1_000_000_000),
        shares: case.shares.clone(),
        covariance: case.covariance(),
    };
    let conditions = Conditions {
        with_data: case.with_data,
        reference: Some(&reference),
        delta: case.delta,
        fleet: Fleet { events: &[(1, 1.0)], concentration: 1.0 },
        before: 60.0,
    };
    let detector = Detector::new(&question, &metric, &conditions).expect("it has shares");
    let look = Look { reports: case.reports as f64, level: case.level, over_time: false };
    for direction in [Direction::Worst, detector.typical()] {
        let size = detector.detectable(look, direction, 0.8).expect("a shift that can be");
        let after = case.after(detector.measure().expect("shares"), direction, size);
        let found = case.simulated(&after, rng);
        println!("{name}, {direction:?} {size:.4}: planned 0.800, found {found:.3}");
        assert!((found - 0.8).abs() <= 0.05, "{name}, {direction:?} {size}: {found}");
    }
}

#[test]
fn planned_power_is_simulated_power() {
    let mut rng = Rng::with_seed(8);
    let binary = Case {
        shares: vec![0.5, 0.5],
        ordered: true,
        mechanism: Mechanism::KAry,
        epsilon_micronats: 3_000_000,
        with_data: 0.8,
        reports: 1_500,
        delta: 0.05,
        level: 0.002,
        reference: None,
    };
    let ordered = Case {
        shares: vec![0.125; 8],
        ordered: true,
        mechanism: Mechanism::OptimizedUnary,
        epsilon_micronats: 2_000_000,
        with_data: 1.0,
        reports: 4_000,
        delta: 0.02,
        level: 0.01,
        reference: Some(20_000),
    };
    let named = Case {
        shares: vec![0.3, 0.2, 0.15, 0.15, 0.1, 0.1],
        ordered: false,
        mechanism: Mechanism::KAry,
        epsilon_micronats: 1_000_000,
        with_data: 0.9,
        reports: 8_000,
        delta: 0.0,
        level: 0.01,
        reference: None,
    };
    for (name, case) in [("binary", &binary), ("ordered", &ordered), ("named", &named)] {
        check(name, case, &mut rng);
    }
}
