//! Subsets of a fixed size, and their rank in the combinatorial number system.
//!
//! A subset `s_1 < … < s_w` has rank `C(s_1, 1) + … + C(s_w, w)` (colexicographic order; Knuth, TAOCP 4A, 7.2.1.3).
//! Both
//! directions work on a subset that is about to be sent, or that was sent, so they may take their time as it is.
//!
//! The largest symbol of a subset with rank r is the largest s with C(s, w) ≤ r; then the rest has w−1 symbols and
//! rank r − C(s, w). Where to look for s is kept
//! in a guide table (Chen and Asau, "On generating random variates from an empirical distribution", AIIE Trans. 6(2),
//! 1974) by the class of r: its length in bits and the
//! five bits after the first. The centre makes it with the first report that it counts; devices never do.

use alloc::{boxed::Box, vec, vec::Vec};

use crypto_bigint::U256;
use once_cell::race::OnceBox;

use super::payload::{MalformedPayload, Payload};

/// Most symbols of a domain that subsets are taken from.
pub(crate) const MAX_SYMBOLS: usize = 4_096;

const WORD: usize = u64::BITS as usize;

/// A set of symbols, one bit each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bits {
    pub(super) words: [u64; MAX_SYMBOLS / WORD],
}

impl Bits {
    pub(super) const EMPTY: Self = Self { words: [0; MAX_SYMBOLS / WORD] };

    /// Words that hold the first `symbols` bits.
    pub(super) const fn words_of(symbols: usize) -> usize {
        symbols.div_ceil(WORD)
    }
}

/// Bits of a rank, besides its length, that choose the place in the guide.
const CLASS_BITS: u32 = 5;

/// An integer that ranks are computed in.
pub(super) trait Rank: Copy + Ord + core::fmt::Debug + Send + Sync {
    const ZERO: Self;
    const ONE: Self;
    fn saturating_add(&self, other: &Self) -> Self;
    fn exceeds(&self, other: &Self) -> bool;
    /// Cannot wrap where it is used: ranks are sums below `C(k, w)`.
    fn add(&self, other: &Self) -> Self;
    fn subtract(&self, other: &Self) -> Self;
    /// Length in bits, then the [`CLASS_BITS`] bits after the first: grows with the integer.
    fn class(&self) -> usize;
    fn to_payload(self) -> Payload;
    fn from_payload(payload: &Payload) -> Result<Self, MalformedPayload>;
}

macro_rules! rank {
    ($integer:ty, $class:expr) => {
        impl Rank for $integer {
            const ZERO: Self = 0;
            const ONE: Self = 1;

            fn saturating_add(&self, other: &Self) -> Self {
                <$integer>::saturating_add(*self, *other)
            }

            fn exceeds(&self, other: &Self) -> bool {
                self > other
            }

            fn add(&self, other: &Self) -> Self {
                self.wrapping_add(*other)
            }

            fn subtract(&self, other: &Self) -> Self {
                self.wrapping_sub(*other)
            }

            fn class(&self) -> usize {
                $class(*self)
            }

            fn to_payload(self) -> Payload {
                let mut bytes = [0; Payload::MAX_BYTES];
                bytes[Payload::MAX_BYTES - size_of::<Self>()..].copy_from_slice(&self.to_be_bytes());
                Payload::from_be_bytes(bytes)
            }

            fn from_payload(payload: &Payload) -> Result<Self, MalformedPayload> {
                let (high, low) = payload.as_bytes().split_last_chunk().ok_or(MalformedPayload)?;
                if high.iter().all(|byte| *byte == 0) { Ok(Self::from_be_bytes(*low)) } else { Err(MalformedPayload) }
            }
        }
    };
}

rank!(u64, class);
rank!(u128, |rank| joined((rank >> 64) as u64, rank as u64, u64::BITS));

/// The class of a rank of one word. For rank 0 it is 0.
fn class(rank: u64) -> usize {
    let zeros = rank.leading_zeros();
    let after_first = rank.unbounded_shl(zeros + 1) >> (u64::BITS - CLASS_BITS);
    ((u64::BITS - zeros) as usize) << CLASS_BITS | after_first as usize
}

/// The class of a rank of two halves: that of the high one, unless it is 0.
fn joined<R: Rank>(high: R, low: R, low_bits: u32) -> usize {
    if high == R::ZERO { low.class() } else { high.class() + ((low_bits as usize) << CLASS_BITS) }
}

impl Rank for U256 {
    const ZERO: Self = Self::ZERO;
    const ONE: Self = Self::ONE;

    fn saturating_add(&self, other: &Self) -> Self {
        Self::saturating_add(self, other)
    }

    fn exceeds(&self, other: &Self) -> bool {
        self.cmp_vartime(other).is_gt()
    }

    fn add(&self, other: &Self) -> Self {
        self.wrapping_add(other)
    }

    fn subtract(&self, other: &Self) -> Self {
        self.wrapping_sub(other)
    }

    fn class(&self) -> usize {
        let (low, high) = self.split();
        joined(u128::from(high), u128::from(low), u128::BITS)
    }

    fn to_payload(self) -> Payload {
        let mut bytes = [0; Payload::MAX_BYTES];
        bytes.copy_from_slice(self.to_be_bytes().as_ref());
        Payload::from_be_bytes(bytes)
    }

    fn from_payload(payload: &Payload) -> Result<Self, MalformedPayload> {
        Ok(Self::from_be_slice(payload.as_bytes()))
    }
}

/// `C(n, r)` for `n` up to a domain size and `r` up to a subset size.
#[derive(Debug, Clone)]
pub(super) struct Combinations<R> {
    domain: usize,
    size: usize,
    /// Row `r` begins at `r (domain + 1)`. What does not fit saturates; ranks of subsets of the domain never reach
    /// such an entry.
    table: Vec<R>,
    /// For each number of missing symbols from 1 on, for each class of ranks: the largest symbol that a rank of this
    /// class can begin with.
    guide: OnceBox<Vec<u16>>,
}

impl<R: Rank> Combinations<R> {
    /// The table by Pascal's rule.
    pub(super) fn new(domain: usize, size: usize) -> Self {
        let width = domain + 1;
        let mut table = vec![R::ZERO; (size + 1) * width];
        table[..width].fill(R::ONE);
        for r in 1..=size {
            for n in r..=domain {
                table[r * width + n] = table[(r - 1) * width + n - 1].saturating_add(&table[r * width + n - 1]);
            }
        }
        Self { domain, size, table, guide: OnceBox::new() }
    }

    fn choose(&self, n: usize, r: usize) -> &R {
        &self.table[r * (self.domain + 1) + n]
    }

    /// The rank of a subset of the right size.
    pub(super) fn rank(&self, subset: &Bits) -> R {
        let mut rank = R::ZERO;
        let mut count = 0;
        for (index, word) in subset.words[..Bits::words_of(self.domain)].iter().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                count += 1;
                rank = rank.add(self.choose(index * WORD + rest.trailing_zeros() as usize, count));
                rest &= rest - 1;
            }
        }
        rank
    }

    /// Calls back with each symbol of the subsets with some ranks, those of one subset in decreasing order. Several
    /// at a time, because the steps of one
    /// wait for each other.
    ///
    /// # Errors
    ///
    /// [`MalformedPayload`] when a rank is that of no subset; then nothing is called.
    pub(super) fn unrank<const N: usize>(
        &self,
        mut ranks: [R; N],
        mut found: impl FnMut(usize),
    ) -> Result<(), MalformedPayload> {
        ranks.iter().try_for_each(|rank| self.check(rank))?;
        let guide = self.guide.get_or_init(|| Box::new(self.guide()));
        let (classes, width) = (self.classes(), self.domain + 1);
        for missing in (1..=self.size).rev() {
            let guide = &guide[(missing - 1) * classes..missing * classes];
            let row = &self.table[missing * width..(missing + 1) * width];
            for rank in &mut ranks {
                let mut symbol = usize::from(guide[rank.class()]);
                while row[symbol].exceeds(rank) {
                    symbol -= 1;
                }
                *rank = rank.subtract(&row[symbol]);
                found(symbol);
            }
        }
        Ok(())
    }

    /// Whether a subset has this rank.
    ///
    /// # Errors
    ///
    /// [`MalformedPayload`] when none has.
    pub(super) fn check(&self, rank: &R) -> Result<(), MalformedPayload> {
        if self.choose(self.domain, self.size).exceeds(rank) { Ok(()) } else { Err(MalformedPayload) }
    }

    /// Number of classes of ranks.
    fn classes(&self) -> usize {
        self.choose(self.domain, self.size).class() + 1
    }

    fn guide(&self) -> Vec<u16> {
        let mut guide = Vec::with_capacity(self.size * self.classes());
        for missing in 1..=self.size {
            let mut symbol = missing - 1;
            for class in 0..self.classes() {
                while symbol + 1 < self.domain && self.choose(symbol + 1, missing).class() <= class {
                    symbol += 1;
                }
                // Fits: a domain has at most 4,096 symbols.
                guide.push(symbol as u16);
            }
        }
        guide
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(members: &[usize]) -> Bits {
        let mut bits = Bits::EMPTY;
        members.iter().for_each(|symbol| bits.words[symbol / WORD] |= 1 << (symbol % WORD));
        bits
    }

    fn unranked<R: Rank>(table: &Combinations<R>, rank: R) -> Vec<usize> {
        let mut members = Vec::new();
        table.unrank([rank], |symbol| members.push(symbol)).expect("a rank of a subset");
        members.reverse();
        members
    }

    #[test]
    fn ranks_follow_the_formula() {
        // C(1,1) + C(4,2) + C(5,3) + C(8,4)
        assert_eq!(Combinations::<u64>::new(9, 4).rank(&bits(&[1, 4, 5, 8])), 1 + 6 + 10 + 70);
    }

    #[test]
    fn unrank_inverts_rank_and_reaches_every_subset_once() {
        for (domain, size) in [(2, 1), (5, 2), (7, 3), (8, 7), (10, 1)] {
            let table = Combinations::<u64>::new(domain, size);
            let count = *table.choose(domain, size);
            let seen: std::collections::BTreeSet<_> = (0..count).map(|rank| unranked(&table, rank)).collect();
            assert_eq!(seen.len() as u64, count);
            for members in seen {
                assert_eq!(members.len(), size);
                assert_eq!(unranked(&table, table.rank(&bits(&members))), members);
            }
            assert_eq!(table.unrank([count], |_| unreachable!("no such subset")), Err(MalformedPayload));
        }
    }

    #[test]
    fn wide_integers_agree_with_narrow_ones() {
        let members: Vec<usize> = (0..64).filter(|symbol| symbol * 7 % 5 < 2).collect();
        let size = members.len();
        let narrow = Combinations::<u64>::new(64, size).rank(&bits(&members));
        let medium = Combinations::<u128>::new(64, size).rank(&bits(&members));
        let wide = Combinations::<U256>::new(64, size).rank(&bits(&members));
        assert_eq!(u128::from(narrow), medium);
        assert_eq!(narrow.to_payload(), wide.to_payload());
        assert_eq!(medium.to_payload(), wide.to_payload());
        assert_eq!(U256::from_payload(&wide.to_payload()), Ok(wide));
        assert_eq!(u64::from_payload(&U256::MAX.to_payload()), Err(MalformedPayload));
    }

    #[test]
    fn large_domains_keep_exact_ranks() {
        for (domain, size) in [(256, 69), (4_096, 10)] {
            let table = Combinations::<U256>::new(domain, size);
            let last = table.choose(domain, size).subtract(&U256::ONE);
            let members = unranked(&table, last);
            assert_eq!(members, (domain - size..domain).collect::<Vec<_>>());
            assert_eq!(table.rank(&bits(&members)), last);
        }
    }
}
