//! Whether the metrics that moved are ranked first.
//!
//! One run: 200 metrics, 3 of them moved; reference and current window both through the mechanism.
//!
//! - **Metric**: k cells, k uniform on 4–32; n reports in the reference and n now, n log-uniform on 5,000–100,000. Every
//!   other metric is ordered with even shares (cells are quantiles); the others are categories with Zipf shares
//!   ∝ (rank)^−1.
//! - **Shift**: size s log-uniform on [`SIZES`]. An ordered metric is Gaussian before and N(s, 1) after, in
//!   standard deviations, with equal odds of up and down (its cells stay the quantiles from before). A category metric
//!   loses the total variation s/√(2π) (to first order what the Gaussian shift moves across its middle is s φ(0)) from a
//!   random half of its cells, in proportion to their shares, to the other half, in proportion to theirs. Where a half
//!   holds too little, it loses nine tenths of what it holds.
//! - **Reports**: supports are drawn from the normal law with the exact mean and covariance of the mechanism (n ≥ 5,000)
//!   and rounded to integers; all that follows is what the centre does with real ones.
//!
//! The sizes are so chosen that the omnibus test under OUE finds about as much as in the set-up
//! that the targets come from (.589 at ε = 1, .994 at ε = 4).
//!
//! **Ranked by** raw PSI: Σ (c − r) ln(c/r) of shares clipped at 10⁻⁴; de-biased PSI: Σ (d² − Var d)/p; Wald: −ln p
//! of the omnibus test on the projected difference (shares sum to 1); combined: [`moved`]; PSI without noise: raw PSI
//! of the true counts of the same devices. **Recall at 3**: of the 3 moved, the share among the first 3.

use driftglass::drift::{Suspect, log_chi_squared_survival, moved, rank, wald};
use driftglass::estimate::{Channel, Estimate, Matrix, clipped};
use driftglass::spec::{Mechanism, Randomizer, Weights};
use fastrand::Rng;

use super::Options;
use super::effects::located;
use super::sequential::normal;

const METRICS: usize = 200;
const MOVED: usize = 3;
/// Standard deviations, log-uniform between.
const SIZES: [f64; 2] = [0.2, 0.7];
const SEED: u64 = 38;
const RANKINGS: [&str; 5] = ["raw PSI", "de-biased PSI", "Wald", "combined", "PSI, no noise"];

pub(super) fn run(options: &Options) {
    let runs = if options.quick { 30 } else { 1_000 };
    println!("Root cause: {METRICS} metrics, {MOVED} moved by {} to {} sd, recall at {MOVED}", SIZES[0], SIZES[1]);
    println!("{runs} runs, seed {SEED}; ± one standard error over runs\n");
    println!("| ε | mechanism | {} |", RANKINGS.join(" | "));
    println!("| --- | --- |{}", " ---: |".repeat(RANKINGS.len()));
    for epsilon in [1, 2, 4] {
        for (name, best) in [("OUE", false), ("best", true)] {
            // The same metrics and shifts for every line.
            let mut rng = Rng::with_seed(SEED);
            let mut sums = [[0.0; 2]; RANKINGS.len()];
            for _ in 0..runs {
                let recalls = one(epsilon, best, &mut rng.fork());
                for (sum, recall) in sums.iter_mut().zip(recalls) {
                    sum[0] += recall;
                    sum[1] += recall * recall;
                }
            }
            let n = f64::from(runs);
            let cell = |[sum, squares]: &[f64; 2]| {
                let mean = sum / n;
                format!("{mean:.3} ± {:.3}", libm::sqrt((squares / n - mean * mean).max(0.0) / n))
            };
            println!("| {epsilon} | {name} | {} |", sums.iter().map(cell).collect::<Vec<_>>().join(" | "));
        }
    }
    println!();
}

/// Recall of each ranking in one run.
fn one(epsilon: u32, best: bool, rng: &mut Rng) -> [f64; RANKINGS.len()] {
    let mut scores: [Vec<Suspect>; RANKINGS.len()] = Default::default();
    for metric in 0..METRICS {
        let k = rng.usize(4..=32);
        let n = libm::round(log_uniform(5_000.0, 100_000.0, rng));
        let ordered = metric % 2 == 0;
        let before = if ordered { vec![1.0 / k as f64; k] } else { zipf(k) };
        let size = log_uniform(SIZES[0], SIZES[1], rng);
        let after = match (metric < MOVED, ordered) {
            (false, _) => before.clone(),
            (true, true) => located(k, if rng.bool() { size } else { -size }),
            (true, false) => halves(&before, size / libm::sqrt(2.0 * core::f64::consts::PI), rng),
        };
        let channel = Channel::of(&randomizer(k, epsilon, best), k).expect("counted");
        let evidence = compare(&before, &after, n, &channel, ordered, rng);
        for (list, evidence) in scores.iter_mut().zip(evidence) {
            list.push(Suspect { metric, segment: 0, evidence, changed: None });
        }
    }
    let recall = |list: &Vec<Suspect>| {
        rank(list).iter().take(MOVED).filter(|place| list[**place].metric < MOVED).count() as f64 / MOVED as f64
    };
    core::array::from_fn(|ranking| recall(&scores[ranking]))
}

fn randomizer(k: usize, epsilon: u32, best: bool) -> Randomizer {
    let micronats = u64::from(epsilon) * 1_000_000;
    if best {
        let limits = driftglass::chooser::Limits::default();
        return driftglass::chooser::choose(k, micronats, &limits).expect("something fits").randomizer;
    }
    Randomizer { mechanism: Mechanism::OptimizedUnary, weights: Weights::within(micronats) }
}

/// The score of one metric under each ranking.
fn compare(
    before: &[f64],
    after: &[f64],
    n: f64,
    channel: &Channel,
    ordered: bool,
    rng: &mut Rng,
) -> [f64; RANKINGS.len()] {
    // The devices' own symbols first: multinomial, in its normal limit; then the mechanism's noise given them.
    let [then, now] = [before, after].map(|shares| {
        let sample = |u: usize, v: usize| {
            let same = if u == v { shares[u] } else { 0.0 };
            (same - shares[u] * shares[v]) / n
        };
        let devices = normally(shares, &Matrix::symmetric(shares.len(), sample), rng);
        let full = channel.covariance(shares, n);
        let noise = Matrix::symmetric(shares.len(), |u, v| full.at(u, v) - sample(u, v));
        let shares = normally(&devices, &noise, rng);
        let (p, q) = (channel.keep_probability(), channel.false_probability());
        let support: Vec<u64> =
            shares.iter().map(|share| libm::round(n * (q + (p - q) * share)).clamp(0.0, n) as u64).collect();
        (devices, channel.estimate(n as u64, &support).expect("reports"))
    });
    let difference: Vec<f64> = now.1.shares.iter().zip(&then.1.shares).map(|(now, then)| now - then).collect();
    let pooled = pooled(&then.1, &now.1);
    let null = channel.covariance(&pooled, n / 2.0);
    let debiased = |cell: usize| (difference[cell] * difference[cell] - null.at(cell, cell)) / pooled[cell].max(1e-4);
    let omnibus =
        wald(&difference, &null).map_or(0.0, |wald| -log_chi_squared_survival(wald.statistic, wald.df as f64));
    [
        psi(&then.1.shares, &now.1.shares),
        (0..difference.len()).map(debiased).sum(),
        omnibus,
        moved(&difference, &null, &pooled, ordered).unwrap_or(0.0),
        psi(&then.0, &now.0),
    ]
}

fn pooled(then: &Estimate, now: &Estimate) -> Vec<f64> {
    clipped(&then.shares.iter().zip(&now.shares).map(|(then, now)| (then + now) / 2.0).collect::<Vec<_>>())
}

fn psi(then: &[f64], now: &[f64]) -> f64 {
    let floor = |share: &f64| share.max(1e-4);
    then.iter().zip(now).map(|(then, now)| (floor(now) - floor(then)) * libm::log(floor(now) / floor(then))).sum()
}

/// A draw from the normal law, whose covariance may be singular.
fn normally(mean: &[f64], covariance: &Matrix, rng: &mut Rng) -> Vec<f64> {
    let z: Vec<f64> = mean.iter().map(|_| normal(rng)).collect();
    covariance.root().times(&z).iter().zip(mean).map(|(noise, mean)| mean + noise).collect()
}

fn log_uniform(low: f64, high: f64, rng: &mut Rng) -> f64 {
    low * libm::pow(high / low, rng.f64())
}

fn zipf(k: usize) -> Vec<f64> {
    let total: f64 = (1..=k).map(|rank| 1.0 / rank as f64).sum();
    (1..=k).map(|rank| 1.0 / rank as f64 / total).collect()
}

/// A random half of the cells loses `variation`, the other gains it, in proportion to their shares.
fn halves(shares: &[f64], variation: f64, rng: &mut Rng) -> Vec<f64> {
    let mut order: Vec<usize> = (0..shares.len()).collect();
    rng.shuffle(&mut order);
    let (falling, rising) = order.split_at(shares.len() / 2);
    let hold = |cells: &[usize]| cells.iter().map(|cell| shares[*cell]).sum::<f64>();
    let moved = variation.min(0.9 * hold(falling));
    let mut after = shares.to_vec();
    for (cells, sign) in [(falling, -1.0), (rising, 1.0)] {
        let total = hold(cells);
        cells.iter().for_each(|cell| after[*cell] += sign * moved * shares[*cell] / total);
    }
    after
}
