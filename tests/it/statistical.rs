//! Are the estimator unbiased, its covariance as documented, the intervals honest and the verdicts right? By simulation
//! with fixed seeds.
//!
//! Each test states its level α, the sample size and the seed. A level is the probability that a sound implementation
//! fails under a fresh seed; with the seeds fixed a test either always passes or always fails. Bounds are z standard
//! errors with z = Φ⁻¹(1 − α/(2·comparisons)) (Bonferroni).
//!
//! The first test runs the shipped randomizer device by device. The others draw the sum of many reports from the law of
//! a report, W_t/Z or W_f/Z, which `exact_law` shows to be the randomizer's: a multinomial over all subsets, by exact
//! binomials.

use driftglass::aggregate::Aggregate;
use driftglass::drift::{Assessment, Measure, QuestionReference, Verdict, assess, normal_quantile};
use driftglass::estimate::{Channel, Matrix};
use driftglass::privacy::{Draws, EntropySource, MemoKey, Payload, decoder_of};
use driftglass::spec::{Mechanism, Question};

use crate::entropy::Generator;
use crate::randomizers::{at_epsilon, permit, question, subsets, weights};

/// Level of the tests below, unless they say otherwise.
const ALPHA: f64 = 1e-3;

fn z(comparisons: usize) -> f64 {
    normal_quantile(1.0 - ALPHA / (2.0 * comparisons as f64))
}

impl Generator {
    /// 64 independent events of probability p, to 2^-32: compares 64 uniform numbers with p, bit by bit from the
    /// highest.
    fn bernoulli_64(&mut self, p: f64) -> u64 {
        if p >= 1.0 {
            return u64::MAX;
        }
        let threshold = (p * f64::from(2.0_f32.powi(32))) as u32;
        let (mut below, mut equal) = (0, u64::MAX);
        for bit in (0..32).rev() {
            let word = self.next();
            if threshold >> bit & 1 == 1 {
                below |= equal & !word;
                equal &= word;
            } else {
                equal &= !word;
            }
            if equal == 0 {
                break;
            }
        }
        below
    }

    fn binomial(&mut self, n: u64, p: f64) -> u64 {
        let whole: u64 = (0..n / 64).map(|_| u64::from(self.bernoulli_64(p).count_ones())).sum();
        whole + u64::from((self.bernoulli_64(p) & ((1 << (n % 64)) - 1)).count_ones())
    }

    fn multinomial(&mut self, n: u64, shares: &[f64]) -> Vec<u64> {
        let (mut left, mut mass) = (n, 1.0);
        let mut counts = Vec::with_capacity(shares.len());
        for (place, share) in shares.iter().enumerate() {
            let count = if place + 1 == shares.len() { left } else { self.binomial(left, share / mass) };
            counts.push(count);
            left -= count;
            mass -= share;
        }
        counts
    }

    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A fleet: what is asked, and what is true.
struct Fleet {
    question: Question,
    ordered: bool,
    /// Shares of the cells among devices with data.
    cells: Vec<f64>,
    no_data: f64,
    subsets: Vec<Vec<usize>>,
}

impl Fleet {
    fn new(epsilon: f64, w: usize, ordered: bool, cells: &[f64], no_data: f64) -> Self {
        let k = cells.len() + 1;
        let masks = (0..1_usize << k).filter(|mask| mask.count_ones() as usize == w);
        let members = masks.map(|mask| (0..k).filter(|symbol| mask >> symbol & 1 == 1).collect());
        let question = question(k, subsets(w, epsilon));
        Self { question, ordered, cells: cells.to_vec(), no_data, subsets: members.collect() }
    }

    /// Shares of all symbols.
    fn symbols(&self) -> Vec<f64> {
        self.cells.iter().map(|share| share * (1.0 - self.no_data)).chain([self.no_data]).collect()
    }

    /// The sum of n reports.
    fn reports(&self, n: u64, generator: &mut Generator) -> Aggregate {
        let weights = self.question.randomizer.weights;
        let symbols = self.symbols();
        let weight = |subset: &Vec<usize>| {
            let held: f64 = subset.iter().map(|symbol| symbols[*symbol]).sum();
            held * weights.of_true as f64 + (1.0 - held) * weights.of_false as f64
        };
        let weights: Vec<f64> = self.subsets.iter().map(weight).collect();
        let total: f64 = weights.iter().sum();
        let law: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
        let mut support = vec![0; self.question.domain_size];
        for (subset, count) in self.subsets.iter().zip(generator.multinomial(n, &law)) {
            subset.iter().for_each(|symbol| support[*symbol] += count);
        }
        Aggregate::from_sums(n, support)
    }

    /// A reference of `device_windows` devices with data, drawn from these cells, with its own finite sample.
    fn reference(&self, device_windows: u64, generator: &mut Generator) -> QuestionReference {
        let counts = generator.multinomial(device_windows, &self.cells);
        let n = device_windows as f64;
        let shares: Vec<f64> = counts.iter().map(|count| *count as f64 / n).collect();
        let covariance = Matrix::from_fn(shares.len(), |row, column| {
            let diagonal = if row == column { shares[row] } else { 0.0 };
            (diagonal - shares[row] * shares[column]) / n
        });
        QuestionReference { device_windows, shares, covariance }
    }

    /// A fleet whose shares moved by `shift` from the first cell to the last.
    fn shifted(&self, shift: f64) -> Self {
        let mut cells = self.cells.clone();
        cells[0] -= shift;
        *cells.last_mut().expect("cells") += shift;
        Self { question: self.question.clone(), cells, subsets: self.subsets.clone(), ..*self }
    }

    /// One comparison of this fleet, as the reference, with another one now.
    fn compare(&self, now: &Self, n: u64, reference: u64, delta: f64, alpha: f64, seed: &mut Generator) -> Assessment {
        let reference = self.reference(reference, seed);
        let aggregate = now.reports(n, seed);
        assess(&self.question, self.ordered, &aggregate, &reference, delta, alpha).expect("devices with data")
    }
}

/// ε, w, ordered, cells, no data, reports, runs. Runs are fewer where a comparison costs more.
fn settings() -> [(Fleet, u64, usize); 5] {
    let even = [1.0 / 16.0; 16];
    [
        (Fleet::new(2.0, 1, true, &[0.7, 0.3], 0.3), 4_000, 1_500),
        (Fleet::new(0.5, 1, true, &[0.6, 0.4], 0.0), 10_000, 1_500),
        (Fleet::new(1.0, 2, true, &[0.3, 0.25, 0.2, 0.15, 0.1], 0.5), 40_000, 600),
        (Fleet::new(3.0, 1, false, &[0.4, 0.2, 0.2, 0.1, 0.1], 0.1), 4_000, 600),
        (Fleet::new(2.0, 2, false, &even, 0.2), 20_000, 150),
    ]
}

/// Mean and covariance of estimates, each from `reports` reports, against the truth and the documented covariance Σ, or
/// an error that names what is off. The mean of M estimates has standard error √(Σ_vv/M), an entry of the empirical
/// covariance √((Σ_uu Σ_vv + Σ_uv²)/M), as for normal estimates, which sums of 500 or more bounded reports nearly are.
fn check_moments(expected: &Matrix, shares: &[f64], estimates: &[Vec<f64>]) -> Result<(), String> {
    let (k, m) = (shares.len(), estimates.len() as f64);
    let mean = |value: &dyn Fn(&Vec<f64>) -> f64| estimates.iter().map(value).sum::<f64>() / m;
    for u in 0..k {
        let found = mean(&|estimate| estimate[u]);
        let error = (expected.at(u, u) / m).sqrt();
        if (found - shares[u]).abs() >= z(k) * error {
            return Err(format!("k {k}, share {u}: {found} ± {error}, not {}", shares[u]));
        }
        for v in 0..=u {
            let found = mean(&|estimate| (estimate[u] - shares[u]) * (estimate[v] - shares[v]));
            let variance = expected.at(u, u) * expected.at(v, v) + expected.at(u, v) * expected.at(u, v);
            let limit = z(k * (k + 1) / 2) * (variance / m).sqrt();
            if (found - expected.at(u, v)).abs() >= limit {
                return Err(format!("k {k}, ({u}, {v}): {found} ± {limit}, not {}", expected.at(u, v)));
            }
        }
    }
    Ok(())
}

/// Estimates of fleets whose devices report one by one with the shipped randomizer, each with a coin and a memo key of
/// its own; and the covariances that are computed from them.
fn device_by_device(
    channel: &Channel,
    question: &Question,
    shares: &[f64],
    [fleets, devices]: [usize; 2],
    generator: &mut Generator,
) -> (Vec<Vec<f64>>, Vec<Matrix>) {
    let randomizer = decoder_of(question);
    let oracle = randomizer.oracle().expect("a frequency oracle");
    let estimate = |_| {
        let mut sums = Aggregate::new(randomizer.counters());
        for _ in 0..devices {
            let mut point = generator.uniform();
            let symbol = shares.iter().position(|share| {
                point -= share;
                point < 0.0
            });
            let symbol = symbol.unwrap_or(shares.len() - 1) as u64;
            let (mut coin, mut memo) = ([0; 16], [0; 32]);
            generator.fill(&mut coin).expect("bytes");
            generator.fill(&mut memo).expect("bytes");
            let memo = MemoKey::from_bytes(memo);
            let draws = Draws { coin: &coin, memo: &memo, entropy: &mut *generator };
            let payload = randomizer.privatize(permit(), symbol, draws).expect("entropy");
            sums.accumulate(randomizer.as_ref(), &payload, &coin).expect("an output");
        }
        let estimate = channel.estimate(sums.reports(), &oracle.support(sums.counters())).expect("reports");
        (estimate.shares, estimate.covariance)
    };
    (0..fleets).map(estimate).unzip()
}

/// Every frequency oracle, α = 1e-3 for the shares and for the covariance of each; 200 fleets × 300 devices, seed 13.
/// Shares are uneven, and where a mechanism's reports tie three symbols together, most devices have the symbol that
/// ties the others: in a projective geometry one of a pencil, for hashing the middle one of equidistant symbols.
#[test]
fn every_frequency_oracle_is_unbiased_with_the_documented_covariance() {
    let mut generator = Generator::new(13);
    let fresh = weights(1.5);
    // Symbols 0, 1 and 2 of a field of order 3 lie on a pencil.
    let on_a_pencil = [0.03, 0.7, 0.02, 0.05, 0.05, 0.05, 0.04, 0.03, 0.03];
    let uneven = [0.05, 0.1, 0.6, 0.05, 0.2];
    for (mechanism, epsilon, shares) in [
        (Mechanism::KAry, 1.5, &uneven[..]),
        (Mechanism::SubsetSelection { subset_size: 2 }, 1.0, &uneven),
        (Mechanism::OptimizedUnary, 1.0, &uneven),
        (Mechanism::LocalHashing { hash_range: 4 }, 1.0, &uneven),
        (Mechanism::LocalHashing { hash_range: 21 }, 3.0, &on_a_pencil),
        (Mechanism::Hadamard, 1.0, &uneven),
        (Mechanism::ProjectiveGeometry { field_size: 3, dimension: 3 }, 2.0, &on_a_pencil),
        (Mechanism::ProjectiveGeometry { field_size: 4, dimension: 3 }, 1.0, &on_a_pencil),
        (Mechanism::MemoizedHashing { hash_range: 3, cohorts: 4_096, epoch_windows: 2, fresh }, 2.0, &uneven),
    ] {
        let question = question(shares.len(), at_epsilon(mechanism, epsilon));
        let channel = Channel::of(&question.randomizer, shares.len()).expect("a frequency oracle");
        let (estimates, _) = device_by_device(&channel, &question, shares, [200, 300], &mut generator);
        let expected = channel.covariance(shares, 300.0);
        if let Err(error) = check_moments(&expected, shares, &estimates) {
            panic!("{mechanism:?}: {error}");
        }
        // A covariance in which hyperplanes of a pencil met like any others would not pass: r − t = (7.39 − 1) / 38.6
        // at ε = 2, q = t = 3.
        if mechanism == (Mechanism::ProjectiveGeometry { field_size: 3, dimension: 3 }) {
            let e = libm::exp(2.0);
            let scale = channel.keep_probability() - channel.false_probability();
            let missing = 0.7 * (e - 1.0) / (4.0 * e + 9.0) / (300.0 * scale * scale);
            let pair = |u: usize, v: usize| (u == 0 && v == 2) || (u == 2 && v == 0);
            let plain = Matrix::from_fn(9, |u, v| expected.at(u, v) - if pair(u, v) { missing } else { 0.0 });
            let error = check_moments(&plain, shares, &estimates).expect_err("a covariance without the pencil");
            assert!(error.contains("(2, 0)"), "{error}");
        }
    }
}

/// Cohorts share C hashes that are fixed for all time, so two symbols meet in a share of them that is 1/g only to
/// within √((1/g)(1 − 1/g)/C): the bias that the module's doc states. The root mean square over the 120 pairs of 16
/// symbols is within a fifth of that (√(1/240) = 6.5 % is its standard error if pairs were independent).
#[test]
fn cohorts_make_the_stated_bias() {
    for (cohorts, hash_range) in [(64, 2), (512, 3), (4_096, 2)] {
        let fresh = weights(1.0);
        let mechanism = Mechanism::MemoizedHashing { hash_range, cohorts, epoch_windows: 2, fresh };
        let randomizer = decoder_of(&question(16, at_epsilon(mechanism, 1.0)));
        let mut together = vec![0_u32; 256];
        for number in 0..cohorts * hash_range {
            let mut bucket = vec![0; 16];
            let payload = Payload::from_bytes(&number.to_be_bytes()).expect("4 bytes");
            randomizer.accumulate(&payload, &[0; 16], &mut bucket).expect("an output");
            for (pair, count) in together.iter_mut().enumerate() {
                *count += u32::from(bucket[pair / 16] == 1 && bucket[pair % 16] == 1);
            }
        }
        let (n, q) = (f64::from(cohorts), 1.0 / f64::from(hash_range));
        let pairs = (0..256).filter(|pair| pair / 16 < pair % 16);
        let squares: f64 = pairs.map(|pair| (f64::from(together[pair]) / n - q).powi(2)).sum();
        let (found, stated) = ((squares / 120.0).sqrt(), (q * (1.0 - q) / n).sqrt());
        assert!((found / stated - 1.0).abs() < 0.2, "C {cohorts}: {found}, not {stated}");
    }
}

/// Subset selection once more, α = 1e-3 for the shares and for the covariance; 200 fleets × 2,000 devices (w = 2) and
/// 200 × 500 (w = 1); seed 11.
///
/// The mean of the covariances that are computed from the estimates themselves lies below Σ by 1/n relative, as E\[m̂(1
/// − m̂)\] = m(1 − m)(1 − 1/n), and varies little: 1 % is more than five times that.
#[test]
fn the_covariance_of_an_estimate_is_close_to_the_true_one() {
    const FLEETS: usize = 200;
    let mut generator = Generator::new(11);
    for (w, epsilon, devices, shares) in [(2, 1.0, 2_000, vec![0.3, 0.2, 0.2, 0.3]), (1, 2.0, 500, vec![0.5, 0.3, 0.2])]
    {
        let k = shares.len();
        let question = question(k, subsets(w, epsilon));
        let channel = Channel::of(&question.randomizer, k).expect("subset selection");
        let (estimates, own) = device_by_device(&channel, &question, &shares, [FLEETS, devices], &mut generator);
        let expected = channel.covariance(&shares, devices as f64);
        check_moments(&expected, &shares, &estimates).expect("the documented moments");
        for (u, v) in (0..k * k).map(|entry| (entry / k, entry % k)) {
            let found = own.iter().map(|covariance| covariance.at(u, v)).sum::<f64>() / FLEETS as f64;
            assert!((found / expected.at(u, v) - 1.0).abs() < 0.01, "w {w}, own ({u}, {v}): {found}");
        }
    }
}
/// The same for 20,000 fleets × 500 reports, which tells covariances apart that differ by 5 % of a variance; w up to 3,
/// where the terms of two symbols in one subset count; α = 1e-3 for the shares and for the covariance of each, seed 12.
#[test]
fn the_covariance_holds_in_many_fleets() {
    let mut generator = Generator::new(12);
    for fleet in [
        Fleet::new(1.0, 2, true, &[0.4, 0.3, 0.3], 0.3),
        Fleet::new(0.5, 3, true, &[0.4, 0.3, 0.2, 0.1], 0.2),
        Fleet::new(2.0, 1, true, &[0.9, 0.1], 0.5),
    ] {
        let channel = Channel::of(&fleet.question.randomizer, fleet.question.domain_size).expect("subset selection");
        let estimate = |_| {
            let sums = fleet.reports(500, &mut generator);
            channel.estimate(sums.reports(), sums.counters()).expect("reports").shares
        };
        let estimates: Vec<Vec<f64>> = (0..20_000).map(estimate).collect();
        let expected = channel.covariance(&fleet.symbols(), 500.0);
        check_moments(&expected, &fleet.symbols(), &estimates).expect("the documented moments");
    }
}

/// Under no change: α = 1e-3 for each comparison; 150 to 1,500 runs of 4,000 to 40,000 reports; seed 21. At error
/// probability 5 %:
///
/// - the interval of the effect covers 0 at least in 95 % of the runs, less 3 standard errors of that share;
/// - Wald's p-value is below 5 % in 5 % of the runs, within z standard errors;
/// - p-values are uniform: their Kolmogorov–Smirnov distance stays below 1.95/√runs, the 1e-3 point of its limit law.
#[test]
fn nothing_is_found_where_nothing_changed() {
    let mut generator = Generator::new(21);
    for (fleet, n, runs) in settings() {
        let (mut covered, mut p_values) = (0, Vec::new());
        for _ in 0..runs {
            let found = fleet.compare(&fleet, n, 50_000, 0.05, 0.05, &mut generator);
            covered += usize::from(found.effect.lower <= 0.0);
            p_values.push(found.wald.expect("a test").p_value);
        }
        let name = format!("k {} w {}", fleet.question.domain_size, fleet.subsets[0].len());
        let error = (0.05 * 0.95 / runs as f64).sqrt();
        let share = covered as f64 / runs as f64;
        assert!(share >= 0.95 - 3.0 * error, "{name}: covered {share}");

        let rejected = p_values.iter().filter(|p| **p < 0.05).count() as f64 / runs as f64;
        assert!((rejected - 0.05).abs() < z(1) * error, "{name}: rejected {rejected} ± {error}");
        p_values.sort_by(f64::total_cmp);
        let steps = |(place, p): (usize, &f64)| {
            let (before, after) = (place as f64 / runs as f64, (place + 1) as f64 / runs as f64);
            (p - before).abs().max((p - after).abs())
        };
        let distance = p_values.iter().enumerate().map(steps).fold(0.0, f64::max);
        assert!(distance < 1.95 / (runs as f64).sqrt(), "{name}: distance {distance}");
    }
}

/// After a shift of 10 points from the first cell to the last, the interval covers the true effect in 95 % of the runs,
/// less 3 standard errors: one-sided α = 1.4e-3; runs and reports as above, halved; seed 31. The shift is the effect in
/// both measures, and 6 points where a cell has no more.
#[test]
fn intervals_cover_the_true_effect() {
    let mut generator = Generator::new(31);
    for (fleet, n, runs) in settings() {
        let shift = if fleet.cells[0] > 0.1 { 0.1 } else { 0.06 };
        let (now, runs) = (fleet.shifted(shift), runs / 2);
        let mut covered = 0;
        for _ in 0..runs {
            let found = fleet.compare(&now, n, 50_000, 0.05, 0.05, &mut generator);
            assert_eq!(found.effect.measure, if fleet.ordered { Measure::Ks } else { Measure::LInfinity });
            covered += usize::from((found.effect.lower..=found.effect.upper).contains(&shift));
        }
        let share = f64::from(u32::try_from(covered).expect("few")) / runs as f64;
        assert!(share >= 0.95 - 3.0 * (0.05 * 0.95 / runs as f64).sqrt(), "k {}: {share}", fleet.question.domain_size);
    }
}

/// A planted shift of 7 points is found, and the more often the more reports there are: 150 runs each, level 5 %, delta
/// 1 point; seed 41. The shares of runs with a verdict of drift must grow by more than 3 standard errors of their
/// difference at each step (one-sided α = 1.4e-3) until they pass 90 %, and pass 95 % at the last.
///
/// The standard error of a contrast is about 4.6, 2.3, 1.3 and 0.7 points at the four sizes (ε = 1, k = 4, w = 1, 20 %
/// without data), and z = 2.24.
#[test]
fn planted_shifts_are_found_and_power_grows() {
    const RUNS: usize = 150;
    let mut generator = Generator::new(41);
    let fleet = Fleet::new(1.0, 1, true, &[0.5, 0.3, 0.2], 0.2);
    let now = fleet.shifted(0.07);
    let power = [1_000, 4_000, 12_000, 48_000].map(|n| {
        let drift = |found: &Assessment| found.verdict == Verdict::Drift;
        let runs = (0..RUNS).map(|_| fleet.compare(&now, n, 50_000, 0.01, 0.05, &mut generator));
        let (mut drifts, mut tests) = (0_u32, 0_u32);
        for found in runs {
            drifts += u32::from(drift(&found));
            tests += u32::from(found.wald.is_some_and(|wald| wald.p_value < 0.05));
        }
        (f64::from(drifts) / RUNS as f64, f64::from(tests) / RUNS as f64)
    });
    let grows = |few: f64, many: f64| {
        let error = ((few * (1.0 - few) + many * (1.0 - many)) / RUNS as f64).sqrt();
        many - few > 3.0 * error || few > 0.9 && many >= few
    };
    for pair in power.windows(2) {
        assert!(grows(pair[0].0, pair[1].0), "verdicts {power:?}");
        assert!(grows(pair[0].1, pair[1].1), "tests {power:?}");
    }
    assert!(power[3].0 > 0.95 && power[3].1 > 0.95, "{power:?}");
}

/// Where the shift is exactly delta, either verdict would be wrong; each comes in at most 5 % of the runs, plus 3
/// standard errors (one-sided α = 1.4e-3). 300 runs of 20,000 reports, seed 51.
#[test]
fn a_shift_of_delta_is_neither_drift_nor_stable() {
    const RUNS: usize = 300;
    let mut generator = Generator::new(51);
    for fleet in [
        Fleet::new(2.0, 1, true, &[0.7, 0.3], 0.3),
        Fleet::new(1.0, 2, true, &[0.3, 0.25, 0.2, 0.15, 0.1], 0.1),
        Fleet::new(3.0, 1, false, &[0.4, 0.2, 0.2, 0.1, 0.1], 0.1),
    ] {
        let now = fleet.shifted(0.05);
        let (mut drift, mut stable) = (0_u32, 0_u32);
        for _ in 0..RUNS {
            match fleet.compare(&now, 20_000, 50_000, 0.05, 0.05, &mut generator).verdict {
                Verdict::Drift => drift += 1,
                Verdict::Stable => stable += 1,
                Verdict::Inconclusive => {}
            }
        }
        let limit = (0.05 + 3.0 * (0.05 * 0.95 / RUNS as f64).sqrt()) * RUNS as f64;
        assert!(f64::from(drift) <= limit && f64::from(stable) <= limit, "{drift} drift, {stable} stable of {RUNS}");
    }
}

/// A shift below delta with many reports is stable, one above it is drift: 100 runs of 400,000 reports and a reference
/// of a million; seed 61. The effect is 1 and 9 points, delta 5 points, the standard error of a contrast below 0.7
/// points, so that 4 points are more than 5 of them: z is 2.6 at most, and a run errs with probability below 1 %. Five
/// of a hundred such runs err with probability below 4e-3.
#[test]
fn many_reports_decide() {
    const RUNS: usize = 100;
    let mut generator = Generator::new(61);
    for fleet in [Fleet::new(2.0, 1, true, &[0.7, 0.3], 0.3), Fleet::new(2.0, 1, false, &[0.4, 0.3, 0.2, 0.1], 0.3)] {
        for (shift, expected) in [(0.01, Verdict::Stable), (0.09, Verdict::Drift)] {
            let now = fleet.shifted(shift);
            let mut right = 0;
            for _ in 0..RUNS {
                let found = fleet.compare(&now, 400_000, 1_000_000, 0.05, 0.05, &mut generator);
                assert!(found.effect.standard_error < 0.007, "{}", found.effect.standard_error);
                right += usize::from(found.verdict == expected);
            }
            assert!(right > RUNS - 5, "shift {shift}: {right} of {RUNS} are {expected:?}");
        }
    }
}

/// At `reports_needed` the interval just reaches delta if the estimate is the truth, so half of the runs decide; at
/// four times as many, nearly all do. 400 runs, seed 71; 3 standard errors of a half are 7.5 points (α = 2.7e-3), and 4
/// points more for the estimate, which is within 0.1 of 4 points of the truth, 0.05 standard errors.
#[test]
fn the_reports_that_are_said_to_be_needed_decide() {
    const RUNS: usize = 400;
    let mut generator = Generator::new(71);
    let fleet = Fleet::new(2.0, 1, true, &[0.7, 0.3], 0.3);
    let now = fleet.shifted(0.06);
    let mut compare = |n| fleet.compare(&now, n, 40_000, 0.02, 0.05, &mut generator);
    let close =
        |found: &Assessment| found.verdict == Verdict::Inconclusive && (found.effect.estimate - 0.06).abs() < 0.001;
    let found = (0..1_000).map(|_| compare(2_000)).find(close).expect("a run whose estimate is close to the truth");
    let needed = found.reports_needed.expect("a number decides");
    let mut decided =
        |n| (0..RUNS).filter(|_| compare(n).verdict != Verdict::Inconclusive).count() as f64 / RUNS as f64;
    let (just, amply) = (decided(needed), decided(4 * needed));
    assert!((just - 0.5).abs() < 0.075 + 0.04, "{just} at {needed}");
    assert!(amply > 0.95, "{amply} at {}", 4 * needed);
}
