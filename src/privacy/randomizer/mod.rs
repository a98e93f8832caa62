//! The mechanisms that turn a true symbol into the payload that is sent.
//!
//! | Module | Mechanism | Law |
//! | --- | --- | --- |
//! | [`k_ary`] | k-ary randomized response | W_t, W_f |
//! | [`subset_selection`] | subset selection | W_t, W_f |
//! | [`unary`] | optimized unary encoding | W_t, W_f |
//! | [`hashing`] | optimized local hashing, the hash a public coin | W_t, W_f |
//! | [`hadamard`] | Hadamard response, the row a public coin | W_t, W_f |
//! | [`half_space`] | binary randomized response of the anchored bit | W_t, W_f |
//! | [`projective`] | projective geometry response | W_t, W_f |
//! | [`window`] | square wave and piecewise mechanism on a grid | W_t, W_f |
//! | [`mean`] | Duchi's bit and the hybrid mechanism on a grid | W_t, W_f and a mixture of two integers |
//! | [`laplace`] | range-restricted discrete Laplace, for event-level counts | a table of integers made from W_t, W_f |
//! | [`memoized`] | hashing with a memoized first round | two pairs of weights |
//! | [`vocabulary`] | hashed open vocabulary, by prefixes | W_t, W_f |
//!
//! What all of them hold to:
//!
//! - **Integers only**, and every probability is a fraction of integers that the spec fixes.
//! - **No branch and no address depends on the symbol**, nor on entropy that together with the payload would tell
//!   more about it than the payload
//!   does. Draws repeat on public bounds only; the symbol and the decision to keep it select by mask.
//! - **One encoding** of each output: an integer below the number of outputs, most significant byte first.

use alloc::{boxed::Box, vec::Vec};

use core::fmt;

use super::entropy::{EntropyError, EntropySource};
use super::memo::MemoKey;
use super::permit::Permit;
use crate::spec::{Mechanism, Question, QuestionKind};

mod combination;
mod compare;
mod field;
mod hadamard;
mod half_space;
mod hashing;
mod k_ary;
mod laplace;
mod mean;
mod memoized;
mod payload;
mod projective;
mod subset_selection;
mod unary;
mod vocabulary;
mod window;

pub use hadamard::HadamardResponse;
pub use half_space::HalfSpaceResponse;
pub use hashing::LocalHashing;
pub use k_ary::KAryResponse;
pub use laplace::DiscreteLaplace;
pub use mean::{DuchiBit, HybridMean};
pub use memoized::MemoizedHashing;
pub use payload::{MalformedPayload, Payload};
pub use projective::ProjectiveGeometry;
pub use subset_selection::SubsetSelection;
pub use unary::OptimizedUnary;
pub use vocabulary::OpenVocabulary;
pub use window::{SlidingWindow, SquareWave};

/// A public coin: the report id, which everyone sees and which is known before the answer is.
pub type Coin = [u8; 16];

/// Where a randomizer takes its chance from.
#[allow(missing_debug_implementations, reason = "holds entropy and a key")]
pub struct Draws<'a> {
    /// Public chance, which the centre sees too.
    pub coin: &'a Coin,
    /// Private chance that stays the same for an epoch.
    pub memo: &'a MemoKey,
    /// Private chance that is fresh in every report.
    pub entropy: &'a mut dyn EntropySource,
}

/// A mechanism that satisfies local differential privacy for one symbol: the half of it that devices run.
pub trait LocalRandomizer: Send + Sync {
    /// Number of true symbols.
    fn domain_size(&self) -> u64;

    /// Hides a true symbol.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when there is no entropy; the permit is used up.
    ///
    /// # Panics
    ///
    /// If `symbol` is not below the domain size.
    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError>;
}

impl fmt::Debug for dyn LocalRandomizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalRandomizer({} symbols)", self.domain_size())
    }
}

/// The half of a randomizer that the centre runs: it counts payloads. Apart from the other half, so that no device
/// downloads it.
pub trait Decoder: LocalRandomizer + fmt::Debug {
    /// Number of counters that sums of payloads need.
    fn counters(&self) -> usize;

    /// Whether a payload is an output of this mechanism.
    ///
    /// # Errors
    ///
    /// [`MalformedPayload`] when it is not.
    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload>;

    /// Adds a payload to the counters.
    ///
    /// # Errors
    ///
    /// [`MalformedPayload`] when it is no output of this mechanism; then nothing is added.
    ///
    /// # Panics
    ///
    /// If there are not as many counters as [`Decoder::counters`] says.
    fn accumulate(&self, payload: &Payload, coin: &Coin, counters: &mut [u64]) -> Result<(), MalformedPayload>;

    /// Adds many payloads with their coins to the counters, as [`Decoder::accumulate`] adds one; faster where
    /// the steps of one wait for each other.
    ///
    /// # Errors
    ///
    /// [`MalformedPayload`] when one is no output of this mechanism; then nothing is added.
    ///
    /// # Panics
    ///
    /// As [`Decoder::accumulate`].
    fn accumulate_all(&self, reports: &[(Payload, Coin)], counters: &mut [u64]) -> Result<(), MalformedPayload> {
        reports.iter().try_for_each(|(payload, _)| self.check(payload))?;
        reports.iter().try_for_each(|(payload, coin)| self.accumulate(payload, coin, counters))
    }

    /// This mechanism as one that shares are counted from, if it is.
    fn oracle(&self) -> Option<&dyn FrequencyOracle> {
        None
    }
}

/// A randomizer whose payloads each support some of the symbols: the true one with probability p, any other with
/// probability q.
pub trait FrequencyOracle: Decoder {
    /// For each symbol, how many of the payloads in the counters support it.
    ///
    /// # Panics
    ///
    /// If there are not as many counters as [`Decoder::counters`] says.
    fn support(&self, counters: &[u64]) -> Vec<u64>;
}

/// The randomizer that a spec fixes for a question.
#[must_use]
pub fn randomizer_of(question: &Question) -> Box<dyn LocalRandomizer> {
    struct Boxed;
    impl Use for Boxed {
        type Out = Box<dyn LocalRandomizer>;
        fn apply(self, mechanism: impl Decoder + 'static) -> Self::Out {
            Box::new(mechanism)
        }
    }
    mechanism_of(question, Boxed)
}

/// The same randomizer with its other half, which counts payloads.
#[must_use]
pub fn decoder_of(question: &Question) -> Box<dyn Decoder> {
    struct Boxed;
    impl Use for Boxed {
        type Out = Box<dyn Decoder>;
        fn apply(self, mechanism: impl Decoder + 'static) -> Self::Out {
            Box::new(mechanism)
        }
    }
    mechanism_of(question, Boxed)
}

/// What is made of a mechanism, whichever it is.
trait Use {
    type Out;
    fn apply(self, mechanism: impl Decoder + 'static) -> Self::Out;
}

fn mechanism_of<U: Use>(question: &Question, use_of: U) -> U::Out {
    let (k, weights) = (question.domain_size as u64, question.randomizer.weights);
    match question.randomizer.mechanism {
        Mechanism::KAry if let QuestionKind::AnchoredBit { baseline } = &question.kind => {
            use_of.apply(HalfSpaceResponse::new(baseline.len(), weights))
        }
        Mechanism::KAry => use_of.apply(KAryResponse::new(k, weights)),
        Mechanism::SubsetSelection { subset_size } => use_of.apply(SubsetSelection::new(k, subset_size, weights)),
        Mechanism::OptimizedUnary => use_of.apply(OptimizedUnary::new(k, weights)),
        Mechanism::LocalHashing { hash_range } if question.kind == QuestionKind::OpenVocabulary => {
            use_of.apply(OpenVocabulary::new(hash_range, weights))
        }
        Mechanism::LocalHashing { hash_range } => use_of.apply(LocalHashing::new(k, hash_range, weights)),
        Mechanism::Hadamard => use_of.apply(HadamardResponse::new(k, weights)),
        Mechanism::ProjectiveGeometry { field_size, dimension } => {
            use_of.apply(ProjectiveGeometry::new(k, field_size, dimension, weights))
        }
        Mechanism::SquareWave { half_width } => use_of.apply(SquareWave::new(k, half_width, weights)),
        Mechanism::Piecewise { half_width } => use_of.apply(SlidingWindow::new(k, half_width, weights)),
        Mechanism::DuchiBit => use_of.apply(DuchiBit::new(k, weights)),
        Mechanism::Hybrid { half_width, window_share } => {
            use_of.apply(HybridMean::new(k, half_width, window_share, weights))
        }
        Mechanism::DiscreteLaplace => use_of.apply(DiscreteLaplace::new(k, weights)),
        Mechanism::MemoizedHashing { hash_range, cohorts, fresh, .. } => {
            use_of.apply(MemoizedHashing::new(k, hash_range, cohorts, weights, fresh))
        }
    }
}
