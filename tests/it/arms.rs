//! Canary against stable: no evidence where both answer alike, whatever else happens, and evidence where they do not.
//!
//! Fixed seeds; R runs. A mean of e-values, cut off at 50, is compared with 1 plus 3.72 standard errors, so a sound
//! implementation fails with probability 1e-4 under a fresh seed; shares of runs within 3.3 binomial standard errors.

use driftglass::drift::Measure;
use driftglass::drift::sequential::{ArmRepetition, ArmSettings, ArmStep, ArmSums, Arms, LookError};
use driftglass::estimate::Channel;
use driftglass::spec::Mechanism;
use fastrand::Rng;

use crate::randomizers::at_epsilon;

const CELLS: usize = 3;
const LOOKS: u64 = 40;
const ALPHA: f64 = 0.05;

/// How a simulated canary runs.
#[derive(Clone, Copy)]
struct Canary {
    mechanism: Mechanism,
    epsilon: f64,
    /// Reports of stable in a window.
    stable: u64,
    /// Reports of the canary in the first and in the last window.
    canary: [u64; 2],
    /// Share of answers with data in each arm.
    with_data: [f64; 2],
    /// What the population's first cell gains from the first window to the last, under both arms.
    drift: f64,
    /// What the canary's first cell gains over stable's.
    shift: f64,
    /// Intra-class correlation of a device's answers; 0 for devices that answer once.
    correlation: f64,
}

const ALIKE: Canary = Canary {
    mechanism: Mechanism::KAry,
    epsilon: 2.0,
    stable: 900,
    canary: [100, 100],
    with_data: [0.7, 0.7],
    drift: 0.0,
    shift: 0.0,
    correlation: 0.0,
};

fn channel(canary: &Canary) -> Channel {
    Channel::of(&at_epsilon(canary.mechanism, canary.epsilon), CELLS + 1).expect("a frequency oracle")
}

/// Support of one report each of devices whose symbols have these shares.
fn support(channel: &Channel, mechanism: Mechanism, n: u64, shares: &[f64], rng: &mut Rng) -> Vec<u64> {
    let (p, q) = (channel.keep_probability(), channel.false_probability());
    let mut support = vec![0; shares.len()];
    for _ in 0..n {
        let mut rest = rng.f64();
        let symbol = shares.iter().position(|share| {
            rest -= share;
            rest < 0.0
        });
        let symbol = symbol.unwrap_or(shares.len() - 1);
        if mechanism == Mechanism::OptimizedUnary {
            for (v, count) in support.iter_mut().enumerate() {
                *count += u64::from(rng.f64() < if v == symbol { p } else { q });
            }
        } else if rng.f64() < p {
            support[symbol] += 1;
        } else {
            let other = rng.usize(..shares.len() - 1);
            support[other + usize::from(other >= symbol)] += 1;
        }
    }
    support
}

fn normal(rng: &mut Rng) -> f64 {
    libm::sqrt(-2.0 * libm::log(1.0 - rng.f64())) * libm::cos(2.0 * std::f64::consts::PI * rng.f64())
}

/// The steps of one run. Devices that answer often differ for good: with correlation ρ and M devices with data, the
/// share of an arm's first cell is off by a normal of variance ρ p (1 − p)/M; while the arm grows, the devices that came
/// first stay, so it is the average of deviations of the devices so far.
fn run(canary: &Canary, repetition: ArmRepetition, rng: &mut Rng) -> Vec<ArmStep> {
    let channel = channel(canary);
    let settings = ArmSettings { measure: Measure::LInfinity, repetition, alpha: ALPHA };
    let mut arms = Arms::new(&channel, 1, settings).expect("proper settings");
    // Σ over devices of their deviations, and their number, by arm.
    let mut devices = [(0.0, 0_u64); 2];
    let mut steps = Vec::new();
    for look in 0..LOOKS {
        let passed = look as f64 / (LOOKS - 1) as f64;
        let [first, last] = canary.canary.map(|n| n as f64);
        let n = [canary.stable, (first + (last - first) * passed).round() as u64];
        let mut counts: [Vec<u64>; 2] = Default::default();
        for arm in 0..2 {
            let p = 0.3 + canary.drift * passed + if arm == 1 { canary.shift } else { 0.0 };
            if canary.correlation > 0.0 {
                let new = n[arm].saturating_sub(devices[arm].1);
                let variance = canary.correlation * p * (1.0 - p) * new as f64 / canary.with_data[arm];
                devices[arm].0 += libm::sqrt(variance) * normal(rng);
                devices[arm].1 += new;
            }
            let offset = if devices[arm].1 > 0 { devices[arm].0 / devices[arm].1 as f64 } else { 0.0 };
            let p = (p + offset).clamp(0.0, 1.0);
            let d = canary.with_data[arm];
            let shares = [p * d, (1.0 - p) * 0.4 * d, (1.0 - p) * 0.6 * d, 1.0 - d];
            counts[arm] = support(&channel, canary.mechanism, n[arm], &shares, rng);
        }
        let sums = [0, 1].map(|arm| ArmSums { reports: n[arm], support: &counts[arm], devices: n[arm] });
        steps.push(arms.look(look, &[sums]).expect("in order"));
    }
    steps
}

fn repetition(canary: &Canary) -> ArmRepetition {
    if canary.correlation > 0.0 { ArmRepetition::Fresh(canary.correlation) } else { ArmRepetition::Once }
}

/// Under the null hypothesis: the e-value at a look chosen by looking (the first with E ≥ 3, or the last) has a mean of
/// at most 1, at most a share α of runs ever reaches 1/α, and the bounds hold at all looks in all but α of them.
#[track_caller]
fn no_evidence(what: &str, canary: Canary, seed: u64, runs: usize) {
    let mut rng = Rng::with_seed(seed);
    let (mut values, mut reached, mut missed) = (Vec::new(), 0, 0);
    for _ in 0..runs {
        let steps = run(&canary, repetition(&canary), &mut rng);
        let stop = steps.iter().find(|step| step.log_e >= libm::log(3.0)).unwrap_or(&steps[steps.len() - 1]);
        values.push(libm::exp(stop.log_e).min(50.0));
        reached += usize::from(steps.iter().any(|step| step.log_e >= libm::log(1.0 / ALPHA)));
        let wrong = |step: &ArmStep| step.effect.as_ref().is_some_and(|effect| effect.bounds.lower > 0.0);
        missed += usize::from(steps.iter().any(wrong));
        assert!(steps[steps.len() - 1].effect.is_some(), "{what}: bounds in the end");
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
fn arms_that_answer_alike_give_no_evidence() {
    no_evidence("k-ary", ALIKE, 1, 400);
    let unary = Canary { mechanism: Mechanism::OptimizedUnary, epsilon: 1.0, ..ALIKE };
    no_evidence("unary", unary, 2, 200);
}

/// A population that drifts by 0.3 while the canary grows from 1 % to half of the fleet: the pools of the arms would
/// differ by 0.1.
#[test]
fn a_canary_that_grows_while_the_population_drifts_is_alike() {
    no_evidence("ramp", Canary { drift: 0.3, canary: [10, 900], ..ALIKE }, 3, 300);
}

/// The canary's devices have no data more often: no drift of what they say.
#[test]
fn fewer_answers_with_data_are_no_difference() {
    no_evidence("data", Canary { with_data: [0.8, 0.3], drift: 0.2, ..ALIKE }, 4, 400);
}

/// Few reports of the canary in each window: terms of second order count.
#[test]
fn a_tiny_canary_is_alike() {
    no_evidence("tiny", Canary { canary: [8, 8], epsilon: 1.0, ..ALIKE }, 5, 400);
}

#[test]
fn lasting_differences_of_devices_are_in_the_null_hypothesis() {
    no_evidence("correlated", Canary { correlation: 0.2, ..ALIKE }, 6, 400);
    no_evidence("growing and correlated", Canary { correlation: 0.2, canary: [10, 900], ..ALIKE }, 7, 300);
    // The declaration matters: 100 devices that answer 400 times without noise are no 40,000.
    let strong = Canary { correlation: 0.2, epsilon: 8.0, stable: 9_000, ..ALIKE };
    let mut rng = Rng::with_seed(8);
    let found = (0..60).filter(|_| {
        let steps = run(&strong, ArmRepetition::Once, &mut rng);
        steps.iter().any(|step| step.log_e >= libm::log(1.0 / ALPHA))
    });
    assert!(found.count() > 12, "careless");
}

/// A canary of a tenth whose first cell has 10 points more is found within 40 looks of 100 reports at ε = 2, and the
/// bounds hold 0.1 and in the end exclude 0.02.
#[test]
fn a_canary_that_differs_is_found() {
    let mut rng = Rng::with_seed(9);
    let (mut found, mut missed) = (0, 0);
    for _ in 0..60 {
        let steps = run(&Canary { shift: 0.1, drift: 0.2, ..ALIKE }, ArmRepetition::Once, &mut rng);
        found += usize::from(steps.iter().any(|step| step.log_e >= libm::log(1.0 / ALPHA)));
        let outside = |step: &ArmStep| {
            step.effect.as_ref().is_some_and(|effect| effect.bounds.lower > 0.1 || effect.bounds.upper < 0.1)
        };
        missed += usize::from(steps.iter().any(outside));
        let effect = steps[steps.len() - 1].effect.clone().expect("answers");
        assert!((effect.difference[0] - 0.1).abs() < 0.08, "{effect:?}");
        assert!((effect.answers[1] / (0.7 * 4_000.0) - 1.0).abs() < 0.1, "{effect:?}");
    }
    assert!(found >= 55, "{found}");
    assert!(missed <= 8, "{missed} of 60 is more than 3.3 standard errors above 5 %");
}

/// Two segments that differ from each other, each with as many reports of one arm as the other has of the other: pooled
/// they differ by 0.24, stratum by stratum not at all.
#[test]
fn segments_are_compared_one_by_one() {
    let channel = channel(&ALIKE);
    let settings = ArmSettings { measure: Measure::LInfinity, repetition: ArmRepetition::Once, alpha: ALPHA };
    let mut arms = Arms::new(&channel, 2, settings).expect("proper settings");
    let exact = |n: u64, p: f64| -> Vec<u64> {
        let (keep, other) = (channel.keep_probability(), channel.false_probability());
        let shares = [0.7 * p, 0.7 * (1.0 - p), 0.0, 0.3];
        shares.map(|share| ((other + (keep - other) * share) * n as f64).round() as u64).to_vec()
    };
    let mut last = None;
    for look in 0..20 {
        let counts = [[exact(900, 0.6), exact(100, 0.6)], [exact(100, 0.3), exact(900, 0.3)]];
        let reports = [[900, 100], [100, 900]];
        let sums = [0, 1].map(|segment: usize| {
            [0, 1].map(|arm: usize| {
                let reports = reports[segment][arm];
                ArmSums { reports, support: &counts[segment][arm], devices: reports }
            })
        });
        last = Some(arms.look(look, &sums).expect("in order"));
    }
    let step = last.expect("a look");
    let effect = step.effect.expect("answers");
    assert!(step.log_e < 0.0 && effect.bounds.largest < 0.01, "{effect:?}");
    assert_eq!(arms.reports(), [20_000, 20_000]);
}

#[test]
fn looks_come_in_order_and_fit() {
    let channel = channel(&ALIKE);
    let settings = ArmSettings { measure: Measure::Ks, repetition: ArmRepetition::Memoized, alpha: ALPHA };
    let mut arms = Arms::new(&channel, 1, settings).expect("proper settings");
    let (some, short) = ([30, 30, 20, 20], [1, 2, 3]);
    let of = |support| [ArmSums { reports: 100, support, devices: 100 }; 2];
    let nothing = ArmSums { reports: 0, support: &[0; 4], devices: 0 };
    assert_eq!(arms.look(1, &[[of(&some)[0], nothing]]), Ok(ArmStep { log_e: 0.0, effect: None }));
    assert_eq!(arms.look(1, &[of(&some)]), Err(LookError::Order { number: 1, last: 1 }));
    assert_eq!(arms.look(2, &[of(&short)]), Err(LookError::Symbols { expected: 4, found: 3 }));
    let step = arms.look(2, &[of(&some)]).expect("in order");
    assert!(step.log_e < 0.0 && step.effect.is_some());
    // What is the same in both arms to the last report needs more reports to be shown to differ by less than a tenth.
    let growth = arms.growth_needed(0.1);
    assert!(growth.is_none(), "memoized answers of a hundred devices never show it: {growth:?}");
    assert!(Arms::new(&channel, 0, settings).is_none());
    assert!(Arms::new(&channel, 1, ArmSettings { repetition: ArmRepetition::Fresh(1.5), ..settings }).is_none());
    assert!(Arms::new(&channel, 1, ArmSettings { alpha: 1.0, ..settings }).is_none());
}

/// With more reports that say the same the interval leaves delta, and not with fewer.
#[test]
fn growth_is_what_decides() {
    let channel = channel(&ALIKE);
    let settings = ArmSettings { measure: Measure::LInfinity, repetition: ArmRepetition::Once, alpha: ALPHA };
    let at = |times: u64| {
        let mut arms = Arms::new(&channel, 1, settings).expect("proper settings");
        let (a, b) =
            ([300 * times, 300 * times, 200 * times, 200 * times], [35 * times, 25 * times, 20 * times, 20 * times]);
        let sums = [
            ArmSums { reports: 1_000 * times, support: &a, devices: 1_000 * times },
            ArmSums { reports: 100 * times, support: &b, devices: 100 * times },
        ];
        let bounds = arms.look(1, &[sums]).expect("in order").effect.expect("answers").bounds;
        (bounds.lower > 0.02 || bounds.upper <= 0.02, arms.growth_needed(0.02))
    };
    let (decided, growth) = at(1);
    let growth = growth.expect("some number decides");
    assert!(!decided && growth > 2.0, "{growth}");
    assert!(!at((growth * 0.9) as u64).0 && at((growth * 1.1).ceil() as u64).0, "{growth}");
}
