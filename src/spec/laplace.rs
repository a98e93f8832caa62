//! The table of the discrete Laplace mechanism, as the two weights fix it. See [`crate::spec::Mechanism::DiscreteLaplace`].

use alloc::{vec, vec::Vec};

use super::Weights;

/// Weights of reports by their distance from the true count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaplaceWeights {
    /// w_0 … w_{k−2}: of a report inside the range.
    pub inner: Vec<u128>,
    /// L_0 … L_{k−1}: of a report at an end of the range.
    pub end: Vec<u128>,
}

impl LaplaceWeights {
    /// Most counts.
    pub const MAX_DOMAIN: usize = 64;

    /// Weight of the farthest inner place.
    const LEAST: u128 = 1 << 20;

    /// The weights for counts below `domain_size`, if they stay below 2^114: then a row, of fewer than 2^6 places, has a sum below 2^120.
    #[must_use]
    pub fn of(domain_size: usize, weights: Weights) -> Option<Self> {
        let (of_true, of_false) = (u128::from(weights.of_true), u128::from(weights.of_false));
        if !(2..=Self::MAX_DOMAIN).contains(&domain_size) || of_true <= of_false {
            return None;
        }
        let mut inner = vec![Self::LEAST; domain_size - 1];
        for distance in (0..domain_size - 2).rev() {
            // ⌊w W_t / W_f⌋ in parts, so that no product leaves 128 bits.
            let (whole, rest) = (inner[distance + 1] / of_false, inner[distance + 1] % of_false);
            inner[distance] = whole.checked_mul(of_true)?.checked_add(rest * of_true / of_false)?;
        }
        let mut end = vec![(Self::LEAST * of_false).div_ceil(of_true - of_false); domain_size];
        for distance in (0..domain_size - 1).rev() {
            end[distance] = inner[distance].checked_add(end[distance + 1])?;
        }
        (end[0] < 1 << 114).then_some(Self { inner, end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        let fits = |k, of_true| LaplaceWeights::of(k, Weights { of_true, of_false: 1 }).is_some();
        assert!(fits(64, 2));
        assert!(!fits(65, 2));
        assert!(!fits(64, 8), "8^62 2^20 is above 2^114");
        assert!(!fits(8, 1), "no ratio, no noise that ends");
    }
}
