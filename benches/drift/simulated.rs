//! Sums of private reports, drawn from their exact law without making the reports one by one.
//!
//! | Mechanism | Law of the sums |
//! | --- | --- |
//! | k-ary | one multinomial over the answers |
//! | subset selection | one multinomial over all C(k, w) subsets |
//! | unary, local hashing | a multinomial of true symbols; then for each symbol Bin(x_v, p) + Bin(n − x_v, q) |
//! | projective geometry | one multinomial over the points |
//!
//! Bits of a unary report are independent given the truth. So is the support of a hashed report when buckets are equal,
//! that is when g is a power of two: whatever bucket is reported, another symbol falls into it with probability 1/g by
//! a hash of its own (hashes being random functions).

use driftglass::drift::Sample;
use driftglass::estimate::Channel;
use driftglass::privacy::{Decoder, ProjectiveGeometry};
use driftglass::spec::{Mechanism, Randomizer, Weights};
use rand::rngs::SmallRng;
use rand_distr::{Binomial, Distribution};

/// What is asked and how it is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    KAry,
    Subset,
    Optimized,
    Symmetric,
    Projective,
    Hashing,
}

pub(super) const ENCODINGS: [Encoding; 6] = [
    Encoding::KAry,
    Encoding::Subset,
    Encoding::Optimized,
    Encoding::Symmetric,
    Encoding::Projective,
    Encoding::Hashing,
];

/// A channel, and how its sums are drawn.
#[derive(Debug)]
pub(super) struct Simulated {
    pub(super) channel: Channel,
    /// For answers that are one symbol: the symbols that each supports.
    answers: Option<Vec<Vec<usize>>>,
}

/// The sums of a sample.
#[derive(Debug, Clone)]
pub(super) struct Drawn {
    pub(super) reports: u64,
    pub(super) support: Vec<u64>,
    /// Counts of the answers where a report is one of few.
    pub(super) answers: Option<Vec<u64>>,
}

impl Drawn {
    pub(super) fn sample(&self) -> Sample<'_> {
        Sample { reports: self.reports, support: &self.support }
    }
}

impl Encoding {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::KAry => "k-ary",
            Self::Subset => "subset",
            Self::Optimized => "OUE",
            Self::Symmetric => "SUE",
            Self::Projective => "projective",
            Self::Hashing => "hashing",
        }
    }

    /// The channel over k symbols. `None` where the encoding is another one (subsets of one symbol) or there is none.
    pub(super) fn at(self, k: usize, epsilon: f64) -> Option<Simulated> {
        let weights = Weights::within((epsilon * 1e6).round() as u64);
        let e = epsilon.exp();
        let of = |mechanism| Channel::of(&Randomizer { mechanism, weights }, k);
        let unary = |p, q| Some(Simulated { channel: Channel::unary(k, p, q), answers: None });
        match self {
            Self::KAry => {
                let answers = (0..k).map(|symbol| vec![symbol]).collect();
                Some(Simulated { channel: of(Mechanism::KAry)?, answers: Some(answers) })
            }
            Self::Subset => {
                let subset_size = (k as f64 / (1.0 + e)).round() as usize;
                // 16 symbols at ε = 0.5 have 4,368 subsets and more: exact, but hours for a full table.
                let answers = (0..subset_size).fold(1.0, |ways, i| ways * (k - i) as f64 / (i + 1) as f64);
                if subset_size < 2 || answers > 2_000.0 {
                    return None;
                }
                let masks = (0..1_usize << k).filter(|mask| mask.count_ones() as usize == subset_size);
                let answers = masks.map(|mask| (0..k).filter(|symbol| mask >> symbol & 1 == 1).collect());
                let channel = of(Mechanism::SubsetSelection { subset_size })?;
                Some(Simulated { channel, answers: Some(answers.collect()) })
            }
            Self::Optimized => unary(0.5, 1.0 / (1.0 + e)),
            Self::Symmetric => {
                let p = 1.0 / (1.0 + (-epsilon / 2.0).exp());
                unary(p, 1.0 - p)
            }
            Self::Projective => {
                let (field_size, dimension) = match (epsilon, k) {
                    (0.5, 16) => (3, 4),
                    (0.5, 64) => (3, 5),
                    (1.0, 5) => (4, 3),
                    (1.0, 16) => (4, 3),
                    (1.0, 64) => (4, 4),
                    (2.0, 16 | 64) => (8, 3),
                    _ => return None,
                };
                let channel = of(Mechanism::ProjectiveGeometry { field_size, dimension })?;
                let oracle = ProjectiveGeometry::new(k as u64, field_size, dimension, weights);
                let points = oracle.counters();
                let supported = |point: usize| {
                    let counters: Vec<u64> = (0..points).map(|other| u64::from(other == point)).collect();
                    let support = oracle.oracle().expect("a frequency oracle").support(&counters);
                    (0..k).filter(|symbol| support[*symbol] > 0).collect()
                };
                Some(Simulated { channel, answers: Some((0..points).map(supported).collect()) })
            }
            Self::Hashing => {
                let hash_range = ((1.0 + e).log2().round().exp2() as u32).min(4_096);
                let channel = of(Mechanism::LocalHashing { hash_range })?;
                Some(Simulated { channel, answers: None })
            }
        }
    }
}

impl Simulated {
    /// The law of a report of devices with these shares: of its answer, or of the true symbol where bits are
    /// independent.
    pub(super) fn law(&self, shares: &[f64]) -> Vec<f64> {
        self.answers.as_ref().map_or_else(|| shares.to_vec(), |answers| self.law_of_answers(answers, shares))
    }

    /// The sums of `reports` reports with this law.
    pub(super) fn draw(&self, law: &[f64], reports: u64, rng: &mut SmallRng) -> Drawn {
        let Some(answers) = &self.answers else {
            let (p, q) = (self.channel.keep_probability(), self.channel.false_probability());
            let truth = multinomial(reports, law, rng);
            let support =
                truth.iter().map(|true_ones| binomial(*true_ones, p, rng) + binomial(reports - true_ones, q, rng));
            return Drawn { reports, support: support.collect(), answers: None };
        };
        let counts = multinomial(reports, law, rng);
        let mut support = vec![0; self.channel.symbols()];
        for (symbols, count) in answers.iter().zip(&counts) {
            symbols.iter().for_each(|symbol| support[*symbol] += count);
        }
        Drawn { reports, support, answers: (answers.len() <= 128).then_some(counts) }
    }

    /// P\[answer\] up to a factor: W_t for the symbols it supports and W_f for the others.
    fn law_of_answers(&self, answers: &[Vec<usize>], shares: &[f64]) -> Vec<f64> {
        let supports = |symbol: usize| answers.iter().filter(|symbols| symbols.contains(&symbol)).count() as f64;
        let size = supports(0);
        debug_assert!((0..shares.len()).all(|symbol| supports(symbol) == size));
        // P[an answer that supports the truth] = p, evenly over them, and 1 − p over the others.
        let p = self.channel.keep_probability();
        let (of_true, of_false) = (p / size, (1.0 - p) / (answers.len() as f64 - size));
        let held = |symbols: &Vec<usize>| symbols.iter().map(|symbol| shares[*symbol]).sum::<f64>();
        answers.iter().map(|symbols| of_false + (of_true - of_false) * held(symbols)).collect()
    }
}

pub(super) fn binomial(n: u64, p: f64, rng: &mut SmallRng) -> u64 {
    if n == 0 { 0 } else { Binomial::new(n, p.clamp(0.0, 1.0)).expect("a probability").sample(rng) }
}

pub(super) fn multinomial(n: u64, shares: &[f64], rng: &mut SmallRng) -> Vec<u64> {
    let (mut left, mut mass) = (n, shares.iter().sum::<f64>());
    let last = shares.len() - 1;
    let mut draw = |(place, share): (usize, &f64)| {
        let count = if place == last { left } else { binomial(left, share / mass, rng) };
        left -= count;
        mass -= share;
        count
    };
    shares.iter().enumerate().map(&mut draw).collect()
}
