//! Hadamard response with a public row: one bit.
//!
//! Acharya, Sun and Zhang, "Hadamard response: estimating distributions privately, efficiently, and with little communication", AISTATS 2019,
//! with the row as public randomness (Acharya and Sun, "Communication complexity in locally private distribution estimation and heavy
//! hitters", ICML 2019, section 4).
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `domain_size` | symbols | 2–65,536 |
//! | K | `rows` | smallest power of two that is at least k | |
//! | r | | row, the low bits of the coin | 0–K−1 |
//! | H_r(v) | | parity of the bits that r and v share | 0, 1 |
//! | p | | P\[H_r(v) is reported, given x = v\] = W_t / (W_t + W_f) | |
//! | q | | the same given x ≠ v, over the row: 1/2 | |
//!
//! **Claim.** The report is ln(W_t/W_f)-LDP, given the coin. *Argument.* The row is independent of data; given it, the report is binary randomized response of
//! the bit H_r(x).
//!
//! *Held by the compiler*: a [`Permit`] is consumed. *Held by the spec*: ln(W_t/W_f) ≤ ε.
//!
//! **Cost**: 1 bit, constant time; all counts by one fast Walsh–Hadamard transform. **Variance** of a share from n reports: ((W_t + W_f)/(W_t − W_f))² / n at
//! f → 0. One fake report moves a share by (1−q)/(p−q), the least of all mechanisms here. **Does not protect** more than the one answer.

use alloc::vec::Vec;

use super::k_ary::KAryResponse;
use super::payload::{MalformedPayload, Payload};
use super::{Coin, Decoder, Draws, FrequencyOracle, LocalRandomizer};
use crate::privacy::entropy::EntropyError;
use crate::privacy::permit::Permit;
use crate::spec::Weights;

/// Hadamard response over a domain.
#[derive(Debug, Clone)]
pub struct HadamardResponse {
    domain_size: u32,
    rows: u32,
    response: KAryResponse,
}

impl HadamardResponse {
    /// Most symbols.
    pub const MAX_DOMAIN: u64 = 1 << 16;

    /// Over `domain_size` symbols.
    ///
    /// # Panics
    ///
    /// If there are more than [`HadamardResponse::MAX_DOMAIN`].
    #[must_use]
    pub fn new(domain_size: u64, weights: Weights) -> Self {
        assert!(domain_size <= Self::MAX_DOMAIN, "a row is two bytes of the coin");
        let rows = domain_size.next_power_of_two() as u32;
        Self { domain_size: domain_size as u32, rows, response: KAryResponse::new(2, weights) }
    }

    fn row(&self, coin: &Coin) -> u32 {
        let [high, low, ..] = *coin;
        u32::from(u16::from_be_bytes([high, low])) & (self.rows - 1)
    }
}

impl LocalRandomizer for HadamardResponse {
    fn domain_size(&self) -> u64 {
        u64::from(self.domain_size)
    }

    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError> {
        assert!(symbol < u64::from(self.domain_size), "a symbol lies below the domain size");
        let Permit { .. } = permit;
        let bit = (symbol as u32 & self.row(draws.coin)).count_ones() & 1;
        Ok(Payload::from_number(u64::from(self.response.respond(bit, draws.entropy)?)))
    }
}

impl Decoder for HadamardResponse {
    /// For each row, how often 0 and how often 1 was reported.
    fn counters(&self) -> usize {
        2 * self.rows as usize
    }

    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload> {
        payload.number_below(2).map(|_| ())
    }

    fn accumulate(&self, payload: &Payload, coin: &Coin, counters: &mut [u64]) -> Result<(), MalformedPayload> {
        let bit = payload.number_below(2)? as usize;
        counters[2 * self.row(coin) as usize + bit] += 1;
        Ok(())
    }

    fn oracle(&self) -> Option<&dyn FrequencyOracle> {
        Some(self)
    }
}

impl FrequencyOracle for HadamardResponse {
    /// Of n reports, v is supported by (n + Σ_r (−1)^{H_r(v)} (zeros_r − ones_r)) / 2.
    fn support(&self, counters: &[u64]) -> Vec<u64> {
        let total: u64 = counters.iter().sum();
        let (pairs, _) = counters.as_chunks::<2>();
        let mut sums: Vec<i64> = pairs.iter().map(|[zeros, ones]| *zeros as i64 - *ones as i64).collect();
        walsh_hadamard(&mut sums);
        sums.truncate(self.domain_size as usize);
        sums.into_iter().map(|sum| (total as i64 + sum) as u64 / 2).collect()
    }
}

/// The fast Walsh–Hadamard transform, in place: entry v becomes Σ_r (−1)^{parity(r & v)} entry r.
fn walsh_hadamard(entries: &mut [i64]) {
    let mut half = 1;
    while half < entries.len() {
        for block in entries.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (low, high) in low.iter_mut().zip(high) {
                (*low, *high) = (*low + *high, *low - *high);
            }
        }
        half *= 2;
    }
}
