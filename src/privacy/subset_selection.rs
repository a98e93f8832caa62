//! Subset selection: report a set of `w` symbols that holds the true one more often than not.
//!
//! Of all local randomizers with the same ε and domain it has the least variance for distribution estimation, at the best
//! `w` (Ye and Barg, "Optimal schemes for discrete distribution estimation under locally differential privacy", IEEE Trans. Inf. Theory
//! 64(8), 2018, section III; Wang et al., "Mutual information optimally local private discrete distribution estimation", 2016). With `w = 1` it is
//! k-ary randomized response (Kairouz, Bonawitz and Ramage, ICML 2016).
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | k | `domain_size` | symbols | 2–128 |
//! | w | `subset_size` | size of the reported set | 1–k−1 |
//! | W_t | `weight_true` | weight of each set with the true symbol | integer ≥ W_f |
//! | W_f | `weight_false` | weight of each set without it | integer ≥ 1 |
//! | p | | P\[v in the set, given x = v\] = w W_t / (w W_t + (k−w) W_f) | |
//! | q | | P\[v in the set, given x ≠ v\] = p (w−1)/(k−1) + (1−p) w/(k−1) | |
//!
//! **Claim.** The report is ln(W_t/W_f)-LDP. *Argument.* A set is reported with probability `W_t / Z` or `W_f / Z`, where
//! `Z = W_t C(k−1, w−1) + W_f C(k−1, w)` is the same for every true symbol. So two true symbols give any report with a ratio of at most
//! W_t/W_f. The code draws `u` uniform below `w W_t + (k−w) W_f` and keeps the true symbol if `u < w W_t`; then a set of the right size
//! among the others, uniformly. `w W_t / (w W_t + (k−w) W_f) / C(k−1, w−1) = W_t / Z`, because `C(k−1, w) = C(k−1, w−1) (k−w)/w`; likewise for W_f. All draws
//! are uniform integers, so the law is this one exactly.
//!
//! *Held by the compiler*: a [`Permit`] is consumed. *Held by the spec*: ln(W_t/W_f) ≤ ε and C(k, w) < 2^120.
//!
//! **Cost**: ⌈log2 C(k, w)⌉ bits; O(k·w) word operations. **Variance** of an estimated share f from n reports:
//! (f p(1−p) + (1−f) q(1−q)) / (n (p−q)²), plus f(1−f)/n when devices are a sample. **Does not protect** more than
//! the one answer: many answers add up, which is the ledger's business.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess};

use super::binomial::Binomials;
use super::entropy::{EntropyError, EntropySource, uniform_below};
use super::permit::Permit;
use crate::spec::Question;

/// The randomizer of one question.
#[derive(Debug, Clone)]
pub struct SubsetSelection {
    domain_size: usize,
    subset_size: u32,
    keep_weight: u128,
    total_weight: u128,
    payload_len: usize,
    binomials: Binomials,
}

/// Bytes that are not the canonical encoding of a subset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the payload is not the rank of a subset of this question")]
pub struct MalformedPayload;

impl SubsetSelection {
    /// The randomizer that a spec fixes for a question, with payloads of `payload_len` bytes.
    #[must_use]
    pub fn of(question: &Question, payload_len: usize) -> Self {
        let k = question.domain_size;
        let w = question.randomizer.subset_size;
        let keep_weight = w as u128 * u128::from(question.randomizer.weight_true);
        let drop_weight = (k - w) as u128 * u128::from(question.randomizer.weight_false);
        Self {
            domain_size: k,
            // Fits: w < k ≤ 128.
            subset_size: w as u32,
            keep_weight,
            total_weight: keep_weight + drop_weight,
            payload_len,
            binomials: Binomials::new(k, w),
        }
    }

    /// Hides a true symbol. All entropy is drawn before the symbol is looked at, and the symbol selects by mask.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when there is no entropy; the permit is used up.
    ///
    /// # Panics
    ///
    /// If `symbol` is not below the domain size.
    pub fn privatize(
        &self,
        permit: Permit,
        symbol: usize,
        entropy: &mut dyn EntropySource,
    ) -> Result<Vec<u8>, EntropyError> {
        assert!(symbol < self.domain_size, "a symbol lies below the domain size");
        let Permit { .. } = permit;
        let (others, w) = (self.domain_size - 1, self.subset_size);
        let keep = uniform_below(self.total_weight, entropy)?.ct_lt(&self.keep_weight);
        let rank_kept = uniform_below(self.binomials.choose(others, w as usize - 1), entropy)?;
        let rank_dropped = uniform_below(self.binomials.choose(others, w as usize), entropy)?;

        let rank = u128::conditional_select(&rank_dropped, &rank_kept, keep);
        let size = u32::conditional_select(&w, &(w - 1), keep);
        let chosen = self.binomials.unrank(rank, others, size);
        let members = insert(&chosen, symbol as u32, keep);
        Ok(self.encode(&members))
    }

    /// The symbols of a reported subset, in increasing order.
    ///
    /// # Errors
    ///
    /// [`MalformedPayload`] when the bytes are not the one encoding of a subset.
    pub fn decode(&self, payload: &[u8]) -> Result<Vec<usize>, MalformedPayload> {
        if payload.len() != self.payload_len || payload.len() > 16 {
            return Err(MalformedPayload);
        }
        let rank = payload.iter().fold(0, |rank: u128, byte| rank << 8 | u128::from(*byte));
        if rank >= self.binomials.choose(self.domain_size, self.subset_size as usize) {
            return Err(MalformedPayload);
        }
        let members = self.binomials.unrank(rank, self.domain_size, self.subset_size);
        Ok((0..self.domain_size).filter(|&symbol| bool::from(members[symbol])).collect())
    }

    fn encode(&self, members: &[Choice]) -> Vec<u8> {
        let bytes = self.binomials.rank(members).to_be_bytes();
        bytes[bytes.len() - self.payload_len..].to_vec()
    }
}

/// Spreads a subset of the others over the whole domain and adds the true symbol if it is kept.
fn insert(chosen: &[Choice], symbol: u32, keep: Choice) -> Vec<Choice> {
    let domain = chosen.len() + 1;
    let mut members = Vec::with_capacity(domain);
    for place in 0..domain {
        let before = chosen.get(place).copied().unwrap_or(Choice::from(0));
        let after = place.checked_sub(1).map_or(Choice::from(0), |index| chosen[index]);
        let place = place as u32;
        let shifted = Choice::conditional_select(&before, &after, place.ct_gt(&symbol));
        members.push(Choice::conditional_select(&shifted, &keep, place.ct_eq(&symbol)));
    }
    members
}
