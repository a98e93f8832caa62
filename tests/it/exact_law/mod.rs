//! The exact law of the randomizers, by enumeration of their entropy.
//!
//! The doc of each mechanism claims a law: a weight for each report given each true symbol. Nothing is sampled here:
//! the real code runs once for every sequence of draws that differ, and counts of reports are compared with the weights
//! as integers.
//!
//! | Draw | Bytes | Tapes here |
//! | --- | --- | --- |
//! | [`Draw::Below`] N | ⌈b/8⌉, b being the least number of bits that holds N − 1 | every value of b bits |
//! | [`Draw::Word`] N | 4 | for each value below N the smallest word that gives it |
//!
//! **Words.** Every value below N is given by ⌊2^32/N⌋ words exactly; unit tests of `src/privacy/entropy.rs` show it
//! for the code that is used. So one word stands for all that give its value, and
//! [`every_word_of_a_value_gives_one_report`] compares the ends of each value's words.
//!
//! **Rejection.** A value at or above its bound is drawn again. A tape holds the bytes of the first draws alone; a
//! redraw makes it run out, the code reports that it has no entropy, and the sequence is left out. As each redraw
//! begins afresh, the law of a report is the law given that every first draw was accepted.
//!
//! **High bits.** Bits above b must not matter. They are flipped separately.
//!
//! A checker that cannot fail proves nothing: `broken` gives it randomizers that are.

mod broken;
mod laws;

use driftglass::privacy::{Coin, Decoder, EntropyError, EntropySource};
use driftglass::spec::Weights;

use crate::entropy::{Generator, Tape};
use crate::randomizers::report_of;

/// One uniform integer, and how it is drawn.
#[derive(Clone, Copy, Debug)]
enum Draw {
    /// Below a bound, by mask and rejection.
    Below(u128),
    /// Below a bound, as the high half of a product with a word of 32 bits.
    Word(u32),
}

/// What is declared, and therefore checked.
struct Law {
    name: String,
    /// The true symbols that are compared; all of them where the domain is small.
    symbols: Vec<u64>,
    /// What is drawn, in this order.
    draws: Vec<Draw>,
    /// Reports are numbers below this.
    reports: u64,
    /// Weight of a report given a symbol.
    weight: Box<dyn Fn(u64, u64) -> u128>,
    /// W_t, W_f: no report is more than W_t/W_f times as likely under one symbol as under another.
    ratio: Weights,
    /// Whether some report is W_t/W_f times as likely. Under a public coin it is not if all symbols look alike.
    attained: bool,
}

/// A randomizer under test: true symbol and entropy to the number of a report.
type Privatize<'a> = &'a dyn Fn(u64, &mut dyn EntropySource) -> Result<u64, EntropyError>;

impl Draw {
    fn bound(self) -> u128 {
        match self {
            Self::Below(bound) => bound,
            Self::Word(bound) => u128::from(bound),
        }
    }

    /// The least number of bits that holds the values.
    fn bits(self) -> u32 {
        u128::BITS - (self.bound() - 1).leading_zeros()
    }

    /// How many tapes there are.
    fn tapes(self) -> u128 {
        match self {
            Self::Below(_) => 1 << self.bits(),
            Self::Word(bound) => u128::from(bound),
        }
    }

    fn bytes(self, value: u128) -> Vec<u8> {
        match self {
            Self::Below(_) => value.to_be_bytes()[16 - self.bits().div_ceil(8) as usize..].to_vec(),
            Self::Word(bound) => words(bound, value as u32).0.to_be_bytes().to_vec(),
        }
    }
}

/// The smallest and the largest word that gives a value below a bound.
fn words(bound: u32, value: u32) -> (u32, u32) {
    let (bound, value) = (u64::from(bound), u64::from(value));
    let (start, end) = ((value << 32).div_ceil(bound), ((value + 1) << 32).div_ceil(bound));
    let rejected = start * bound - (value << 32) < (1 << 32) % bound;
    ((start + u64::from(rejected)) as u32, (end - 1) as u32)
}

impl Law {
    /// All combinations of draws.
    fn tapes(&self) -> impl Iterator<Item = Vec<u8>> {
        let draws = self.draws.clone();
        let count: u128 = draws.iter().map(|draw| draw.tapes()).product();
        (0..count).map(move |mut place| {
            let mut tape = Vec::new();
            for draw in &draws {
                tape.extend(draw.bytes(place % draw.tapes()));
                place /= draw.tapes();
            }
            tape
        })
    }

    fn weights_given(&self, symbol: u64) -> u128 {
        (0..self.reports).map(|report| (self.weight)(report, symbol)).sum()
    }

    fn error(&self, what: std::fmt::Arguments<'_>) -> String {
        format!("{}: {what}", self.name)
    }
}

/// Runs every tape for every symbol and compares counts with the law.
fn check_law(law: &Law, privatize: Privatize<'_>) -> Result<(), String> {
    let mut accepted = 0_u128;
    let mut counts = vec![vec![0_u128; law.symbols.len()]; law.reports as usize];
    for bytes in law.tapes() {
        // Which symbol is true changes neither whether a sequence is accepted nor how much of it is drawn.
        let mut outcomes = Vec::new();
        for (place, symbol) in law.symbols.iter().enumerate() {
            let mut entropy = Tape::new(&bytes);
            let report = privatize(*symbol, &mut entropy);
            outcomes.push((report.is_ok(), entropy.left()));
            if let Ok(report) = report {
                let counts = counts.get_mut(report as usize);
                counts.ok_or_else(|| law.error(format_args!("{report} is no report")))?[place] += 1;
            }
        }
        if outcomes.iter().any(|outcome| *outcome != outcomes[0]) {
            return Err(law.error(format_args!("the draws depend on the symbol")));
        }
        match outcomes[0] {
            (true, 0) => accepted += 1,
            (true, left) => return Err(law.error(format_args!("{left} bytes were not drawn"))),
            (false, _) => {}
        }
    }
    let expected: u128 = law.draws.iter().map(|draw| draw.bound()).product();
    if accepted != expected {
        return Err(law.error(format_args!("{accepted} sequences are accepted, not {expected}")));
    }
    let totals: Vec<u128> = law.symbols.iter().map(|symbol| law.weights_given(*symbol)).collect();
    for (report, counts) in counts.iter().enumerate() {
        for ((count, symbol), total) in counts.iter().zip(&law.symbols).zip(&totals) {
            // count / accepted = weight / total
            if count * total != (law.weight)(report as u64, *symbol) * accepted {
                return Err(law.error(format_args!("P[{report} | {symbol}] is {count}/{accepted}")));
            }
        }
    }
    check_loss(law, &counts)
}

/// The loss: no report is more than W_t/W_f times as likely under one symbol as under another, and some is as much.
fn check_loss(law: &Law, counts: &[Vec<u128>]) -> Result<(), String> {
    let mut attained = false;
    for counts in counts {
        let (most, least) = (counts.iter().max().expect("symbols"), counts.iter().min().expect("symbols"));
        let (left, right) = (most * u128::from(law.ratio.of_false), least * u128::from(law.ratio.of_true));
        if left > right {
            return Err(law.error(format_args!("a loss above W_t/W_f")));
        }
        attained |= left == right;
    }
    if attained != law.attained {
        return Err(law.error(format_args!("the loss W_t/W_f is attained: {attained}")));
    }
    Ok(())
}

/// The shipped code with a coin and a memo key.
fn shipped(
    randomizer: &dyn Decoder,
    coin: Coin,
    memo: [u8; 32],
) -> impl Fn(u64, &mut dyn EntropySource) -> Result<u64, EntropyError> + '_ {
    move |symbol, entropy| report_of(randomizer, symbol, &coin, &memo, entropy)
}

/// The law, and beside it what a law does not say: high bits, other words and rejections.
fn check_shipped(law: &Law, privatize: Privatize<'_>) {
    check_law(law, privatize).expect("the declared law");
    high_bits_do_not_matter(law, privatize);
    every_word_of_a_value_gives_one_report(law, privatize);
    the_number_of_draws_tells_nothing(law, privatize);
}

/// Bits above those that hold the bound, flipped in every draw that has some.
fn high_bits_do_not_matter(law: &Law, privatize: Privatize<'_>) {
    let symbol = *law.symbols.last().expect("symbols");
    let stride = law.tapes().count().div_ceil(500);
    for bytes in law.tapes().step_by(stride) {
        let mut place = 0;
        for draw in &law.draws {
            let length = draw.bytes(0).len();
            if let (Draw::Below(_), 1..) = (draw, length) {
                let used = draw.bits() - (draw.bits() - 1) / 8 * 8;
                let mut flipped = bytes.clone();
                flipped[place] ^= 0xFF_u8.checked_shl(used).unwrap_or(0);
                let report = |bytes: &[u8]| privatize(symbol, &mut Tape::new(bytes));
                assert_eq!(report(&bytes), report(&flipped), "{}", law.name);
            }
            place += length;
        }
    }
}

/// Between the smallest and the largest word of a value nothing changes; where the word before the smallest belongs to
/// the value too, it is rejected.
fn every_word_of_a_value_gives_one_report(law: &Law, privatize: Privatize<'_>) {
    let symbol = law.symbols[0];
    let start = law.draws.iter().map(|draw| draw.bytes(0).len());
    let places: Vec<usize> = start.scan(0, |place, length| Some(std::mem::replace(place, *place + length))).collect();
    let zeros: Vec<u8> = law.draws.iter().flat_map(|draw| draw.bytes(0)).collect();
    for (draw, place) in law.draws.iter().zip(places) {
        let Draw::Word(bound) = draw else { continue };
        let report = |word: u32| {
            let mut tape = zeros.clone();
            tape[place..place + 4].copy_from_slice(&word.to_be_bytes());
            privatize(symbol, &mut Tape::new(&tape))
        };
        for value in 0..(*bound).min(64) {
            let (first, last) = words(*bound, value);
            let given = report(first);
            assert!(given.is_ok(), "{}: a word that gives a value", law.name);
            assert_eq!(report(last), given, "{}", law.name);
            assert_eq!(report(first + (last - first) / 2), given, "{}", law.name);
            let rejected = u64::from(first) * u64::from(*bound) >= (u64::from(value) << 32) + u64::from(*bound);
            assert!(!rejected || report(first - 1).is_err(), "{}: a word too many", law.name);
        }
    }
}

/// The number of bytes drawn is the same for every symbol also when draws are rejected, whatever is kept.
fn the_number_of_draws_tells_nothing(law: &Law, privatize: Privatize<'_>) {
    let mut generator = Generator::new(law.draws.len() as u64);
    for _ in 0..200 {
        let mut bytes = [0; 1_024];
        generator.fill(&mut bytes).expect("entropy");
        let drawn = |symbol: u64| {
            let mut entropy = Tape::new(&bytes);
            privatize(symbol, &mut entropy).expect("1,024 bytes are enough");
            entropy.left()
        };
        let drawn: Vec<usize> = law.symbols.iter().map(|symbol| drawn(*symbol)).collect();
        assert!(drawn.iter().all(|left| *left == drawn[0]), "{}", law.name);
    }
}
