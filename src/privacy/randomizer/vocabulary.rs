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
use super::{Coin, Decoder, Draws, LocalRandomizer};
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

    /// Adds one to the counter of each extension of a prefix by a byte that a report of the extension's level supports; at
    /// level 0 the prefix is 0.
    ///
    /// Bucket y holds the hashes from ⌈y 2^32/g⌉ to below ⌈(y+1) 2^32/g⌉. They are compared before the low 32 bits of
    /// a·x + b are dropped, so that the next extension costs one addition of a.
    ///
    /// # Errors
    ///
    /// [`MalformedPayload`] when it is no output of this mechanism; then nothing is added.
    pub fn count_extensions(
        &self,
        payload: &Payload,
        coin: &Coin,
        prefix: u32,
        counters: &mut [u64; 256],
    ) -> Result<(), MalformedPayload> {
        let bucket = payload.number_below(u64::from(self.hash_range))?;
        let start = |bucket: u64| (bucket << 32).div_ceil(u64::from(self.hash_range));
        let (first, width) = (start(bucket) << 32, (start(bucket + 1) - start(bucket)) << 32);
        let (multiplier, summand) = Self::hash(coin);
        let mut value = multiplier.wrapping_mul(u64::from(prefix) << 8).wrapping_add(summand).wrapping_sub(first);
        for counter in counters {
            *counter += u64::from(value < width);
            value = value.wrapping_add(multiplier);
        }
        Ok(())
    }

    fn hash(coin: &Coin) -> (u64, u64) {
        let coin = u128::from_be_bytes(*coin);
        ((coin >> 64) as u64, coin as u64)
    }

    fn bucket(&self, coin: &Coin, prefix: u32) -> u32 {
        let (multiplier, summand) = Self::hash(coin);
        let hash = multiplier.wrapping_mul(u64::from(prefix)).wrapping_add(summand) >> 32;
        ((hash * u64::from(self.hash_range)) >> 32) as u32
    }
}

impl LocalRandomizer for OpenVocabulary {
    fn domain_size(&self) -> u64 {
        1 << 32
    }

    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError> {
        let Permit { .. } = permit;
        let symbol = u32::try_from(symbol).expect("a symbol lies below the domain size");
        let bucket = self.bucket(draws.coin, Self::prefix(symbol, Self::level(draws.coin)));
        Ok(Payload::from_number(u64::from(self.response.respond(bucket, draws.entropy)?)))
    }
}

impl Decoder for OpenVocabulary {
    /// None: prefixes are counted from the reports.
    fn counters(&self) -> usize {
        0
    }

    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload> {
        payload.number_below(u64::from(self.hash_range)).map(|_| ())
    }

    fn accumulate(&self, payload: &Payload, _: &Coin, _: &mut [u64]) -> Result<(), MalformedPayload> {
        self.check(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_counted_as_each_is_supported() {
        for (hash_range, prefix) in [(2, 0), (21, 0), (21, 0x00AB_CDEF), (1_000, 0x1234), (65_536, 0x00FF_FFFF)] {
            let vocabulary = OpenVocabulary::new(hash_range, Weights { of_true: 3, of_false: 1 });
            for seed in 0..40_u8 {
                // Bytes without a pattern, and each bucket of the ends.
                let coin: Coin = core::array::from_fn(|place| {
                    seed.wrapping_mul(151).wrapping_add((place as u8).wrapping_mul(89)) ^ seed << 3
                });
                let bucket = match seed {
                    0 => hash_range - 1,
                    _ => u32::from(seed) * 977 % hash_range,
                };
                let payload = Payload::from_number(u64::from(bucket));
                let mut counters = [0; 256];
                vocabulary.count_extensions(&payload, &coin, prefix, &mut counters).expect("an output");
                for (byte, count) in (0_u32..).zip(counters) {
                    let supports = vocabulary.supports(&payload, &coin, prefix << 8 | byte);
                    assert_eq!(supports, Ok(count == 1), "g {hash_range} prefix {prefix} byte {byte}");
                }
            }
        }
    }
}
