//! How an answer is hidden: the mechanism, its parameters, and what they must keep to.
//!
//! A mechanism is frozen in the spec with all that fixes its law. The mechanisms themselves are in `privacy`; here is what a reader of a spec can check
//! without running one.

use alloc::{vec, vec::Vec};

/// A share of windows in the hybrid mechanism counts cases of this many.
pub const HYBRID_SHARES: u32 = 1 << 16;

/// How the answer to a question is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Randomizer {
    /// The mechanism with its parameters.
    pub mechanism: Mechanism,
    /// The two integers that fix its law; ln(W_t/W_f) is the loss.
    pub weights: Weights,
}

/// Weights of true and false outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weights {
    /// W_t.
    pub of_true: u64,
    /// W_f.
    pub of_false: u64,
}

/// A mechanism with its parameters. The modules of `privacy::randomizer` have the laws and their proofs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// k-ary randomized response.
    KAry,
    /// Subset selection.
    SubsetSelection {
        /// Size w of the reported subset.
        subset_size: usize,
    },
    /// Optimized unary encoding.
    OptimizedUnary,
    /// Optimized local hashing.
    LocalHashing {
        /// Buckets g.
        hash_range: u32,
    },
    /// Hadamard response with a public row.
    Hadamard,
    /// Projective geometry response.
    ProjectiveGeometry {
        /// Order q of the field.
        field_size: u32,
        /// Coordinates t of a point.
        dimension: u32,
    },
    /// Square wave on a grid.
    SquareWave {
        /// Half width b of the window, in places.
        half_width: u32,
    },
    /// Duchi's bit.
    DuchiBit,
    /// The piecewise mechanism on a grid.
    Piecewise {
        /// Half width b of the window, in places.
        half_width: u32,
    },
    /// Mixture of the piecewise mechanism and Duchi's bit.
    Hybrid {
        /// Half width b of the window, in places.
        half_width: u32,
        /// Cases of 65,536 in which the piecewise mechanism is taken.
        window_share: u32,
    },
    /// Discrete Laplace noise within a range of counts.
    DiscreteLaplace,
    /// Hashing with a memoized first round.
    MemoizedHashing {
        /// Buckets g.
        hash_range: u32,
        /// Hashes C that devices share.
        cohorts: u32,
        /// Windows for which an answer is memoized.
        epoch_windows: u32,
        /// Weights of the second round.
        fresh: Weights,
    },
}

impl Mechanism {
    /// Its name in a spec.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::KAry => "k-ary",
            Self::SubsetSelection { .. } => "subset-selection",
            Self::OptimizedUnary => "optimized-unary",
            Self::LocalHashing { .. } => "local-hashing",
            Self::Hadamard => "hadamard",
            Self::ProjectiveGeometry { .. } => "projective-geometry",
            Self::SquareWave { .. } => "square-wave",
            Self::DuchiBit => "duchi",
            Self::Piecewise { .. } => "piecewise",
            Self::Hybrid { .. } => "hybrid",
            Self::DiscreteLaplace => "discrete-laplace",
            Self::MemoizedHashing { .. } => "memoized-hashing",
        }
    }

    /// Its parameters by their names in a spec.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, u64)> {
        match *self {
            Self::KAry | Self::OptimizedUnary | Self::Hadamard | Self::DuchiBit | Self::DiscreteLaplace => Vec::new(),
            Self::SubsetSelection { subset_size } => vec![("subset_size", subset_size as u64)],
            Self::LocalHashing { hash_range } => vec![("hash_range", hash_range.into())],
            Self::ProjectiveGeometry { field_size, dimension } => {
                vec![("field_size", field_size.into()), ("dimension", dimension.into())]
            }
            Self::SquareWave { half_width } | Self::Piecewise { half_width } => {
                vec![("half_width", half_width.into())]
            }
            Self::Hybrid { half_width, window_share } => {
                vec![("half_width", half_width.into()), ("window_share", window_share.into())]
            }
            Self::MemoizedHashing { hash_range, cohorts, epoch_windows, fresh } => vec![
                ("hash_range", hash_range.into()),
                ("cohorts", cohorts.into()),
                ("epoch_windows", epoch_windows.into()),
                ("fresh_weight_true", fresh.of_true),
                ("fresh_weight_false", fresh.of_false),
            ],
        }
    }

    /// Most symbols that a hash tells apart three at a time.
    pub const MAX_HASHED_DOMAIN: usize = 1 << 10;

    /// Bits of an output over a domain, or `None` if the parameters do not fit it or need more than 256.
    #[must_use]
    pub fn payload_bits(&self, domain_size: usize) -> Option<u32> {
        let k = domain_size as u64;
        match *self {
            Self::KAry | Self::DiscreteLaplace => Some(bits_below(k)),
            Self::SubsetSelection { subset_size } => {
                (0 < subset_size && subset_size < domain_size).then(|| rank_bits(domain_size, subset_size)).flatten()
            }
            Self::OptimizedUnary => (domain_size <= 256).then_some(k as u32),
            Self::LocalHashing { hash_range } => Some(bits_below(u64::from(hash_range))),
            Self::Hadamard | Self::DuchiBit => Some(1),
            Self::ProjectiveGeometry { field_size, dimension } => {
                let geometry = Geometry::of(field_size, dimension)?;
                (k <= u64::from(geometry.symbols)).then(|| bits_below(u64::from(geometry.points)))
            }
            // "No data" lies a window away from the cells.
            Self::SquareWave { half_width } => Some(bits_below(k + 4 * u64::from(half_width))),
            Self::Piecewise { half_width } => Some(bits_below(k + 2 * u64::from(half_width))),
            Self::Hybrid { half_width, .. } => Some(bits_below(k + 2 * u64::from(half_width) + 2)),
            Self::MemoizedHashing { hash_range, cohorts, .. } => {
                Some(bits_below(u64::from(hash_range) * u64::from(cohorts)))
            }
        }
    }
}

impl Weights {
    /// The weights with W_f = 2^32 and the largest W_t that keeps within ε.
    ///
    /// # Panics
    ///
    /// If ε is not from 10,000 to 8,000,000 millionths.
    #[must_use]
    pub fn within(epsilon_micronats: u64) -> Self {
        assert!((10_000..=8_000_000).contains(&epsilon_micronats), "ε from 0.01 to 8");
        let of_false = 1 << 32;
        let mut of_true = (libm::exp(epsilon_micronats as f64 / 1e6) * of_false as f64) as u64 + 1;
        while !(Self { of_true, of_false }).keep_within(epsilon_micronats) {
            of_true -= 1;
        }
        Self { of_true, of_false }
    }

    /// Whether ln(W_t/W_f) ≤ ε, rounded against us: quotient, logarithm and product err by less than 4 ulp together, and
    /// ε ≤ 8 keeps an ulp below 2^-49.
    #[must_use]
    pub fn keep_within(&self, epsilon_micronats: u64) -> bool {
        self.loss() + 8.0 * f64::EPSILON * 8.0 <= epsilon_micronats as f64 / 1e6
    }

    /// ln(W_t/W_f).
    #[must_use]
    pub fn loss(&self) -> f64 {
        libm::log(self.of_true as f64 / self.of_false as f64)
    }
}

/// Counts of a projective space over the field of order q.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Points, K = (q^t − 1)/(q − 1).
    pub points: u32,
    /// Points on a hyperplane, c = (q^(t−1) − 1)/(q − 1).
    pub on_hyperplane: u32,
    /// Points on two hyperplanes, c′ = (q^(t−2) − 1)/(q − 1).
    pub on_two: u32,
    /// Points on three hyperplanes that share no more than they must, (q^(t−3) − 1)/(q − 1).
    pub on_three: u32,
    /// Hyperplanes that stand for symbols, q^(t−1).
    pub symbols: u32,
}

impl Geometry {
    /// Most coordinates of a point.
    pub const MAX_DIMENSION: usize = 13;

    /// Largest order of a field.
    pub const MAX_FIELD_SIZE: u32 = 1 << 10;

    /// Counts for a field of order `q`, a prime or a power of two, and `t` coordinates, if there are fewer than 2^24 points.
    #[must_use]
    pub fn of(q: u32, t: u32) -> Option<Self> {
        let prime = q >= 2 && (2..q).take_while(|d| d * d <= q).all(|d| !q.is_multiple_of(d));
        if !(prime || q.is_power_of_two() && q >= 2)
            || q > Self::MAX_FIELD_SIZE
            || t < 2
            || t as usize > Self::MAX_DIMENSION
        {
            return None;
        }
        let points = |coordinates: u32| Some((q.checked_pow(coordinates)? - 1) / (q - 1));
        let symbols = q.checked_pow(t - 1)?;
        let on_hyperplane = points(t - 1)?;
        let counts = Self {
            points: symbols.checked_add(on_hyperplane)?,
            on_hyperplane,
            on_two: points(t - 2)?,
            on_three: points(t.saturating_sub(3))?,
            symbols,
        };
        (counts.points < 1 << 24).then_some(counts)
    }
}

/// Bits that the numbers below `outputs` need.
fn bits_below(outputs: u64) -> u32 {
    u64::BITS - outputs.saturating_sub(1).leading_zeros()
}

/// Bits that the rank of a subset of `size` among `domain` things needs; `None` above 256. At most 2^32 things.
#[must_use]
pub fn rank_bits(domain: usize, size: usize) -> Option<u32> {
    let size = size.min(domain.saturating_sub(size));
    // Eight words of 32 bits, the least significant first.
    let mut count = [0_u32; 8];
    count[0] = 1;
    for step in 1..=size {
        // C(n, r) = C(n, r − 1) (n − r + 1) / r, exactly. A product can leave 256 bits when the quotient does not; such counts are refused
        // too.
        let (factor, divisor) = ((domain - step + 1) as u64, step as u64);
        let mut carry = 0;
        for word in &mut count {
            carry += u64::from(*word) * factor;
            *word = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            return None;
        }
        let mut rest = 0;
        for word in count.iter_mut().rev() {
            rest = rest << 32 | u64::from(*word);
            // Fits: the rest before was below the divisor.
            *word = (rest / divisor) as u32;
            rest %= divisor;
        }
    }
    // Less one: the largest rank.
    let mut bits = 0;
    let mut borrow = true;
    for (word, place) in count.iter().zip(0_u32..) {
        let (less, borrows) = word.overflowing_sub(u32::from(borrow));
        borrow = borrows;
        if less > 0 {
            bits = 32 * place + u32::BITS - less.leading_zeros();
        }
    }
    Some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of Python's `(math.comb(k, w) - 1).bit_length()`.
    #[test]
    fn bits_of_ranks() {
        let check = |domain, size, bits| assert_eq!(rank_bits(domain, size), bits, "{domain} {size}");
        check(2, 1, Some(1));
        check(64, 17, Some(51));
        check(64, 47, Some(51));
        check(128, 34, Some(104));
        check(256, 97, Some(241));
        check(1_024, 19, Some(134));
        check(1_024, 279, None);
        check(4_096, 10, Some(99));
    }

    #[test]
    fn bits() {
        assert_eq!([1, 2, 3, 4, 5, 256, 257].map(bits_below), [0, 1, 2, 2, 3, 8, 9]);
    }

    #[test]
    fn geometries() {
        assert_eq!(
            Geometry::of(4, 3),
            Some(Geometry { points: 21, on_hyperplane: 5, on_two: 1, on_three: 0, symbols: 16 })
        );
        for (q, t) in [(1, 3), (6, 2), (9, 2), (2_048, 2), (2, 1), (2, 14), (1_021, 4)] {
            assert_eq!(Geometry::of(q, t), None, "q {q} t {t}");
        }
    }

    #[test]
    fn the_largest_weight_within_epsilon() {
        for micronats in [10_000, 500_000, 1_000_000, 3_000_000, 8_000_000] {
            let weights = Weights::within(micronats);
            let epsilon = micronats as f64 / 1e6;
            assert!(weights.loss() <= epsilon && epsilon - weights.loss() < 1e-9, "{micronats}");
        }
    }
}
