//! Which mechanism hides the answers to a question best: the least variance that fits a budget of bits and a cap on influence.
//!
//! The choice is made once, when a spec is written, and frozen in it with all parameters. The rule has no knowledge of data: it compares n·Var of one share at
//! f = 1/k, the share of every symbol when all are alike, by the closed forms of [`Channel`]. Subset selection is optimal for every ε and k (Ye and Barg 2018;
//! Barg and Ye, "Optimal locally private distribution estimation", ISIT 2020) and wins wherever its rank fits; projective geometry comes within a percent or two of it in
//! few bits; k-ary response is subset selection with w = 1 and wins ties for being the simplest; local hashing and Hadamard have public
//! coins and the fewest bits, Hadamard the least influence.

use crate::estimate::{Channel, mean_mechanism};
use crate::spec::{Geometry, Mechanism, QuestionKind, Randomizer, Weights};

/// What a mechanism must keep to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Most bits of a payload, at most 256.
    pub max_bits: u32,
    /// Most that one fake report may move a share, in reports: (1−q)/(p−q).
    pub max_influence: f64,
}

impl Default for Limits {
    /// 256 bits, so that a payload has at most 32 bytes; an influence of 6, which is out of reach for k-ary response over many symbols.
    fn default() -> Self {
        Self { max_bits: 256, max_influence: 6.0 }
    }
}

/// A mechanism with what it costs and what it gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The mechanism with its parameters.
    pub randomizer: Randomizer,
    /// n·Var of one estimated share at f = 1/k, devices not being a sample.
    pub noise: f64,
    /// How far one fake report moves a share, in reports.
    pub influence: f64,
    /// Bits of a payload.
    pub bits: u32,
}

impl Candidate {
    /// Whether it keeps to the limits.
    #[must_use]
    pub fn fits(&self, limits: &Limits) -> bool {
        self.bits <= limits.max_bits && self.influence <= limits.max_influence
    }
}

/// The best of each mechanism over a domain at ε, best first. Those that need more than 256 bits are left out.
///
/// # Panics
///
/// If there are fewer than 2 symbols, or ε is not from 10,000 to 8,000,000 millionths.
#[must_use]
pub fn candidates(domain_size: usize, epsilon_micronats: u64) -> Vec<Candidate> {
    assert!(domain_size > 1, "one symbol alone hides nothing");
    let weights = Weights::within(epsilon_micronats);
    let of = |mechanism| candidate(Randomizer { mechanism, weights }, domain_size);
    let best = |mechanisms: Vec<Mechanism>| mechanisms.into_iter().filter_map(of).min_by(by_noise);
    let families = [
        vec![Mechanism::KAry],
        subset_selections(domain_size, weights),
        projective_geometries(domain_size),
        vec![Mechanism::OptimizedUnary],
        local_hashings(domain_size, weights),
        vec![Mechanism::Hadamard],
    ];
    let mut candidates: Vec<Candidate> = families.into_iter().filter_map(best).collect();
    // Stable: of equals the first stands, the simplest.
    candidates.sort_by(by_noise);
    candidates
}

/// The first candidate that keeps to the limits.
#[must_use]
pub fn choose(domain_size: usize, epsilon_micronats: u64, limits: &Limits) -> Option<Candidate> {
    candidates(domain_size, epsilon_micronats).into_iter().find(|candidate| candidate.fits(limits))
}

/// The randomizer of a question of a kind over a domain: the chosen mechanism where shares are counted, the one mechanism that there is elsewhere. `None` when nothing keeps to the limits.
///
/// # Panics
///
/// If ε is not from 10,000 to 8,000,000 millionths.
#[must_use]
pub fn recommend(
    kind: &QuestionKind,
    domain_size: usize,
    epsilon_micronats: u64,
    limits: &Limits,
) -> Option<Randomizer> {
    let weights = Weights::within(epsilon_micronats);
    let mechanism = match kind {
        QuestionKind::SampledEvent | QuestionKind::ThresholdBit { .. } => {
            return choose(domain_size, epsilon_micronats, limits).map(|chosen| chosen.randomizer);
        }
        QuestionKind::AnchoredBit { .. } => Mechanism::KAry,
        QuestionKind::Mean => mean_mechanism(domain_size, weights),
        QuestionKind::EventCount { .. } => Mechanism::DiscreteLaplace,
        QuestionKind::OpenVocabulary => Mechanism::LocalHashing { hash_range: best_hash_range(weights) },
    };
    Some(Randomizer { mechanism, weights })
}

/// What a mechanism costs and gives over a domain; `None` if it does not fit, or if no shares are counted from it.
#[must_use]
pub fn candidate(randomizer: Randomizer, domain_size: usize) -> Option<Candidate> {
    let bits = randomizer.mechanism.payload_bits(domain_size)?;
    let channel = Channel::of(&randomizer, domain_size)?;
    let noise = channel.noise(1.0 / domain_size as f64);
    Some(Candidate { randomizer, noise, influence: channel.influence(), bits })
}

fn by_noise(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    a.noise.total_cmp(&b.noise)
}

/// The sizes around k / (e^ε + 1), where the variance is least (Ye and Barg 2018, section III), but for w = 1, which is k-ary response.
fn subset_selections(domain_size: usize, weights: Weights) -> Vec<Mechanism> {
    let best = domain_size as f64 * weights.of_false as f64 / (weights.of_true as f64 + weights.of_false as f64);
    let sizes = [best as usize, best as usize + 1];
    let size = |subset_size: usize| {
        (1 < subset_size && subset_size < domain_size).then_some(Mechanism::SubsetSelection { subset_size })
    };
    sizes.into_iter().filter_map(size).collect()
}

/// For each field the space of least dimension that has a hyperplane for each symbol.
fn projective_geometries(domain_size: usize) -> Vec<Mechanism> {
    let fits = |field_size, dimension| {
        Geometry::of(field_size, dimension).is_some_and(|geometry| geometry.symbols as usize >= domain_size)
    };
    let space = |field_size| {
        let dimension = (2..=Geometry::MAX_DIMENSION as u32).find(|dimension| fits(field_size, *dimension))?;
        Some(Mechanism::ProjectiveGeometry { field_size, dimension })
    };
    (2..=Geometry::MAX_FIELD_SIZE).filter_map(space).collect()
}

/// The numbers of buckets around e^ε + 1, where the variance is least (Wang et al. 2017, section 4.4).
fn local_hashings(domain_size: usize, weights: Weights) -> Vec<Mechanism> {
    if domain_size > Mechanism::MAX_HASHED_DOMAIN {
        return Vec::new();
    }
    let best = best_hash_range(weights);
    [best, best + 1].map(|hash_range| Mechanism::LocalHashing { hash_range }).to_vec()
}

fn best_hash_range(weights: Weights) -> u32 {
    (weights.of_true / weights.of_false + 1) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(k: usize, epsilon_micronats: u64, expected: Mechanism) {
        let chosen = choose(k, epsilon_micronats, &Limits::default()).expect("something fits");
        assert_eq!(chosen.randomizer.mechanism, expected, "k {k} ε {epsilon_micronats}");
    }

    #[test]
    fn the_rule() {
        check(2, 500_000, Mechanism::KAry);
        check(16, 4_000_000, Mechanism::KAry);
        check(16, 2_000_000, Mechanism::SubsetSelection { subset_size: 2 });
        check(64, 1_000_000, Mechanism::SubsetSelection { subset_size: 17 });
        check(1_024, 1_000_000, Mechanism::ProjectiveGeometry { field_size: 4, dimension: 6 });
        check(1_024, 6_000_000, Mechanism::SubsetSelection { subset_size: 3 });
    }

    #[test]
    fn few_bits_and_little_influence_have_their_price() {
        let within = |max_bits, max_influence| {
            choose(64, 1_000_000, &Limits { max_bits, max_influence }).map(|chosen| chosen.randomizer.mechanism)
        };
        assert!(matches!(within(8, 6.0), Some(Mechanism::ProjectiveGeometry { .. })));
        assert_eq!(within(2, 6.0), Some(Mechanism::LocalHashing { hash_range: 4 }));
        assert_eq!(within(1, 6.0), Some(Mechanism::Hadamard));
        assert_eq!(within(256, 2.5), Some(Mechanism::Hadamard));
        assert_eq!(within(256, 2.0), None, "even Hadamard moves a share by 2.16");
    }
}
