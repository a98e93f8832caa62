//! Sums of private reports, drawn from their exact law without making the reports one by one.
//!
//! | Mechanism | Law of the sums |
//! | --- | --- |
//! | k-ary | one multinomial over the answers |
//! | subset selection | one multinomial over all C(k, w) subsets; symbol by symbol where they are more than 128 |
//! | unary, local hashing | a multinomial of true symbols; then for each symbol Bin(x_v, p) + Bin(n − x_v, q) |
//! | projective geometry | one multinomial over the points |
//! | Hadamard | one multinomial over rows and bits |
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

/// Answers that are counted one by one.
const FEW_ANSWERS: usize = 128;

/// What is asked and how it is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    KAry,
    Subset,
    Optimized,
    Symmetric,
    Projective,
    Hashing,
    Hadamard,
}

pub(super) const ENCODINGS: [Encoding; 7] = [
    Encoding::KAry,
    Encoding::Subset,
    Encoding::Optimized,
    Encoding::Symmetric,
    Encoding::Projective,
    Encoding::Hashing,
    Encoding::Hadamard,
];

/// A channel, and how its sums are drawn.
#[derive(Debug)]
pub(super) struct Simulated {
    pub(super) channel: Channel,
    answers: Answers,
}

/// How support follows from the truth.
#[derive(Debug)]
enum Answers {
    /// One of few: the symbols that each supports.
    Few(Vec<Vec<usize>>),
    /// A subset of this size, one of many.
    Subsets(usize),
    /// A bit for each symbol, independent given the truth.
    Bits,
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
            Self::Hadamard => "Hadamard",
        }
    }

    /// The channel over k symbols. `None` where the encoding is another one (subsets of one symbol) or there is none.
    pub(super) fn at(self, k: usize, epsilon: f64) -> Option<Simulated> {
        let weights = Weights::within((epsilon * 1e6).round() as u64);
        let e = epsilon.exp();
        let of = |mechanism| Channel::of(&Randomizer { mechanism, weights }, k);
        let unary = |p, q| Some(Simulated { channel: Channel::unary(k, p, q), answers: Answers::Bits });
        match self {
            Self::KAry => {
                let answers = (0..k).map(|symbol| vec![symbol]).collect();
                Some(Simulated { channel: of(Mechanism::KAry)?, answers: Answers::Few(answers) })
            }
            Self::Subset => {
                let subset_size = (k as f64 / (1.0 + e)).round() as usize;
                if subset_size < 2 {
                    return None;
                }
                let channel = of(Mechanism::SubsetSelection { subset_size })?;
                let subsets = (0..subset_size).fold(1.0, |ways, i| ways * (k - i) as f64 / (i + 1) as f64);
                if subsets > FEW_ANSWERS as f64 {
                    return Some(Simulated { channel, answers: Answers::Subsets(subset_size) });
                }
                let masks = (0..1_usize << k).filter(|mask| mask.count_ones() as usize == subset_size);
                let answers = masks.map(|mask| (0..k).filter(|symbol| mask >> symbol & 1 == 1).collect());
                Some(Simulated { channel, answers: Answers::Few(answers.collect()) })
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
                Some(Simulated { channel, answers: Answers::Few((0..points).map(supported).collect()) })
            }
            Self::Hashing => {
                let hash_range = ((1.0 + e).log2().round().exp2() as u32).min(4_096);
                let channel = of(Mechanism::LocalHashing { hash_range })?;
                Some(Simulated { channel, answers: Answers::Bits })
            }
            Self::Hadamard => {
                let rows = k.next_power_of_two();
                let supported = |answer: usize| {
                    let (row, bit) = (answer / 2, answer as u32 % 2);
                    (0..k).filter(|symbol| (row & symbol).count_ones() % 2 == bit).collect()
                };
                let answers = Answers::Few((0..2 * rows).map(supported).collect());
                Some(Simulated { channel: of(Mechanism::Hadamard)?, answers })
            }
        }
    }
}

impl Simulated {
    /// The law of a report of devices with these shares: of its answer, or of the true symbol where bits are
    /// independent.
    pub(super) fn law(&self, shares: &[f64]) -> Vec<f64> {
        match &self.answers {
            Answers::Few(answers) => self.law_of_answers(answers, shares),
            Answers::Subsets(_) | Answers::Bits => shares.to_vec(),
        }
    }

    /// The sums of `reports` reports with this law.
    pub(super) fn draw(&self, law: &[f64], reports: u64, rng: &mut SmallRng) -> Drawn {
        let (p, q) = (self.channel.keep_probability(), self.channel.false_probability());
        match &self.answers {
            Answers::Bits => {
                let truth = multinomial(reports, law, rng);
                let support =
                    truth.iter().map(|true_ones| binomial(*true_ones, p, rng) + binomial(reports - true_ones, q, rng));
                Drawn { reports, support: support.collect(), answers: None }
            }
            Answers::Subsets(size) => {
                Drawn { reports, support: support_of_subsets(*size, p, law, reports, rng), answers: None }
            }
            Answers::Few(answers) => {
                let counts = multinomial(reports, law, rng);
                let mut support = vec![0; self.channel.symbols()];
                for (symbols, count) in answers.iter().zip(&counts) {
                    symbols.iter().for_each(|symbol| support[*symbol] += count);
                }
                Drawn { reports, support, answers: (answers.len() <= FEW_ANSWERS).then_some(counts) }
            }
        }
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

/// The support of random subsets of `size` symbols, the true one among them with probability p.
///
/// Symbol by symbol, reports that are alike are drawn together: what matters of a report is whether its truth is still
/// to come, whether it is in the subset, and how many other symbols are still to be chosen for it. These are a uniform
/// choice from all others, whichever symbol is the truth.
fn support_of_subsets(size: usize, p: f64, shares: &[f64], reports: u64, rng: &mut SmallRng) -> Vec<u64> {
    let k = shares.len();
    let kept = binomial(reports, p, rng);
    // By the number of others to be chosen: truth to come and kept, truth to come and not kept, truth passed.
    let [mut with, mut without, mut passed] = [(); 3].map(|()| vec![0; size + 1]);
    (with[size - 1], without[size]) = (kept, reports - kept);
    let mut mass: f64 = shares.iter().sum();
    let mut support = vec![0; k];
    for symbol in 0..k {
        let left = (k - symbol) as f64;
        // Of the last symbol rounding leaves a little more or less than all.
        let truth = if symbol + 1 == k { 1.0 } else { shares[symbol] / mass };
        mass -= shares[symbol];
        // Upwards: what was chosen from moves down, where it has been this symbol's turn already.
        for open in 0..=size {
            let (is, is_kept) = (binomial(without[open], truth, rng), binomial(with[open], truth, rng));
            (without[open], with[open]) = (without[open] - is, with[open] - is_kept);
            support[symbol] += is_kept;
            for (reports, among) in [(&mut without, left - 1.0), (&mut with, left - 1.0), (&mut passed, left)] {
                let chosen = binomial(reports[open], open as f64 / among, rng);
                if chosen > 0 {
                    (reports[open], reports[open - 1]) = (reports[open] - chosen, reports[open - 1] + chosen);
                    support[symbol] += chosen;
                }
            }
            passed[open] += is + is_kept;
        }
    }
    support
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
