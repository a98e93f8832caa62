//! Discrete Laplace noise on a count, kept within the count's range. For event-level privacy alone.
//!
//! The range-restricted geometric mechanism (Ghosh, Roughgarden and Sundararajan, "Universally utility-maximizing privacy mechanisms", SIAM J. Comput.
//! 41(6), 2012, definition 2.4), as a table of integers.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `domain_size` | counts 0 … k−1; a larger count stands as k−1 | 2–64 |
//! | r | | W_t/W_f: how much one event may change a probability | > 1 |
//! | w_d | `inner` | weight of a report at distance d from the count, inside the range | integers |
//! | L_d | `end` | weight of a report at an end of the range, at distance d | integers |
//!
//! w_{k−2} is 2^20 and w_d = ⌊r w_{d+1}⌋ below; L_{k−1} = ⌈w_{k−2} / (r−1)⌉ and L_d = w_d + L_{d+1}.
//!
//! **Claim.** Counts that differ by one give any report with probabilities that differ by a factor of at most r: the report is ln(W_t/W_f)-differentially private per event, and
//! **m ln(W_t/W_f) for a device with m events**. *Argument.* The rows of neighboring counts have one sum: going from count x to x+1 the inner places change by w_x − w_{k−2−x}, the lower
//! end by −w_x and the upper one by w_{k−2−x}. Inside, w_d / w_{d+1} ≤ r by construction. At an end, L_d / L_{d+1} = 1 + w_d / L_{d+1} ≤ r, as
//! L_{d+1} ≥ w_d / (r−1): at the last by the choice of L_{k−1}, and before it because w_{d+1} + w_{d+1}/(r−1) = r w_{d+1} / (r−1) ≥ w_d / (r−1).
//!
//! *Held by the compiler*: a [`Permit`] is consumed. *Held by the spec*: ln(W_t/W_f) ≤ ε, weights below 2^120, and the flag without which no question is event-level.
//!
//! **Cost**: ⌈log2 k⌉ bits, k² masked sums. **Variance** about 2r/(r−1)² inside the range. **Does not protect** what a device does in a whole window: m
//! events cost m times as much.

use alloc::vec::Vec;

use subtle::{ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater};

use super::payload::{MalformedPayload, Payload};
use super::{Coin, Decoder, Draws, LocalRandomizer};
use crate::privacy::entropy::{EntropyError, uniform_below};
use crate::privacy::permit::Permit;
use crate::spec::{LaplaceWeights, Weights};

/// Discrete Laplace noise over a range of counts.
#[derive(Debug, Clone)]
pub struct DiscreteLaplace {
    domain_size: usize,
    /// Row by row, the weight of each report given each count.
    rows: Vec<u128>,
    total: u128,
}

impl DiscreteLaplace {
    /// Over the counts below `domain_size`.
    ///
    /// # Panics
    ///
    /// If [`LaplaceWeights::of`] has none.
    #[must_use]
    pub fn new(domain_size: u64, weights: Weights) -> Self {
        let LaplaceWeights { inner, end } =
            LaplaceWeights::of(domain_size as usize, weights).expect("weights below 2^114");
        let k = domain_size as usize;
        let weight = |count: usize, report: usize| {
            let distance = count.abs_diff(report);
            if report == 0 || report == k - 1 { end[distance] } else { inner[distance] }
        };
        let rows: Vec<u128> = (0..k * k).map(|at| weight(at / k, at % k)).collect();
        let total = rows[..k].iter().sum();
        Self { domain_size: k, rows, total }
    }

    /// The weight of each report given a count; the same sum for each.
    #[must_use]
    pub fn row(&self, count: usize) -> &[u128] {
        &self.rows[count * self.domain_size..(count + 1) * self.domain_size]
    }
}

impl LocalRandomizer for DiscreteLaplace {
    fn domain_size(&self) -> u64 {
        self.domain_size as u64
    }

    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError> {
        assert!(symbol < self.domain_size as u64, "a symbol lies below the domain size");
        let Permit { .. } = permit;
        let draw = uniform_below(self.total, draws.entropy)?;
        let (mut below, mut report) = (0, 0);
        for place in 0..self.domain_size {
            for (count, row) in self.rows.chunks_exact(self.domain_size).enumerate() {
                below += u128::conditional_select(&0, &row[place], (count as u64).ct_eq(&symbol));
            }
            // The report is the number of places whose weights lie below the draw.
            report += u64::from((!below.ct_gt(&draw)).unwrap_u8());
        }
        Ok(Payload::from_number(report))
    }
}

impl Decoder for DiscreteLaplace {
    /// For each count, how often it was reported.
    fn counters(&self) -> usize {
        self.domain_size
    }

    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload> {
        payload.number_below(self.domain_size as u64).map(|_| ())
    }

    fn accumulate(&self, payload: &Payload, _: &Coin, counters: &mut [u64]) -> Result<(), MalformedPayload> {
        counters[payload.number_below(self.domain_size as u64)? as usize] += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighboring_counts_keep_within_the_ratio() {
        for (k, of_true, of_false) in
            [(2, 3, 1), (5, 2, 1), (20, 11_674_931_554, 1 << 32), (64, 5_000_000_000, 1 << 32)]
        {
            let weights = Weights { of_true, of_false };
            let laplace = DiscreteLaplace::new(k, weights);
            for count in 0..k as usize {
                assert_eq!(laplace.row(count).iter().sum::<u128>(), laplace.total, "k {k}: one sum for all counts");
            }
            for count in 1..k as usize {
                for (a, b) in laplace.row(count).iter().zip(laplace.row(count - 1)) {
                    // a/b ≤ W_t/W_f, in parts.
                    let within = |a: u128, b: u128| {
                        a / u128::from(of_true) <= b / u128::from(of_false) + 1
                            && crypto_bigint::U256::from(a).wrapping_mul(&crypto_bigint::U256::from(of_false))
                                <= crypto_bigint::U256::from(b).wrapping_mul(&crypto_bigint::U256::from(of_true))
                    };
                    assert!(within(*a, *b) && within(*b, *a), "k {k} count {count}");
                }
            }
        }
    }
}
