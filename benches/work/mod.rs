//! What is timed, natively and in wasm: the same loops over the same cases.

use std::hint::black_box;

use driftglass::chooser;
use driftglass::privacy::{
    Charge, Coin, Decoder, Draws, EntropyError, EntropySource, Ledger, MemoKey, Payload, Permit, decoder_of,
};
use driftglass::spec::{Cap, Mechanism, Question, QuestionKind, Randomizer};

/// A mechanism over a domain at ε.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Case {
    pub(crate) k: usize,
    pub(crate) epsilon: u32,
    pub(crate) randomizer: Randomizer,
}

const FAMILIES: [(&str, &[(usize, u32)]); 6] = [
    ("k-ary", &[(16, 4), (128, 6), (1_024, 6)]),
    ("projective-geometry", &[(16, 1), (128, 1), (1_024, 1), (1_024, 2), (1_024, 4), (4_096, 1)]),
    ("local-hashing", &[(16, 1), (128, 1), (1_024, 1), (1_024, 4)]),
    ("hadamard", &[(128, 1), (1_024, 1)]),
    ("subset-selection", &[(16, 1), (64, 1), (64, 2), (64, 4), (128, 1), (256, 1), (1_024, 4), (4_096, 6)]),
    ("optimized-unary", &[(16, 1), (64, 1), (128, 1), (256, 1)]),
];

/// Every case, with the parameters that the chooser gives each mechanism.
pub(crate) fn cases() -> Vec<Case> {
    let of = |name: &str, &(k, epsilon): &(usize, u32)| Case { k, epsilon, randomizer: best_of(name, k, epsilon) };
    FAMILIES.iter().flat_map(|(name, places)| places.iter().map(move |place| of(name, place))).collect()
}

/// A mechanism by its name in a spec, with the best parameters.
pub(crate) fn best_of(name: &str, k: usize, epsilon: u32) -> Randomizer {
    let candidates = chooser::candidates(k, u64::from(epsilon) * 1_000_000);
    let found = candidates.iter().find(|candidate| candidate.randomizer.mechanism.name() == name);
    found.expect("each case fits 256 bits").randomizer
}

impl Case {
    /// The mechanism with its parameters.
    pub(crate) fn describe(&self) -> String {
        describe(&self.randomizer.mechanism)
    }
}

/// A mechanism with its parameters, for people.
pub(crate) fn describe(mechanism: &Mechanism) -> String {
    match mechanism {
        Mechanism::SubsetSelection { subset_size } => format!("subset selection w={subset_size}"),
        Mechanism::LocalHashing { hash_range } => format!("local hashing g={hash_range}"),
        Mechanism::ProjectiveGeometry { field_size, dimension } => format!("projective q={field_size} t={dimension}"),
        other => other.name().to_owned(),
    }
}

/// A question of which only the randomizer and the domain matter.
pub(crate) fn question(k: usize, randomizer: Randomizer) -> Question {
    Question {
        name: "bench".to_owned(),
        metric: 0,
        kind: QuestionKind::SampledEvent,
        weight: 1,
        epsilon_micronats: 1,
        randomizer,
        domain_size: k,
    }
}

/// A permit from a ledger that has room.
pub(crate) fn permit() -> Permit {
    let caps = [Cap { period_secs: 1, epsilon_micronats: 1 }];
    Ledger::default().spend(Charge { at_secs: 0, epsilon_micronats: 1 }, &caps).expect("within the cap")
}

/// Random bytes that were drawn before, from the beginning again when they end.
struct Tape {
    bytes: Vec<u8>,
    at: usize,
}

impl EntropySource for Tape {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        if self.bytes.len() - self.at < buffer.len() {
            self.at = 0;
        }
        let end = self.at + buffer.len();
        buffer.copy_from_slice(&self.bytes[self.at..end]);
        self.at = end;
        Ok(())
    }
}

/// Writes down how many bytes are drawn at a time.
struct Recorder<'a> {
    tape: &'a mut Tape,
    lengths: &'a mut Vec<usize>,
}

impl EntropySource for Recorder<'_> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.lengths.push(buffer.len());
        self.tape.fill(buffer)
    }
}

/// Reports of one loop. So many that a processor does not learn their branches by heart.
pub(crate) const REPORTS: usize = 16_384;

/// A case, ready to be timed.
pub(crate) struct Work {
    randomizer: Box<dyn Decoder>,
    permits: Vec<Permit>,
    symbols: Vec<u64>,
    coins: Vec<Coin>,
    payloads: Vec<Payload>,
    /// The payloads with their coins, as the centre has them.
    reports: Vec<(Payload, Coin)>,
    counters: Vec<u64>,
    memo: MemoKey,
    tape: Tape,
    /// Lengths of the draws of [`REPORTS`] reports.
    lengths: Vec<usize>,
}

impl Work {
    pub(crate) fn new(case: &Case) -> Self {
        let mut state = 0x5EED;
        let mut bytes = |length: usize| (0..length).map(|_| split_mix(&mut state) as u8).collect::<Vec<u8>>();
        let coins = bytes(16 * REPORTS).as_chunks().0.to_vec();
        let words = bytes(8 * REPORTS);
        let symbol = |word: &[u8; 8]| u64::from_be_bytes(*word) % case.k as u64;
        let symbols = words.as_chunks().0.iter().map(symbol).collect();
        let tape = Tape { bytes: bytes(1 << 18), at: 0 };
        let randomizer = decoder_of(&question(case.k, case.randomizer));
        let counters = vec![0; randomizer.counters()];
        let memo = MemoKey::from_bytes([0; 32]);
        let (permits, payloads, reports, lengths) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut work = Self { randomizer, permits, symbols, coins, payloads, reports, counters, memo, tape, lengths };
        work.record();
        work
    }

    /// Privatizes once, to know what is drawn and to have payloads.
    fn record(&mut self) {
        for (symbol, coin) in self.symbols.iter().zip(&self.coins) {
            let mut entropy = Recorder { tape: &mut self.tape, lengths: &mut self.lengths };
            let draws = Draws { coin, memo: &self.memo, entropy: &mut entropy };
            self.payloads.push(self.randomizer.privatize(permit(), *symbol, draws).expect("a tape does not end"));
        }
        self.reports = self.payloads.iter().copied().zip(self.coins.iter().copied()).collect();
    }

    /// Pays for the reports of a loop. Permits have no size, so that a stack of them costs nothing.
    pub(crate) fn pay(&mut self) {
        self.permits.resize_with(REPORTS, permit);
    }

    /// Privatizes [`REPORTS`] symbols that were paid for.
    pub(crate) fn privatize(&mut self) {
        let places = self.payloads.iter_mut().zip(&self.symbols).zip(&self.coins);
        for ((payload, symbol), coin) in places {
            let permit = self.permits.pop().expect("paid for");
            let draws = Draws { coin, memo: &self.memo, entropy: &mut self.tape };
            *payload = self.randomizer.privatize(permit, *symbol, draws).expect("a tape does not end");
        }
        black_box(&self.payloads);
    }

    /// Reads the tape as [`Work::privatize`] does, and no more.
    pub(crate) fn replay(&mut self) {
        let mut buffer = [0; 256];
        let tape: &mut dyn EntropySource = black_box(&mut self.tape);
        for length in &self.lengths {
            tape.fill(&mut buffer[..*length]).expect("a tape does not end");
            black_box(&buffer);
        }
    }

    /// Adds [`REPORTS`] payloads to the counters one by one.
    pub(crate) fn accumulate(&mut self) {
        for (payload, coin) in &self.reports {
            self.randomizer.accumulate(payload, coin, &mut self.counters).expect("an output");
        }
        black_box(&self.counters);
    }

    /// Adds them together.
    pub(crate) fn accumulate_all(&mut self) {
        self.randomizer.accumulate_all(&self.reports, &mut self.counters).expect("outputs");
        black_box(&self.counters);
    }

    /// From counters to the support of each symbol; once for all reports of a window.
    pub(crate) fn support(&self) {
        black_box(self.randomizer.oracle().expect("counts shares").support(&self.counters));
    }
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}
