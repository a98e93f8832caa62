//! How long a night of many metrics and segments takes: 10,000 metrics × 100 segments × 16 cells, each with statistic,
//! p-value and e-value, on one core.
//!
//! Time is processor time of this thread, the median of 9 runs over the same counts; memory is the most that the process
//! had resident, with all counts and all results in it. Beside it numpy does the same sums on the same number of counts
//! (f64 and f32, one thread), with p-values from scipy, and Evidently compares raw columns of 1,000 rows, of which a few
//! are measured and the rest extrapolated: it has no other input.

use std::process::Command;
use std::time::Duration;

use driftglass::drift::{Evaluation, Evaluator};
use driftglass::estimate::Channel;
use driftglass::spec::{Mechanism, Randomizer, Weights};
use fastrand::Rng;
use serde::Deserialize;

use super::Options;

const METRICS: usize = 10_000;
const SEGMENTS: usize = 100;
const CELLS: usize = 16;
const REPORTS: u64 = 10_000;
const REFERENCE_REPORTS: u64 = 1_000_000;
const RUNS: usize = 9;
/// The mixture's shift is as likely after as not after this many reports.
const RHO: f64 = 1e-4;
const SEED: u64 = 4_310;

/// What a peer prints, one line each.
#[derive(Deserialize)]
struct Line {
    name: String,
    seconds: f64,
    note: String,
}

pub(super) fn run(options: &Options) {
    let metrics = if options.quick { METRICS / 10 } else { METRICS };
    println!(
        "\nBatch: {metrics} metrics × {SEGMENTS} segments × {CELLS} cells, test and evidence, one core, seed {SEED}"
    );
    // OUE at ε = 1: ⌊e · 2^32⌋ to 2^32.
    let weights = Weights { of_true: 11_674_931_554, of_false: 1 << 32 };
    let randomizer = Randomizer { mechanism: Mechanism::OptimizedUnary, weights };
    let channel = Channel::of(&randomizer, CELLS).expect("shares are counted from it");
    let shares = [1.0 / CELLS as f64; CELLS];
    let evaluators: Vec<_> = (0..metrics)
        .map(|_| Evaluator::new(&channel, &shares, REFERENCE_REPORTS, RHO).expect("exchangeable"))
        .collect();
    let counts = counts(&channel, metrics);
    let mut results: Vec<Evaluation> = Vec::with_capacity(metrics * SEGMENTS);
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            results.clear();
            let start = processor_time();
            for (evaluator, counts) in evaluators.iter().zip(counts.chunks_exact(SEGMENTS * CELLS)) {
                let segments = counts.as_chunks::<CELLS>().0;
                results.extend(segments.iter().filter_map(|counts| evaluator.evaluate(REPORTS, counts)));
            }
            (processor_time() - start).as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let (ours, evaluations) = (times[RUNS / 2], (metrics * SEGMENTS) as f64);
    let rejected = results.iter().filter(|result| result.p_value < 0.05).count() as f64 / evaluations;
    println!("  {:<34}{:>9}{:>10}{:>9}", "", "seconds", "ns each", "ratio");
    let row = |name: &str, seconds: f64, note: &str| {
        println!("  {name:<34}{seconds:>9.3}{:>10.1}{:>9.2}  {note}", seconds / evaluations * 1e9, seconds / ours);
    };
    row("driftglass", ours, &format!("p < .05 in {:.2} % (nothing moved)", 100.0 * rejected));
    if let Some(memory) = most_resident_mib() {
        println!("  most resident memory {memory:.0} MiB");
    }
    peers(options, metrics, row);
}

/// Support counts when nothing moved, by normal draws in place of multinomial and binomial ones.
fn counts(channel: &Channel, metrics: usize) -> Vec<u32> {
    let mut rng = Rng::with_seed(SEED);
    let (n, p, q) = (REPORTS as f64, channel.keep_probability(), channel.false_probability());
    // Irwin and Hall: twelve uniform numbers less six.
    let mut normal = move || (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
    let mut counts = Vec::with_capacity(metrics * SEGMENTS * CELLS);
    for _ in 0..metrics * SEGMENTS {
        let draws: [f64; CELLS] = std::array::from_fn(|_| normal());
        let mean = draws.iter().sum::<f64>() / CELLS as f64;
        counts.extend(draws.map(|draw| {
            let per_cell = n / CELLS as f64;
            let true_ones = per_cell + per_cell.sqrt() * (draw - mean);
            let variance = true_ones * p * (1.0 - p) + (n - true_ones) * q * (1.0 - q);
            (true_ones * p + (n - true_ones) * q + variance.sqrt() * normal()).round() as u32
        }));
    }
    counts
}

fn peers(options: &Options, metrics: usize, row: impl Fn(&str, f64, &str)) {
    let Some(python) = &options.python else {
        println!("  numpy, scipy, Evidently: not installed; `cargo xtask bench drift` does");
        return;
    };
    let shape = [metrics, SEGMENTS, CELLS].map(|number| number.to_string());
    let script = "benches/peers/drift.py";
    match Command::new(python).arg(script).args(shape).env("OMP_NUM_THREADS", "1").output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            for line in text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
                row(&line.name, line.seconds, &line.note);
            }
            if !output.status.success() {
                println!("  {script} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
            }
        }
        Err(error) => println!("  {script} cannot be started: {error}"),
    }
}

#[cfg(unix)]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(not(unix))]
fn processor_time() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

/// Where the kernel says so.
fn most_resident_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1_024.0)
}
