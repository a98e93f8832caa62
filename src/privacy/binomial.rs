//! Binomial coefficients, and the rank of a subset in the combinatorial number system.
//!
//! A subset `s_1 < … < s_w` has rank `C(s_1, 1) + … + C(s_w, w)` (colexicographic order; Knuth, TAOCP 4A, 7.2.1.3).
//! Both directions visit every position and select by mask, so that the work does not depend on the subset.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater};

/// `C(n, r)` for `n` up to a domain size and `r` up to a subset size.
#[derive(Debug, Clone)]
pub(super) struct Binomials {
    rows: Vec<Vec<u128>>,
}

impl Binomials {
    /// The table by Pascal's rule. Entries beyond 2^127 saturate; ranks that are used stay below 2^120.
    pub(super) fn new(domain: usize, size: usize) -> Self {
        let mut rows = vec![vec![0; size + 1]; domain + 1];
        for n in 0..=domain {
            rows[n][0] = 1;
            for r in 1..=size.min(n) {
                rows[n][r] = u128::saturating_add(rows[n - 1][r - 1], rows[n - 1][r]);
            }
        }
        Self { rows }
    }

    /// `C(n, r)`.
    pub(super) fn choose(&self, n: usize, r: usize) -> u128 {
        self.rows[n][r]
    }

    /// `C(n, r)` for a secret `r`: reads the whole row.
    fn choose_secret(&self, n: usize, r: u32) -> u128 {
        let mut found = 0;
        for (column, value) in self.rows[n].iter().enumerate() {
            found = u128::conditional_select(&found, value, (column as u32).ct_eq(&r));
        }
        found
    }

    /// The rank of the subset whose members are marked, `members[v]` for symbol `v`.
    pub(super) fn rank(&self, members: &[Choice]) -> u128 {
        let mut rank = 0;
        let mut count = 0_u32;
        for (symbol, member) in members.iter().enumerate() {
            count += u32::from(member.unwrap_u8());
            rank += u128::conditional_select(&0, &self.choose_secret(symbol, count), *member);
        }
        rank
    }

    /// Marks the members of the subset of `size` symbols below `domain` with this rank.
    pub(super) fn unrank(&self, mut rank: u128, domain: usize, size: u32) -> Vec<Choice> {
        let mut members = vec![Choice::from(0); domain];
        let mut missing = size;
        for symbol in (0..domain).rev() {
            let below = self.choose_secret(symbol, missing);
            let member = !below.ct_gt(&rank) & !missing.ct_eq(&0);
            rank -= u128::conditional_select(&0, &below, member);
            missing -= u32::from(member.unwrap_u8());
            members[symbol] = member;
        }
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indices(members: &[Choice]) -> Vec<usize> {
        (0..members.len()).filter(|&symbol| bool::from(members[symbol])).collect()
    }

    #[test]
    fn ranks_follow_the_formula() {
        let table = Binomials::new(9, 4);
        let mut members = vec![Choice::from(0); 9];
        for symbol in [1, 4, 5, 8] {
            members[symbol] = Choice::from(1);
        }
        // C(1,1) + C(4,2) + C(5,3) + C(8,4)
        assert_eq!(table.rank(&members), 1 + 6 + 10 + 70);
    }

    #[test]
    fn unrank_inverts_rank_and_reaches_every_subset_once() {
        for (domain, size) in [(2, 1), (5, 2), (7, 3), (8, 7), (10, 1)] {
            let table = Binomials::new(domain, size);
            let mut seen = std::collections::BTreeSet::new();
            for rank in 0..table.choose(domain, size) {
                let members = table.unrank(rank, domain, size as u32);
                assert_eq!(indices(&members).len(), size);
                assert_eq!(table.rank(&members), rank);
                seen.insert(indices(&members));
            }
            assert_eq!(seen.len() as u128, table.choose(domain, size));
        }
    }

    #[test]
    fn large_domains_keep_exact_ranks() {
        let table = Binomials::new(128, 32);
        let last = table.choose(128, 32) - 1;
        assert_eq!(table.rank(&table.unrank(last, 128, 32)), last);
    }
}
