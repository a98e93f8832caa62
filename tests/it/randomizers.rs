//! Randomizers and questions for tests, without a spec around them.

use driftglass::privacy::{Charge, Ledger, Permit};
use driftglass::spec::{Cap, Question, QuestionKind, Randomizer};

/// W_f of the tests and of the shipped spec.
pub(crate) const WEIGHT_FALSE: u64 = 1 << 32;

/// W_t = ⌊e^ε 2^32⌋: the largest integer whose ratio to 2^32 keeps within ε.
pub(crate) fn weight_true(epsilon: f64) -> u64 {
    (libm::exp(epsilon) * WEIGHT_FALSE as f64) as u64
}

/// Subset selection at ε.
pub(crate) fn at_epsilon(subset_size: usize, epsilon: f64) -> Randomizer {
    Randomizer { subset_size, weight_true: weight_true(epsilon), weight_false: WEIGHT_FALSE }
}

/// A question over a domain; only its randomizer and domain matter.
pub(crate) fn question(domain_size: usize, randomizer: Randomizer) -> Question {
    Question {
        name: "question".to_owned(),
        metric: 0,
        kind: QuestionKind::SampledEvent,
        weight: 1,
        epsilon_micronats: 1,
        randomizer,
        domain_size,
    }
}

/// A permit from a ledger that has room.
pub(crate) fn permit() -> Permit {
    let caps = [Cap { period_secs: 1, epsilon_micronats: 1 }];
    Ledger::default().spend(Charge { at_secs: 0, epsilon_micronats: 1 }, &caps).expect("within the cap")
}

/// C(n, r), exactly, by the product n (n−1) … / r!; `None` beyond 2^120.
pub(crate) fn choose(n: u128, r: u128) -> Option<u128> {
    let mut count = 1_u128;
    for step in 0..r.min(n) {
        count = count.checked_mul(n - step)? / (step + 1);
    }
    (count < 1 << 120).then_some(if r > n { 0 } else { count })
}
