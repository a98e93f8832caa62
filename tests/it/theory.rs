//! The channel of the crate against the theory of frequency oracles.
//!
//! `tests/vectors/privacy/theory_freq_oracles.csv` was computed from the formulas of Ye and Barg (2018) with the real number e^ε. Here the weights are
//! integers: W_t = ⌊e^ε 2^32⌋, W_f = 2^32, so that W_t/W_f is below e^ε by at most 2^-32 relative; n·Var moves by less than
//! 2^-32 · 2e^ε/(e^ε − 1) < 1.2e-9 relative for ε ≥ 0.5. The csv has five decimals, so the tolerance is 5e-6 for its rounding and 1e-8 relative for the weights.
//!
//! | Column | Meaning |
//! | --- | --- |
//! | `SS_noise` | n·Var of one share f = 1/k: (f p(1−p) + (1−f) q(1−q)) / (p−q)² |
//! | `SS_nVar` | the same plus f(1−f), as devices are a sample |
//! | `SS_w` | the subset size with the least n·Var |

use driftglass::estimate::Channel;
use driftglass::spec::MonitorSpec;

use crate::randomizers::{WEIGHT_FALSE, at_epsilon, choose, weight_true};

struct Row {
    k: usize,
    epsilon: f64,
    w: usize,
    noise: f64,
    variance: f64,
}

fn rows() -> Vec<Row> {
    let mut lines = include_str!("../vectors/privacy/theory_freq_oracles.csv").lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let column = |name: &str| header.iter().position(|title| *title == name).expect("a column");
    let places = ["k", "eps", "SS_w", "SS_noise", "SS_nVar"].map(column);
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let [k, epsilon, w, noise, variance] = places.map(|place| fields[place].parse::<f64>().expect("a number"));
        Row { k: k as usize, epsilon, w: w as usize, noise, variance }
    };
    lines.map(row).collect()
}

/// The rows of domains that a spec may have and of subsets that a payload may hold.
fn usable() -> Vec<Row> {
    let fits = |row: &Row| {
        [2, 16, 64, 128].contains(&row.k) && choose(row.k as u128, row.w as u128).is_some_and(|count| count < 1 << 120)
    };
    rows().into_iter().filter(fits).collect()
}

/// n·Var of one share f = 1/k, without the part of the sample.
fn noise(k: usize, w: usize, epsilon: f64) -> f64 {
    let channel = Channel::of(&at_epsilon(w, epsilon), k);
    let (p, q, f) = (channel.keep_probability(), channel.false_probability(), 1.0 / k as f64);
    (f * p * (1.0 - p) + (1.0 - f) * q * (1.0 - q)) / ((p - q) * (p - q))
}

fn check(found: f64, expected: f64, what: &str, row: &Row) {
    let tolerance = 5e-6 + 1e-8 * expected;
    assert!((found - expected).abs() <= tolerance, "k {} ε {}: {what} {found}, not {expected}", row.k, row.epsilon);
}

#[test]
fn most_rows_are_usable() {
    let usable = usable();
    // Six ε for each of four k, less the subsets of 128 that are too many.
    assert!(usable.len() >= 23, "{}", usable.len());
    assert!(usable.iter().any(|row| row.w > 30), "large subsets too");
}

#[test]
fn noise_is_what_theory_says() {
    for row in usable() {
        check(noise(row.k, row.w, row.epsilon), row.noise, "SS_noise", &row);
    }
}

#[test]
fn covariance_adds_the_sample() {
    for row in usable() {
        let shares = vec![1.0 / row.k as f64; row.k];
        let covariance = Channel::of(&at_epsilon(row.w, row.epsilon), row.k).covariance(&shares, 1.0);
        check(covariance.at(0, 0), row.variance, "SS_nVar", &row);
        // Estimates sum to 1 whatever is reported, because each report supports exactly w symbols: rows of the covariance sum to 0.
        // The sum of k terms of size at most SS_nVar rounds off by less than k² ulp.
        let sum: f64 = (0..row.k).map(|column| covariance.at(0, column)).sum();
        assert!(sum.abs() < row.variance * 128.0 * 128.0 * f64::EPSILON, "k {} ε {}: {sum}", row.k, row.epsilon);
    }
}

#[test]
fn the_subset_size_is_the_best() {
    for row in usable() {
        let at_w = noise(row.k, row.w, row.epsilon);
        for w in (1..row.k).filter(|w| *w != row.w) {
            // Sizes w and k − w are as good as each other only as ε → 0; a tie would be a fault of the table.
            assert!(noise(row.k, w, row.epsilon) > at_w, "k {} ε {}: w = {w} beats {}", row.k, row.epsilon, row.w);
        }
    }
}

/// ln(W_t/W_f) ≤ ε, and W_t + 1 would break it: the bound is as tight as integers allow. The parser decides the same.
#[test]
fn weights_keep_within_epsilon() {
    let spec = |weight_true: u64, micronats: u64| {
        let faults: serde_json::Value =
            serde_json::from_str(include_str!("../vectors/spec-faults.json")).expect("the file of faults");
        let mut document = faults["base"].clone();
        let question = &mut document["measurement"]["questions"][0];
        question["epsilon_micronats"] = micronats.into();
        question["randomizer"]["weight_true"] = weight_true.into();
        MonitorSpec::parse(&document.to_string())
    };
    for epsilon in [0.5, 1.0, 2.0, 3.0, 4.0, 6.0] {
        let (weight, micronats) = (weight_true(epsilon), (epsilon * 1e6) as u64);
        let loss = |weight: u64| libm::log(weight as f64 / WEIGHT_FALSE as f64);
        assert!(loss(weight) <= epsilon && loss(weight + 1) > epsilon, "ε {epsilon}");
        assert!(spec(weight, micronats).is_ok(), "ε {epsilon}");
        let error = spec(weight + 1, micronats).expect_err("too much");
        assert_eq!(error.pointer, "/measurement/questions/0/randomizer/weight_true");
        assert!(spec(weight, micronats - 1).is_err(), "ε {epsilon}");
    }
}
