//! Optimized unary encoding: one bit per symbol, each flipped on its own.
//!
//! Wang, Blocki, Li and Jha, "Locally differentially private protocols for frequency estimation", USENIX Security 2017,
//! section 4.3 ("OUE"). Subset selection has less variance and fewer bits; unary encoding is here because its bits are
//! independent, which some later steps want, and as the field's usual point of comparison.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `domain_size` | symbols | 2–256 |
//! | W_t, W_f | `weights` | q = W_f / (W_t + W_f) | integers, W_t ≥ W_f ≥ 1 |
//! | p, q | | P\[bit v is set, given x = v\] = 1/2; given x ≠ v | |
//!
//! **Claim.** The report is ln(W_t/W_f)-LDP. *Argument.* Two true symbols u, v change the law of bits u and v alone. The ratio of a pattern's probabilities is
//! a product of p/q or (1−p)/(1−q) at one and its inverse at the other, at most p (1−q) / (q (1−p)) = W_t/W_f.
//!
//! *Held by the compiler*: a [`Permit`] is consumed. *Held by the spec*: ln(W_t/W_f) ≤ ε.
//!
//! **Cost**: k bits, k draws. **Variance** of a share f from n reports: (f/4 + (1−f) q(1−q)) / (n (1/2−q)²). **Does not protect** more than the one answer.

use alloc::vec::Vec;

use subtle::{ConditionallySelectable, ConstantTimeEq};

use super::compare::is_below;
use super::payload::{MalformedPayload, Payload};
use super::{Coin, Decoder, Draws, FrequencyOracle, LocalRandomizer};
use crate::privacy::entropy::{EntropyError, uniform_below};
use crate::privacy::permit::Permit;
use crate::spec::Weights;

/// Optimized unary encoding over a domain.
#[derive(Debug, Clone)]
pub struct OptimizedUnary {
    domain_size: usize,
    set_weight: u128,
    total_weight: u128,
}

impl OptimizedUnary {
    /// Most symbols: a payload has 256 bits.
    pub const MAX_DOMAIN: u64 = 8 * Payload::MAX_BYTES as u64;

    /// Over `domain_size` symbols.
    ///
    /// # Panics
    ///
    /// If there are more than [`OptimizedUnary::MAX_DOMAIN`].
    #[must_use]
    pub fn new(domain_size: u64, weights: Weights) -> Self {
        assert!(domain_size <= Self::MAX_DOMAIN, "a payload holds 256 bits");
        let set_weight = u128::from(weights.of_false);
        Self { domain_size: domain_size as usize, set_weight, total_weight: set_weight + u128::from(weights.of_true) }
    }
}

impl LocalRandomizer for OptimizedUnary {
    fn domain_size(&self) -> u64 {
        self.domain_size as u64
    }

    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError> {
        assert!(symbol < self.domain_size as u64, "a symbol lies below the domain size");
        let Permit { .. } = permit;
        let mut fair = [0];
        draws.entropy.fill(&mut fair)?;
        let fair = fair[0] & 1;
        let mut bytes = [0; Payload::MAX_BYTES];
        for place in 0..self.domain_size {
            let flipped = is_below(uniform_below(self.total_weight, draws.entropy)?, self.set_weight).unwrap_u8();
            let bit = u8::conditional_select(&flipped, &fair, (place as u64).ct_eq(&symbol));
            bytes[Payload::MAX_BYTES - 1 - place / 8] |= bit << (place % 8);
        }
        Ok(Payload::from_be_bytes(bytes))
    }
}

impl Decoder for OptimizedUnary {
    fn counters(&self) -> usize {
        self.domain_size
    }

    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload> {
        let (unused, used) = payload.as_bytes().split_at(Payload::MAX_BYTES - self.domain_size.div_ceil(8));
        let partial = self.domain_size % 8;
        let fits = unused.iter().all(|byte| *byte == 0) && (partial == 0 || used[0] >> partial == 0);
        if fits { Ok(()) } else { Err(MalformedPayload) }
    }

    fn accumulate(&self, payload: &Payload, _: &Coin, counters: &mut [u64]) -> Result<(), MalformedPayload> {
        self.check(payload)?;
        for (byte, counters) in payload.as_bytes().iter().rev().zip(counters.chunks_mut(8)) {
            for (place, counter) in counters.iter_mut().enumerate() {
                *counter += u64::from(byte >> place & 1);
            }
        }
        Ok(())
    }

    /// Bit by bit for all symbols at once: 255 reports are added in binary, place by place.
    fn accumulate_all(&self, reports: &[(Payload, Coin)], counters: &mut [u64]) -> Result<(), MalformedPayload> {
        reports.iter().try_for_each(|(payload, _)| self.check(payload))?;
        for reports in reports.chunks(BitSlices::MAX_REPORTS) {
            let mut slices = BitSlices::default();
            reports.iter().for_each(|(payload, _)| slices.add(payload));
            slices.counts().zip(&mut *counters).for_each(|(count, counter)| *counter += count);
        }
        Ok(())
    }

    fn oracle(&self) -> Option<&dyn FrequencyOracle> {
        Some(self)
    }
}

/// Counts of the set bits of each place ("positional population count"; Klarqvist, Muła and Lemire, "Efficient
/// computation of positional population counts using SIMD instructions", 2019): plane j holds bit j of all 256 counts.
#[derive(Debug, Default)]
struct BitSlices {
    planes: [[u64; WORDS]; 8],
}

const WORDS: usize = Payload::MAX_BYTES / 8;

impl BitSlices {
    /// What eight bits count to.
    const MAX_REPORTS: usize = 255;

    fn add(&mut self, payload: &Payload) {
        let (words, _) = payload.as_bytes().as_chunks::<8>();
        // The least significant word comes last.
        let mut carry: [u64; WORDS] = core::array::from_fn(|word| u64::from_be_bytes(words[WORDS - 1 - word]));
        for plane in &mut self.planes {
            for (sum, carry) in plane.iter_mut().zip(&mut carry) {
                (*sum, *carry) = (*sum ^ *carry, *sum & *carry);
            }
        }
    }

    /// The counts, place by place.
    fn counts(&self) -> impl Iterator<Item = u64> {
        let bit = |plane: &[u64; WORDS], place: usize| plane[place / 64] >> (place % 64) & 1;
        let count = move |place| self.planes.iter().rev().fold(0, |count, plane| count << 1 | bit(plane, place));
        (0..64 * WORDS).map(count)
    }
}

impl FrequencyOracle for OptimizedUnary {
    fn support(&self, counters: &[u64]) -> Vec<u64> {
        counters.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_counted_like_its_reports() {
        let oracle = OptimizedUnary::new(250, Weights { of_true: 3, of_false: 1 });
        let report = |n: usize| {
            let mut bytes: [u8; Payload::MAX_BYTES] = core::array::from_fn(|i| (n * 37 + i * i * (n % 13)) as u8);
            bytes[0] &= 0b11;
            (Payload::from_be_bytes(bytes), [0; 16])
        };
        let reports: Vec<(Payload, Coin)> = (0..600).map(report).collect();
        let (mut one_by_one, mut together) = (vec![7; 250], vec![7; 250]);
        for (payload, coin) in &reports {
            oracle.accumulate(payload, coin, &mut one_by_one).expect("250 bits");
        }
        oracle.accumulate_all(&reports, &mut together).expect("250 bits");
        assert_eq!(together, one_by_one);
        let malformed = (Payload::from_be_bytes([0xFF; 32]), [0; 16]);
        assert_eq!(oracle.accumulate_all(&[reports[0], malformed], &mut together), Err(MalformedPayload));
        assert_eq!(together, one_by_one, "nothing is added");
    }
}
