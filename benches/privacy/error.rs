//! Is n·Var what the formula says, and how near is it to the best known mechanism?
//!
//! A fleet of n devices is simulated R times with the real randomizer: `privatize` with a seeded generator as
//! entropy, `accumulate`, `support`, and the
//! estimate of [`Channel`]. The devices and their true symbols are fixed, so the true shares f are known exactly, and
//! f(1−f), which a random sample of devices would add, is no part
//! of the error.
//!
//! | Symbol | Meaning |
//! | --- | --- |
//! | n | devices: at least 64, at least κ/4, and a multiple of k, or nearly so where shares differ |
//! | κ | 1 / (q(1−q)): the excess kurtosis of one support count is about κ/n |
//! | R | repetitions: the mean of R (k−1) squared errors has a relative variance of about (2 + κ/n)/(R (k−1)) |
//! | measured | mean over repetitions and symbols of n (f̂ − f)² |
//! | formula | mean over symbols of [`Channel::noise`] at f |
//!
//! Standard errors are those of the R ratios, each over all symbols of one repetition.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use driftglass::chooser::{self, Limits};
use driftglass::estimate::Channel;
use driftglass::privacy::{Draws, EntropyError, EntropySource, MemoKey, decoder_of};
use driftglass::spec::Randomizer;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::outcome::Outcome;
use crate::work::{best_of, describe, permit, question};

const DOMAINS: [usize; 7] = [2, 16, 64, 128, 256, 1_024, 4_096];
/// In millionths.
const EPSILONS: [u64; 6] = [500_000, 1_000_000, 2_000_000, 3_000_000, 4_000_000, 6_000_000];
const SINGLE_DOMAINS: [usize; 3] = [16, 128, 1_024];
const SINGLE_EPSILONS: [u32; 3] = [1, 2, 4];
const MECHANISMS: [&str; 6] =
    ["k-ary", "subset-selection", "optimized-unary", "local-hashing", "hadamard", "projective-geometry"];
const SEED: u64 = 0xD21F_7613;
/// What the repetitions are chosen for: the standard error of a ratio.
const STANDARD_ERROR: f64 = 0.0025;
const QUICK_STANDARD_ERROR: f64 = 0.02;
/// The formulas of Ye and Barg and others, evaluated by an independent script.
const THEORY: &str = include_str!("../../tests/vectors/privacy/theory_freq_oracles.csv");

/// How the devices' symbols are spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shares {
    /// All alike: f = 1/k.
    Even,
    /// f_v in proportion to (v+1)^(−1.1).
    Zipf,
}

/// What a simulation found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    devices: usize,
    repetitions: usize,
    pub(crate) measured: f64,
    formula: f64,
    /// Of measured / formula.
    standard_error: f64,
}

impl Found {
    fn ratio(&self) -> f64 {
        self.measured / self.formula
    }
}

/// A place of a table.
#[derive(Debug, Clone, Copy)]
struct Place {
    k: usize,
    epsilon_micronats: u64,
    randomizer: Randomizer,
    shares: Shares,
}

impl Place {
    fn epsilon(&self) -> f64 {
        self.epsilon_micronats as f64 / 1e6
    }

    fn name(&self) -> String {
        format!("{} k {} ε {}", describe(&self.randomizer.mechanism), self.k, self.epsilon())
    }

    fn bits(&self) -> u32 {
        self.randomizer.mechanism.payload_bits(self.k).expect("a mechanism that fits")
    }
}

pub(crate) fn run(quick: bool, outcome: &mut Outcome) {
    let aim = if quick { QUICK_STANDARD_ERROR } else { STANDARD_ERROR };
    println!("Error: n·Var measured over formula; repetitions for a standard error of {aim}, seed {SEED:#x}");
    chosen(aim, outcome);
    single(aim, outcome);
    short(outcome);
}

/// The mechanism that the chooser picks when only bits are limited, over the whole grid.
fn chosen(aim: f64, outcome: &mut Outcome) {
    let limits = Limits { max_influence: f64::INFINITY, ..Limits::default() };
    let place = |k: usize, epsilon_micronats: u64| {
        let randomizer = chooser::choose(k, epsilon_micronats, &limits).expect("something fits").randomizer;
        Place { k, epsilon_micronats, randomizer, shares: Shares::Even }
    };
    let places: Vec<Place> = DOMAINS.iter().flat_map(|k| EPSILONS.map(|epsilon| place(*k, epsilon))).collect();
    println!("\nThe chosen mechanism, at most 256 bits, all shares 1/k");
    println!(
        "{:>4}{:>4} {:<25}{:>6}{:>6}{:>9}{:>9}{:>11}{:>11}{:>8}{:>8} {:>6}{:>9}",
        "k",
        "ε",
        "mechanism",
        "bits",
        "bytes",
        "devices",
        "repeats",
        "formula",
        "measured",
        "ratio",
        "± s.e.",
        "best",
        "to best",
    );
    let found = simulate_all(&places, aim);
    let mut rows = Vec::new();
    let mut to_best = Vec::new();
    for (place, found) in places.iter().zip(&found) {
        let (name, best) = best_known(place.k, place.epsilon());
        // At f = 1/k to all digits of the table; what is measured is told by the ratio before it.
        let over_best = found.formula / best;
        println!(
            "{:>4}{:>4} {:<25}{:>6}{:>6}{:>9}{:>9}{:>11.5}{:>11.5}{:>8.4}{:>8.4} {:>6}{:>9.4}",
            place.k,
            place.epsilon(),
            describe(&place.randomizer.mechanism),
            place.bits(),
            place.bits().div_ceil(8),
            found.devices,
            found.repetitions,
            found.formula,
            found.measured,
            found.ratio(),
            found.standard_error,
            name,
            over_best,
        );
        rows.push(row(place, found, Some((name, over_best))));
        to_best.push((place.name(), over_best));
    }
    outcome.keep("error_chosen", rows);
    let ratios = places.iter().zip(&found).map(|(place, found)| (place.name(), (found.ratio() - 1.0).abs()));
    outcome.target("chosen mechanism: |measured n·Var over formula − 1| ≤ 0.02", ratios, |ratio| ratio <= 0.02);
    let of_errors = found.iter().zip(&places).map(|(found, place)| (place.name(), found.standard_error));
    outcome.target("  standard error of that ratio ≤ 0.005", of_errors, |error| error <= 0.005);
    outcome
        .target("n·Var over the best of theory_freq_oracles.csv in 256 bits ≤ 1.01", to_best, |ratio| ratio <= 1.01);
    let bytes = places.iter().map(|place| (place.name(), f64::from(place.bits().div_ceil(8))));
    outcome.target("bytes per report ≤ 32", bytes, |bytes| bytes <= 32.0);
}

/// Each mechanism by itself, over shares that differ.
fn single(aim: f64, outcome: &mut Outcome) {
    let fits = |name: &str, k: usize| name != "optimized-unary" || k <= 256;
    let subset_fits = |name: &str, k: usize, epsilon: u32| name != "subset-selection" || k < 1_024 || epsilon == 4;
    let mut places = Vec::new();
    for name in MECHANISMS {
        for (k, epsilon) in SINGLE_DOMAINS.into_iter().flat_map(|k| SINGLE_EPSILONS.map(|epsilon| (k, epsilon))) {
            // Subset selection with w = 1 is k-ary response.
            let one = name == "subset-selection" && k == 16 && epsilon == 4;
            if fits(name, k) && subset_fits(name, k, epsilon) && !one {
                let randomizer = best_of(name, k, epsilon);
                let epsilon_micronats = u64::from(epsilon) * 1_000_000;
                places.push(Place { k, epsilon_micronats, randomizer, shares: Shares::Zipf });
            }
        }
    }
    println!("\nEach mechanism, shares in proportion to 1/rank^1.1");
    println!(
        "{:>4}{:>4} {:<25}{:>6}{:>9}{:>9}{:>11}{:>11}{:>8}{:>8}",
        "k", "ε", "mechanism", "bits", "devices", "repeats", "formula", "measured", "ratio", "± s.e.",
    );
    let found = simulate_all(&places, aim);
    for (place, found) in places.iter().zip(&found) {
        println!(
            "{:>4}{:>4} {:<25}{:>6}{:>9}{:>9}{:>11.5}{:>11.5}{:>8.4}{:>8.4}",
            place.k,
            place.epsilon(),
            describe(&place.randomizer.mechanism),
            place.bits(),
            found.devices,
            found.repetitions,
            found.formula,
            found.measured,
            found.ratio(),
            found.standard_error,
        );
    }
    outcome.keep("error_single", places.iter().zip(&found).map(|(place, found)| row(place, found, None)).collect());
    let ratios = places.iter().zip(&found).map(|(place, found)| (place.name(), (found.ratio() - 1.0).abs()));
    outcome.target("each mechanism: |measured n·Var over formula − 1| ≤ 0.02", ratios, |ratio| ratio <= 0.02);
}

/// Bytes of projective geometry.
fn short(outcome: &mut Outcome) {
    let mut figures = Vec::new();
    for k in DOMAINS.into_iter().filter(|k| *k <= 1_024) {
        for epsilon in 1..=4 {
            let randomizer = best_of("projective-geometry", k, epsilon);
            let epsilon_micronats = u64::from(epsilon) * 1_000_000;
            let place = Place { k, epsilon_micronats, randomizer, shares: Shares::Even };
            figures.push((place.name(), f64::from(place.bits().div_ceil(8))));
        }
    }
    let text = "bytes per report ≤ 2 with projective geometry, k ≤ 1024, ε from 1 to 4";
    outcome.target(text, figures, |bytes| bytes <= 2.0);
}

fn row(place: &Place, found: &Found, best: Option<(&str, f64)>) -> Value {
    json!({
        "k": place.k, "epsilon": place.epsilon(), "mechanism": describe(&place.randomizer.mechanism),
        "bits": place.bits(), "bytes": place.bits().div_ceil(8), "devices": found.devices,
        "repetitions": found.repetitions, "formula": found.formula, "measured": found.measured,
        "ratio": found.ratio(), "standard_error": found.standard_error,
        "best": best.map(|(name, _)| name), "ratio_to_best": best.map(|(_, ratio)| ratio),
    })
}

/// The mechanism of the table with the least noise at f = 1/k in at most 256 bits.
fn best_known(k: usize, epsilon: f64) -> (&'static str, f64) {
    let mut lines = THEORY.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    let number = |line: &[&str], title: &str| {
        let column = header.iter().position(|found| *found == title)?;
        line.get(column)?.parse::<f64>().ok()
    };
    let here = |line: &Vec<&str>| number(line, "k") == Some(k as f64) && number(line, "eps") == Some(epsilon);
    let line = lines.find(here).expect("a row of the table");
    let noise = |title: &&'static str| {
        let name = title.strip_suffix("_noise")?;
        let bits = number(&line, &format!("{name}_bits"))?;
        (bits <= 256.0).then_some((name, number(&line, title)?))
    };
    let least = header.iter().filter_map(noise).min_by(|a, b| a.1.total_cmp(&b.1));
    least.expect("a mechanism that fits")
}

/// The mechanism with its parameters over some shares, as the peers' table compares it.
pub(crate) fn simulate_one(k: usize, randomizer: Randomizer, shares: Shares, aim: f64) -> Found {
    simulate(&Place { k, epsilon_micronats: 0, randomizer, shares }, aim)
}

/// All places, on all processors.
fn simulate_all(places: &[Place], aim: f64) -> Vec<Found> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(vec![None; places.len()]);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((index, place)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|index| Some((index, places.get(index)?)))
                {
                    let done = simulate(place, aim);
                    found.lock().expect("no thread panics")[index] = Some(done);
                }
            });
        }
    });
    found.into_inner().expect("no thread panics").into_iter().map(|found| found.expect("every place")).collect()
}

/// One fleet, many times. The seed depends on the place, not on the thread.
fn simulate(place: &Place, aim: f64) -> Found {
    let channel = Channel::of(&place.randomizer, place.k).expect("counts shares");
    let q = channel.false_probability();
    let kurtosis = 1.0 / (q * (1.0 - q));
    let symbols = fleet(place.shares, place.k, (kurtosis / 4.0).max(64.0) as usize);
    let n = symbols.len();
    let mut truth = vec![0.0; place.k];
    symbols.iter().for_each(|symbol| truth[*symbol as usize] += 1.0 / n as f64);
    let formula = truth.iter().map(|f| channel.noise(*f)).sum::<f64>() / place.k as f64;
    let repetitions = (2.0 + kurtosis / n as f64) / (aim * aim * (place.k as f64 - 1.0));
    let repetitions = (repetitions as usize).max(30);

    let randomizer = decoder_of(&question(place.k, place.randomizer));
    let oracle = randomizer.oracle().expect("counts shares");
    let memo = MemoKey::from_bytes([0; 32]);
    let mut entropy = Seeded(Rng::with_seed(SEED ^ (place.k as u64) << 32 ^ place.epsilon_micronats));
    let (mut sum, mut squares) = (0.0, 0.0);
    for _ in 0..repetitions {
        let mut counters = vec![0; randomizer.counters()];
        for symbol in &symbols {
            let coin = entropy.0.u128(..).to_be_bytes();
            let draws = Draws { coin: &coin, memo: &memo, entropy: &mut entropy };
            let payload = randomizer.privatize(permit(), *symbol, draws).expect("a generator does not end");
            randomizer.accumulate(&payload, &coin, &mut counters).expect("an output");
        }
        let shares = channel.shares(n as u64, &oracle.support(&counters)).expect("reports of all symbols");
        let error: f64 = shares.iter().zip(&truth).map(|(estimate, f)| (estimate - f) * (estimate - f)).sum();
        let ratio = n as f64 * error / place.k as f64 / formula;
        sum += ratio;
        squares += ratio * ratio;
    }
    let r = repetitions as f64;
    let mean = sum / r;
    let variance = (squares / r - mean * mean) * r / (r - 1.0);
    let standard_error = (variance / r).sqrt();
    Found { devices: n, repetitions, measured: mean * formula, formula, standard_error }
}

/// True symbols of at least this many devices; as many of each as rounding allows.
fn fleet(shares: Shares, k: usize, least: usize) -> Vec<u64> {
    let n = least.next_multiple_of(k);
    let weight = |rank: usize| match shares {
        Shares::Even => 1.0,
        Shares::Zipf => (rank as f64).powf(-1.1),
    };
    let total: f64 = (1..=k).map(weight).sum();
    let mut symbols = Vec::with_capacity(n);
    let mut sum = 0.0;
    for symbol in 0..k {
        sum += weight(symbol + 1);
        symbols.resize((sum / total * n as f64).round() as usize, symbol as u64);
    }
    symbols
}

/// A generator in place of entropy.
struct Seeded(Rng);

impl EntropySource for Seeded {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.0.fill(buffer);
        Ok(())
    }
}
