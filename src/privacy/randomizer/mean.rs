//! Means on a grid: Duchi's bit, and its mixture with the piecewise mechanism.
//!
//! Duchi, Jordan and Wainwright, "Minimax optimal procedures for locally private estimation", JASA 113(521), 2018, section 4.1; Wang et al., "Collecting and
//! analyzing multidimensional data with local differential privacy", ICDE 2019, section III-C ("hybrid mechanism").
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `domain_size` | places of a grid over the range of the mean; place x stands for x/(k−1) of it | 2–16,384 |
//! | W_t, W_f | `weights` | of the likelier bit at an end of the range, of the other | integers, W_t ≥ W_f ≥ 1 |
//! | s | `window_share` | the mixture takes the window in s cases of 2^16, else the bit | 1–65,535 |
//!
//! **Claim.** Both are ln(W_t/W_f)-LDP. *Argument.* The bit is 1 in x W_t + (k−1−x) W_f of (k−1)(W_t + W_f) cases, between W_f/(W_t+W_f) and W_t/(W_t+W_f) whatever x is, and so is its
//! complement. The mixture chooses between two mechanisms with that property without looking at x, and every output tells which one it came from.
//!
//! The probability of the bit is a straight line in x, so the estimate of a mean has no bias.
//!
//! *Held by the compiler*: a [`Permit`] is consumed. *Held by the spec*: ln(W_t/W_f) ≤ ε.
//!
//! **Cost**: 1 bit; ⌈log2 (k+2b+2)⌉ bits. **Variance** of a mean on \[−1, 1\] from n reports: (((e^ε+1)/(e^ε−1))² − x²)/n for the bit; for the mixture at the best s
//! and b, independent of x. **Does not protect** more than the one answer.

use subtle::ConditionallySelectable;

use super::compare::is_below;
use super::payload::{MalformedPayload, Payload};
use super::window::SlidingWindow;
use super::{Coin, Decoder, Draws, LocalRandomizer};
use crate::privacy::entropy::{EntropyError, EntropySource, uniform_below, uniform_below_u32};
use crate::privacy::permit::Permit;
use crate::spec::Weights;

/// Duchi's bit over a grid.
#[derive(Debug, Clone)]
pub struct DuchiBit {
    last_place: u64,
    weights: Weights,
}

impl DuchiBit {
    /// Over `domain_size` places.
    ///
    /// # Panics
    ///
    /// If there are fewer than 2 places or more than [`SlidingWindow::MAX_PLACES`].
    #[must_use]
    pub fn new(domain_size: u64, weights: Weights) -> Self {
        assert!((2..=SlidingWindow::MAX_PLACES).contains(&domain_size), "from 2 to 16,384 places");
        Self { last_place: domain_size - 1, weights }
    }

    fn respond(&self, place: u64, entropy: &mut dyn EntropySource) -> Result<u32, EntropyError> {
        let (of_true, of_false) = (u128::from(self.weights.of_true), u128::from(self.weights.of_false));
        let ones = u128::from(place) * of_true + u128::from(self.last_place - place) * of_false;
        let draw = uniform_below(u128::from(self.last_place) * (of_true + of_false), entropy)?;
        Ok(u32::from(is_below(draw, ones).unwrap_u8()))
    }
}

impl LocalRandomizer for DuchiBit {
    fn domain_size(&self) -> u64 {
        self.last_place + 1
    }

    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError> {
        assert!(symbol <= self.last_place, "a symbol lies below the domain size");
        let Permit { .. } = permit;
        Ok(Payload::from_number(u64::from(self.respond(symbol, draws.entropy)?)))
    }
}

impl Decoder for DuchiBit {
    /// How often 0 and how often 1 was reported.
    fn counters(&self) -> usize {
        2
    }

    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload> {
        payload.number_below(2).map(|_| ())
    }

    fn accumulate(&self, payload: &Payload, _: &Coin, counters: &mut [u64]) -> Result<(), MalformedPayload> {
        counters[payload.number_below(2)? as usize] += 1;
        Ok(())
    }
}

/// The mixture of a sliding window and Duchi's bit.
#[derive(Debug, Clone)]
pub struct HybridMean {
    window: SlidingWindow,
    bit: DuchiBit,
    window_share: u32,
}

impl HybridMean {
    /// `window_share` counts cases of this many.
    pub const SHARES: u32 = 1 << 16;

    /// Over `domain_size` places; in `window_share` cases of 65,536 with a window of `2 half_width + 1` places.
    ///
    /// # Panics
    ///
    /// As [`SlidingWindow::new`], and if `window_share` exceeds 65,536.
    #[must_use]
    pub fn new(domain_size: u64, half_width: u32, window_share: u32, weights: Weights) -> Self {
        assert!(window_share <= Self::SHARES, "a share of 65,536");
        Self {
            window: SlidingWindow::new(domain_size, half_width, weights),
            bit: DuchiBit::new(domain_size, weights),
            window_share,
        }
    }
}

impl LocalRandomizer for HybridMean {
    fn domain_size(&self) -> u64 {
        self.window.domain_size()
    }

    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError> {
        assert!(symbol < self.domain_size(), "a symbol lies below the domain size");
        let Permit { .. } = permit;
        let draw = uniform_below_u32(Self::SHARES, draws.entropy)?;
        let windowed = is_below(u128::from(draw), u128::from(self.window_share));
        let place = self.window.respond(symbol as u32, draws.entropy)?;
        let bit = self.window.outputs() + self.bit.respond(symbol, draws.entropy)?;
        Ok(Payload::from_number(u64::from(u32::conditional_select(&bit, &place, windowed))))
    }
}

impl Decoder for HybridMean {
    /// For each place of the window, then for each bit, how often it was reported.
    fn counters(&self) -> usize {
        self.window.counters() + 2
    }

    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload> {
        payload.number_below(self.counters() as u64).map(|_| ())
    }

    fn accumulate(&self, payload: &Payload, _: &Coin, counters: &mut [u64]) -> Result<(), MalformedPayload> {
        counters[payload.number_below(self.counters() as u64)? as usize] += 1;
        Ok(())
    }
}
