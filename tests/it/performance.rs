//! Are the figures of performance right under noise, and do their intervals and tests keep their level? By simulation
//! with fixed seeds.
//!
//! Each test draws fleets of n devices, each with one symbol, hides it by the law of the mechanism and reads the
//! figures as the centre would. R fleets; a share of them, such as that of intervals that miss, is compared with its
//! nominal value within z binomial standard errors, Φ⁻¹(1 − 10⁻³/2) = 3.3 of them, and half a point for the
//! asymptotics. So a sound implementation fails each comparison with probability below 10⁻³ under a fresh seed.

use driftglass::aggregate::Aggregate;
use driftglass::drift::performance::calibration::{calibration_error, drift_of_calibration};
use driftglass::drift::performance::confusion::{Confusion, coverage};
use driftglass::drift::performance::label_free::{CalibrationMap, Shape, label_free};
use driftglass::drift::performance::label_shift::label_shift;
use driftglass::drift::performance::segments::{Segment, contrasts};
use driftglass::drift::performance::{PairCells, Refused, given_data};
use driftglass::drift::{QuestionReference, Verdict, assess};
use driftglass::estimate::{Channel, Estimate, Scalar};
use driftglass::observe::{Observation, Values};
use driftglass::privacy::{Draws, EntropyError, EntropySource, MemoKey, decoder_of};
use driftglass::sketch::{Binning, Profile};
use driftglass::spec::{Mechanism, ModelRefused, ModelShape, MonitorSpec, Randomizer};
use fastrand::Rng;

use crate::randomizers::{at_epsilon, permit};

/// Nominal errors within 3.3 standard errors of R runs and half a point.
fn keeps_level(what: &str, errors: usize, runs: usize, nominal: f64) {
    let found = errors as f64 / runs as f64;
    let slack = 3.3 * (nominal * (1.0 - nominal) / runs as f64).sqrt() + 0.005;
    assert!((found - nominal).abs() <= slack, "{what}: {found} is not {nominal} ± {slack}");
}

/// Devices that are asked for one symbol of k.
struct Fleet {
    channel: Channel,
    randomizer: Randomizer,
    k: usize,
}

impl Fleet {
    fn of(mechanism: Mechanism, k: usize, epsilon: f64) -> Self {
        let randomizer = at_epsilon(mechanism, epsilon);
        Self { channel: Channel::of(&randomizer, k).expect("shares are counted from it"), randomizer, k }
    }

    /// The estimate from n devices whose symbols have these shares.
    fn estimate(&self, shares: &[f64], n: u64, chance: &mut Rng) -> Estimate {
        let (p, q) = (self.channel.keep_probability(), self.channel.false_probability());
        let mut support = vec![0; self.k];
        for _ in 0..n {
            let mut rest = chance.f64();
            let found = shares.iter().position(|share| {
                rest -= share;
                rest < 0.0
            });
            let symbol = found.unwrap_or(self.k - 1);
            if self.randomizer.mechanism == Mechanism::OptimizedUnary {
                let bit = |v: usize| if v == symbol { p } else { q };
                (0..self.k).for_each(|v| support[v] += u64::from(chance.f64() < bit(v)));
            } else if chance.f64() < p {
                support[symbol] += 1;
            } else {
                let other = chance.usize(..self.k - 1);
                support[other + usize::from(other >= symbol)] += 1;
            }
        }
        self.channel.estimate(n, &support).expect("reports")
    }
}

/// Shares of the cells among devices with data, and those of the symbols, a tenth being "no data".
fn symbols(cells: &[f64]) -> Vec<f64> {
    cells.iter().map(|share| 0.9 * share).chain([0.1]).collect()
}

/// Intervals of the confusion matrix's figures: 95 % cover. n = 20,000, R = 1,000, ε = 2 and 1.
#[test]
fn figures_of_a_confusion_matrix_are_covered() {
    let cells = [0.50, 0.08, 0.07, 0.35];
    let truths = [0.85, 0.35 / 0.42, 0.35 / 0.43, 0.70 / 0.85, 0.07 / 0.57, (0.35 / 0.43 + 0.50 / 0.57) / 2.0];
    for (mechanism, epsilon, seed) in [(Mechanism::KAry, 2.0, 1), (Mechanism::OptimizedUnary, 1.0, 2)] {
        let (fleet, mut chance) = (Fleet::of(mechanism, 5, epsilon), Rng::with_seed(seed));
        let mut missed = [0; 6];
        for _ in 0..1_000 {
            let found = fleet.estimate(&symbols(&cells), 20_000, &mut chance);
            let table = Confusion::new(PairCells::of_symbols(&found, 2, 2).expect("data")).expect("square");
            let figures = [
                Ok(table.accuracy()),
                table.precision(1),
                table.recall(1),
                table.f1(1),
                table.false_positive_rate(1),
                table.balanced_accuracy(),
            ];
            for (place, figure) in figures.into_iter().enumerate() {
                missed[place] += usize::from(!figure.expect("enough").interval(0.95).contains(truths[place]));
            }
        }
        for (place, errors) in missed.into_iter().enumerate() {
            keeps_level(&format!("{mechanism:?}, figure {place} missed"), errors, 1_000, 0.05);
        }
    }
}

/// Labels arrived at 40 of 90 devices. n = 20,000 each, R = 1,000, ε = 2.
#[test]
fn label_coverage_is_covered() {
    let (pairs, predictions) = (Fleet::of(Mechanism::KAry, 5, 2.0), Fleet::of(Mechanism::KAry, 3, 2.0));
    let mut chance = Rng::with_seed(3);
    let missed = (0..1_000).filter(|_| {
        let pairs = pairs.estimate(&[0.2, 0.04, 0.06, 0.1, 0.6], 20_000, &mut chance);
        let predictions = predictions.estimate(&[0.5, 0.4, 0.1], 20_000, &mut chance);
        !coverage(&pairs, &predictions).expect("data").interval(0.95).contains(0.4 / 0.9)
    });
    keeps_level("coverage missed", missed.count(), 1_000, 0.05);
}

/// P[score's cell given label]; ten cells would do the same.
const GIVEN: [[f64; 5]; 2] = [[0.40, 0.25, 0.20, 0.10, 0.05], [0.05, 0.10, 0.15, 0.30, 0.40]];

/// Share of each (cell, label), row by row, when a share of the labels is positive.
fn joint(positive: f64) -> Vec<f64> {
    (0..5).flat_map(|bin| [(1.0 - positive) * GIVEN[0][bin], positive * GIVEN[1][bin]]).collect()
}

fn scores(joint: &[f64]) -> Vec<f64> {
    joint.chunks(2).map(|pair| pair[0] + pair[1]).collect()
}

/// Labels move from 30 % to 55 %: their share and the shift are covered, the residual keeps its level, and sees it when
/// the scores of a label move. n = 40,000 each, R = 1,000, ε = 2.
#[test]
fn label_shift_is_covered_and_told_from_other_shifts() {
    let (pairs, cells) = (Fleet::of(Mechanism::KAry, 11, 2.0), Fleet::of(Mechanism::KAry, 6, 2.0));
    let mut chance = Rng::with_seed(4);
    let (mut missed, mut shift_missed, mut rejected, mut seen) = (0, 0, 0, 0);
    for _ in 0..1_000 {
        let reference = pairs.estimate(&symbols(&joint(0.3)), 40_000, &mut chance);
        let reference = PairCells::of_symbols(&reference, 5, 2).expect("data");
        let mut estimate = |cells_now: &[f64]| {
            let now = cells.estimate(&symbols(cells_now), 40_000, &mut chance);
            let now = given_data(&now).expect("data");
            label_shift(&reference, &now).expect("well conditioned")
        };
        let found = estimate(&scores(&joint(0.55)));
        missed += usize::from(!found.labels.share(1).interval(0.95).contains(0.55));
        shift_missed += usize::from(!found.shift.share(1).interval(0.95).contains(0.25));
        rejected += usize::from(found.residual.expect("five cells, two labels").p_value < 0.05);
        // Scores of the middle cell move out, whatever the label.
        let mut moved = scores(&joint(0.55));
        (moved[2], moved[1], moved[3]) = (moved[2] - 0.08, moved[1] + 0.04, moved[3] + 0.04);
        seen += usize::from(estimate(&moved).residual.expect("five cells").p_value < 0.05);
    }
    keeps_level("label's share missed", missed, 1_000, 0.05);
    keeps_level("shift missed", shift_missed, 1_000, 0.05);
    keeps_level("residual rejected", rejected, 1_000, 0.05);
    assert!(seen > 900, "another shift is seen: {seen} of 1,000");
}

/// Accuracy without labels under covariate shift. n = 40,000 each, R = 1,000, ε = 2.
#[test]
fn accuracy_without_labels_is_covered() {
    let (pairs, cells) = (Fleet::of(Mechanism::KAry, 11, 2.0), Fleet::of(Mechanism::KAry, 6, 2.0));
    let then = joint(0.4);
    let rates: Vec<f64> = then.chunks(2).map(|pair| pair[1] / (pair[0] + pair[1])).collect();
    let now = [0.1, 0.3, 0.1, 0.3, 0.2];
    let called = [false, false, false, true, true];
    let right = |bin: usize| if called[bin] { rates[bin] } else { 1.0 - rates[bin] };
    let accuracy: f64 = (0..5).map(|bin| now[bin] * right(bin)).sum();
    let positives: f64 = (0..5).map(|bin| now[bin] * rates[bin]).sum();
    let recall = (3..5).map(|bin| now[bin] * rates[bin]).sum::<f64>() / positives;
    let mut area = 0.0;
    for high in 0..5 {
        let below: f64 = (0..high).map(|bin| now[bin] * (1.0 - rates[bin])).sum();
        area += now[high] * rates[high] * (below + now[high] * (1.0 - rates[high]) / 2.0);
    }
    let truths = [accuracy, recall, area / (positives * (1.0 - positives))];
    let (mut chance, mut missed) = (Rng::with_seed(5), [0; 3]);
    for _ in 0..1_000 {
        let reference = pairs.estimate(&symbols(&then), 40_000, &mut chance);
        let map =
            CalibrationMap::fit(PairCells::of_symbols(&reference, 5, 2).expect("data"), Shape::Free).expect("fit");
        let current = given_data(&cells.estimate(&symbols(&now), 40_000, &mut chance)).expect("data");
        let found = label_free(&map, &current, &called).expect("parts that fit");
        let figures = [Ok(found.accuracy), found.recall, found.roc_auc];
        for (place, figure) in figures.into_iter().enumerate() {
            missed[place] += usize::from(!figure.expect("enough").interval(0.95).contains(truths[place]));
        }
    }
    for (place, errors) in missed.into_iter().enumerate() {
        keeps_level(&format!("without labels, figure {place} missed"), errors, 1_000, 0.05);
    }
}

/// A calibrated score has a calibration error of 0 on average and keeps the test's level; the interval covers, also
/// where the score is off; drift of the calibration keeps its level and is seen. n = 20,000, R = 1,000, ε = 1.
#[test]
fn calibration_error_is_unbiased_where_it_is_zero() {
    let fleet = Fleet::of(Mechanism::KAry, 11, 1.0);
    let cells = joint(0.4);
    let rates: Vec<f64> = cells.chunks(2).map(|pair| pair[1] / (pair[0] + pair[1])).collect();
    let off: Vec<f64> = rates.iter().map(|rate| 0.1 + 0.8 * rate).collect();
    let truth: f64 = scores(&cells).iter().zip(rates.iter().zip(&off)).map(|(s, (r, m))| s * (r - m).abs()).sum();
    let mut chance = Rng::with_seed(6);
    let (mut errors, mut biased, mut rejected, mut missed, mut off_missed) = (Vec::new(), 0.0, 0, 0, 0);
    let (mut drifted, mut seen) = (0, 0);
    let mut table = |cells: &[f64]| {
        PairCells::of_symbols(&fleet.estimate(&symbols(cells), 20_000, &mut chance), 5, 2).expect("data")
    };
    let mut broken = cells.clone();
    (broken[8], broken[9]) = (broken[9], broken[8]);
    for _ in 0..1_000 {
        let pairs = table(&cells);
        let found = calibration_error(&pairs, &rates, 0.95).expect("data");
        errors.push(found.error.value);
        biased += found.biased / 1_000.0;
        rejected += usize::from(found.wald.p_value < 0.05);
        missed += usize::from(!found.interval.contains(0.0));
        let found = calibration_error(&pairs, &off, 0.95).expect("data");
        off_missed += usize::from(!found.interval.contains(truth));
        drifted += usize::from(drift_of_calibration(&pairs, &table(&cells)).expect("data").wald.p_value < 0.05);
        seen += usize::from(drift_of_calibration(&pairs, &table(&broken)).expect("data").wald.p_value < 0.05);
    }
    let mean = errors.iter().sum::<f64>() / 1_000.0;
    let spread = (errors.iter().map(|error| (error - mean) * (error - mean)).sum::<f64>() / 999.0 / 1_000.0).sqrt();
    assert!(mean.abs() < 3.3 * spread && biased > 20.0 * spread);
    keeps_level("calibration rejected", rejected, 1_000, 0.05);
    keeps_level("calibration drift rejected", drifted, 1_000, 0.05);
    assert!(missed <= 75 && off_missed <= 75, "intervals cover 95 % at least: {missed}, {off_missed} missed");
    assert!(seen > 900, "a broken cell is seen: {seen}");
}

/// Of 30 segments without a difference any is selected in at most 5 % of the runs; a weak one is found. n = 5,000 a
/// segment, R = 400, ε = 2.
#[test]
fn weak_segments_are_found_and_others_left() {
    let (fleet, mut chance) = (Fleet::of(Mechanism::KAry, 3, 2.0), Rng::with_seed(7));
    let mut of = |accuracy: f64| {
        let found = fleet.estimate(&symbols(&[1.0 - accuracy, accuracy]), 5_000, &mut chance);
        Segment { figure: given_data(&found).expect("data").share(1), weight: 5_000.0 }
    };
    let (mut by_evidence, mut by_p_value, mut found) = (0, 0, 0);
    for _ in 0..400 {
        let mut segments: Vec<Segment> = (0..30).map(|_| of(0.9)).collect();
        let same = contrasts(&segments, 0.05).expect("segments");
        by_evidence += usize::from(same.iter().any(|of| of.by_evidence));
        by_p_value += usize::from(same.iter().any(|of| of.by_p_value));
        segments[3] = of(0.8);
        found += usize::from(contrasts(&segments, 0.05).expect("segments")[3].by_evidence);
    }
    assert!(by_evidence <= 20 + 15 && by_p_value <= 20 + 15, "{by_evidence}, {by_p_value}");
    assert!(found > 380, "{found} of 400");
}

#[test]
fn nothing_is_concluded_from_nothing() {
    let fleet = Fleet::of(Mechanism::KAry, 5, 0.5);
    let found = fleet.estimate(&[0.0, 0.0, 0.0, 0.0, 1.0], 1_000, &mut Rng::with_seed(8));
    assert_eq!(PairCells::of_symbols(&found, 2, 2), Err(Refused::TooFew));
    let one = Segment { figure: Scalar { value: 0.5, standard_error: 0.1 }, weight: 1.0 };
    assert!(contrasts(&[one], 0.05).is_err());
}

struct Chance(Rng);

impl EntropySource for Chance {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.0.fill(buffer);
        Ok(())
    }
}

/// Two inputs with two cells each, their joint metric, and a codebook of four corners, each asked about once.
fn multivariate() -> MonitorSpec {
    let question = |name: &str, true_: u64| {
        serde_json::json!({
            "name": name, "metric": name, "kind": "sampled-event", "weight": 1, "epsilon_micronats": 2_000_000,
            "randomizer": { "mechanism": "k-ary", "weight_true": true_, "weight_false": 4_294_967_296_u64 }
        })
    };
    let input = |name: &str, index: usize| {
        serde_json::json!({
            "name": name, "source": { "kind": "input", "tensor": "x", "index": index },
            "cells": { "kind": "numeric", "edges": [0] }
        })
    };
    let document = serde_json::json!({
        "spec_version": 1, "app": "two-numbers", "description": "",
        "models": [{ "version": "1", "sha256": "00".repeat(32) }],
        "measurement": {
            "window": { "length_secs": 86_400, "grace_secs": 0, "join": "next_window" },
            "privacy": {
                "unit": "device-window", "answers_per_window": 1,
                "caps": [{ "period_secs": 86_400, "epsilon_micronats": 2_000_000 }]
            },
            "outcome": { "horizon_secs": 1, "max_pending": 1 },
            "segments": ["all"],
            "metrics": [
                input("first", 0),
                input("second", 1),
                { "name": "both", "source": { "kind": "joint", "first": "first", "second": "second" } },
                {
                    "name": "corner",
                    "source": {
                        "kind": "codebook", "tensor": "x", "of": "input",
                        "vectors": [[-1, -1], [-1, 1], [1, -1], [1, 1]]
                    },
                    "cells": { "kind": "category", "labels": ["sw", "nw", "se", "ne"] }
                }
            ],
            "questions": [
                question("first", 31_735_754_293), question("second", 31_735_754_293),
                question("both", 31_735_754_293), question("corner", 31_735_754_293)
            ]
        },
        "upload": { "endpoint": "https://example.org/v1/reports", "max_body_bytes": 49_152 },
        "detection": {
            "false_alarms_per_year": 1, "span_windows": 1,
            "deltas": { "first": 0.05, "second": 0.05, "both": 0.05, "corner": 0.05 }
        }
    });
    MonitorSpec::parse(&document.to_string()).expect("a valid spec")
}

#[test]
fn a_codebook_needs_a_tensor_of_its_length() {
    let admit = |name: &str, dims: &[Option<usize>]| {
        multivariate().admit(&ModelShape { sha256: &[0; 32], inputs: &[(name, dims)], outputs: &[] })
    };
    assert_eq!(admit("x", &[None, Some(2)]), Ok(()));
    assert_eq!(admit("x", &[None, None]), Ok(()), "the caller chooses");
    assert!(matches!(admit("x", &[None, Some(3)]), Err(ModelRefused::OtherLength { elements: 3, .. })));
    assert!(matches!(admit("y", &[None, Some(2)]), Err(ModelRefused::MissingTensor { .. })));
}

/// Signs of two numbers agree in half of the devices, then in all of them: neither number's distribution changes, but
/// that of the pair does, seen by the joint metric and by the codebook. From the observation to the verdict; n = 4,000
/// a question, ε = 2, 99 % intervals; seed 9.
#[test]
fn pairs_move_where_margins_do_not() {
    let spec = multivariate();
    let binnings: Vec<Binning> = spec.metrics.iter().map(|metric| Binning::of(&metric.cells)).collect();
    let (mut chance, memo) = (Chance(Rng::with_seed(9)), MemoKey::from_bytes([0; 32]));
    let mut window = |question: usize, agreeing: f64| {
        let question = &spec.questions[question];
        let randomizer = decoder_of(question);
        let mut sum = Aggregate::new(randomizer.counters());
        for _ in 0..4_000 {
            let sign = |positive: bool| if positive { 1.0 } else { -1.0 };
            let first = chance.0.bool();
            let second = if chance.0.f64() < agreeing { first } else { !first };
            let numbers = [sign(first) * chance.0.f64(), sign(second) * chance.0.f64()];
            let inputs = [("x", Values::F64(&numbers))];
            let mut profile = Profile::new(&spec, 0);
            let seen = Observation { inputs: &inputs, ..Observation::default() };
            profile.observe(&spec, &binnings, &seen);
            let coin = chance.0.u128(..).to_be_bytes();
            let symbol = profile.answer(question, &coin, chance.0.u64(..));
            let draws = Draws { coin: &coin, memo: &memo, entropy: &mut chance };
            let payload = randomizer.privatize(permit(), symbol, draws).expect("entropy");
            sum.accumulate(&*randomizer, &payload, &coin).expect("its own payload");
        }
        sum
    };
    for (place, expected) in [(0, Verdict::Stable), (1, Verdict::Stable), (2, Verdict::Drift), (3, Verdict::Drift)] {
        let question = &spec.questions[place];
        let channel = Channel::of(&question.randomizer, question.domain_size).expect("shares");
        let then = window(place, 0.5);
        let support = decoder_of(question).oracle().expect("shares").support(then.counters());
        let cells = channel.estimate(then.reports(), &support).and_then(|all| all.given_data()).expect("data");
        let reference = QuestionReference { device_windows: 4_000, shares: cells.shares, covariance: cells.covariance };
        let found = assess(question, false, &window(place, 1.0), &reference, 0.08, 0.01).expect("data");
        assert_eq!(found.verdict, expected, "{}: {:?}", question.name, found.effect);
        let p_value = found.wald.expect("a test").p_value;
        assert_eq!(p_value < 1e-6, expected == Verdict::Drift, "{}: {p_value}", question.name);
    }
}
