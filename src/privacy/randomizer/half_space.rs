//! The anchored bit hidden by binary randomized response, counted by the half-space that a report was asked about.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | K | `order` | order of the Hadamard matrix whose rows are half-spaces of the cells | power of two |
//! | r | | row, from the coin: [`row_of`](crate::sketch::row_of) | 1–K−1 |
//! | W_t, W_f | `weights` | weight of the true bit, of the other | integers, W_t ≥ W_f ≥ 1 |
//!
//! **Claim.** The report is ln(W_t/W_f)-LDP, given the coin. *Argument.* The row is independent of data; given it, the report is binary randomized response of one bit, whatever the bit
//! says about however many events.
//!
//! *Held by the compiler*: a [`Permit`] is consumed. *Held by the spec*: ln(W_t/W_f) ≤ ε.
//!
//! **Cost**: 1 bit. **Does not protect** more than the one answer.

use super::k_ary::KAryResponse;
use super::payload::{MalformedPayload, Payload};
use super::{Coin, Decoder, Draws, LocalRandomizer};
use crate::privacy::entropy::EntropyError;
use crate::privacy::permit::Permit;
use crate::sketch::{hadamard_order, row_of};
use crate::spec::Weights;

/// Binary randomized response of the anchored bit over the half-spaces of some cells.
#[derive(Debug, Clone)]
pub struct HalfSpaceResponse {
    cells: usize,
    response: KAryResponse,
}

impl HalfSpaceResponse {
    /// Over the half-spaces of `cells` cells.
    #[must_use]
    pub fn new(cells: usize, weights: Weights) -> Self {
        Self { cells, response: KAryResponse::new(2, weights) }
    }
}

impl LocalRandomizer for HalfSpaceResponse {
    fn domain_size(&self) -> u64 {
        2
    }

    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError> {
        self.response.privatize(permit, symbol, draws)
    }
}

impl Decoder for HalfSpaceResponse {
    /// For each row of the Hadamard matrix, how often 0 and how often 1 was reported; row 0 is never asked.
    fn counters(&self) -> usize {
        2 * hadamard_order(self.cells)
    }

    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload> {
        self.response.check(payload)
    }

    fn accumulate(&self, payload: &Payload, coin: &Coin, counters: &mut [u64]) -> Result<(), MalformedPayload> {
        let bit = payload.number_below(2)? as usize;
        counters[2 * row_of(coin, self.cells) + bit] += 1;
        Ok(())
    }
}
