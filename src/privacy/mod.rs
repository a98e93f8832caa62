//! What makes an answer safe to send: a ledger that pays, a permit that proves it, and an exact randomizer.
//!
//! The order is fixed by types. [`Ledger::spend`](ledger::Ledger::spend) debits and returns a [`Permit`]; a permit cannot be made otherwise, cloned or kept;
//! [`LocalRandomizer::privatize`] consumes it. So nothing is privatized that was not paid for.
//!
//! No float occurs on this path: laws are fixed by integers, and sampling compares integers. The bound
//! ln(W_t/W_f) ≤ ε was checked when the spec was read.

mod app;
mod entropy;
mod health;
mod ledger;
mod memo;
mod permit;
mod randomizer;
mod secret;
mod state;

pub use entropy::{EntropyError, EntropySource};
pub use health::start_up;
pub use ledger::{Charge, Ledger, LedgerError};
pub use memo::MemoKey;
pub use permit::Permit;
pub use randomizer::{
    Coin, Decoder, DiscreteLaplace, Draws, DuchiBit, FrequencyOracle, HadamardResponse, HalfSpaceResponse, HybridMean,
    KAryResponse, LocalHashing, LocalRandomizer, MalformedPayload, MemoizedHashing, OpenVocabulary, OptimizedUnary,
    Payload, ProjectiveGeometry, SlidingWindow, SquareWave, SubsetSelection, decoder_of, randomizer_of,
};
pub use secret::DeviceSecret;
pub use state::{DeviceState, StateError};
