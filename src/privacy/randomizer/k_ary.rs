//! k-ary randomized response: report the true symbol more often than any other.
//!
//! Subset selection with `w = 1`, and as such the best randomizer when e^ε is of the order of k or above (Warner, JASA 60(309), 1965; Kairouz,
//! Bonawitz and Ramage, "Discrete distribution estimation under local privacy", ICML 2016, section 3).
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `domain_size` | symbols | 2–2^32 |
//! | W_t, W_f | `weights` | weight of the true symbol, of each other | integers, W_t ≥ W_f ≥ 1 |
//! | p, q | | W_t / Z, W_f / Z with Z = W_t + (k−1) W_f | |
//!
//! **Claim.** The report is ln(W_t/W_f)-LDP. *Argument.* A symbol is reported with probability W_t/Z if it is true and W_f/Z if not, and Z
//! is the same for all. The code draws `u` uniform below Z and keeps the true symbol if `u < W_t`, else takes another one
//! uniformly: (k−1) W_f / Z / (k−1) = W_f / Z.
//!
//! *Held by the compiler*: a [`Permit`] is consumed. *Held by the spec*: ln(W_t/W_f) ≤ ε.
//!
//! **Cost**: ⌈log2 k⌉ bits, constant time. **Variance** of a share f from n reports: (f p(1−p) + (1−f) q(1−q)) / (n (p−q)²). **Does not
//! protect** more than the one answer. For large k one fake report moves a share by (1−q)/(p−q), which grows with k.

use alloc::vec::Vec;

use subtle::ConditionallySelectable;

use super::compare::{borrow, is_below};
use super::payload::{MalformedPayload, Payload};
use super::{Coin, Decoder, Draws, FrequencyOracle, LocalRandomizer};
use crate::privacy::entropy::{EntropyError, EntropySource, uniform_below, uniform_below_u32};
use crate::privacy::permit::Permit;
use crate::spec::Weights;

/// k-ary randomized response over a domain.
#[derive(Debug, Clone)]
pub struct KAryResponse {
    domain_size: u32,
    keep_weight: u128,
    total_weight: u128,
}

impl KAryResponse {
    /// Over `domain_size` symbols.
    ///
    /// # Panics
    ///
    /// If there are fewer than 2 symbols, or 2^32 or more.
    #[must_use]
    pub fn new(domain_size: u64, weights: Weights) -> Self {
        let domain_size = u32::try_from(domain_size).expect("fewer than 2^32 symbols");
        assert!(domain_size > 1, "one symbol alone hides nothing");
        let keep_weight = u128::from(weights.of_true);
        let total_weight = keep_weight + u128::from(domain_size - 1) * u128::from(weights.of_false);
        Self { domain_size, keep_weight, total_weight }
    }

    /// The symbol that is reported in place of a true one. Also the last step of mechanisms that first map a symbol to fewer.
    pub(super) fn respond(&self, symbol: u32, entropy: &mut dyn EntropySource) -> Result<u32, EntropyError> {
        let keep = is_below(uniform_below(self.total_weight, entropy)?, self.keep_weight);
        let other = uniform_below_u32(self.domain_size - 1, entropy)?;
        // The others in increasing order, the true symbol left out.
        let other = other + 1 - borrow(other, symbol);
        Ok(u32::conditional_select(&other, &symbol, keep))
    }
}

impl LocalRandomizer for KAryResponse {
    fn domain_size(&self) -> u64 {
        u64::from(self.domain_size)
    }

    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError> {
        assert!(symbol < u64::from(self.domain_size), "a symbol lies below the domain size");
        let Permit { .. } = permit;
        // Fits: it lies below the domain size.
        Ok(Payload::from_number(u64::from(self.respond(symbol as u32, draws.entropy)?)))
    }
}

impl Decoder for KAryResponse {
    fn counters(&self) -> usize {
        self.domain_size as usize
    }

    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload> {
        payload.number_below(u64::from(self.domain_size)).map(|_| ())
    }

    fn accumulate(&self, payload: &Payload, _: &Coin, counters: &mut [u64]) -> Result<(), MalformedPayload> {
        counters[payload.number_below(u64::from(self.domain_size))? as usize] += 1;
        Ok(())
    }

    fn oracle(&self) -> Option<&dyn FrequencyOracle> {
        Some(self)
    }
}

impl FrequencyOracle for KAryResponse {
    fn support(&self, counters: &[u64]) -> Vec<u64> {
        counters.to_vec()
    }
}
