//! The draws that a mechanism is documented to make, in order.
//!
//! The enumeration needs to know where one integer ends and the next begins. It takes nothing else on trust: where
//! each decision lies is found by running the module.

use driftglass::spec::{Geometry, LaplaceWeights, Mechanism, Question, QuestionKind, Weights};

use crate::tape::Chance;

/// One uniform integer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Draw {
    /// Below `bound`: the fewest whole bytes that hold it, their low bits, drawn again when not below. A decision.
    Wide {
        /// The bound.
        bound: u128,
        /// Where decisions are documented to lie: looked at beside others.
        hints: Vec<u128>,
    },
    /// Below `bound`, from a word of four bytes: ⌊word · bound / 2^32⌋, drawn again when the low half of the product
    /// is below 2^32 mod `bound`. Every value may matter.
    Value {
        /// The bound.
        bound: u32,
    },
    /// As `Value`, but a decision.
    Share {
        /// The bound.
        bound: u32,
        /// Where the decision is documented to lie.
        hint: u32,
    },
    /// The low bit of a byte.
    Bit,
}

impl Draw {
    /// Bytes of one draw.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Wide { .. } => self.bits().div_ceil(8) as usize,
            Self::Value { .. } | Self::Share { .. } => 4,
            Self::Bit => 1,
        }
    }

    /// Number of values that are accepted, by the documents.
    #[must_use]
    pub fn bound(&self) -> u128 {
        match *self {
            Self::Wide { bound, .. } => bound,
            Self::Value { bound } | Self::Share { bound, .. } => u128::from(bound),
            Self::Bit => 2,
        }
    }

    /// The largest integer that is looked at, one that is drawn again included.
    #[must_use]
    pub fn last(&self) -> u128 {
        match self {
            Self::Wide { .. } => u128::MAX >> (u128::BITS - self.bits()),
            _ => self.bound() - 1,
        }
    }

    /// Whether it is cut into few pieces, and not used value by value.
    #[must_use]
    pub fn is_decision(&self) -> bool {
        !matches!(self, Self::Value { .. })
    }

    fn bits(&self) -> u32 {
        u128::BITS - (self.bound() - 1).leading_zeros()
    }

    /// Appends bytes that stand for a value. What must not matter is random.
    pub fn write(&self, value: u128, edge: Edge, chance: &mut Chance, tape: &mut Vec<u8>) {
        match self {
            Self::Wide { .. } => {
                let bytes = self.bytes();
                let unused = (8 * bytes) as u32 - self.bits();
                let high = if unused == 0 { 0 } else { u128::from(chance.below(1 << unused)) << self.bits() };
                tape.extend_from_slice(&(value | high).to_be_bytes()[16 - bytes..]);
            }
            Self::Value { bound } | Self::Share { bound, .. } => {
                let (first, last) = words(*bound, value as u32);
                let word = match edge {
                    Edge::First => first,
                    Edge::Last => last,
                    Edge::Any => first + chance.below(u64::from(last - first) + 1) as u32,
                };
                tape.extend_from_slice(&word.to_be_bytes());
            }
            Self::Bit => tape.push(chance.word() as u8 & 0xFE | value as u8),
        }
    }
}

/// Which of the words that stand for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// The first.
    First,
    /// The last.
    Last,
    /// A random one.
    Any,
}

/// The first and the last accepted word of a value below `bound`. Those between are accepted too: ⌊2^32 / bound⌋
/// words in all.
#[must_use]
pub fn words(bound: u32, value: u32) -> (u32, u32) {
    let start = |value: u32| (u64::from(value) << 32).div_ceil(u64::from(bound));
    let (start, end) = (start(value), start(value + 1));
    let rejected = rejected_word(bound, value).is_some();
    // Fits: `end` is at most 2^32.
    ((start + u64::from(rejected)) as u32, (end - 1) as u32)
}

/// The word of a value that is drawn again, if there is one.
#[must_use]
pub fn rejected_word(bound: u32, value: u32) -> Option<u32> {
    let start = (u64::from(value) << 32).div_ceil(u64::from(bound));
    let low = (start * u64::from(bound)) & 0xFFFF_FFFF;
    (low < (1 << 32) % u64::from(bound)).then_some(start as u32)
}

/// What is documented about the draws of a question's mechanism.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Integers one after the other.
    Draws(Vec<Draw>),
    /// A decision, then a subset of the others of a size that the decision fixes, by selection sampling.
    Selection {
        /// The decision.
        keep: Draw,
        /// Symbols k.
        domain: u32,
        /// Size w of the subset.
        size: u32,
    },
}

impl Plan {
    /// The plan of a question for a true symbol. Only hints depend on the symbol.
    #[must_use]
    pub fn of(question: &Question, symbol: u32) -> Self {
        let weights = question.randomizer.weights;
        let (of_true, of_false) = (u128::from(weights.of_true), u128::from(weights.of_false));
        let k = question.domain_size as u128;
        let draws = match question.randomizer.mechanism {
            Mechanism::KAry => response(question.domain_size as u32, weights),
            Mechanism::SubsetSelection { subset_size } => {
                let w = subset_size as u128;
                let keep = Draw::Wide { bound: w * of_true + (k - w) * of_false, hints: vec![w * of_true] };
                return Self::Selection { keep, domain: k as u32, size: subset_size as u32 };
            }
            Mechanism::OptimizedUnary => {
                let flip = Draw::Wide { bound: of_true + of_false, hints: vec![of_false] };
                std::iter::once(Draw::Bit).chain(std::iter::repeat_n(flip, question.domain_size)).collect()
            }
            Mechanism::LocalHashing { hash_range } => response(hash_range, weights),
            Mechanism::Hadamard => response(2, weights),
            Mechanism::ProjectiveGeometry { field_size, dimension } => {
                let geometry = Geometry::of(field_size, dimension).expect("a spec's geometry");
                let on = u128::from(geometry.on_hyperplane);
                let keep = of_false + on * of_true;
                let bound = keep + on * u128::from(field_size - 1) * of_false;
                vec![
                    Draw::Wide { bound, hints: vec![of_false, keep] },
                    Draw::Value { bound: geometry.on_hyperplane },
                    Draw::Value { bound: field_size - 1 },
                ]
            }
            Mechanism::SquareWave { half_width } => {
                window(question.domain_size as u32 + 2 * half_width, half_width, weights)
            }
            Mechanism::Piecewise { half_width } => window(question.domain_size as u32, half_width, weights),
            Mechanism::DuchiBit => vec![duchi(k, symbol, weights)],
            Mechanism::Hybrid { half_width, window_share } => {
                let mut draws = vec![Draw::Share { bound: 1 << 16, hint: window_share }];
                draws.extend(window(question.domain_size as u32, half_width, weights));
                draws.push(duchi(k, symbol, weights));
                draws
            }
            Mechanism::DiscreteLaplace => {
                let table = LaplaceWeights::of(question.domain_size, weights).expect("a spec's table");
                let places = 0..question.domain_size;
                let weight = |report: usize| {
                    let distance = report.abs_diff(symbol as usize);
                    let at_end = report == 0 || report + 1 == question.domain_size;
                    if at_end { table.end[distance] } else { table.inner[distance] }
                };
                let mut below = 0;
                let sums: Vec<u128> = places
                    .map(|report| {
                        below += weight(report);
                        below
                    })
                    .collect();
                vec![Draw::Wide { bound: below, hints: sums }]
            }
            Mechanism::MemoizedHashing { hash_range, fresh, .. } => response(hash_range, fresh),
        };
        Self::Draws(draws)
    }

    /// The lengths of the requests for entropy of a report whose draws are all accepted.
    #[must_use]
    pub fn requests(&self) -> Vec<u32> {
        match self {
            Self::Draws(draws) => draws.iter().map(|draw| draw.bytes() as u32).collect(),
            Self::Selection { keep, domain, .. } => {
                let others = domain - 1;
                let chunks = (0..domain.div_ceil(64)).map(|chunk| 4 * others.saturating_sub(64 * chunk).min(64));
                std::iter::once(keep.bytes() as u32).chain(chunks).collect()
            }
        }
    }
}

/// Whether the law depends on a public coin.
#[must_use]
pub fn has_coin(question: &Question) -> bool {
    question.kind == QuestionKind::OpenVocabulary
        || matches!(question.randomizer.mechanism, Mechanism::LocalHashing { .. } | Mechanism::Hadamard)
}

fn response(symbols: u32, weights: Weights) -> Vec<Draw> {
    let of_true = u128::from(weights.of_true);
    let bound = of_true + u128::from(symbols - 1) * u128::from(weights.of_false);
    vec![Draw::Wide { bound, hints: vec![of_true] }, Draw::Value { bound: symbols - 1 }]
}

fn window(places: u32, half_width: u32, weights: Weights) -> Vec<Draw> {
    let width = 2 * half_width + 1;
    let near = u128::from(width) * u128::from(weights.of_true);
    let bound = near + u128::from(places - 1) * u128::from(weights.of_false);
    vec![Draw::Wide { bound, hints: vec![near] }, Draw::Value { bound: width }, Draw::Value { bound: places - 1 }]
}

fn duchi(places: u128, symbol: u32, weights: Weights) -> Draw {
    let (of_true, of_false) = (u128::from(weights.of_true), u128::from(weights.of_false));
    let (last, place) = (places - 1, u128::from(symbol));
    Draw::Wide { bound: last * (of_true + of_false), hints: vec![place * of_true + (last - place) * of_false] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_belongs_to_one_value_or_is_drawn_again() {
        for bound in [1_u32, 2, 3, 5, 63, 64, 1_000, 65_535] {
            let share = (1_u64 << 32) / u64::from(bound);
            let mut next = 0_u64;
            for value in 0..bound {
                if let Some(word) = rejected_word(bound, value) {
                    assert_eq!(u64::from(word), next, "bound {bound} value {value}");
                    next += 1;
                }
                let (first, last) = words(bound, value);
                assert_eq!(u64::from(first), next, "bound {bound} value {value}");
                assert_eq!(u64::from(last - first) + 1, share, "bound {bound} value {value}: equally many words");
                next = u64::from(last) + 1;
            }
            assert_eq!(next, 1 << 32, "bound {bound}");
        }
    }
}
