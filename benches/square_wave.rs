//! `cargo bench --bench square_wave`: how near a reconstructed distribution comes to the true one.
//!
//! As in section 2.3 of the reference measurements: 100,000 devices with one Beta(2, 5) value each, all with data. The
//! square wave with smoothed expectation maximization, at 64 and at 256 cells, next to the best frequency oracle with
//! Norm-Sub at 64 cells in the same run. The distance is Wasserstein-1 on [0, 1], the mean of |F̂ − F| at the middles
//! of 8,192 equal parts: F̂ the cumulative shares, a straight line in each cell; F that of Beta(2, 5), or of the
//! 100,000 values themselves. Seeds 1 to 20; every randomizer is the shipped one.
#![allow(clippy::print_stdout, reason = "a bench prints its table")]

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/it/entropy.rs"]
mod entropy;

use driftglass::estimate::{Channel, Stop, Windows, maximize_smoothed, norm_sub, square_wave, square_wave_half_width};
use driftglass::privacy::{Charge, Decoder, DeviceSecret, Draws, Ledger, SquareWave, SubsetSelection};
use driftglass::spec::{Cap, Mechanism, Randomizer, SpecId, Weights};
use entropy::Generator;

const DEVICES: usize = 100_000;
const SEEDS: std::ops::RangeInclusive<u64> = 1..=20;
const PARTS: usize = 8_192;

/// ε in millionths, and the greatest mean distance allowed.
const TARGETS: [(u64, f64); 4] = [(500_000, 0.026), (1_000_000, 0.0115), (2_000_000, 0.0044), (4_000_000, 0.0018)];

/// From counters to shares of the cells among devices with data.
type Decode = fn(&Randomizer, usize, &[u64]) -> Vec<f64>;

fn main() {
    println!("W1 to Beta(2, 5) (and to the values drawn); n = {DEVICES}, seeds {SEEDS:?}");
    println!("ε    target  method                         mean     median   min      max      (mean to values)");
    for (micronats, target) in TARGETS {
        let (epsilon, weights) = (micronats as f64 / 1e6, Weights::within(micronats));
        let wave = |cells| Mechanism::SquareWave { half_width: square_wave_half_width(cells, epsilon) };
        let subsets = Mechanism::SubsetSelection { subset_size: best_subset_size(64, weights) };
        let methods: [(&str, usize, Mechanism, Decode); 4] = [
            ("square wave + EMS, 64 cells", 64, wave(64), smoothed),
            ("square wave + EMS, 256 cells", 256, wave(256), smoothed),
            ("the same, 64 cells undivided", 64, wave(64), smoothed_undivided),
            ("subset selection + Norm-Sub, 64", 64, subsets, projected),
        ];
        for (method, cells, mechanism, decode) in methods {
            let distances = SEEDS.map(|seed| run(seed, cells, Randomizer { mechanism, weights }, decode)).collect();
            print(epsilon, target, method, distances);
        }
    }
}

fn smoothed(randomizer: &Randomizer, domain_size: usize, counters: &[u64]) -> Vec<f64> {
    square_wave(randomizer, domain_size, counters).expect("reports").given_data().expect("data")
}

fn smoothed_undivided(randomizer: &Randomizer, domain_size: usize, counters: &[u64]) -> Vec<f64> {
    let Mechanism::SquareWave { half_width } = randomizer.mechanism else { unreachable!("a square wave") };
    let law = Windows::square_wave(domain_size, half_width, randomizer.weights);
    let likeliest = maximize_smoothed(&law, counters, domain_size - 1, Stop::default());
    likeliest.expect("reports").given_data().expect("data")
}

fn projected(randomizer: &Randomizer, domain_size: usize, counters: &[u64]) -> Vec<f64> {
    let support = randomizer_over(randomizer, domain_size).oracle().expect("a frequency oracle").support(counters);
    let channel = Channel::of(randomizer, domain_size).expect("a frequency oracle");
    let estimate = channel.estimate(DEVICES as u64, &support).expect("reports");
    norm_sub(&estimate.given_data().expect("data").shares)
}

fn print(epsilon: f64, target: f64, method: &str, mut distances: Vec<[f64; 2]>) {
    let runs = distances.len();
    let mean = |which: usize| distances.iter().map(|pair| pair[which]).sum::<f64>() / runs as f64;
    let (to_law, to_values) = (mean(0), mean(1));
    distances.sort_unstable_by(|a, b| a[0].total_cmp(&b[0]));
    let median = (distances[(runs - 1) / 2][0] + distances[runs / 2][0]) / 2.0;
    let [min, max] = [distances[0][0], distances[runs - 1][0]];
    println!("{epsilon:<4} {target:<7} {method:<31} {to_law:.5}  {median:.5}  {min:.5}  {max:.5}  ({to_values:.5})");
}

/// The subset size with the least variance of a share over the cells and "no data".
fn best_subset_size(cells: usize, weights: Weights) -> usize {
    let noise = |subset_size: &usize| {
        let mechanism = Mechanism::SubsetSelection { subset_size: *subset_size };
        let channel = Channel::of(&Randomizer { mechanism, weights }, cells + 1).expect("a frequency oracle");
        channel.noise(1.0 / cells as f64)
    };
    (1..=cells).min_by(|a, b| noise(a).total_cmp(&noise(b))).expect("a size")
}

fn randomizer_over(randomizer: &Randomizer, domain_size: usize) -> Box<dyn Decoder> {
    let (k, weights) = (domain_size as u64, randomizer.weights);
    match randomizer.mechanism {
        Mechanism::SquareWave { half_width } => Box::new(SquareWave::new(k, half_width, weights)),
        Mechanism::SubsetSelection { subset_size } => Box::new(SubsetSelection::new(k, subset_size, weights)),
        other => unreachable!("{other:?} is not compared"),
    }
}

/// Distances to the law and to the values, of one fleet.
fn run(seed: u64, cells: usize, randomizer: Randomizer, decode: Decode) -> [f64; 2] {
    let (mut generator, mut values) = (Generator::new(seed), vec![0_u64; PARTS]);
    let mut draw = || {
        // The second least of six uniform numbers has the law Beta(2, 5).
        let mut units: [u64; 6] = std::array::from_fn(|_| generator.next() >> 11);
        units.sort_unstable();
        let value = units[1] as f64 / (1_u64 << 53) as f64;
        values[(value * PARTS as f64) as usize] += 1;
        (value * cells as f64) as u64
    };
    let symbols: Vec<u64> = (0..DEVICES).map(|_| draw()).collect();
    let counters = collect(&*randomizer_over(&randomizer, cells + 1), &symbols, generator);
    let given_data = decode(&randomizer, cells + 1, &counters);
    let law = |part: usize| {
        let x = part as f64 / PARTS as f64;
        1.0 - (1.0 - x).powi(6) - 6.0 * x * (1.0 - x).powi(5)
    };
    let mut below = vec![0.0];
    for count in &values {
        below.push(below[below.len() - 1] + *count as f64 / DEVICES as f64);
    }
    [wasserstein(&given_data, law), wasserstein(&given_data, |part| below[part])]
}

fn collect(randomizer: &dyn Decoder, symbols: &[u64], mut entropy: Generator) -> Vec<u64> {
    let memo = DeviceSecret::from_bytes([0; 32]).memo_key(SpecId::from_bytes([0; 16]), 0, 0);
    let caps = [Cap { period_secs: 1, epsilon_micronats: 1 }];
    let mut counters = vec![0; randomizer.counters()];
    for symbol in symbols {
        let charge = Charge { at_secs: 0, epsilon_micronats: 1 };
        let permit = Ledger::default().spend(charge, &caps).expect("within the cap");
        let draws = Draws { coin: &[0; 16], memo: &memo, entropy: &mut entropy };
        let payload = randomizer.privatize(permit, *symbol, draws).expect("entropy");
        randomizer.accumulate(&payload, &[0; 16], &mut counters).expect("an output");
    }
    counters
}

/// ∫ |F̂ − F|, F given at the ends of each part; in its middle F is taken as the mean of both.
fn wasserstein(shares: &[f64], cumulative: impl Fn(usize) -> f64) -> f64 {
    let mut before = vec![0.0];
    for share in shares {
        before.push(before[before.len() - 1] + share);
    }
    let gap = |part: usize| {
        let at = (part as f64 + 0.5) / PARTS as f64 * shares.len() as f64;
        let (cell, within) = (at as usize, at - at.floor());
        let estimated = before[cell] + within * shares[cell];
        (estimated - (cumulative(part) + cumulative(part + 1)) / 2.0).abs()
    };
    (0..PARTS).map(gap).sum::<f64>() / PARTS as f64
}
