//! Times the shuffle bounds on every row of the reference table and compares them with it.
//!
//! `cargo bench --bench accounting`: for each n and ε₀, over both δ of the table: the slowest median time of a bound
//! (of 5 runs), and its largest relative difference from the column of the table.
#![allow(clippy::print_stdout, reason = "a bench prints its table")]

use std::time::Instant;

use driftglass::accounting::blanket::{self, BlanketLaw};
use driftglass::accounting::shuffle::{self, Clones};
use driftglass::accounting::{Delta, Epsilon};

const TABLE: &str = include_str!("../tests/vectors/privacy/shuffle_amplification_reference.csv");
const RUNS: usize = 5;

/// Heading, column of the table, bound.
type Bound = (&'static str, usize, fn(Epsilon, u32, Delta) -> f64);

const BOUNDS: [Bound; 4] = [
    ("FMT21", 5, |epsilon0, reports, delta| shuffle::upper(Clones::Fmt21, epsilon0, reports, delta)),
    ("FMT23", 6, |epsilon0, reports, delta| shuffle::upper(Clones::Fmt23, epsilon0, reports, delta)),
    ("lower, 3-RR", 7, shuffle::lower),
    // Compared with the lower bound, which is exact for this randomizer but for what the blanket tells.
    ("blanket, 3-RR", 7, |epsilon0, reports, delta| {
        let law = BlanketLaw::subset_selection(epsilon0, 3, 1).expect("1 of 3 symbols");
        blanket::upper(&law, reports, delta)
    }),
];

fn main() {
    let rows: Vec<Vec<f64>> = TABLE
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|field| field.parse().unwrap_or(f64::NAN)).collect())
        .collect();
    let mut cells: Vec<(f64, f64)> = rows.iter().map(|row| (row[2], row[1])).collect();
    cells.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    cells.dedup();

    println!("median ms of {RUNS} runs, the slower δ | largest relative difference from the table\n");
    print!("{:>9} {:>5}", "n", "eps0");
    for (name, ..) in BOUNDS {
        print!(" | {name:>20}");
    }
    println!();
    for (reports, nats) in cells {
        print!("{reports:>9} {nats:>5}");
        for (_, column, bound) in BOUNDS {
            let (mut slowest, mut difference) = (0.0_f64, 0.0_f64);
            for row in rows.iter().filter(|row| row[2] == reports && row[1] == nats) {
                let (time, value) = measure(|| {
                    let epsilon0 = Epsilon::new(nats).expect("an epsilon of the table");
                    bound(epsilon0, reports as u32, Delta::new(row[0]).expect("a delta of the table"))
                });
                slowest = slowest.max(time);
                difference = difference.max((value / row[column] - 1.0).abs());
            }
            print!(" | {slowest:>8.2} {difference:>11.2e}");
        }
        println!();
    }
}

/// Median milliseconds, and the value.
fn measure(bound: impl Fn() -> f64) -> (f64, f64) {
    let mut times = [0.0; RUNS];
    let mut value = 0.0;
    for time in &mut times {
        let start = Instant::now();
        value = std::hint::black_box(bound());
        *time = start.elapsed().as_secs_f64() * 1e3;
    }
    times.sort_by(f64::total_cmp);
    (times[RUNS / 2], value)
}
