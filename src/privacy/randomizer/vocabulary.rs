//! Open vocabulary: words that no spec lists, hashed, and reported by their prefixes.
//!
//! The prefix extending method (Wang, Li and Jha, "Locally differentially private heavy hitter identification", IEEE TDSC 18(2), 2021, section 4): devices are divided by a public coin into levels; a device of a
//! level reports a prefix of its hashed word by local hashing. The centre finds frequent prefixes level by level (see `estimate::heavy_hitters`).
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | x | `symbol` | hashed word, see [`crate::spec::word`] | below 2^32 |
//! | l | `level` | 0–3, from the coin; the prefix has 8 (l+1) bits | |
//! | a, b | | hash of prefixes, from the coin: the 32 high bits of a·x + b mod 2^64 | 64 bits each |
//! | g | `hash_range` | buckets; e^ε + 1 is best | 2–65,536 |
//!
//! **Claim.** The report is ln(W_t/W_f)-LDP, given the coin. *Argument.* As for local hashing: the coin is independent of data; given it, the report is k-ary randomized response of a function of the
//! word.
//!
//! *Held by the compiler*: a [`Permit`] is consumed. *Held by the spec*: ln(W_t/W_f) ≤ ε.
//!
//! **Cost**: ⌈log2 g⌉ bits. Counting needs the reports themselves, since there is no list of symbols to count. **Does not protect** more than the one answer. Whoever can guess a word can test it: hashes are
//! names, not secrets.

use super::k_ary::KAryResponse;
use super::payload::{MalformedPayload, Payload};
use super::{Coin, Draws, LocalRandomizer};
use crate::privacy::entropy::EntropyError;
use crate::privacy::permit::Permit;
use crate::spec::Weights;

/// Hashed words by their prefixes.
#[derive(Debug, Clone)]
pub struct OpenVocabulary {
    hash_range: u32,
    response: KAryResponse,
}

impl OpenVocabulary {
    /// Prefixes of 8, 16, 24 and 32 bits.
    pub const LEVELS: u32 = 4;

    /// With `hash_range` buckets.
    ///
    /// # Panics
    ///
    /// If there are fewer than 2 buckets.
    #[must_use]
    pub fn new(hash_range: u32, weights: Weights) -> Self {
        Self { hash_range, response: KAryResponse::new(u64::from(hash_range), weights) }
    }

    /// The level of a report.
    #[must_use]
    pub fn level(coin: &Coin) -> u32 {
        // The lowest bits of the summand: what is left of it makes the hash uniform all the same.
        u32::from(coin[15]) % Self::LEVELS
    }

    /// The prefix of a word at a level.
    #[must_use]
    pub fn prefix(symbol: u32, level: u32) -> u32 {
        symbol >> (8 * (Self::LEVELS - 1 - level))
    }

    /// Whether a report supports a prefix of its level.
    ///
    /// # Errors
    ///
    /// [`MalformedPayload`] when it is no output of this mechanism.
    pub fn supports(&self, payload: &Payload, coin: &Coin, prefix: u32) -> Result<bool, MalformedPayload> {
        Ok(payload.number_below(u64::from(self.hash_range))? == u64::from(self.bucket(coin, prefix)))
    }

    fn bucket(&self, coin: &Coin, prefix: u32) -> u32 {
        let coin = u128::from_be_bytes(*coin);
        let (multiplier, summand) = ((coin >> 64) as u64, coin as u64);
        let hash = multiplier.wrapping_mul(u64::from(prefix)).wrapping_add(summand) >> 32;
        ((hash * u64::from(self.hash_range)) >> 32) as u32
    }
}

impl LocalRandomizer for OpenVocabulary {
    fn domain_size(&self) -> u64 {
        1 << 32
    }

    /// None: prefixes are counted from the reports.
    fn counters(&self) -> usize {
        0
    }

    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError> {
        let Permit { .. } = permit;
        let symbol = u32::try_from(symbol).expect("a symbol lies below the domain size");
        let bucket = self.bucket(draws.coin, Self::prefix(symbol, Self::level(draws.coin)));
        Ok(Payload::from_number(u64::from(self.response.respond(bucket, draws.entropy)?)))
    }

    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload> {
        payload.number_below(u64::from(self.hash_range)).map(|_| ())
    }

    fn accumulate(&self, payload: &Payload, _: &Coin, _: &mut [u64]) -> Result<(), MalformedPayload> {
        self.check(payload)
    }
}
