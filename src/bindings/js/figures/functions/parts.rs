//! Reads the inputs of figures, and flattens what they put out.

use serde_json::Value;

use super::library::drift::{Effect, QuestionReference};
use super::library::estimate::{Channel, Estimate, Interval, Matrix, Scalar};
use super::library::spec::{Mechanism, Question, QuestionKind, Randomizer, Weights};

pub(super) fn number(inputs: &Value, field: &str) -> f64 {
    inputs[field].as_f64().unwrap_or_else(|| panic!("{field} is a number"))
}

pub(super) fn count(inputs: &Value, field: &str) -> u64 {
    inputs[field].as_u64().unwrap_or_else(|| panic!("{field} is a count"))
}

pub(super) fn flag(inputs: &Value, field: &str) -> bool {
    inputs[field].as_bool().unwrap_or_else(|| panic!("{field} is true or false"))
}

fn list<'a>(inputs: &'a Value, field: &str) -> &'a [Value] {
    inputs[field].as_array().unwrap_or_else(|| panic!("{field} is a list"))
}

fn numbers_of(list: &Value) -> Vec<f64> {
    list.as_array().expect("a list").iter().map(|item| item.as_f64().expect("a number")).collect()
}

fn counts_of(list: &Value) -> Vec<u64> {
    list.as_array().expect("a list").iter().map(|item| item.as_u64().expect("a count")).collect()
}

pub(super) fn numbers(inputs: &Value, field: &str) -> Vec<f64> {
    list(inputs, field).iter().map(|item| item.as_f64().expect("a number")).collect()
}

pub(super) fn counts(inputs: &Value, field: &str) -> Vec<u64> {
    list(inputs, field).iter().map(|item| item.as_u64().expect("a count")).collect()
}

pub(super) fn rows(inputs: &Value, field: &str) -> Vec<Vec<f64>> {
    list(inputs, field).iter().map(numbers_of).collect()
}

pub(super) fn count_rows(inputs: &Value, field: &str) -> Vec<Vec<u64>> {
    list(inputs, field).iter().map(counts_of).collect()
}

/// The mechanism of `inputs`, with its parameters.
pub(super) fn randomizer(inputs: &Value) -> Randomizer {
    let weights_of = |epsilon: f64| Weights::within(libm::round(epsilon * 1e6) as u64);
    let parameter = |at: usize| counts(inputs, "parameters")[at];
    let mechanism = match inputs["mechanism"].as_str().expect("a mechanism") {
        "k-ary" => Mechanism::KAry,
        "subset-selection" => Mechanism::SubsetSelection { subset_size: parameter(0) as usize },
        "optimized-unary" => Mechanism::OptimizedUnary,
        "local-hashing" => Mechanism::LocalHashing { hash_range: parameter(0) as u32 },
        "hadamard" => Mechanism::Hadamard,
        "projective-geometry" => {
            Mechanism::ProjectiveGeometry { field_size: parameter(0) as u32, dimension: parameter(1) as u32 }
        }
        "square-wave" => Mechanism::SquareWave { half_width: parameter(0) as u32 },
        "duchi-bit" => Mechanism::DuchiBit,
        "piecewise" => Mechanism::Piecewise { half_width: parameter(0) as u32 },
        "hybrid" => Mechanism::Hybrid { half_width: parameter(0) as u32, window_share: parameter(1) as u32 },
        "discrete-laplace" => Mechanism::DiscreteLaplace,
        "memoized-hashing" => Mechanism::MemoizedHashing {
            hash_range: parameter(0) as u32,
            cohorts: 64,
            epoch_windows: 52,
            fresh: weights_of(parameter(1) as f64 / 1e6),
        },
        unknown => panic!("{unknown} is no mechanism"),
    };
    Randomizer { mechanism, weights: weights_of(number(inputs, "epsilon")) }
}

pub(super) fn symbols(inputs: &Value) -> usize {
    count(inputs, "symbols") as usize
}

pub(super) fn channel(inputs: &Value) -> Channel {
    Channel::of(&randomizer(inputs), symbols(inputs)).expect("shares are counted from it")
}

/// The question about one event that the mechanism answers.
pub(super) fn question(inputs: &Value) -> Question {
    Question {
        name: "question".to_owned(),
        metric: 0,
        kind: QuestionKind::SampledEvent,
        weight: 1,
        epsilon_micronats: libm::round(number(inputs, "epsilon") * 1e6) as u64,
        randomizer: randomizer(inputs),
        domain_size: symbols(inputs),
    }
}

/// Shares of so many devices, counted without noise.
pub(super) fn exact(shares: &[f64], devices: u64) -> QuestionReference {
    QuestionReference {
        device_windows: devices,
        shares: shares.to_vec(),
        covariance: Matrix::symmetric(shares.len(), |u, v| {
            (if u == v { shares[u] } else { 0.0 } - shares[u] * shares[v]) / devices as f64
        }),
    }
}

pub(super) fn matrix(matrix: &Matrix) -> Vec<f64> {
    let entries = |row: usize| (0..=row).map(move |column| matrix.at(row, column));
    (0..matrix.size()).flat_map(entries).collect()
}

pub(super) fn estimate(estimate: &Estimate) -> Vec<f64> {
    [estimate.shares.clone(), matrix(&estimate.covariance)].concat()
}

pub(super) fn scalar(scalar: Scalar) -> [f64; 2] {
    [scalar.value, scalar.standard_error]
}

pub(super) fn interval(interval: Interval) -> [f64; 2] {
    [interval.lower, interval.upper]
}

pub(super) fn effect(effect: &Effect) -> [f64; 6] {
    [effect.estimate, effect.lower, effect.upper, effect.cell as f64, effect.standard_error, effect.z]
}
