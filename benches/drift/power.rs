//! How much data a shift needs, beside the optimum without privacy; and the power of the default questions.
//!
//! The feature is a standard normal number, one event per device; cells have even shares in the reference; the current
//! sample is shifted. Sums are drawn exactly ([`super::simulated`]).

use driftglass::drift::{
    Comparison, NormLaws, Shape, combined_p_value, location_information, normal_quantile, one_shot, threshold_mix,
};
use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::Options;
use super::simulated::{Encoding, Simulated};

const LEVEL: f64 = 0.05;
const SHIFT: f64 = 0.1;
const SEED: u64 = 22_020_872;

pub(super) fn run(options: &Options) {
    prices(if options.quick { 500 } else { 2_000 });
    questions(if options.quick { 500 } else { 2_000 });
}

/// Shares of k cells that are even at no shift, after a shift.
fn shifted(k: usize, shift: f64) -> Vec<f64> {
    let below = |x: f64| libm::erfc(-(x - shift) / core::f64::consts::SQRT_2) / 2.0;
    let sums: Vec<f64> = (1..k).map(|cell| below(normal_quantile(cell as f64 / k as f64))).chain([1.0]).collect();
    (0..k).map(|cell| sums[cell] - if cell > 0 { sums[cell - 1] } else { 0.0 }).collect()
}

fn compared(simulated: &Simulated, k: usize, shift: f64, n: u64, rng: &mut SmallRng) -> Comparison {
    let then = simulated.draw(&simulated.law(&shifted(k, 0.0)), n, rng);
    let now = simulated.draw(&simulated.law(&shifted(k, shift)), n, rng);
    Comparison::of_samples(&simulated.channel, now.sample(), then.sample()).expect("reports")
}

/// Rejections with their standard error.
fn rate(alarms: u32, runs: u32) -> String {
    let rate = f64::from(alarms) / f64::from(runs);
    format!("{rate:.3} ± {:.3}", (rate * (1.0 - rate) / f64::from(runs)).sqrt())
}

/// 1/I, and whether so many times the data do give the power of the z-test.
fn prices(runs: u32) {
    println!("Data price of a location shift, in events of the z-test without privacy; the best encoding last.");
    println!("Check: power of the location test with price × 1,570 reports in each sample, shift {SHIFT} sd, where");
    println!("the z-test has 0.80 with 1,570 events in each; {runs} runs, seed {SEED}.\n");
    println!("| ε | split | 3 bins | 5 bins | 10 bins | 10 bins OUE | 10 bins subset | best | target | check |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (epsilon, target) in [(0.5, "-"), (1.0, "8"), (2.0, "3"), (4.0, "1.5"), (8.0, "-")] {
        let encodings = [
            (Encoding::KAry, 2),
            (Encoding::KAry, 3),
            (Encoding::KAry, 5),
            (Encoding::KAry, 10),
            (Encoding::Optimized, 10),
            (Encoding::Subset, 10),
        ];
        let mut best: Option<(f64, Simulated, usize)> = None;
        let mut row = Vec::new();
        for (encoding, k) in encodings {
            let Some(simulated) = encoding.at(k, epsilon) else {
                row.push("= k-ary".to_owned());
                continue;
            };
            let price = 1.0 / location_information(&simulated.channel, &shifted(k, 0.0)).expect("cells");
            row.push(format!("{price:.2}"));
            if best.as_ref().is_none_or(|(least, ..)| price < *least) {
                best = Some((price, simulated, k));
            }
        }
        let (price, simulated, k) = best.expect("an encoding");
        let mut rng = SmallRng::seed_from_u64(SEED);
        let optimum = 2.0 * (normal_quantile(0.975) + normal_quantile(0.8)).powi(2) / (SHIFT * SHIFT);
        let n = (price * optimum).round() as u64;
        let mut laws = NormLaws::with_tolerance(0.2);
        let mut alarms = 0;
        for _ in 0..runs {
            let found = one_shot(&compared(&simulated, k, SHIFT, n, &mut rng), true, &mut laws).expect("cells");
            let Shape::Ordered { location, .. } = found.shape else { unreachable!("ordered cells") };
            alarms += u32::from(location.p_value <= LEVEL);
        }
        println!("| {epsilon} | {} | {k} bins {price:.2} | {target} | {} |", row.join(" | "), rate(alarms, runs));
    }
    println!();
}

/// Power at ε = 1 with 100,000 devices in each sample, of the default mix and of histograms alone.
fn questions(runs: u32) {
    const N: u64 = 100_000;
    const BINS: usize = 10;
    const EPSILON: f64 = 1.0;
    println!("Power: ε = {EPSILON}, {N} devices in each sample, shift {SHIFT} sd either way, {runs} runs, seed {SEED}");
    println!("(level: the same without a shift)\n");
    println!("| questions | test | power | level |");
    println!("| --- | --- | --- | --- |");
    let tests = ["omnibus", "location", "KS", "W1", "combined"];
    for encoding in [Encoding::Subset, Encoding::Optimized, Encoding::KAry] {
        let histogram = encoding.at(BINS, EPSILON).expect("a channel");
        let [power, level] = [SHIFT, 0.0].map(|shift| {
            let mut rng = SmallRng::seed_from_u64(SEED + 1);
            let mut laws = NormLaws::with_tolerance(0.2);
            let mut alarms = [0; 5];
            for run in 0..runs {
                let direction = if run % 2 == 0 { shift } else { -shift };
                let compared = compared(&histogram, BINS, direction, N, &mut rng);
                let p_values = p_values(&compared, &mut laws);
                alarms.iter_mut().zip(p_values).for_each(|(alarms, p)| *alarms += u32::from(p <= LEVEL));
            }
            alarms
        });
        for (test, (power, level)) in tests.iter().zip(power.into_iter().zip(level)) {
            println!("| histogram, {} | {test} | {} | {} |", encoding.name(), rate(power, runs), rate(level, runs));
        }
    }
    let bit = Encoding::KAry.at(2, EPSILON).expect("a channel");
    let histogram = Encoding::Subset.at(BINS, EPSILON).expect("a channel");
    let mix = threshold_mix(&bit.channel, &histogram.channel, &[1.0 / BINS as f64; BINS]).expect("cells");
    let total = u64::from(mix.threshold + mix.histogram);
    let [bits, histograms] = [mix.threshold, mix.histogram].map(|weight| N * u64::from(weight) / total);
    let [power, level] = [SHIFT, 0.0].map(|shift| {
        let mut rng = SmallRng::seed_from_u64(SEED + 2);
        let mut laws = [true, false].map(|_| NormLaws::with_tolerance(0.2));
        let mut alarms = 0;
        for run in 0..runs {
            let direction = if run % 2 == 0 { shift } else { -shift };
            let [of_bit, of_histogram] = [(&bit, 2, bits), (&histogram, BINS, histograms)].map(|(asked, k, n)| {
                p_values(&compared(asked, k, direction, n, &mut rng), &mut laws[usize::from(k > 2)])[4]
            });
            alarms += u32::from(combined_p_value(of_bit, of_histogram, mix.evidence) <= LEVEL);
        }
        alarms
    });
    println!(
        "| default mix, {} : {} (gain {:.2}, evidence {:.2}) | combined | {} | {} |\n",
        mix.threshold,
        mix.histogram,
        mix.gain,
        mix.evidence,
        rate(power, runs),
        rate(level, runs),
    );
}

fn p_values(compared: &Comparison, laws: &mut NormLaws) -> [f64; 5] {
    let found = one_shot(compared, true, laws).expect("cells");
    let Shape::Ordered { location, ks, w1, .. } = found.shape else { unreachable!("ordered cells") };
    [found.omnibus.p_value, location.p_value, ks.p_value, w1.p_value, found.combined]
}
