//! Whether de-biased distances cover the true one as often as they say, and how much bias they have.
//!
//! Two samples of n reports each, drawn exactly ([`super::simulated`]), of 8 ordered cells: quantiles of N(0, 1)
//! before, N(s, 1) after, s = 0 or 0.3. Shares of unary channels are made to sum to 1. Nominal cover 90 %, 2,000
//! pairs a cell (standard error of a cover 0.7 points); each cell has a seed of its own. Bias is that of the estimate
//! and that of the raw distance, against the distance of the true shares, with the standard error of the first;
//! "above" is the share of the pairs whose estimate is above the true distance.
//!
//! Subset selection at ε = 4 has subsets of one symbol for 8 cells, which is k-ary response: it is not asked twice.
//! `DRIFTGLASS_BENCH_PAIRS` asks for another number of pairs.

use std::sync::Mutex;
use std::thread;

use driftglass::drift::{DebiasedPair, Distance, normal_quantile};
use driftglass::estimate::{Estimate, Matrix};
use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::Options;
use super::simulated::{Encoding, Simulated};

const CELLS: usize = 8;
const COVERAGE: f64 = 0.9;
const SEED: u64 = 90_210;
const POSITIONS: [f64; CELLS] = [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0];
const DISTANCES: [(&str, Distance<'static>); 8] = [
    ("PSI", Distance::Psi),
    ("KS", Distance::Ks),
    ("Jensen-Shannon", Distance::JensenShannon),
    ("Hellinger", Distance::Hellinger),
    ("W1", Distance::Wasserstein),
    ("W1 normed", Distance::WassersteinNormed(&POSITIONS)),
    ("L-infinity", Distance::LInfinity),
    ("TVD", Distance::TotalVariation),
];

/// What is measured of one distance in one cell of the table.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    covered: f64,
    above: f64,
    bias: f64,
    squares: f64,
    raw_bias: f64,
    width: f64,
}

/// One channel, number of reports and shift.
struct Cell {
    name: String,
    simulated: Simulated,
    n: u64,
    shift: f64,
    seed: u64,
}

pub(super) fn run(options: &Options) {
    let asked = std::env::var("DRIFTGLASS_BENCH_PAIRS").ok().and_then(|pairs| pairs.parse().ok());
    let pairs: u32 = asked.unwrap_or(if options.quick { 200 } else { 2_000 });
    println!(
        "De-biased distances of {CELLS} ordered cells: nominal cover {COVERAGE}, {pairs} pairs a cell, seed {SEED}"
    );
    let mut cells = Vec::new();
    for encoding in [Encoding::KAry, Encoding::Subset, Encoding::Optimized, Encoding::Symmetric] {
        for epsilon in [1.0, 4.0] {
            for n in [10_000, 100_000] {
                for shift in [0.0, 0.3] {
                    let Some(simulated) = encoding.at(CELLS, epsilon) else { continue };
                    let name = format!("{} | {epsilon} | {n} | {shift}", encoding.name());
                    cells.push(Cell { name, simulated, n, shift, seed: SEED + cells.len() as u64 });
                }
            }
        }
    }
    let queue = Mutex::new(cells.iter().enumerate());
    let found = Mutex::new(vec![[Sums::default(); DISTANCES.len()]; cells.len()]);
    let work = || {
        loop {
            let Some((place, cell)) = queue.lock().expect("no panic").next() else { break };
            let sums = measured(cell, pairs);
            found.lock().expect("no panic")[place] = sums;
        }
    };
    thread::scope(|scope| {
        (0..2).for_each(|_| {
            scope.spawn(work);
        });
    });
    let found = found.into_inner().expect("no panic");
    println!("| encoding | ε | n | shift | distance | true | cover ± SE | width | bias ± SE | bias of raw | above |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let n = f64::from(pairs);
    for (cell, sums) in cells.iter().zip(&found) {
        let truth = truth(cell.shift);
        for ((name, distance), sums) in DISTANCES.iter().zip(sums) {
            let cover = sums.covered / n;
            let bias = sums.bias / n;
            let error = ((sums.squares / n - bias * bias) / n).sqrt();
            println!(
                "| {} | {name} | {:.4} | {cover:.3} ± {:.3} | {:.4} | {bias:.5} ± {error:.5} | {:.5} | {:.3} |",
                cell.name,
                truth.debiased(*distance, COVERAGE).raw,
                (cover * (1.0 - cover) / n).sqrt(),
                sums.width / n,
                sums.raw_bias / n,
                sums.above / n,
            );
        }
    }
    println!("\n| distance | least cover | mean cover | largest bias / standard deviation of the estimate |");
    println!("| --- | --- | --- | --- |");
    for (place, (name, _)) in DISTANCES.iter().enumerate() {
        let of = |value: fn(&Sums, f64) -> f64| found.iter().map(move |sums| value(&sums[place], n));
        let least = of(|sums, n| sums.covered / n).fold(1.0, f64::min);
        let mean = of(|sums, n| sums.covered / n).sum::<f64>() / found.len() as f64;
        let relative = |sums: &Sums, n: f64| {
            let bias = sums.bias / n;
            bias.abs() / (sums.squares / n - bias * bias).sqrt()
        };
        println!("| {name} | {least:.3} | {mean:.3} | {:.2} |", of(relative).fold(0.0, f64::max));
    }
    println!();
}

fn measured(cell: &Cell, pairs: u32) -> [Sums; DISTANCES.len()] {
    let mut rng = SmallRng::seed_from_u64(cell.seed);
    let [before, after] = [0.0, cell.shift].map(|shift| cell.simulated.law(&located(CELLS, shift)));
    let truth = truth(cell.shift);
    let truth = DISTANCES.map(|(_, distance)| truth.debiased(distance, COVERAGE).raw);
    let mut sums = [Sums::default(); DISTANCES.len()];
    for _ in 0..pairs {
        let [then, now] = [&before, &after].map(|law| {
            let drawn = cell.simulated.draw(law, cell.n, &mut rng);
            cell.simulated.channel.estimate(drawn.reports, &drawn.support).expect("reports").sum_to_one()
        });
        let pair = DebiasedPair::new(&now, &then);
        for ((sums, (_, distance)), truth) in sums.iter_mut().zip(DISTANCES).zip(truth) {
            let found = pair.debiased(distance, COVERAGE);
            let off = found.estimate - truth;
            sums.covered += f64::from(u8::from(found.interval.contains(truth)));
            sums.above += f64::from(u8::from(off > 0.0));
            sums.bias += off;
            sums.squares += off * off;
            sums.raw_bias += found.raw - truth;
            sums.width += found.interval.upper - found.interval.lower;
        }
    }
    sums
}

fn truth(shift: f64) -> DebiasedPair {
    let exact = |shares: Vec<f64>| Estimate { shares, covariance: Matrix::symmetric(CELLS, |_, _| 0.0) };
    DebiasedPair::new(&exact(located(CELLS, shift)), &exact(located(CELLS, 0.0)))
}

/// Shares of N(shift, 1) in the k cells whose edges are the quantiles of N(0, 1).
pub(super) fn located(k: usize, shift: f64) -> Vec<f64> {
    let below = |edge: usize| match edge {
        0 => 0.0,
        edge if edge == k => 1.0,
        edge => libm::erfc((shift - normal_quantile(edge as f64 / k as f64)) / core::f64::consts::SQRT_2) / 2.0,
    };
    (0..k).map(|cell| below(cell + 1) - below(cell)).collect()
}
