//! Optimized local hashing: hash the symbol to few buckets, then report a bucket by randomized response.
//!
//! Wang, Blocki, Li and Jha, "Locally differentially private protocols for frequency estimation", USENIX Security 2017,
//! section 4.4 ("OLH"). The hash is a public coin, so that it costs no payload and no device can choose it by its data.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `domain_size` | symbols | 2–65,536 |
//! | g | `hash_range` | buckets; e^ε + 1 is best | 2–65,536 |
//! | a, b | | multiplier and summand of the hash, from the coin | 32 bits each |
//! | p | | P\[the bucket of v is reported, given x = v\] = W_t / (W_t + (g−1) W_f) | |
//! | q | | the same given x ≠ v, over the hash: 1/g, up to the rounding of buckets | |
//!
//! The hash of v is the bucket of the 16 high bits of a·v + b mod 2^32: pairwise independent for v < 2^16
//! (Dietzfelbinger, "Universal hashing
//! and k-wise independent random variables via integer arithmetic without primes", STACS 1996, theorem 3). Bucket y
//! holds the values from
//! ⌈y 2^16/g⌉ to below ⌈(y+1) 2^16/g⌉.
//!
//! **Claim.** The report is ln(W_t/W_f)-LDP, given the coin. *Argument.* The coin is a pseudo-random function of the
//! device secret,
//! window and question, so it is independent of data; given the coin, the report is k-ary randomized response of a
//! function of the symbol.
//!
//! *Held by the compiler*: a [`Permit`] is consumed. *Held by the spec*: ln(W_t/W_f) ≤ ε.
//!
//! **Cost**: ⌈log2 g⌉ bits, constant time; O(k) to count. **Variance** of a share f from n reports: (f p(1−p) + (1−f)
//! q(1−q)) / (n (p−q)²). **Does not
//! protect** more than the one answer.

use core::ops::AddAssign;

use super::k_ary::KAryResponse;
use super::payload::{MalformedPayload, Payload};
use super::{Coin, Draws, FrequencyOracle, LocalRandomizer};
use crate::privacy::entropy::EntropyError;
use crate::privacy::permit::Permit;
use crate::spec::Weights;

/// A pairwise independent hash of symbols below 2^16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BucketHash {
    multiplier: u32,
    summand: u32,
    range: u32,
}

impl BucketHash {
    /// The hash that the first eight bytes stand for.
    pub(super) fn of(seed: &[u8; 8], range: u32) -> Self {
        let [a0, a1, a2, a3, b0, b1, b2, b3] = *seed;
        Self { multiplier: u32::from_be_bytes([a0, a1, a2, a3]), summand: u32::from_be_bytes([b0, b1, b2, b3]), range }
    }

    /// The bucket of a symbol.
    pub(super) fn bucket(&self, symbol: u32) -> u32 {
        let value = self.multiplier.wrapping_mul(symbol).wrapping_add(self.summand);
        ((value >> 16) * self.range) >> 16
    }

    /// Where the values of a bucket lie.
    fn preimage(&self, bucket: u32) -> Preimage {
        let start = |bucket: u32| u64::from(bucket << 16).div_ceil(u64::from(self.range)) << 16;
        let (first, end) = (start(bucket), start(bucket + 1));
        // Fits: a bucket is a part of 2^32. The last one ends there, which wraps to 0.
        Preimage {
            multiplier: self.multiplier,
            offset: self.summand.wrapping_sub(first as u32),
            width: (end - first) as u32,
        }
    }

    /// Adds one to the counter of each symbol in a bucket.
    pub(super) fn count(&self, bucket: u32, counters: &mut [u64]) {
        self.preimage(bucket).count(0, counters);
    }
}

/// The symbols of a bucket: those v with multiplier · v + offset mod 2^32 below width.
#[derive(Debug, Clone, Copy)]
struct Preimage {
    multiplier: u32,
    offset: u32,
    width: u32,
}

impl Preimage {
    /// Adds one to the counter of each of its symbols, of which `first` has the first counter.
    fn count<C: AddAssign + From<bool>>(&self, first: u32, counters: &mut [C]) {
        let mut value = self.multiplier.wrapping_mul(first).wrapping_add(self.offset);
        for counter in counters {
            *counter += C::from(value < self.width);
            value = value.wrapping_add(self.multiplier);
        }
    }
}

/// Optimized local hashing over a domain.
#[derive(Debug, Clone)]
pub struct LocalHashing {
    domain_size: u32,
    hash_range: u32,
    response: KAryResponse,
}

impl LocalHashing {
    /// Most symbols, and most buckets: the hash has 16 bits.
    pub const MAX_DOMAIN: u64 = 1 << 16;

    /// Over `domain_size` symbols with `hash_range` buckets.
    ///
    /// # Panics
    ///
    /// If there are more symbols or buckets than [`LocalHashing::MAX_DOMAIN`], or fewer than 2 buckets.
    #[must_use]
    pub fn new(domain_size: u64, hash_range: u32, weights: Weights) -> Self {
        assert!(domain_size <= Self::MAX_DOMAIN, "the hash is pairwise independent below 2^16");
        assert!(u64::from(hash_range) < Self::MAX_DOMAIN, "the hash has 16 bits");
        let response = KAryResponse::new(u64::from(hash_range), weights);
        // Fits: it was just compared.
        Self { domain_size: domain_size as u32, hash_range, response }
    }

    fn hash(&self, coin: &Coin) -> BucketHash {
        let [a0, a1, a2, a3, b0, b1, b2, b3, ..] = *coin;
        BucketHash::of(&[a0, a1, a2, a3, b0, b1, b2, b3], self.hash_range)
    }
}

impl LocalRandomizer for LocalHashing {
    fn domain_size(&self) -> u64 {
        u64::from(self.domain_size)
    }

    fn counters(&self) -> usize {
        self.domain_size as usize
    }

    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError> {
        assert!(symbol < u64::from(self.domain_size), "a symbol lies below the domain size");
        let Permit { .. } = permit;
        let bucket = self.hash(draws.coin).bucket(symbol as u32);
        Ok(Payload::from_number(u64::from(self.response.respond(bucket, draws.entropy)?)))
    }

    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload> {
        payload.number_below(u64::from(self.hash_range)).map(|_| ())
    }

    fn accumulate(&self, payload: &Payload, coin: &Coin, counters: &mut [u64]) -> Result<(), MalformedPayload> {
        let bucket = payload.number_below(u64::from(self.hash_range))? as u32;
        self.hash(coin).count(bucket, counters);
        Ok(())
    }

    /// Symbols by the block, so that the sums of a block stay in registers while all reports pass.
    fn accumulate_all(&self, reports: &[(Payload, Coin)], counters: &mut [u64]) -> Result<(), MalformedPayload> {
        const BLOCK: usize = 32;
        let preimage = |(payload, coin): &(Payload, Coin)| {
            let bucket = payload.number_below(u64::from(self.hash_range))? as u32;
            Ok(self.hash(coin).preimage(bucket))
        };
        let preimages = reports.iter().map(preimage).collect::<Result<Vec<_>, _>>()?;
        // A block counts at most 2^20 reports, so its sums fit.
        for preimages in preimages.chunks(1 << 20) {
            for (block, counters) in counters.chunks_mut(BLOCK).enumerate() {
                let mut sums = [0_u32; BLOCK];
                preimages.iter().for_each(|preimage| preimage.count((block * BLOCK) as u32, &mut sums));
                counters.iter_mut().zip(sums).for_each(|(counter, sum)| *counter += u64::from(sum));
            }
        }
        Ok(())
    }

    fn oracle(&self) -> Option<&dyn FrequencyOracle> {
        Some(self)
    }
}

impl FrequencyOracle for LocalHashing {
    fn support(&self, counters: &[u64]) -> Vec<u64> {
        counters.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_counted_like_its_reports() {
        let oracle = LocalHashing::new(100, 5, Weights { of_true: 3, of_false: 1 });
        let report =
            |n: u8| (Payload::from_number(u64::from(n % 5)), core::array::from_fn(|i| n.wrapping_mul(31 + i as u8)));
        let reports: Vec<(Payload, Coin)> = (0..50).map(report).collect();
        let (mut one_by_one, mut together) = (vec![7; 100], vec![7; 100]);
        for (payload, coin) in &reports {
            oracle.accumulate(payload, coin, &mut one_by_one).expect("a bucket");
        }
        oracle.accumulate_all(&reports, &mut together).expect("buckets");
        assert_eq!(together, one_by_one);
        let malformed = (Payload::from_number(5), [0; 16]);
        assert_eq!(oracle.accumulate_all(&[reports[0], malformed], &mut together), Err(MalformedPayload));
        assert_eq!(together, one_by_one, "nothing is added");
    }

    #[test]
    fn buckets_are_counted_as_they_are_hashed() {
        for range in [2, 3, 5, 56, 404, 65_535] {
            for seed in [[0; 8], [0xFF; 8], [0x9E, 0x37, 0x79, 0xB9, 0x7F, 0x4A, 0x7C, 0x15]] {
                let hash = BucketHash::of(&seed, range);
                let mut counters = vec![0; 1_000];
                (0..range).for_each(|bucket| hash.count(bucket, &mut counters));
                assert!(counters.iter().all(|count| *count == 1), "range {range}: every symbol is in one bucket");
                let bucket = hash.bucket(77);
                let mut counters = vec![0; 1_000];
                hash.count(bucket, &mut counters);
                let expected: Vec<u64> = (0..1_000).map(|symbol| u64::from(hash.bucket(symbol) == bucket)).collect();
                assert_eq!(counters, expected, "range {range}");
            }
        }
    }
}
