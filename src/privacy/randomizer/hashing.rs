//! Optimized local hashing: hash the symbol to few buckets, then report a bucket by randomized response.
//!
//! Wang, Blocki, Li and Jha, "Locally differentially private protocols for frequency estimation", USENIX Security 2017,
//! section 4.4 ("OLH"). The hash is a public coin, so that it costs no payload and no device can choose it by its data.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `domain_size` | symbols | 2–1,024 |
//! | g | `hash_range` | buckets; e^ε + 1 is best | 2–32,767 |
//! | a, b, c | | coefficients of the hash, from the coin | 32 bits each |
//! | p | | P\[the bucket of v is reported, given x = v\] = W_t / (W_t + (g−1) W_f) | |
//! | q | | the same given x ≠ v, over the hash: 1/g, up to the rounding of buckets | |
//!
//! The hash of v is the bucket of the 15 high bits of a·v² + b·v + c mod 2^32: **independent and uniform for any three
//! symbols**, which the covariance of two estimates needs, since two false symbols and the true one meet in it. (A line
//! a·v + b puts the middle one of three equidistant symbols into the bucket of the outer two every other time that
//! these share one.) *Argument.* For three symbols the hash is V·(c, b, a) with Vandermonde's matrix V. Its invariant
//! factors are 1, 2^m and 2^(m+M) up to units, where 2^m and 2^M are the least and the largest power of two that
//! divides a difference; M ≤ 9 and m ≤ 8 for symbols below 2^10. So the triples that it reaches, each equally often,
//! are closed under adding 2^17 to any of the three: their 15 high bits are uniform. The case of two symbols is
//! Dietzfelbinger's ("Universal hashing and k-wise independent random variables via integer arithmetic without primes",
//! STACS 1996, theorem 3). Bucket y holds the values from ⌈y 2^15/g⌉ to below ⌈(y+1) 2^15/g⌉.
//!
//! **Claim.** The report is ln(W_t/W_f)-LDP, given the coin. *Argument.* The coin is a pseudo-random function of the
//! device secret, window and question, so it is independent of data; given the coin, the report is k-ary randomized
//! response of a function of the symbol.
//!
//! *Held by the compiler*: a [`Permit`] is consumed. *Held by the spec*: ln(W_t/W_f) ≤ ε.
//!
//! **Cost**: ⌈log2 g⌉ bits, constant time; O(k) to count. **Variance** of a share f from n reports: (f p(1−p) + (1−f)
//! q(1−q)) / (n (p−q)²). **Does not protect** more than the one answer.

use alloc::vec::Vec;

use core::ops::AddAssign;

use super::k_ary::KAryResponse;
use super::payload::{MalformedPayload, Payload};
use super::{Coin, Decoder, Draws, FrequencyOracle, LocalRandomizer};
use crate::privacy::entropy::EntropyError;
use crate::privacy::permit::Permit;
use crate::spec::{Mechanism, Weights};

/// A hash of symbols below 2^10 that is uniform and independent for any three of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BucketHash {
    /// a, b, c.
    coefficients: [u32; 3],
    range: u32,
}

/// High bits of a value that choose the bucket.
const HIGH_BITS: u32 = 15;

impl BucketHash {
    /// The hash that the first bytes stand for: three coefficients of four bytes, most significant first.
    ///
    /// # Panics
    ///
    /// If there are fewer than 12 bytes.
    pub(super) fn of(seed: &[u8], range: u32) -> Self {
        let coefficient = |at: usize| u32::from_be_bytes([seed[at], seed[at + 1], seed[at + 2], seed[at + 3]]);
        Self { coefficients: [0, 4, 8].map(coefficient), range }
    }

    /// The bucket of a symbol.
    pub(super) fn bucket(&self, symbol: u32) -> u32 {
        // Fits: 15 bits times a range below 2^15.
        ((quadratic(self.coefficients, symbol) >> (32 - HIGH_BITS)) * self.range) >> HIGH_BITS
    }

    /// The symbols with values from `first` to below `end`.
    fn preimage(&self, [first, end]: [u32; 2]) -> Preimage {
        let [a, b, c] = self.coefficients;
        // Moved so that the values of the bucket are the least of an i32: signed numbers are what wasm's and SSE2's lanes
        // compare.
        let shift = |number: u32| number.wrapping_sub(first).wrapping_add(1 << 31);
        Preimage { coefficients: [a, b, shift(c)], end: shift(end) as i32 }
    }

    /// Adds one to the counter of each symbol in a bucket.
    pub(super) fn count(&self, bucket: u32, counters: &mut [u64]) {
        self.preimage([bucket, bucket + 1].map(|bucket| start(bucket, self.range))).count(0, counters);
    }
}

/// The least value of a bucket. Fits below 2^32 but for the end of the last bucket, which wraps to 0 as values do.
fn start(bucket: u32, range: u32) -> u32 {
    (bucket << HIGH_BITS).div_ceil(range) << (32 - HIGH_BITS)
}

/// a·v² + b·v + c mod 2^32.
fn quadratic([a, b, c]: [u32; 3], v: u32) -> u32 {
    a.wrapping_mul(v).wrapping_add(b).wrapping_mul(v).wrapping_add(c)
}

/// The symbols of a bucket: those whose a·v² + b·v + c, as a signed number, lies below `end`.
#[derive(Debug, Clone, Copy)]
struct Preimage {
    coefficients: [u32; 3],
    end: i32,
}

impl Preimage {
    /// Symbols that are looked at side by side.
    const LANES: usize = 8;

    /// Adds one to the counter of each of its symbols, of which `first` has the first counter.
    ///
    /// Lane j runs through the symbols v = first + j, first + j + 8, …: each value by the difference to the one before,
    /// f(v + 8) − f(v) = a (16 v + 64) + 8 b, which grows by 128 a. Written with indices, as four lanes of it then run
    /// in one instruction.
    fn count<C: AddAssign + From<bool>>(&self, first: u32, counters: &mut [C]) {
        let [a, b, _] = self.coefficients;
        let step = |v: u32| a.wrapping_mul(16 * v + 64).wrapping_add(b.wrapping_mul(8));
        let mut values: [u32; Self::LANES] =
            core::array::from_fn(|lane| quadratic(self.coefficients, first + lane as u32));
        let mut steps: [u32; Self::LANES] = core::array::from_fn(|lane| step(first + lane as u32));
        let growth = a.wrapping_mul(128);
        let counts = |value: u32| C::from((value as i32) < self.end);
        let (whole, rest) = counters.as_chunks_mut::<{ Self::LANES }>();
        for counters in whole {
            for lane in 0..Self::LANES {
                counters[lane] += counts(values[lane]);
            }
            for lane in 0..Self::LANES {
                values[lane] = values[lane].wrapping_add(steps[lane]);
                steps[lane] = steps[lane].wrapping_add(growth);
            }
        }
        rest.iter_mut().zip(values).for_each(|(counter, value)| *counter += counts(value));
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
    /// Most symbols.
    pub const MAX_DOMAIN: u64 = Mechanism::MAX_HASHED_DOMAIN as u64;

    /// Over `domain_size` symbols with `hash_range` buckets.
    ///
    /// # Panics
    ///
    /// If there are more symbols than [`LocalHashing::MAX_DOMAIN`], 2^15 buckets or more, or fewer than 2.
    #[must_use]
    pub fn new(domain_size: u64, hash_range: u32, weights: Weights) -> Self {
        assert!(domain_size <= Self::MAX_DOMAIN, "the hash is independent for three symbols below 2^10");
        assert!(hash_range < 1 << HIGH_BITS, "the hash has 15 bits");
        let response = KAryResponse::new(u64::from(hash_range), weights);
        // Fits: it was just compared.
        Self { domain_size: domain_size as u32, hash_range, response }
    }

    fn hash(&self, coin: &Coin) -> BucketHash {
        BucketHash::of(coin, self.hash_range)
    }
}

impl LocalRandomizer for LocalHashing {
    fn domain_size(&self) -> u64 {
        u64::from(self.domain_size)
    }

    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError> {
        assert!(symbol < u64::from(self.domain_size), "a symbol lies below the domain size");
        let Permit { .. } = permit;
        let bucket = self.hash(draws.coin).bucket(symbol as u32);
        Ok(Payload::from_number(u64::from(self.response.respond(bucket, draws.entropy)?)))
    }
}

impl Decoder for LocalHashing {
    fn counters(&self) -> usize {
        self.domain_size as usize
    }

    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload> {
        payload.number_below(u64::from(self.hash_range)).map(|_| ())
    }

    fn accumulate(&self, payload: &Payload, coin: &Coin, counters: &mut [u64]) -> Result<(), MalformedPayload> {
        let bucket = payload.number_below(u64::from(self.hash_range))? as u32;
        self.hash(coin).count(bucket, counters);
        Ok(())
    }

    /// Symbols by the block, so that the narrow sums of a block stay near while all reports pass.
    fn accumulate_all(&self, reports: &[(Payload, Coin)], counters: &mut [u64]) -> Result<(), MalformedPayload> {
        const BLOCK: usize = 1_024;
        let starts: Vec<u32> = (0..=self.hash_range).map(|bucket| start(bucket, self.hash_range)).collect();
        let preimage = |(payload, coin): &(Payload, Coin)| {
            let bucket = payload.number_below(u64::from(self.hash_range))? as usize;
            Ok(self.hash(coin).preimage([starts[bucket], starts[bucket + 1]]))
        };
        let preimages = reports.iter().map(preimage).collect::<Result<Vec<_>, _>>()?;
        // A block counts at most 2^20 reports, so its sums fit.
        for preimages in preimages.chunks(1 << 20) {
            for (block, counters) in counters.chunks_mut(BLOCK).enumerate() {
                let mut sums = [0_u32; BLOCK];
                let (first, sums) = ((block * BLOCK) as u32, &mut sums[..counters.len()]);
                preimages.iter().for_each(|preimage| preimage.count(first, sums));
                counters.iter_mut().zip(sums).for_each(|(counter, sum)| *counter += u64::from(*sum));
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
        for range in [2, 3, 5, 56, 404, 32_767] {
            for seed in [[0; 12], [0xFF; 12], *b"twelve bytes"] {
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

    /// The argument of the module in small: the 3 high bits of 6, for symbols below 2^3, where m + M ≤ 3 = 6 − 3. Every triple of high bits comes from equally
    /// many coefficients. Adding to the high bits of c turns all three alike, so it is enough that the two differences are uniform over the rest.
    #[test]
    fn three_symbols_are_independent() {
        let uniform = |squares: u32, [x, y, z]: [u32; 3]| {
            let mut seen = [0_u32; 64];
            for (a, b) in (0..squares).flat_map(|a| (0..64).map(move |b| (a, b))) {
                for c in 0..8 {
                    let high = |v: u32| ((a * v + b) * v + c) % 64 / 8;
                    let turned = |v: u32| (high(v) + 8 - high(x)) % 8;
                    seen[(8 * turned(y) + turned(z)) as usize] += 1;
                }
            }
            seen.iter().all(|count| *count == seen[0])
        };
        for symbols in [[0, 1, 2], [3, 5, 7], [1, 7, 4], [0, 4, 2], [7, 6, 5], [2, 6, 4]] {
            assert!(uniform(64, symbols), "symbols {symbols:?}");
            assert!(!uniform(1, symbols), "a line is not enough for {symbols:?}");
        }
    }
}
