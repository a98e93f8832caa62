//! Do the one-shot tests keep their level, where it is easily lost? By simulation with fixed seeds.
//!
//! The bench `drift -- --calibration` has the whole table; here are the cases that were wrong once or are wrong in the
//! textbook form. A level of 5 % over R runs has a standard error of √(0.05 · 0.95/R); bounds are 4 of them and 1 point
//! for what is asymptotic, so that a sound implementation fails under a fresh seed with a probability below 1e-4.

use driftglass::aggregate::Aggregate;
use driftglass::drift::{
    Comparison, DeviceMoments, LEAST_EXPECTED, QuestionReference, RareCells, Sample, assess, location_shift, wald,
};
use driftglass::estimate::{Channel, Matrix};
use driftglass::spec::{Mechanism, Question};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Binomial, Distribution};

use crate::randomizers::{at_epsilon, question};

const RUNS: u32 = 2_000;

fn binomial(n: u64, p: f64, rng: &mut SmallRng) -> u64 {
    if n == 0 { 0 } else { Binomial::new(n, p.clamp(0.0, 1.0)).expect("a probability").sample(rng) }
}

fn multinomial(n: u64, shares: &[f64], rng: &mut SmallRng) -> Vec<u64> {
    let (mut left, mut mass) = (n, 1.0);
    let last = shares.len() - 1;
    let mut counts = Vec::new();
    for (place, share) in shares.iter().enumerate() {
        let count = if place == last { left } else { binomial(left, share / mass, rng) };
        counts.push(count);
        left -= count;
        mass -= share;
    }
    counts
}

/// The share of alarms at 5 % is 5 %.
#[track_caller]
fn keeps_its_level(alarms: u32, runs: u32) {
    let level = f64::from(alarms) / f64::from(runs);
    let bound = 0.01 + 4.0 * (0.05_f64 * 0.95 / f64::from(runs)).sqrt();
    assert!((level - 0.05).abs() < bound, "{level} of {runs} runs");
}

/// Sums of unary reports.
fn unary_sums(channel: &Channel, n: u64, shares: &[f64], rng: &mut SmallRng) -> Vec<u64> {
    let (p, q) = (channel.keep_probability(), channel.false_probability());
    let truth = multinomial(n, shares, rng);
    truth.iter().map(|count| binomial(*count, p, rng) + binomial(n - count, q, rng)).collect()
}

/// Optimized unary encoding with "no data": its shares do not sum to 1, and a test that divides by the share with data
/// as if they did is off: it rejected in 28 % of these runs. 2,000 runs of 20,000 devices, 30 % of them without data,
/// against 100,000 device-windows; seed 1.
#[test]
fn assessed_shares_that_do_not_sum_to_one() {
    let cells = [0.5, 0.25, 0.15, 0.1];
    let symbols: Vec<f64> = cells.iter().map(|share| share * 0.7).chain([0.3]).collect();
    let question: Question = question(5, at_epsilon(Mechanism::OptimizedUnary, 1.0));
    let channel = Channel::of(&question.randomizer, 5).expect("a frequency oracle");
    let mut rng = SmallRng::seed_from_u64(1);
    let windows = 100_000;
    let (mut alarms, mut drifts) = (0, 0);
    for _ in 0..RUNS {
        let counts = multinomial(windows, &cells, &mut rng);
        let shares: Vec<f64> = counts.iter().map(|count| *count as f64 / windows as f64).collect();
        let covariance =
            Matrix::from_fn(4, |u, v| (if u == v { shares[u] } else { 0.0 } - shares[u] * shares[v]) / windows as f64);
        let reference = QuestionReference { device_windows: windows, shares, covariance };
        let aggregate = Aggregate::from_sums(20_000, unary_sums(&channel, 20_000, &symbols, &mut rng));
        let found = assess(&question, true, &aggregate, &reference, 0.0, 0.05).expect("devices with data");
        assert!((found.symbols.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((found.cells.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        alarms += u32::from(found.wald.expect("positive definite").p_value <= 0.05);
        drifts += u32::from(found.effect.lower > 0.0);
    }
    keeps_its_level(alarms, RUNS);
    assert!(drifts <= RUNS / 20, "an interval that holds in 95 %: {drifts}");
}

/// 1,500 devices with 20 events each, whose shares are Dirichlet(5 f) (an intraclass correlation of 1/6), each share
/// with Laplace noise of scale 2 per device: the covariance between devices keeps the level, the multinomial one with
/// the same noise added does not. 500 runs, seed 2.
#[test]
fn events_of_one_device_are_alike() {
    const DEVICES: u64 = 1_500;
    const EVENTS: u64 = 20;
    const RUNS: u32 = 500;
    let f = [0.4, 0.3, 0.2, 0.1];
    let mut rng = SmallRng::seed_from_u64(2);
    let laplace = |rng: &mut SmallRng| {
        let u: f64 = rng.random::<f64>() - 0.5;
        -2.0 * u.signum() * (-2.0 * u.abs()).ln_1p()
    };
    // Pólya's urn: events of a device with Dirichlet(5 f) shares.
    let events = |rng: &mut SmallRng| {
        let mut counts = [0.0; 4];
        for drawn in 0..EVENTS {
            let mut at = rng.random::<f64>() * (5.0 + drawn as f64);
            let passed = (0..3).take_while(|cell| {
                at -= 5.0 * f[*cell] + counts[*cell];
                at >= 0.0
            });
            counts[passed.count()] += 1.0;
        }
        counts
    };
    let sample = |rng: &mut SmallRng| {
        let mut moments = DeviceMoments::new(4);
        for _ in 0..DEVICES {
            let report = events(rng).map(|count: f64| (count + laplace(rng)) / EVENTS as f64);
            moments.accumulate(&report).expect("four numbers");
        }
        moments.estimate().expect("devices")
    };
    let (mut alarms, mut textbook) = (0, 0);
    for _ in 0..RUNS {
        let (now, then) = (sample(&mut rng), sample(&mut rng));
        let compared = Comparison::of_estimates(&now, &then, [1.0, 1.0], vec![1e3; 4]).expect("four cells");
        let test = wald(&compared.difference, &compared.covariance).expect("positive definite");
        let p_value = DeviceMoments::p_value(&test, 2 * DEVICES).expect("devices");
        alarms += u32::from(p_value <= 0.05);
        // Multinomial over all events, and the noise's variance 2b² on each count.
        let n = (DEVICES * EVENTS) as f64;
        let covariance = Matrix::from_fn(4, |u, v| {
            let (both, noise) = if u == v { (f[u], 8.0 / (EVENTS as f64 * n)) } else { (0.0, 0.0) };
            2.0 * ((both - f[u] * f[v]) / n + noise)
        });
        let naive = wald(&compared.difference, &covariance).expect("positive definite");
        textbook += u32::from(naive.p_value <= 0.05);
    }
    keeps_its_level(alarms, RUNS);
    assert!(textbook > RUNS / 5, "the textbook covariance rejects {textbook} of {RUNS}");
}

/// 64 symbols at ε = 0.5 with 1,000 reports in each sample, where noise is many times the shares: the score of the
/// contrast for location has the variance 1 at the covariance of the reports that were seen, and 1.2 at that of clipped
/// shares. The mean of z² over R runs has a standard error of √(2/R): 0.045 for 1,000. Seed 4.
#[test]
fn contrasts_of_noise_have_their_variance() {
    const RUNS: u32 = 1_000;
    let channel = Channel::of(&at_epsilon(Mechanism::KAry, 0.5), 64).expect("a frequency oracle");
    let law = channel.support_law(&[1.0 / 64.0; 64]);
    let mut rng = SmallRng::seed_from_u64(4);
    let mut sums = [0.0; 2];
    for _ in 0..RUNS {
        let [now, then] = [(); 2].map(|()| multinomial(1_000, &law, &mut rng));
        let sample = |support| Sample { reports: 1_000, support };
        let compared = Comparison::of_samples(&channel, sample(&now), sample(&then)).expect("reports");
        let shift = location_shift(&compared.shares);
        for (sum, covariance) in
            sums.iter_mut().zip([&compared.covariance, &channel.covariance(&compared.shares, 500.0)])
        {
            // Scores in units of the shift's length, by all cells but the last, on which the others leave no freedom.
            let factor = covariance.cholesky(63).expect("positive definite");
            let (direction, whitened) = (factor.whiten(&shift), factor.whiten(&compared.difference));
            let [along, length] =
                [&whitened, &direction].map(|other| direction.iter().zip(other).map(|(a, b)| a * b).sum::<f64>());
            *sum += along * along / length;
        }
    }
    let [found, clipped] = sums.map(|sum: f64| sum / f64::from(RUNS));
    assert!((found - 1.0).abs() < 4.0 * 0.045, "{found}");
    assert!(clipped > 1.15, "{clipped}: this test can tell them apart");
}

/// Rare symbols at large ε: 32 Zipf cells, 300 reports in each sample, where most cells have fewer than 5. 1,000 runs,
/// seed 3.
#[test]
fn rare_cells_keep_the_level() {
    const RUNS: u32 = 1_000;
    let total: f64 = (1..=32).map(|rank| 1.0 / f64::from(rank)).sum();
    let shares: Vec<f64> = (1..=32).map(|rank| 1.0 / f64::from(rank) / total).collect();
    let channel = Channel::k_ary(32, 0.98);
    let law = channel.support_law(&shares);
    let mut rng = SmallRng::seed_from_u64(3);
    let mut alarms = [0; 2];
    for _ in 0..RUNS {
        let [now, then] = [(); 2].map(|()| multinomial(300, &law, &mut rng));
        let sample = |support| Sample { reports: 300, support };
        let compared = Comparison::of_samples(&channel, sample(&now), sample(&then)).expect("reports");
        for (alarms, ordered) in alarms.iter_mut().zip([true, false]) {
            let groups = RareCells::new(&compared.expected, ordered, LEAST_EXPECTED);
            assert!(groups.groups < 32);
            let merged = compared.merged(&groups.group);
            let found = wald(&merged.difference, &merged.covariance).expect("positive definite");
            *alarms += u32::from(found.p_value <= 0.05);
        }
    }
    alarms.into_iter().for_each(|alarms| keeps_its_level(alarms, RUNS));
}
