//! Whether nothing alarms too often, however long one looks and at however many metrics.
//!
//! Three tables, for k-ary randomized response with 500 reports a look and no drift unless said:
//!
//! 1. *E-processes*: share of runs in which `Comparison` reaches 1/0.05 at any of 1,000 looks, for four cells of
//!    unequal shares. 500 devices answer in every window. Each has shares of its own, drawn once per run from
//!    Dirichlet((1/ρ − 1) p), so that its answers have the correlation ρ; ρ is declared, and so is the number of
//!    devices. The reference is estimated from 60 or 5 windows, of the same fleet (whose mean then cancels) or of
//!    another 500 devices (declared as 1/250 = 1/500 + 1/500), where it does not. Counts of a window are multinomial at
//!    the fleet's mean: given the fleet, true counts vary less, so the simulation is a little harder than the truth.
//!    A further table has rare cells and unary encoding.
//! 2. *E-detectors*: looks until the first alarm, at most 10 times the run length asked for (so the mean is a lower
//!    bound).
//! 3. *Many metrics*: 1,000 metrics, ten even cells, eps 4, of which 50 are shifted from the first look on by TV 0.05
//!    in a random direction; what was ever rejected in 50 looks, by e-BH at each look, and by BH on the χ² test of the
//!    same sums.

use driftglass::drift::sequential::bet::{LEARNT_CONCENTRATIONS, MEMORY};
use driftglass::drift::sequential::{
    Comparison, Dirichlet, DirichletDetector, Repetition, Stream, StreamSettings, benjamini_hochberg, e_bh,
    log_threshold,
};
use driftglass::drift::{Measure, QuestionReference, chi_squared_survival};
use driftglass::estimate::{Channel, Estimate};
use driftglass::spec::{Mechanism, Randomizer, Weights};
use fastrand::Rng;

use super::Options;

const SHARES: [f64; 4] = [0.1, 0.2, 0.3, 0.4];
const REPORTS: u64 = 500;
const DEVICES: u64 = 500;
const LOOKS: u64 = 1_000;
const LEVEL: f64 = 0.05;
const SEED: u64 = 1_000;

pub(super) fn run(options: &Options) {
    processes(options);
    other_channels(options);
    metrics(options);
    detectors(options);
}

/// K-ary randomized response at eps.
fn k_ary(epsilon: f64, cells: usize) -> Channel {
    let weights = Weights::within((epsilon * 1e6) as u64);
    Channel::of(&Randomizer { mechanism: Mechanism::KAry, weights }, cells).expect("a frequency oracle")
}

/// Probabilities of the symbols that are sent.
fn sent(channel: &Channel, shares: &[f64]) -> Vec<f64> {
    let (p, q) = (channel.keep_probability(), channel.false_probability());
    shares.iter().map(|share| q + (p - q) * share).collect()
}

/// The mean of the shares of 500 devices.
fn fleet(shares: &[f64], correlation: f64, rng: &mut Rng) -> Vec<f64> {
    if correlation == 0.0 {
        return shares.to_vec();
    }
    let mut mean = vec![0.0; shares.len()];
    for _ in 0..DEVICES {
        let draws: Vec<f64> = shares.iter().map(|share| gamma((1.0 / correlation - 1.0) * share, rng)).collect();
        let sum: f64 = draws.iter().sum();
        mean.iter_mut().zip(draws).for_each(|(mean, draw)| *mean += draw / sum / DEVICES as f64);
    }
    mean
}

/// What is compared in one run.
struct World {
    sent: Vec<f64>,
    reference: QuestionReference,
    repetition: Repetition,
}

fn world(channel: &Channel, correlation: f64, windows: u64, same_fleet: bool, rng: &mut Rng) -> World {
    let devices = fleet(&SHARES, correlation, rng);
    let others = if same_fleet { devices.clone() } else { fleet(&SHARES, correlation, rng) };
    let reports = windows * REPORTS;
    let counts = multinomial(reports, &sent(channel, &others), rng);
    let Estimate { shares, covariance } = channel.estimate(reports, &counts).expect("reports");
    let reference = QuestionReference { device_windows: reports, shares, covariance };
    let repetition = Repetition::Fresh { correlation, devices: if same_fleet { DEVICES } else { DEVICES / 2 } };
    World { sent: sent(channel, &devices), reference, repetition }
}

fn processes(options: &Options) {
    let most = if options.quick { 200 } else { 10_000 };
    println!(
        "\nE-processes at level {LEVEL}: share of runs that alarm within {LOOKS} looks, seed {SEED}, in \
         percent with its standard error; {most} runs (another fleet: {})",
        most / 5
    );
    println!("{:<8} {:<8} {:<10} {:>7} {:>14}", "eps", "fleet", "reference", "rho", "alarms, %");
    for same_fleet in [true, false] {
        for epsilon in [0.5, 1.0, 2.0, 4.0, 8.0] {
            for windows in [60, 5] {
                for correlation in [0.0, 0.05, 0.2] {
                    if !same_fleet && correlation == 0.0 {
                        continue;
                    }
                    let runs = if same_fleet { most } else { most / 5 };
                    let channel = k_ary(epsilon, SHARES.len());
                    let mut rng = Rng::with_seed(SEED);
                    let run = |_: &usize| alarms(&channel, correlation, windows, same_fleet, &mut rng);
                    let share = (0..runs).filter(run).count() as f64 / runs as f64;
                    let error = libm::sqrt(share * (1.0 - share) / runs as f64);
                    let name = if same_fleet { "same" } else { "another" };
                    let alarms = format!("{:.2} +- {:.2}", 100.0 * share, 100.0 * error);
                    println!("{epsilon:<8} {name:<8} {windows:<10} {correlation:>7} {alarms:>14}");
                }
            }
        }
    }
}

/// Whether a run without drift alarms.
fn alarms(channel: &Channel, correlation: f64, windows: u64, same_fleet: bool, rng: &mut Rng) -> bool {
    let world = world(channel, correlation, windows, same_fleet, rng);
    let mut process = Comparison::new(channel, SHARES.len(), &world.reference, world.repetition).expect("fits");
    let mut counts = [0; SHARES.len()];
    (1..=LOOKS).any(|number| {
        multinomial_into(REPORTS, &world.sent, &mut counts, rng);
        process.look(number, REPORTS, &counts).expect("in order") >= libm::log(1.0 / LEVEL)
    })
}

/// More cells, rare ones among them, and reports that support several symbols.
fn other_channels(options: &Options) {
    let runs = if options.quick { 20 } else { 1_000 };
    println!(
        "\nThe same for other channels and cells (another {runs} runs, rho 0; Zipf: shares in proportion to 1/rank)"
    );
    println!("{:<8} {:<28} {:<10} {:>14}", "eps", "channel", "reference", "alarms, %");
    let zipf: Vec<f64> = (1..=16).map(|rank| 1.0 / f64::from(rank)).collect();
    let sum: f64 = zipf.iter().sum();
    let zipf: Vec<f64> = zipf.iter().map(|share| share / sum).collect();
    let mechanisms = [
        ("k-ary, 16 cells, Zipf", Mechanism::KAry, &zipf[..]),
        ("unary, 4 cells", Mechanism::OptimizedUnary, &SHARES[..]),
        ("unary, 16 cells, Zipf", Mechanism::OptimizedUnary, &zipf[..]),
    ];
    for (name, mechanism, shares) in mechanisms {
        for epsilon in [1.0, 8.0] {
            let weights = Weights::within((epsilon * 1e6) as u64);
            let channel = Channel::of(&Randomizer { mechanism, weights }, shares.len()).expect("a frequency oracle");
            for windows in [60, 5] {
                let mut rng = Rng::with_seed(SEED);
                let alarm = |_: &usize| {
                    let reports = windows * REPORTS;
                    let counts = support(&channel, mechanism, reports, shares, &mut rng);
                    let Estimate { shares: found, covariance } = channel.estimate(reports, &counts).expect("reports");
                    let reference = QuestionReference { device_windows: reports, shares: found, covariance };
                    let mut process =
                        Comparison::new(&channel, shares.len(), &reference, Repetition::Once).expect("fits");
                    (1..=LOOKS).any(|number| {
                        let counts = support(&channel, mechanism, REPORTS, shares, &mut rng);
                        process.look(number, REPORTS, &counts).expect("in order") >= libm::log(1.0 / LEVEL)
                    })
                };
                let share = (0..runs).filter(alarm).count() as f64 / runs as f64;
                let error = libm::sqrt(share * (1.0 - share) / runs as f64);
                let alarms = format!("{:.2} +- {:.2}", 100.0 * share, 100.0 * error);
                println!("{epsilon:<8} {name:<28} {windows:<10} {alarms:>14}");
            }
        }
    }
}

/// How many of n reports support each symbol.
fn support(channel: &Channel, mechanism: Mechanism, n: u64, shares: &[f64], rng: &mut Rng) -> Vec<u64> {
    if mechanism == Mechanism::KAry {
        return multinomial(n, &sent(channel, shares), rng);
    }
    // Given the true symbols, the bits of unary encoding are independent.
    let (p, q) = (channel.keep_probability(), channel.false_probability());
    let truth = multinomial(n, shares, rng);
    truth.iter().map(|count| binomial(*count, p, rng) + binomial(n - count, q, rng)).collect()
}

fn detectors(options: &Options) {
    let runs = if options.quick { 20 } else { 400 };
    println!("\nE-detectors: looks until the first alarm without drift, mean with its standard error, {runs} runs");
    println!("{:<6} {:<44} {:>16} {:>18}", "eps", "detector", "asked: 200", "asked: 1,000");
    for epsilon in [0.5, 1.0, 4.0, 8.0] {
        let channel = k_ary(epsilon, SHARES.len());
        let row = |name: &str, length: &dyn Fn(f64, &mut Rng) -> f64| {
            let cell = |asked: f64| {
                let mut rng = Rng::with_seed(SEED);
                let lengths: Vec<f64> = (0..runs).map(|_| length(asked, &mut rng)).collect();
                let (mean, error) = mean_and_error(&lengths);
                format!("{mean:.0} +- {error:.0}")
            };
            println!("{epsilon:<6} {name:<44} {:>16} {:>18}", cell(200.0), cell(1_000.0));
        };
        row("DirichletDetector, known reference", &|asked, rng| {
            let null = sent(&channel, &SHARES);
            let mut detector = DirichletDetector::new(&null, &LEARNT_CONCENTRATIONS, MEMORY).expect("probabilities");
            run_length(asked, |_| detector.look(&multinomial(REPORTS, &null, rng)).log_shiryaev_roberts)
        });
        for (name, correlation, windows, same) in [
            ("Stream, 60 windows, rho 0", 0.0, 60, true),
            ("Stream, 5 windows, rho 0", 0.0, 5, true),
            ("Stream, 60 windows of another fleet, rho 0.2", 0.2, 60, false),
        ] {
            row(name, &|asked, rng| {
                let world = world(&channel, correlation, windows, same, rng);
                let (repetition, measure) = (world.repetition, Measure::LInfinity);
                let settings = StreamSettings { measure, repetition, alpha: LEVEL, memory: MEMORY };
                let mut stream = Stream::new(&channel, SHARES.len(), &world.reference, settings).expect("fits");
                run_length(asked, |number| {
                    let counts = multinomial(REPORTS, &world.sent, rng);
                    stream.look(number, REPORTS, &counts).expect("in order").detection.log_shiryaev_roberts
                })
            });
        }
    }
}

fn run_length(asked: f64, mut look: impl FnMut(u64) -> f64) -> f64 {
    let most = (10.0 * asked) as u64;
    (1..=most).find(|number| look(*number) >= log_threshold(asked)).unwrap_or(most) as f64
}

fn metrics(options: &Options) {
    const METRICS: usize = 1_000;
    const SHIFTED: usize = 50;
    const CELLS: usize = 10;
    let runs = if options.quick { 3 } else { 50 };
    let channel = k_ary(4.0, CELLS);
    let null = sent(&channel, &[1.0 / CELLS as f64; CELLS]);
    let mut rng = Rng::with_seed(SEED);
    let (mut found, mut false_share) = ([vec![], vec![]], [vec![], vec![]]);
    for _ in 0..runs {
        let laws: Vec<Vec<f64>> = (0..METRICS)
            .map(|metric| {
                if metric < SHIFTED { sent(&channel, &super::delay::shifted("random", &mut rng)) } else { null.clone() }
            })
            .collect();
        let mut processes = vec![Dirichlet::new(&null).expect("probabilities"); METRICS];
        let mut sums = vec![vec![0; CELLS]; METRICS];
        let mut ever = [vec![false; METRICS], vec![false; METRICS]];
        for look in 1..=50 {
            let (mut log_e, mut p_values) = (Vec::new(), Vec::new());
            for ((law, process), sums) in laws.iter().zip(&mut processes).zip(&mut sums) {
                let counts = multinomial(REPORTS, law, &mut rng);
                sums.iter_mut().zip(&counts).for_each(|(sum, count)| *sum += count);
                log_e.push(process.look(&counts));
                let term = |(sum, p): (&u64, &f64)| {
                    let expected = (look * REPORTS) as f64 * p;
                    (*sum as f64 - expected) * (*sum as f64 - expected) / expected
                };
                p_values.push(chi_squared_survival(sums.iter().zip(&null).map(term).sum(), CELLS - 1));
            }
            for (ever, rejected) in
                ever.iter_mut().zip([e_bh(&log_e, None, 0.1), benjamini_hochberg(&p_values, None, 0.1)])
            {
                rejected.into_iter().for_each(|metric| ever[metric] = true);
            }
        }
        for (way, ever) in ever.iter().enumerate() {
            let all = ever.iter().filter(|rejected| **rejected).count();
            let right = ever[..SHIFTED].iter().filter(|rejected| **rejected).count();
            found[way].push(right as f64 / SHIFTED as f64);
            false_share[way].push((all - right) as f64 / all.max(1) as f64);
        }
    }
    println!(
        "\n{METRICS} metrics, 50 looks, {SHIFTED} shifted, level 0.1, {runs} runs, seed {SEED}: of those ever rejected"
    );
    for (name, way) in [("e-BH at every look", 0), ("BH at every look", 1)] {
        let (share, share_error) = mean_and_error(&false_share[way]);
        let (power, power_error) = mean_and_error(&found[way]);
        println!("{name:<20} false {share:.4} +- {share_error:.4}, found {power:.4} +- {power_error:.4}");
    }
}

/// Mean with its standard error.
pub(super) fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, libm::sqrt(squares / (n - 1.0) / n))
}

/// A standard normal draw (Box and Muller, 1958).
pub(super) fn normal(rng: &mut Rng) -> f64 {
    libm::sqrt(-2.0 * libm::log(1.0 - rng.f64())) * libm::cos(2.0 * core::f64::consts::PI * rng.f64())
}

/// A gamma draw of shape a and scale 1 (Marsaglia and Tsang, ACM TOMS 26(3), 2000; below shape 1 their section 6).
fn gamma(a: f64, rng: &mut Rng) -> f64 {
    if a < 1.0 {
        return gamma(a + 1.0, rng) * libm::pow(1.0 - rng.f64(), 1.0 / a);
    }
    let d = a - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let x = normal(rng);
        let v = (1.0 + c * x) * (1.0 + c * x) * (1.0 + c * x);
        if v > 0.0 && libm::log(1.0 - rng.f64()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

/// Counts of n draws with these probabilities, which sum to 1: one binomial draw a cell.
pub(super) fn multinomial(n: u64, probabilities: &[f64], rng: &mut Rng) -> Vec<u64> {
    let mut counts = vec![0; probabilities.len()];
    multinomial_into(n, probabilities, &mut counts, rng);
    counts
}

fn multinomial_into(n: u64, probabilities: &[f64], counts: &mut [u64], rng: &mut Rng) {
    let (mut left, mut rest) = (n, 1.0);
    let last = probabilities.len() - 1;
    for (count, p) in counts[..last].iter_mut().zip(probabilities) {
        *count = binomial(left, (p / rest).clamp(0.0, 1.0), rng);
        left -= *count;
        rest = (rest - p).max(1e-300);
    }
    counts[last] = left;
}

/// An exact binomial draw: by inversion for a mean below 10, else by transformed rejection (Hörmann, "The generation of
/// binomial random variates", JSCS 46, 1993, algorithm BTRS).
fn binomial(n: u64, p: f64, rng: &mut Rng) -> u64 {
    if p > 0.5 {
        return n - binomial(n, 1.0 - p, rng);
    }
    let size = n as f64;
    if size * p < 10.0 {
        let odds = p / (1.0 - p);
        let mut chance = libm::exp(size * libm::log1p(-p));
        let (mut u, mut count) = (rng.f64(), 0);
        while u > chance && count < n {
            u -= chance;
            chance *= odds * (n - count) as f64 / (count + 1) as f64;
            count += 1;
        }
        return count;
    }
    let spread = libm::sqrt(size * p * (1.0 - p));
    let b = 1.15 + 2.53 * spread;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let c = size * p + 0.5;
    let squeeze = 0.92 - 4.2 / b;
    let alpha = (2.83 + 5.1 / b) * spread;
    let mode = libm::floor((size + 1.0) * p);
    loop {
        let (u, v) = (rng.f64() - 0.5, 1.0 - rng.f64());
        let distance = 0.5 - libm::fabs(u);
        let count = libm::floor((2.0 * a / distance + b) * u + c);
        if count < 0.0 || count > size {
            continue;
        }
        if distance >= 0.07 && v <= squeeze {
            return count as u64;
        }
        let log_chance = |x: f64| -libm::lgamma(x + 1.0) - libm::lgamma(size - x + 1.0);
        let bound = log_chance(count) - log_chance(mode) + (count - mode) * libm::log(p / (1.0 - p));
        if libm::log(v * alpha / (a / (distance * distance) + b)) <= bound {
            return count as u64;
        }
    }
}
