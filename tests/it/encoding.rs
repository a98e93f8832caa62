//! One encoding of each output: any payload is refused whole, or it is the number of an output and is counted as that.

use std::collections::BTreeSet;

use driftglass::privacy::{Coin, Decoder, Draws, MalformedPayload, MemoKey, OpenVocabulary, Payload, decoder_of};
use driftglass::spec::Mechanism;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::entropy::Generator;
use crate::randomizers::{at_epsilon, permit, question, weights};

/// A randomizer with its number of outputs; none if they fill 256 bits.
struct Case {
    name: &'static str,
    randomizer: Box<dyn Decoder>,
    outputs: Option<u128>,
}

/// Every mechanism, with narrow and wide payloads.
fn cases() -> Vec<Case> {
    let fresh = weights(2.0);
    let of = |k: usize, mechanism: Mechanism, outputs: Option<u128>| Case {
        name: mechanism.name(),
        randomizer: decoder_of(&question(k, at_epsilon(mechanism, 1.0))),
        outputs,
    };
    let vocabulary = OpenVocabulary::new(9, weights(1.0));
    vec![
        of(5, Mechanism::KAry, Some(5)),
        of(6, Mechanism::SubsetSelection { subset_size: 3 }, Some(20)),
        // C(100, 20), and C(127, 48): ranks that need more than 64 bits.
        of(100, Mechanism::SubsetSelection { subset_size: 20 }, Some(535_983_370_403_809_682_970)),
        of(127, Mechanism::SubsetSelection { subset_size: 48 }, Some(271_271_144_866_247_779_119_111_862_430_554_125)),
        of(11, Mechanism::OptimizedUnary, Some(1 << 11)),
        of(256, Mechanism::OptimizedUnary, None),
        of(300, Mechanism::LocalHashing { hash_range: 300 }, Some(300)),
        of(9, Mechanism::Hadamard, Some(2)),
        of(16, Mechanism::ProjectiveGeometry { field_size: 4, dimension: 3 }, Some(21)),
        of(9, Mechanism::SquareWave { half_width: 2 }, Some(9 + 8)),
        of(9, Mechanism::DuchiBit, Some(2)),
        of(9, Mechanism::Piecewise { half_width: 2 }, Some(9 + 4)),
        of(9, Mechanism::Hybrid { half_width: 2, window_share: 9_000 }, Some(9 + 4 + 2)),
        of(20, Mechanism::DiscreteLaplace, Some(20)),
        of(9, Mechanism::MemoizedHashing { hash_range: 3, cohorts: 100, epoch_windows: 2, fresh }, Some(300)),
        Case { name: "open-vocabulary", randomizer: Box::new(vocabulary), outputs: Some(9) },
    ]
}

fn payload(number: u128) -> Payload {
    Payload::from_bytes(&number.to_be_bytes()).expect("16 bytes")
}

/// What a payload adds to empty counters. A refused one adds nothing.
fn counted(case: &Case, payload: &Payload, coin: &Coin) -> Result<Vec<u64>, MalformedPayload> {
    let mut counters = vec![0; case.randomizer.counters()];
    let counted = case.randomizer.accumulate(payload, coin, &mut counters);
    assert_eq!(counted, case.randomizer.check(payload), "{}: counted as it is checked", case.name);
    assert!(
        counted.is_ok() || counters.iter().all(|count| *count == 0),
        "{}: a refused payload adds nothing",
        case.name
    );
    counted.map(|()| counters)
}

/// Bytes of any length, and numbers near the least that is no output.
fn any_payload(case: usize) -> impl Strategy<Value = Vec<u8>> {
    let outputs = cases()[case].outputs.unwrap_or(u128::MAX);
    let near =
        (0_u128..40).prop_map(move |more| outputs.saturating_sub(20).saturating_add(more).to_be_bytes().to_vec());
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..=33),
        near,
        (0..outputs).prop_map(|number| number.to_be_bytes().to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_024,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(2_026),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_payload_is_the_number_of_an_output_or_refused(
        (case, bytes) in (0..cases().len()).prop_flat_map(|case| (Just(case), any_payload(case))),
        coin in any::<Coin>(),
    ) {
        let case = &cases()[case];
        let Ok(payload) = Payload::from_bytes(&bytes) else {
            prop_assert!(bytes.len() > Payload::MAX_BYTES);
            return Ok(());
        };
        prop_assert_eq!(payload.to_bytes(bytes.len()), bytes.clone());
        let digits: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
        let number = || digits.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        let output = case.outputs.is_none_or(|outputs| digits.len() <= 16 && number() < outputs);
        prop_assert_eq!(counted(case, &payload, &coin).is_ok(), output, "{}", case.name);
    }

    #[test]
    fn what_is_privatized_is_an_output(
        case in 0..cases().len(),
        (symbol, seed) in any::<(u64, u64)>(),
        (coin, memo) in any::<(Coin, [u8; 32])>(),
    ) {
        let case = &cases()[case];
        let symbol = symbol % case.randomizer.domain_size();
        let draws = Draws { coin: &coin, memo: &MemoKey::from_bytes(memo), entropy: &mut Generator::new(seed) };
        let payload = case.randomizer.privatize(permit(), symbol, draws).expect("entropy");
        prop_assert!(counted(case, &payload, &coin).is_ok(), "{}", case.name);
    }
}

/// Two outputs are never counted alike, but for hashes: buckets without a symbol support none.
#[test]
fn outputs_are_told_apart() {
    for case in cases() {
        let Some(outputs) = case.outputs.filter(|outputs| *outputs <= 1 << 11) else { continue };
        let traces: BTreeSet<_> =
            (0..outputs).map(|number| counted(&case, &payload(number), &[3; 16]).expect("an output")).collect();
        let hashed = ["local-hashing", "memoized-hashing", "open-vocabulary"].contains(&case.name);
        assert!(hashed || traces.len() as u128 == outputs, "{}: {} of {outputs}", case.name, traces.len());
    }
}
