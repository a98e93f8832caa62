//! Sliding window: report a place near the true one more often than one far from it.
//!
//! Two published mechanisms on a grid, which differ in the width of the window alone: the square wave for distributions (Li, Wang, Lopuhaä-Zwakenberg,
//! Škorić and Li, "Estimating numerical distributions under local differential privacy", SIGMOD 2020, section 5) and the piecewise mechanism for means (Wang
//! et al., "Collecting and analyzing multidimensional data with local differential privacy", ICDE 2019, section III-B).
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `domain_size` | places of the true value | 2–16,384 |
//! | b | `half_width` | the window about place x is from x−b to x+b | 0–16,384 |
//! | y | | reported place, counted from −b | 0–k+2b−1 |
//! | W_t, W_f | `weights` | weight of a place in the window, of one outside | integers, W_t ≥ W_f ≥ 1 |
//! | Z | | (2b+1) W_t + (k−1) W_f | |
//!
//! **Claim.** The report is ln(W_t/W_f)-LDP. *Argument.* A place is reported with probability W_t/Z in the window and W_f/Z outside; every window has 2b+1 places and leaves k−1, so Z is the
//! same for all x. The code draws `u` uniform below Z; below (2b+1) W_t it reports a uniform place of the window, else a uniform place of the rest.
//!
//! E\[y\] is a straight line in x, so means are estimated without bias; distributions by expectation maximization (see `estimate`).
//!
//! *Held by the compiler*: a [`Permit`] is consumed. *Held by the spec*: ln(W_t/W_f) ≤ ε.
//!
//! **Cost**: ⌈log2 (k+2b)⌉ bits, constant time. **Does not protect** more than the one answer.

use subtle::{ConditionallySelectable, ConstantTimeEq};

use super::compare::{borrow, is_below};
use super::payload::{MalformedPayload, Payload};
use super::{Coin, Decoder, Draws, LocalRandomizer};
use crate::privacy::entropy::{EntropyError, EntropySource, uniform_below, uniform_below_u32};
use crate::privacy::permit::Permit;
use crate::spec::Weights;

/// A sliding window over a grid.
#[derive(Debug, Clone)]
pub struct SlidingWindow {
    domain_size: u32,
    width: u32,
    near_weight: u128,
    total_weight: u128,
}

impl SlidingWindow {
    /// Most places of the true value, and the largest half width.
    pub const MAX_PLACES: u64 = 16_384;

    /// Over `domain_size` places, with windows of `2 half_width + 1` places.
    ///
    /// # Panics
    ///
    /// If either exceeds [`SlidingWindow::MAX_PLACES`], or there are fewer than 2 places.
    #[must_use]
    pub fn new(domain_size: u64, half_width: u32, weights: Weights) -> Self {
        assert!((2..=Self::MAX_PLACES).contains(&domain_size), "from 2 to 16,384 places");
        assert!(u64::from(half_width) <= Self::MAX_PLACES, "a half width of at most 16,384 places");
        let (domain_size, width) = (domain_size as u32, 2 * half_width + 1);
        let near_weight = u128::from(width) * u128::from(weights.of_true);
        let total_weight = near_weight + u128::from(domain_size - 1) * u128::from(weights.of_false);
        Self { domain_size, width, near_weight, total_weight }
    }

    /// Number of places that can be reported.
    pub(super) fn outputs(&self) -> u32 {
        self.domain_size + self.width - 1
    }

    /// The place that is reported for a true one.
    pub(super) fn respond(&self, place: u32, entropy: &mut dyn EntropySource) -> Result<u32, EntropyError> {
        let near = is_below(uniform_below(self.total_weight, entropy)?, self.near_weight);
        let inside = place + uniform_below_u32(self.width, entropy)?;
        let outside = uniform_below_u32(self.domain_size - 1, entropy)?;
        // The places outside in increasing order: those from `place` on lie behind the window.
        let outside = outside + self.width * (1 - borrow(outside, place));
        Ok(u32::conditional_select(&outside, &inside, near))
    }
}

/// The square wave over the cells of a metric and "no data", which lies a window away from them.
#[derive(Debug, Clone)]
pub struct SquareWave {
    no_data: u64,
    gap: u64,
    window: SlidingWindow,
}

impl SquareWave {
    /// Over `domain_size` symbols, the last being "no data".
    ///
    /// # Panics
    ///
    /// As [`SlidingWindow::new`], the gap being counted as places.
    #[must_use]
    pub fn new(domain_size: u64, half_width: u32, weights: Weights) -> Self {
        let gap = 2 * u64::from(half_width);
        Self { no_data: domain_size - 1, gap, window: SlidingWindow::new(domain_size + gap, half_width, weights) }
    }
}

impl LocalRandomizer for SquareWave {
    fn domain_size(&self) -> u64 {
        self.no_data + 1
    }

    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError> {
        assert!(symbol <= self.no_data, "a symbol lies below the domain size");
        let gap = u64::conditional_select(&0, &self.gap, symbol.ct_eq(&self.no_data));
        self.window.privatize(permit, symbol + gap, draws)
    }
}

impl Decoder for SquareWave {
    fn counters(&self) -> usize {
        self.window.counters()
    }

    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload> {
        self.window.check(payload)
    }

    fn accumulate(&self, payload: &Payload, coin: &Coin, counters: &mut [u64]) -> Result<(), MalformedPayload> {
        self.window.accumulate(payload, coin, counters)
    }
}

impl LocalRandomizer for SlidingWindow {
    fn domain_size(&self) -> u64 {
        u64::from(self.domain_size)
    }

    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError> {
        assert!(symbol < u64::from(self.domain_size), "a symbol lies below the domain size");
        let Permit { .. } = permit;
        Ok(Payload::from_number(u64::from(self.respond(symbol as u32, draws.entropy)?)))
    }
}

impl Decoder for SlidingWindow {
    /// For each place, how often it was reported.
    fn counters(&self) -> usize {
        self.outputs() as usize
    }

    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload> {
        payload.number_below(u64::from(self.outputs())).map(|_| ())
    }

    fn accumulate(&self, payload: &Payload, _: &Coin, counters: &mut [u64]) -> Result<(), MalformedPayload> {
        counters[payload.number_below(u64::from(self.outputs()))? as usize] += 1;
        Ok(())
    }
}
