//! The confidence set of a change point holds the true one as often as it says, by simulation.
//!
//! Reports are drawn one by one: k-ary response over 6 cells at ε = 2, 1,000 reports a window, 20 windows, a reference of
//! 20,000 reports. From window τ on a share of the events moves from the first cell to the last. Seed 5, 150 streams per
//! case. Nominal 90 %; with 150 streams the standard error of a cover is 2.4 points, so a cover below 0.81 is 3.7 of them
//! off. Covers and mean sizes of the set found: see [`cover`].

#![allow(clippy::print_stdout, reason = "the figures are read with --nocapture")]

use driftglass::drift::{WindowDifference, change_point};
use driftglass::estimate::{Channel, Estimate};
use driftglass::spec::{Mechanism, Randomizer, Weights};
use fastrand::Rng;

const CELLS: usize = 6;
const REPORTS: u64 = 1_000;
const WINDOWS: usize = 20;
const STREAMS: usize = 150;

fn randomizer() -> Randomizer {
    Randomizer { mechanism: Mechanism::KAry, weights: Weights::within(2_000_000) }
}

/// Shares estimated from reports that are drawn one by one.
fn window(shares: &[f64], reports: u64, channel: &Channel, rng: &mut Rng) -> Estimate {
    let mut support = [0; CELLS];
    let other = channel.false_probability();
    let law: Vec<f64> = shares.iter().map(|share| other + (channel.keep_probability() - other) * share).collect();
    for _ in 0..reports {
        let mut left = rng.f64();
        let cell = law.iter().position(|p| {
            left -= p;
            left < 0.0
        });
        support[cell.unwrap_or(CELLS - 1)] += 1;
    }
    channel.estimate(reports, &support).expect("reports")
}

struct Found {
    cover: f64,
    size: f64,
    hit: f64,
    alarms: f64,
}

fn simulate(moved: f64, tau: usize, rng: &mut Rng) -> Found {
    let channel = Channel::of(&randomizer(), CELLS).expect("counted");
    let before = [0.3, 0.2, 0.2, 0.1, 0.1, 0.1];
    let mut after = before;
    after[0] -= moved;
    after[CELLS - 1] += moved;
    let mut found = Found { cover: 0.0, size: 0.0, hit: 0.0, alarms: 0.0 };
    for _ in 0..STREAMS {
        let reference = window(&before, 20 * REPORTS, &channel, rng);
        let estimates: Vec<Estimate> =
            (0..WINDOWS).map(|t| window(if t < tau { &before } else { &after }, REPORTS, &channel, rng)).collect();
        let less = |estimate: &Estimate| -> Vec<f64> {
            estimate.shares.iter().zip(&reference.shares).map(|(now, then)| now - then).collect()
        };
        let differences: Vec<Vec<f64>> = estimates.iter().map(less).collect();
        let windows: Vec<WindowDifference<'_>> = estimates
            .iter()
            .zip(&differences)
            .map(|(estimate, difference)| WindowDifference {
                reports: REPORTS,
                difference,
                covariance: &estimate.covariance,
            })
            .collect();
        let change = change_point(&windows, &reference.covariance, 0.1).expect("a stream");
        let one = 1.0 / STREAMS as f64;
        found.cover += if change.set.contains(&tau) { one } else { 0.0 };
        found.size += change.set.len() as f64 * one;
        found.hit += if change.window == tau { one } else { 0.0 };
        found.alarms += if change.p_value <= 0.05 { one } else { 0.0 };
    }
    found
}

#[test]
fn cover() {
    let mut rng = Rng::with_seed(5);
    for (moved, tau) in [(0.03, 10), (0.06, 10), (0.06, 0), (0.06, 17), (0.15, 4)] {
        let found = simulate(moved, tau, &mut rng);
        let Found { cover, size, hit, alarms } = found;
        println!("moved {moved} from {tau}: cover {cover:.3}, {size:.1} windows, exact {hit:.3}, seen {alarms:.3}");
        assert!(cover >= 0.81, "cover {cover} of 0.9 for {moved} from window {tau}");
    }
}

/// The p-value of "no change" rejects at its level: 150 streams at 5 %, 3.5 standard errors of 1.78 points.
#[test]
fn no_change_is_seen_at_the_level() {
    let found = simulate(0.0, 0, &mut Rng::with_seed(6));
    println!("no change: seen {:.3}", found.alarms);
    assert!(found.alarms <= 0.05 + 3.5 * 0.0178, "{}", found.alarms);
}
