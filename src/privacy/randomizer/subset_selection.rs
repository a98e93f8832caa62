//! Subset selection: report a set of `w` symbols that holds the true one more often than not.
//!
//! Of all local randomizers with the same ε and domain it has the least variance for distribution estimation, at the best
//! `w` (Ye and Barg, "Optimal schemes for discrete distribution estimation under locally differential privacy", IEEE Trans.
//! Inf. Theory 64(8), 2018, section III; Wang et al., "Mutual information optimally local private discrete distribution
//! estimation", 2016).
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `domain_size` | symbols | 2–4,096 |
//! | w | `subset_size` | size of the reported set | 1–k−1, ranks of at most 256 bits |
//! | W_t | `weights.of_true` | weight of each set with the true symbol | integer ≥ W_f |
//! | W_f | `weights.of_false` | weight of each set without it | integer ≥ 1 |
//! | p | | P\[v in the set, given x = v\] = w W_t / (w W_t + (k−w) W_f) | |
//! | q | | P\[v in the set, given x ≠ v\] = p (w−1)/(k−1) + (1−p) w/(k−1) | |
//!
//! **Claim.** The report is ln(W_t/W_f)-LDP. *Argument.* A set is reported with probability `W_t / Z` or `W_f / Z`, where
//! `Z = W_t C(k−1, w−1) + W_f C(k−1, w)` is the same for every true symbol. So two true symbols give any report with a
//! ratio of at most W_t/W_f. The code draws `u` uniform below `w W_t + (k−w) W_f` and keeps the true symbol if `u < w W_t`;
//! then a set of the right size among the others, uniformly.
//! `w W_t / (w W_t + (k−w) W_f) / C(k−1, w−1) = W_t / Z`, because `C(k−1, w) = C(k−1, w−1) (k−w)/w`; likewise for W_f.
//!
//! The others are chosen one after the other (selection sampling; Knuth, TAOCP 2, 3.4.2, algorithm S): with `n` of them left and `m` places left,
//! the next one is taken if a uniform integer below `n` lies below `m`. A set is so reached with probability
//! ∏ m/n · ∏ (n−m)/n = 1/C(k−1, ·) in exactly one way. All draws are uniform integers below public bounds, so the law is this one exactly.
//!
//! The others are numbered 0 … k−2; number x stands for symbol k−1, and every other number for itself.
//!
//! *Held by the compiler*: a [`Permit`] is consumed. *Held by the spec*: ln(W_t/W_f) ≤ ε.
//!
//! **Cost**: ⌈log2 C(k, w)⌉ bits; O(k) word operations and 4 (k−1) bytes of entropy. **Variance** of an estimated share f
//! from n reports: (f p(1−p) + (1−f) q(1−q)) / (n (p−q)²), plus f(1−f)/n when devices are a sample. **Does not protect**
//! more than the one answer: many answers add up, which is the ledger's business.

use alloc::vec::Vec;

use crypto_bigint::U256;
use subtle::{ConditionallySelectable, ConstantTimeEq};

use super::combination::{Bits, Combinations, Rank};
use super::compare::{borrow, is_below};
use super::payload::{MalformedPayload, Payload};
use super::{Coin, Decoder, Draws, FrequencyOracle, LocalRandomizer};
use crate::privacy::entropy::{EntropyError, EntropySource, accept_below_u32, uniform_below};
use crate::privacy::permit::Permit;
use crate::spec::{Weights, rank_bits};

/// Subset selection over a domain.
#[derive(Debug, Clone)]
pub struct SubsetSelection {
    domain_size: usize,
    subset_size: u32,
    keep_weight: u128,
    total_weight: u128,
    table: Table,
}

/// Ranks in the narrowest integer that holds them. A device ranks one subset in a window: there all are wide, and the
/// code for the others is not downloaded.
#[derive(Debug, Clone)]
enum Table {
    #[cfg(feature = "std")]
    Narrow(Combinations<u64>),
    #[cfg(feature = "std")]
    Medium(Combinations<u128>),
    Wide(Combinations<U256>),
}

fn table(domain: usize, size: usize) -> Table {
    let bits = rank_bits(domain, size);
    assert!(bits.is_some(), "ranks of at most 256 bits");
    match bits {
        #[cfg(feature = "std")]
        Some(0..=64) => Table::Narrow(Combinations::new(domain, size)),
        #[cfg(feature = "std")]
        Some(65..=128) => Table::Medium(Combinations::new(domain, size)),
        _ => Table::Wide(Combinations::new(domain, size)),
    }
}

impl SubsetSelection {
    /// Subsets of `subset_size` among `domain_size` symbols.
    ///
    /// # Panics
    ///
    /// If `subset_size` is not from 1 to `domain_size − 1`, if ranks need more than 256 bits, or if there are more than 4,096 symbols.
    #[must_use]
    pub fn new(domain_size: u64, subset_size: usize, weights: Weights) -> Self {
        let k = domain_size as usize;
        assert!(0 < subset_size && subset_size < k, "a subset holds some symbols and not all");
        let table = table(k, subset_size);
        let keep_weight = subset_size as u128 * u128::from(weights.of_true);
        let drop_weight = (k - subset_size) as u128 * u128::from(weights.of_false);
        Self {
            domain_size: k,
            // Fits: a subset is smaller than the domain.
            subset_size: subset_size as u32,
            keep_weight,
            total_weight: keep_weight + drop_weight,
            table,
        }
    }

    /// The symbols of a reported subset, in increasing order.
    ///
    /// # Errors
    ///
    /// [`MalformedPayload`] when no subset has this rank.
    pub fn decode(&self, payload: &Payload) -> Result<Vec<usize>, MalformedPayload> {
        let mut subset = Vec::with_capacity(self.subset_size as usize);
        self.members([payload], |symbol| subset.push(symbol))?;
        subset.reverse();
        Ok(subset)
    }

    fn members<const N: usize>(
        &self,
        payloads: [&Payload; N],
        found: impl FnMut(usize),
    ) -> Result<(), MalformedPayload> {
        match &self.table {
            #[cfg(feature = "std")]
            Table::Narrow(table) => unrank(table, payloads, found),
            #[cfg(feature = "std")]
            Table::Medium(table) => unrank(table, payloads, found),
            Table::Wide(table) => unrank(table, payloads, found),
        }
    }

    fn encode(&self, subset: &Bits) -> Payload {
        match &self.table {
            #[cfg(feature = "std")]
            Table::Narrow(table) => table.rank(subset).to_payload(),
            #[cfg(feature = "std")]
            Table::Medium(table) => table.rank(subset).to_payload(),
            Table::Wide(table) => table.rank(subset).to_payload(),
        }
    }

    /// A uniform subset of `size` of the others, where `size` is secret.
    fn choose_others(&self, mut size: u32, entropy: &mut dyn EntropySource) -> Result<Bits, EntropyError> {
        let mut chosen = Bits::EMPTY;
        let mut left = self.domain_size as u32 - 1;
        let mut buffer = [0; 64 * 4];
        for word in &mut chosen.words[..Bits::words_of(self.domain_size)] {
            let places = left.min(u64::BITS) as usize;
            entropy.fill(&mut buffer[..4 * places])?;
            for (place, draw) in buffer[..4 * places].as_chunks().0.iter().enumerate() {
                let taken = borrow(accept_below_u32(*draw, left, entropy)?, size);
                size -= taken;
                left -= 1;
                *word |= u64::from(taken) << place;
            }
        }
        Ok(chosen)
    }
}

impl LocalRandomizer for SubsetSelection {
    fn domain_size(&self) -> u64 {
        self.domain_size as u64
    }

    fn privatize(&self, permit: Permit, symbol: u64, draws: Draws<'_>) -> Result<Payload, EntropyError> {
        assert!(symbol < self.domain_size as u64, "a symbol lies below the domain size");
        let Permit { .. } = permit;
        let keep = is_below(uniform_below(self.total_weight, draws.entropy)?, self.keep_weight);
        let size = u32::conditional_select(&self.subset_size, &(self.subset_size - 1), keep);
        let mut subset = self.choose_others(size, draws.entropy)?;

        // Number x becomes symbol k−1, and place x takes the true symbol.
        let mut displaced = 0;
        for (index, word) in subset.words[..Bits::words_of(self.domain_size)].iter_mut().enumerate() {
            let here = u64::conditional_select(&0, &(1 << (symbol % 64)), (index as u64).ct_eq(&(symbol / 64)));
            displaced |= *word & here;
            *word &= !here;
            *word |= u64::conditional_select(&0, &here, keep);
        }
        let last = self.domain_size - 1;
        // Symbol k−1 has no number of its own: as the true symbol it displaces nothing.
        subset.words[last / 64] |= u64::from((!displaced.ct_eq(&0)).unwrap_u8()) << (last % 64);
        Ok(self.encode(&subset))
    }
}

impl Decoder for SubsetSelection {
    fn counters(&self) -> usize {
        self.domain_size
    }

    fn check(&self, payload: &Payload) -> Result<(), MalformedPayload> {
        match &self.table {
            #[cfg(feature = "std")]
            Table::Narrow(table) => table.check(&Rank::from_payload(payload)?),
            #[cfg(feature = "std")]
            Table::Medium(table) => table.check(&Rank::from_payload(payload)?),
            Table::Wide(table) => table.check(&Rank::from_payload(payload)?),
        }
    }

    fn accumulate(&self, payload: &Payload, _: &Coin, counters: &mut [u64]) -> Result<(), MalformedPayload> {
        self.members([payload], |symbol| counters[symbol] += 1)
    }

    fn accumulate_all(&self, reports: &[(Payload, Coin)], counters: &mut [u64]) -> Result<(), MalformedPayload> {
        reports.iter().try_for_each(|(payload, _)| self.check(payload))?;
        let (groups, rest) = reports.as_chunks::<4>();
        for [(a, _), (b, _), (c, _), (d, _)] in groups {
            self.members([a, b, c, d], |symbol| counters[symbol] += 1)?;
        }
        rest.iter().try_for_each(|(payload, coin)| self.accumulate(payload, coin, counters))
    }

    fn oracle(&self) -> Option<&dyn FrequencyOracle> {
        Some(self)
    }
}

impl FrequencyOracle for SubsetSelection {
    fn support(&self, counters: &[u64]) -> Vec<u64> {
        counters.to_vec()
    }
}

fn unrank<R: Rank, const N: usize>(
    table: &Combinations<R>,
    payloads: [&Payload; N],
    found: impl FnMut(usize),
) -> Result<(), MalformedPayload> {
    let mut ranks = [R::ZERO; N];
    for (rank, payload) in ranks.iter_mut().zip(payloads) {
        *rank = R::from_payload(payload)?;
    }
    table.unrank(ranks, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_counted_like_its_reports() {
        let oracle = SubsetSelection::new(9, 4, Weights { of_true: 3, of_false: 1 });
        let reports: Vec<(Payload, Coin)> = (0..126).map(|rank| (Payload::from_number(rank), [0; 16])).collect();
        let mut together = vec![0; 9];
        oracle.accumulate_all(&reports, &mut together).expect("ranks below C(9, 4)");
        assert_eq!(together, [56; 9], "each symbol is in C(8, 3) subsets");
        for length in [0, 1, 3, 4, 7] {
            let (mut one_by_one, mut together) = (vec![0; 9], vec![0; 9]);
            for (payload, coin) in &reports[..length] {
                oracle.accumulate(payload, coin, &mut one_by_one).expect("a rank");
            }
            oracle.accumulate_all(&reports[..length], &mut together).expect("ranks");
            assert_eq!(together, one_by_one, "{length} reports");
        }
        let malformed = (Payload::from_number(126), [0; 16]);
        assert_eq!(oracle.accumulate_all(&[reports[0], malformed], &mut together), Err(MalformedPayload));
        assert_eq!(together, [56; 9], "nothing is added");
    }
}
