//! Randomizers and questions for tests, without a spec around them.

use driftglass::privacy::{
    Charge, Coin, Decoder, Draws, EntropyError, EntropySource, Ledger, MemoKey, Payload, Permit,
};
use driftglass::spec::{Cap, Mechanism, Question, QuestionKind, Randomizer, Weights};

/// The weights of ε, W_f being 2^32.
pub(crate) fn weights(epsilon: f64) -> Weights {
    Weights::within((epsilon * 1e6) as u64)
}

/// A mechanism at ε.
pub(crate) fn at_epsilon(mechanism: Mechanism, epsilon: f64) -> Randomizer {
    Randomizer { mechanism, weights: weights(epsilon) }
}

/// Subset selection at ε.
pub(crate) fn subsets(subset_size: usize, epsilon: f64) -> Randomizer {
    at_epsilon(Mechanism::SubsetSelection { subset_size }, epsilon)
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

/// The number of a report of at most 8 bytes, made with a coin, a memo key and this entropy.
pub(crate) fn report_of(
    randomizer: &dyn Decoder,
    symbol: u64,
    coin: &Coin,
    memo: &[u8; 32],
    entropy: &mut dyn EntropySource,
) -> Result<u64, EntropyError> {
    let memo = MemoKey::from_bytes(*memo);
    Ok(number(&randomizer.privatize(permit(), symbol, Draws { coin, memo: &memo, entropy })?))
}

/// The number of a payload of at most 8 bytes.
pub(crate) fn number(payload: &Payload) -> u64 {
    let bytes = payload.to_bytes(Payload::MAX_BYTES);
    let (high, low) = bytes.split_last_chunk::<8>().expect("32 bytes");
    assert!(high.iter().all(|byte| *byte == 0), "a number below 2^64");
    u64::from_be_bytes(*low)
}
