//! Which symbols a report speaks for, written from the documents and apart from the code under audit.
//!
//! The event of the black-box test is "the report speaks for u and not for v": its probabilities under u and under v
//! have the largest ratio that the mechanism allows.

use driftglass::spec::{Geometry, Mechanism, Question, QuestionKind};
use num_bigint::BigUint;

use crate::tape::Chance;

/// Tells whether a payload speaks for a symbol.
#[derive(Debug)]
pub enum Support {
    /// The payload is the symbol.
    Symbol,
    /// The payload is the rank of a set.
    Set(Ranks),
    /// Bit v of the payload.
    Bits,
    /// The payload is the bucket of the symbol.
    Bucket(u32),
    /// The payload is a parity bit.
    Parity {
        /// Symbols, a power of two.
        rows: u32,
    },
    /// The payload is a point on the symbol's hyperplane.
    Point(Space),
    /// The payload lies in the window of the symbol.
    Window {
        /// Places of a window.
        width: u64,
        /// The symbol of "no data" and how far it lies away.
        gap: Option<(u64, u64)>,
    },
    /// The payload is the bit of an end of the range.
    End {
        /// The last symbol.
        last: u32,
    },
    /// A window, and after it the bit of an end.
    Mixture {
        /// Places of the window.
        after: u64,
        /// Width of it.
        width: u64,
        /// The last symbol.
        last: u32,
    },
    /// The payload is 0.
    Least,
    /// The bucket of the word's prefix at the level of the coin.
    Prefix(u32),
    /// The bucket of the symbol by the hash of the cohort in the payload.
    Cohort(u32),
}

/// Which pairs of symbols are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// All ordered pairs of this many symbols.
    All(u64),
    /// The two ends of a range, both ways.
    Ends(u32),
    /// Symbols 0 and 1, one way.
    First,
}

impl Support {
    /// The event of a question's mechanism and the pairs it is tested on.
    #[must_use]
    pub fn of(question: &Question) -> (Self, Pairs) {
        let k = question.domain_size as u64;
        let all = Pairs::All(k);
        let ends = Pairs::Ends(question.domain_size.saturating_sub(1) as u32);
        match question.randomizer.mechanism {
            Mechanism::KAry => (Self::Symbol, all),
            Mechanism::SubsetSelection { subset_size } => {
                (Self::Set(Ranks::new(question.domain_size, subset_size)), all)
            }
            Mechanism::OptimizedUnary => (Self::Bits, all),
            Mechanism::LocalHashing { hash_range } if question.kind == QuestionKind::OpenVocabulary => {
                (Self::Prefix(hash_range), Pairs::All(1 << 32))
            }
            Mechanism::LocalHashing { hash_range } => (Self::Bucket(hash_range), all),
            Mechanism::Hadamard => (Self::Parity { rows: (k as u32).next_power_of_two() }, all),
            Mechanism::ProjectiveGeometry { field_size, dimension } => {
                (Self::Point(Space::new(field_size, dimension)), all)
            }
            Mechanism::SquareWave { half_width } => {
                let (width, gap) = (2 * u64::from(half_width) + 1, 2 * u64::from(half_width));
                (Self::Window { width, gap: Some((k - 1, gap)) }, ends)
            }
            Mechanism::Piecewise { half_width } => {
                let width = 2 * u64::from(half_width) + 1;
                (Self::Window { width, gap: None }, ends)
            }
            Mechanism::DuchiBit => (Self::End { last: k as u32 - 1 }, ends),
            Mechanism::Hybrid { half_width, .. } => {
                let width = 2 * u64::from(half_width) + 1;
                (Self::Mixture { after: k + width - 1, width, last: k as u32 - 1 }, ends)
            }
            Mechanism::DiscreteLaplace => (Self::Least, Pairs::First),
            Mechanism::MemoizedHashing { hash_range, .. } => (Self::Cohort(hash_range), all),
        }
    }

    /// The number of symbols that each payload speaks for, where it is the same for all.
    #[must_use]
    pub fn constant_size(&self) -> Option<u64> {
        match self {
            Self::Symbol => Some(1),
            Self::Set(ranks) => Some(ranks.size as u64),
            _ => None,
        }
    }

    /// Whether a payload with this public coin speaks for a symbol.
    #[must_use]
    pub fn holds(&self, payload: &[u8], coin: &[u8; 16], symbol: u32) -> bool {
        match self {
            Self::Symbol => number(payload) == u64::from(symbol),
            Self::Set(ranks) => ranks.has(payload, symbol as usize),
            Self::Bits => payload[payload.len() - 1 - symbol as usize / 8] >> (symbol % 8) & 1 == 1,
            Self::Bucket(range) => number(payload) == bucket(coin, symbol, *range),
            Self::Parity { rows } => {
                let row = u32::from(coin[0]) << 8 | u32::from(coin[1]);
                number(payload) == u64::from((row & (rows - 1) & symbol).count_ones() % 2)
            }
            Self::Point(space) => space.meets(number(payload), symbol),
            Self::Window { width, gap, .. } => {
                let place = match gap {
                    Some((no_data, gap)) if u64::from(symbol) == *no_data => u64::from(symbol) + gap,
                    _ => u64::from(symbol),
                };
                (place..place + width).contains(&number(payload))
            }
            Self::End { last } => end(number(payload), symbol, *last),
            Self::Mixture { after, width, last } => match number(payload).checked_sub(*after) {
                Some(bit) => end(bit, symbol, *last),
                None => (u64::from(symbol)..u64::from(symbol) + width).contains(&number(payload)),
            },
            Self::Least => (number(payload) == 0) == (symbol == 0),
            Self::Prefix(range) => {
                let coin = u128::from_be_bytes(*coin);
                let level = (coin % 4) as u32;
                let prefix = u64::from(symbol >> (24 - 8 * level));
                let hash = ((coin >> 64) as u64).wrapping_mul(prefix).wrapping_add(coin as u64) >> 32;
                number(payload) == (hash * u64::from(*range)) >> 32
            }
            Self::Cohort(range) => {
                let (cohort, reported) = (number(payload) / u64::from(*range), number(payload) % u64::from(*range));
                reported == bucket_of_cohort(cohort as u32, symbol, *range)
            }
        }
    }

    /// The event in words.
    #[must_use]
    pub fn in_words(&self) -> &'static str {
        match self {
            Self::Symbol => "the report is the true symbol, against each other symbol",
            Self::Set(_) => "the reported set holds one symbol and not another, over all pairs",
            Self::Bits => "the bit of one symbol is set and that of another is not, over all pairs",
            Self::Bucket(_) | Self::Cohort(_) => {
                "the report is the bucket of one symbol and not of another, over all pairs"
            }
            Self::Parity { .. } => "the report is the parity of one symbol and not of another, over all pairs",
            Self::Point(_) => "the point lies on the hyperplane of one symbol and not of another, over all pairs",
            Self::Window { .. } | Self::Mixture { .. } => {
                "the report lies near one end of the range and not near the other"
            }
            Self::End { .. } => "the report is the bit of one end of the range",
            Self::Least => "the report is 0, for a count of 0 against a count of 1",
            Self::Prefix(_) => "the report is the bucket of one word and not of another, over random words",
        }
    }
}

impl Pairs {
    /// A random ordered pair: the true symbol and one to tell it from.
    #[must_use]
    pub fn draw(self, chance: &mut Chance) -> (u32, u32) {
        match self {
            Self::All(k) => {
                let one = chance.below(k);
                let other = chance.below(k - 1);
                (one as u32, (other + u64::from(other >= one)) as u32)
            }
            Self::Ends(last) => {
                if chance.below(2) == 0 {
                    (0, last)
                } else {
                    (last, 0)
                }
            }
            Self::First => {
                if chance.below(2) == 0 {
                    (0, 1)
                } else {
                    (1, 0)
                }
            }
        }
    }
}

/// The integer of a payload of at most 8 bytes besides leading zeros; all ones if it is longer.
#[must_use]
pub fn number(payload: &[u8]) -> u64 {
    let significant = payload.iter().position(|byte| *byte != 0).map_or(&[][..], |start| &payload[start..]);
    if significant.len() > 8 {
        return u64::MAX;
    }
    significant.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The bucket of a symbol by the hash of a cohort.
pub(crate) fn bucket_of_cohort(cohort: u32, symbol: u32, range: u32) -> u64 {
    use sha2::{Digest, Sha256};
    let digest = Sha256::new().chain_update(b"driftglass cohort hash v1").chain_update(cohort.to_be_bytes()).finalize();
    bucket(&digest, symbol, range)
}

/// The bucket of the 15 high bits of a v² + b v + c mod 2^32, the three being four bytes each.
fn bucket(seed: &[u8], symbol: u32, range: u32) -> u64 {
    let coefficient =
        |place: usize| seed[4 * place..4 * place + 4].iter().fold(0, |n, byte| n << 8 | u128::from(*byte));
    let v = u128::from(symbol);
    let hash = ((coefficient(0) * v * v + coefficient(1) * v + coefficient(2)) % (1 << 32)) >> 17;
    // Fits: below a range of 32 bits.
    ((hash * u128::from(range)) >> 15) as u64
}

fn end(bit: u64, symbol: u32, last: u32) -> bool {
    (bit == 1 && symbol == last) || (bit == 0 && symbol == 0)
}

/// Sets of a fixed size by their rank in the combinatorial number system.
#[derive(Debug)]
pub struct Ranks {
    domain: usize,
    size: usize,
    /// Row n, column r: C(n, r), where it fits.
    table: Vec<Vec<Option<u128>>>,
}

impl Ranks {
    fn new(domain: usize, size: usize) -> Self {
        let mut table = vec![vec![Some(0); size + 1]; domain + 1];
        for n in 0..=domain {
            table[n][0] = Some(1);
            for r in 1..=size.min(n) {
                let (left, right) = (table[n - 1][r - 1], table[n - 1][r]);
                table[n][r] = left.zip(right).and_then(|(left, right): (u128, u128)| left.checked_add(right));
            }
        }
        Self { domain, size, table }
    }

    fn has(&self, payload: &[u8], symbol: usize) -> bool {
        if self.table[self.domain][self.size].is_none() {
            return self.has_wide(payload, symbol);
        }
        let mut rank = payload.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        let mut missing = self.size;
        for candidate in (symbol..self.domain).rev() {
            // What does not fit exceeds every rank.
            let below = self.table[candidate][missing].filter(|below| missing > 0 && *below <= rank);
            if candidate == symbol {
                return below.is_some();
            }
            if let Some(below) = below {
                rank -= below;
                missing -= 1;
            }
        }
        false
    }

    fn has_wide(&self, payload: &[u8], symbol: usize) -> bool {
        let mut rank = BigUint::from_bytes_be(payload);
        let mut missing = self.size;
        for candidate in (symbol..self.domain).rev() {
            let below = choose(candidate, missing);
            let here = missing > 0 && below <= rank;
            if candidate == symbol {
                return here;
            }
            if here {
                rank -= below;
                missing -= 1;
            }
        }
        false
    }
}

/// C(n, r).
#[must_use]
pub fn choose(n: usize, r: usize) -> BigUint {
    if r > n {
        return BigUint::ZERO;
    }
    (1..=r).fold(BigUint::from(1_u8), |product, step| product * (n - step + 1) / step)
}

/// Points and hyperplanes of a projective space.
#[derive(Debug)]
pub struct Space {
    order: u32,
    coordinates: u32,
}

/// Moduli of the fields of characteristic 2, from degree 1, as the format fixes them.
const MODULI: [u32; 10] = [0x3, 0x7, 0xB, 0x13, 0x25, 0x43, 0x83, 0x11B, 0x211, 0x409];

impl Space {
    fn new(order: u32, dimension: u32) -> Self {
        debug_assert!(Geometry::of(order, dimension).is_some(), "a spec's geometry");
        Self { order, coordinates: dimension - 1 }
    }

    /// Whether point number `point` lies on the hyperplane y_0 + Σ a_i y_i = 0 of a symbol.
    fn meets(&self, point: u64, symbol: u32) -> bool {
        let Some(point) = point.checked_sub(1) else { return false };
        let order = u64::from(self.order);
        let (mut index, first) = (point / order, (point % order) as u32);
        // Directions whose last nonzero coordinate is at place j: order^j of them.
        let (mut last, mut count) = (0, 1);
        while index >= count {
            index -= count;
            count *= order;
            last += 1;
        }
        let mut sum = first;
        let mut digits = symbol;
        for place in 0..self.coordinates {
            let coordinate = match place.cmp(&last) {
                std::cmp::Ordering::Less => (index % order) as u32,
                std::cmp::Ordering::Equal => 1,
                std::cmp::Ordering::Greater => 0,
            };
            index /= order;
            sum = self.add(sum, self.times(digits % self.order, coordinate));
            digits /= self.order;
        }
        sum == 0
    }

    fn add(&self, a: u32, b: u32) -> u32 {
        if self.order.is_power_of_two() { a ^ b } else { (a + b) % self.order }
    }

    fn times(&self, a: u32, b: u32) -> u32 {
        if !self.order.is_power_of_two() {
            return a * b % self.order;
        }
        let degree = self.order.trailing_zeros();
        let mut product = (0..degree).filter(|bit| b >> bit & 1 == 1).fold(0, |sum, bit| sum ^ a << bit);
        for bit in (degree..2 * degree).rev() {
            if product >> bit & 1 == 1 {
                product ^= MODULI[degree as usize - 1] << (bit - degree);
            }
        }
        product
    }
}
