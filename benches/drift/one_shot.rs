//! Whether each test rejects at its level when nothing changed.
//!
//! Two samples of one fleet, the reference as large as the current one or 10 times as large, both drawn exactly
//! ([`super::simulated`]). All tests look at the same data. A cell of the table is one channel, ε, number of reports,
//! number of symbols, shares and size of the reference; each has a seed of its own. Levels are shares of the runs that
//! concluded: where fewer than two groups of cells are left, the answer is "too few", which is counted apart. The
//! standard error of one level is √(0.05 · 0.95/runs): 0.0022 for 10,000 runs, 0.0097 for 500.
//!
//! **What is asked**: a level of .04 to .06, of KS and W1 at most .055, in every cell. The part closes with the number of
//! levels and of those that lie outside by more than three standard errors, as one in 740 would whose level is at the
//! very edge; one is enough to fail.
//!
//! `DRIFTGLASS_BENCH_RUNS` asks for another number of runs, `DRIFTGLASS_BENCH_CELLS` for the cells whose name contains a
//! text, by the seeds they have in the whole table. Simulated null laws are kept from run to run with a tolerance of 20 %
//! ([`NormLaws`]), more than its default.

use std::collections::BTreeMap;
use std::time::Instant;

use driftglass::drift::{Comparison, NormLaws, Shape, one_shot, pearson_two_sample};
use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::Options;
use super::simulated::{ENCODINGS, Simulated};

const LEVEL: f64 = 0.05;
/// Levels that are asked for.
const ASKED: [f64; 2] = [0.04, 0.06];
/// The same for tests whose law is simulated.
const ASKED_OF_SIMULATED: [f64; 2] = [0.04, 0.055];
/// Fewest conclusions that make a level.
const LEAST_RUNS: u32 = 100;
const EPSILONS: [f64; 5] = [0.5, 1.0, 2.0, 4.0, 8.0];
const REPORTS: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
const SYMBOLS: [usize; 4] = [2, 5, 16, 64];
const SEED: u64 = 17_091_155;

/// What counts the runs without a conclusion.
const TOO_FEW: &str = "too few";

/// Alarms and conclusions of one test in one cell.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    alarms: u32,
    runs: u32,
}

/// A cell of the table.
struct Cell {
    name: String,
    merged: bool,
    counts: BTreeMap<&'static str, Count>,
}

/// Whether every level is as asked.
pub(super) fn run(options: &Options) -> bool {
    let asked = std::env::var("DRIFTGLASS_BENCH_RUNS").ok().and_then(|runs| runs.parse().ok());
    let runs: u32 = asked.unwrap_or(if options.quick { 500 } else { 10_000 });
    println!("One-shot tests under no change: level {LEVEL}, {runs} runs a cell, seed {SEED}");
    let wanted = std::env::var("DRIFTGLASS_BENCH_CELLS").unwrap_or_default();
    let clock = Instant::now();
    let (mut cells, mut place) = (Vec::new(), 0);
    for encoding in ENCODINGS {
        for k in SYMBOLS {
            for epsilon in EPSILONS {
                let Some(simulated) = encoding.at(k, epsilon) else { continue };
                for n in REPORTS {
                    for zipf in [false, true] {
                        for times in [1, 10] {
                            let law = if zipf { "Zipf" } else { "even" };
                            let name = format!("{} ε={epsilon} n={n} k={k} {law} ref={times}n", encoding.name());
                            let seed = SEED + place;
                            place += 1;
                            if !name.contains(&wanted) {
                                continue;
                            }
                            cells.push(cell(name, &simulated, &shares(k, zipf), [n, times * n], runs, seed));
                        }
                    }
                }
            }
        }
        println!("{}: {} cells after {:.0} s", encoding.name(), cells.len(), clock.elapsed().as_secs_f64());
    }
    summary(&cells, "all cells", |_| true);
    summary(&cells, "cells with rare symbols that were merged", |cell| cell.merged);
    verdict(&cells)
}

fn shares(k: usize, zipf: bool) -> Vec<f64> {
    let weight = |rank: usize| if zipf { 1.0 / (rank + 1) as f64 } else { 1.0 };
    let total: f64 = (0..k).map(weight).sum();
    (0..k).map(|rank| weight(rank) / total).collect()
}

fn cell(name: String, simulated: &Simulated, shares: &[f64], [n, reference]: [u64; 2], runs: u32, seed: u64) -> Cell {
    let mut rng = SmallRng::seed_from_u64(seed);
    let law = simulated.law(shares);
    let mut laws = [true, false].map(|_| NormLaws::with_tolerance(0.2));
    let mut cell = Cell { name, merged: false, counts: BTreeMap::new() };
    for _ in 0..runs {
        let [now, then] = [n, reference].map(|reports| simulated.draw(&law, reports, &mut rng));
        let compared = Comparison::of_samples(&simulated.channel, now.sample(), then.sample()).expect("reports");
        for (ordered, laws) in [true, false].into_iter().zip(&mut laws) {
            let Some(found) = one_shot(&compared, ordered, laws) else {
                cell.count(TOO_FEW, Some(0.0));
                continue;
            };
            cell.count(TOO_FEW, Some(1.0));
            cell.merged |= found.tested.groups < shares.len();
            match found.shape {
                Shape::Ordered { location, scale, ks, w1 } => {
                    cell.count("omnibus", Some(found.omnibus.p_value));
                    cell.count("location", Some(location.p_value));
                    cell.count("scale", scale.map(|scale| scale.p_value));
                    cell.count("KS", Some(ks.p_value));
                    cell.count("W1", Some(w1.p_value));
                    cell.count("combined (ordered)", Some(found.combined));
                }
                Shape::Unordered { largest_cell } => {
                    cell.count("omnibus (unordered)", Some(found.omnibus.p_value));
                    cell.count("largest cell", Some(largest_cell.p_value));
                    cell.count("combined (unordered)", Some(found.combined));
                }
            }
        }
        if let (Some(now), Some(then)) = (&now.answers, &then.answers) {
            cell.count("multinomial", pearson_two_sample(now, then, 5.0).map(|test| test.p_value));
        }
    }
    cell
}

impl Cell {
    fn count(&mut self, test: &'static str, p_value: Option<f64>) {
        if let Some(p_value) = p_value {
            let count = self.counts.entry(test).or_default();
            count.runs += 1;
            count.alarms += u32::from(p_value <= LEVEL);
        }
    }
}

impl Count {
    fn level(self) -> f64 {
        f64::from(self.alarms) / f64::from(self.runs)
    }

    /// Outside what is asked, by more than three standard errors.
    fn misses(self, test: &str) -> bool {
        let [least, most] = asked(test);
        let beyond = |edge: f64| 3.0 * (edge * (1.0 - edge) / f64::from(self.runs)).sqrt();
        self.level() < least - beyond(least) || self.level() > most + beyond(most)
    }
}

fn asked(test: &str) -> [f64; 2] {
    if ["KS", "W1"].contains(&test) { ASKED_OF_SIMULATED } else { ASKED }
}

/// Every level with the name of its test.
fn levels(cells: &[Cell]) -> impl Iterator<Item = (&Cell, &'static str, Count)> {
    let of_cell = |cell: &'_ Cell| cell.counts.clone();
    let all =
        cells.iter().flat_map(move |cell| of_cell(cell).into_iter().map(move |(test, count)| (cell, test, count)));
    all.filter(|(_, test, count)| *test != TOO_FEW && count.runs >= LEAST_RUNS)
}

/// The closing line.
fn verdict(cells: &[Cell]) -> bool {
    let missed = levels(cells).filter(|(_, test, count)| count.misses(test)).count();
    let met = missed == 0;
    println!(
        "\n{}: {} levels in {} cells, {missed} outside {} to {} (KS and W1 {} to {}) by more than 3 standard errors\n",
        if met { "Met" } else { "NOT MET" },
        levels(cells).count(),
        cells.len(),
        ASKED[0],
        ASKED[1],
        ASKED_OF_SIMULATED[0],
        ASKED_OF_SIMULATED[1],
    );
    met
}

fn summary(cells: &[Cell], title: &str, of: fn(&Cell) -> bool) {
    println!("\n{title}: {}", cells.iter().filter(|cell| of(cell)).count());
    println!("| test | cells | mean | least | most | below | above | far outside | worst |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut tests: Vec<&str> = levels(cells).map(|(_, test, _)| test).collect();
    tests.sort_unstable();
    tests.dedup();
    for test in tests {
        let found = levels(cells).filter(|(cell, name, _)| *name == test && of(cell));
        let mut found: Vec<(&Cell, Count)> = found.map(|(cell, _, count)| (cell, count)).collect();
        if found.is_empty() {
            continue;
        }
        found.sort_by(|a, b| a.1.level().total_cmp(&b.1.level()));
        let mean = found.iter().map(|(_, count)| count.level()).sum::<f64>() / found.len() as f64;
        let number = |outside: &dyn Fn(&Count) -> bool| found.iter().filter(|(_, count)| outside(count)).count();
        let (first, last) = (&found[0], &found[found.len() - 1]);
        let worst = if LEVEL - first.1.level() > last.1.level() - LEVEL { first } else { last };
        let [least, most] = asked(test);
        println!(
            "| {test} | {} | {mean:.4} | {:.4} | {:.4} | {} | {} | {} | {} |",
            found.len(),
            first.1.level(),
            last.1.level(),
            number(&|count| count.level() < least),
            number(&|count| count.level() > most),
            number(&|count| count.misses(test)),
            worst.0.name,
        );
        for (cell, count) in found.iter().filter(|(_, count)| count.misses(test)) {
            println!("  far outside: {} {:.4} of {} runs", cell.name, count.level(), count.runs);
        }
    }
    let too_few = cells.iter().filter(|cell| cell.counts[TOO_FEW].alarms > 0);
    println!("Too few reports to conclude, in some runs: {} cells", too_few.count());
}
