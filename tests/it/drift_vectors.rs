//! Shares, covariance, test statistic and p-value against fixtures that were computed by an independent implementation.
//!
//! k-ary randomized response (GRR) is subset selection with w = 1. The fixtures use the real number e^ε; here weights
//! are integers, and e^ε lies between W_t/W_f and (W_t+1)/W_f. Every quantity below is monotone in that ratio over so
//! short a span (relative length 2^-32), so the fixture's value must lie between the two values at W_t and W_t + 1. The
//! slack beyond them is rounding: a share is a quotient of differences of about 1/(p−q) < 30 times their size, so
//! 1e-13; the statistic sums k such squares and both sides round, 1e-11 relative; the p-value of a large statistic T
//! amplifies its error by T/2 ≤ 250, so 1e-8 relative.
//!
//! Known reference: Wald's statistic over all cells but one at the null covariance equals Σ (c_j − nπ_j)²/(nπ_j), which
//! is what the fixture holds (Gaboardi and Rogers, ICML 2018).

use driftglass::drift::{Wald, chi_squared_survival, wald};
use driftglass::estimate::{Channel, Matrix};
use driftglass::spec::Randomizer;
use serde_json::Value;

use crate::randomizers::subsets;

/// Fixtures of methods that the crate does not have yet, by their kind, with their number. Their p-values are checked
/// all the same.
const NOT_YET: [(&str, usize); 6] = [
    // Unary channels: one bit per cell.
    ("oue_two_sample", 9),
    ("sue_two_sample", 9),
    // Many tests at once, and change over time.
    ("e_bh", 1),
    ("bh", 1),
    ("e_detector", 1),
    // Means in [0, 1].
    ("nprr_G1", 3),
];

/// The same for the small file, whose cases hold one part per channel.
const NOT_YET_SMALL: [(&str, usize); 4] = [
    ("sue_basic_rappor", 4),
    ("oue", 4),
    ("two_sample_oue_k5_n1e5_eps1", 1),
    ("nprr_hoeffding_G1_eps1_n10000_zbar0.53", 1),
];

/// A test of counts against a known reference.
struct Case {
    name: String,
    epsilon: f64,
    reference: Vec<f64>,
    counts: Vec<u64>,
    debiased: Vec<f64>,
    statistic: f64,
    df: usize,
    p_value: f64,
}

fn file(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn cases() -> Value {
    file(include_str!("../vectors/drift/ldp_vectors.json"))
}

fn small_cases() -> Value {
    file(include_str!("../vectors/drift/ldp_vectors_small.json"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn list<T>(value: &Value, read: fn(&Value) -> Option<T>) -> Vec<T> {
    value.as_array().expect("a list").iter().map(|item| read(item).expect("a number")).collect()
}

/// All cases of randomized response, of both files.
fn randomized_response() -> Vec<Case> {
    let read = |name: &str, epsilon: f64, reference: &Value, body: &Value, statistic: &str, p_value: &str| Case {
        name: format!("{name} ε {epsilon}"),
        epsilon,
        reference: list(reference, Value::as_f64),
        counts: list(&body["counts"], Value::as_u64),
        debiased: list(&body["debiased"], Value::as_f64),
        statistic: number(&body[statistic]),
        df: body["df"].as_u64().expect("degrees of freedom") as usize,
        p_value: number(&body[p_value]),
    };
    let mut found = Vec::new();
    for case in cases().as_array().expect("a list").iter().filter(|case| case["kind"] == "grr_gof_known_ref") {
        found.push(read("large", number(&case["eps"]), &case["p_ref"], case, "chi2", "p"));
    }
    for (name, case) in small_cases().as_object().expect("an object") {
        if let (Some((_, epsilon)), Some(body)) = (name.split_once("_eps"), case.get("grr")) {
            found.push(read("small", epsilon.parse().expect("ε"), &case["p0"], body, "T", "pvalue"));
        }
    }
    found
}

/// What the crate gives for a case at one weight.
struct Found {
    debiased: Vec<f64>,
    null: Matrix,
    wald: Wald,
}

fn found(case: &Case, weight_more: u64) -> Found {
    let mut randomizer: Randomizer = subsets(1, case.epsilon);
    randomizer.weights.of_true += weight_more;
    let channel = Channel::of(&randomizer, case.counts.len()).expect("a frequency oracle");
    let n = case.counts.iter().sum();
    let debiased = channel.estimate(n, &case.counts).expect("reports").shares;
    let null = channel.covariance(&case.reference, n as f64);
    let difference: Vec<f64> = debiased.iter().zip(&case.reference).map(|(now, then)| now - then).collect();
    let wald = wald(&difference, &null).expect("a positive definite covariance");
    Found { debiased, null, wald }
}

#[track_caller]
fn between(expected: f64, ends: [f64; 2], slack: f64, what: &str) {
    let (low, high) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
    assert!(
        low - slack <= expected && expected <= high + slack,
        "{what}: {expected} is not in [{low}, {high}] ± {slack}"
    );
    // The tolerance that was asked for: what both weights give is the fixture's value within 1e-6.
    assert!(high - low + slack <= 1e-6 * expected.abs().max(1e-2), "{what}: the interval is too wide to tell");
}

#[test]
fn debiased_shares_agree() {
    assert_eq!(randomized_response().len(), 9 + 4);
    for case in randomized_response() {
        let [low, high] = [0, 1].map(|more| found(&case, more).debiased);
        for (cell, expected) in case.debiased.iter().enumerate() {
            between(*expected, [low[cell], high[cell]], 1e-13, &case.name);
        }
    }
}

/// Per report: (diag(π) − ππᵀ)/(p−q)², π = q + (p−q) f, from e^ε itself; the integer weight changes it by less than
/// 2^-32 · 2e^ε/(e^ε−1) < 1e-9 relative to its largest entry.
#[test]
fn the_null_covariance_is_that_of_randomized_response() {
    for case in randomized_response() {
        let k = case.counts.len();
        let n: u64 = case.counts.iter().sum();
        let (e, f) = (libm::exp(case.epsilon), &case.reference);
        let (p, q) = (e / (e + k as f64 - 1.0), 1.0 / (e + k as f64 - 1.0));
        let pi = |cell: usize| q + (p - q) * f[cell];
        let scale = n as f64 * (p - q) * (p - q);
        let found = found(&case, 0).null;
        let largest = (0..k).map(|cell| found.at(cell, cell)).fold(0.0, f64::max);
        for row in 0..k {
            for column in 0..k {
                let diagonal = if row == column { pi(row) } else { 0.0 };
                let expected = (diagonal - pi(row) * pi(column)) / scale;
                let error = (found.at(row, column) - expected).abs();
                assert!(error < 1e-9 * largest, "{} at ({row}, {column}): {error}", case.name);
            }
        }
    }
}

#[test]
fn statistics_and_p_values_agree() {
    for case in randomized_response() {
        let [low, high] = [0, 1].map(|more| found(&case, more).wald);
        assert_eq!((low.df, high.df), (case.df, case.df));
        between(case.statistic, [low.statistic, high.statistic], 1e-11 * case.statistic, &case.name);
        let what = format!("{}, p-value", case.name);
        assert!(case.statistic < 500.0);
        let ends = [low.p_value, high.p_value].map(libm::log);
        // As logarithms: p-values go down to 1e-85.
        let (expected, slack) = (libm::log(case.p_value), 1e-8);
        let (least, most) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        assert!(least - slack <= expected && expected <= most + slack && most - least < 1e-6, "{what}: {ends:?}");
    }
}

/// Σ (c_j − nπ_j)²/(nπ_j): the textbook form of the same statistic, so that the projection is not only compared with
/// itself.
#[test]
fn leaving_out_a_cell_is_the_projection() {
    for case in randomized_response() {
        let n: u64 = case.counts.iter().sum();
        let channel = Channel::of(&subsets(1, case.epsilon), case.counts.len()).expect("a frequency oracle");
        let (p, q) = (channel.keep_probability(), channel.false_probability());
        let term = |(count, share): (&u64, &f64)| {
            let expected = n as f64 * (q + (p - q) * share);
            (*count as f64 - expected) * (*count as f64 - expected) / expected
        };
        let pearson: f64 = case.counts.iter().zip(&case.reference).map(term).sum();
        let wald = found(&case, 0).wald.statistic;
        assert!((wald / pearson - 1.0).abs() < 1e-10, "{}: {wald} and {pearson}", case.name);
        // Whichever cell is left out.
        let turn = |place: usize| (place + 1) % case.counts.len();
        let Found { debiased, null, .. } = found(&case, 0);
        let difference: Vec<f64> =
            (0..debiased.len()).map(|place| debiased[turn(place)] - case.reference[turn(place)]).collect();
        let turned = Matrix::from_fn(null.size(), |row, column| null.at(turn(row), turn(column)));
        let other = driftglass::drift::wald(&difference, &turned).expect("positive definite").statistic;
        assert!((wald / other - 1.0).abs() < 1e-10, "{}: {wald} and {other}", case.name);
    }
}

/// Every p-value of the fixtures, also those of channels that are not there yet, from the fixture's own statistic.
#[test]
fn all_chi_square_tails_agree() {
    let mut seen = 0;
    let mut check = |body: &Value| {
        let of = |names: &[&str]| names.iter().find_map(|name| body.get(name).and_then(Value::as_f64));
        let statistic = of(&["chi2", "projected_wald", "T", "T_projected"]);
        let p_value = of(&["p_value", "pvalue", "p"]);
        if let (Some(statistic), Some(df), Some(expected)) = (statistic, body["df"].as_u64(), p_value) {
            let found = chi_squared_survival(statistic, df as usize);
            assert!((found / expected - 1.0).abs() < 1e-9, "χ²_{df} > {statistic}: {found}, not {expected}");
            seen += 1;
        }
    };
    cases().as_array().expect("a list").iter().for_each(&mut check);
    for case in small_cases().as_object().expect("an object").values() {
        check(case);
        case.as_object().expect("an object").values().filter(|part| part.is_object()).for_each(&mut check);
    }
    assert_eq!(seen, 27 + 3 * 4 + 1);
}

/// What is not compared above is on the lists, so that a new fixture or a new channel is noticed.
#[test]
fn fixtures_are_compared_or_listed() {
    let count = |names: Vec<String>, name: &str| names.iter().filter(|found| *found == name).count();
    let kinds: Vec<String> = cases()
        .as_array()
        .expect("a list")
        .iter()
        .map(|case| case["kind"].as_str().expect("a kind").to_owned())
        .collect();
    let listed: usize = NOT_YET.iter().map(|(_, count)| count).sum();
    assert_eq!(kinds.len(), 9 + listed);
    for (kind, expected) in NOT_YET {
        assert_eq!(count(kinds.clone(), kind), expected, "{kind}");
    }
    let small = small_cases();
    let mut names = Vec::new();
    for (name, case) in small.as_object().expect("an object") {
        match case.get("grr") {
            Some(_) => names.extend(case.as_object().expect("an object").keys().filter(|part| *part != "p0").cloned()),
            None => names.push(name.clone()),
        }
    }
    let listed: usize = NOT_YET_SMALL.iter().map(|(_, count)| count).sum();
    assert_eq!(names.len(), 4 + listed);
    for (name, expected) in NOT_YET_SMALL {
        assert_eq!(count(names.clone(), name), expected, "{name}");
    }
}
