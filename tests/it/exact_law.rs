//! The exact law of the randomizer, by enumeration of its entropy.
//!
//! The claim of `src/privacy/subset_selection.rs` is that a report S is made with probability W_t/Z if it holds the true symbol and W_f/Z if not,
//! where Z = W_t C(k−1, w−1) + W_f C(k−1, w). Nothing is sampled here: the real code runs once for every sequence of
//! entropy that it accepts at first sight, and reports are counted.
//!
//! | Symbol | Meaning |
//! | --- | --- |
//! | N_1, N_2, N_3 | bounds of the three uniform integers: w W_t + (k−w) W_f, C(k−1, w−1), C(k−1, w) |
//! | b_i | least number of bits that holds N_i − 1; ⌈b_i / 8⌉ bytes are drawn |
//!
//! **Rejection.** A value at or above its bound is drawn again. A tape holds the bytes of exactly three first draws; a redraw makes it run out, the code
//! reports that it has no entropy, and the sequence is left out. As each redraw begins afresh, the law of a report is the law given that
//! every first draw was accepted: the count of a report over N_1 N_2 N_3 accepted sequences. The comparison is of integers.
//!
//! **High bits.** Bits above b_i must not matter. Where two bytes suffice, all 65,536 sequences are run; elsewhere the values of b_i bits, and the high bits are flipped
//! separately.
//!
//! A checker that cannot fail proves nothing: the second half of the file gives it broken randomizers.

use std::collections::BTreeMap;

use driftglass::privacy::{EntropyError, EntropySource, SubsetSelection};
use driftglass::spec::Randomizer;

use crate::entropy::{Generator, Tape};
use crate::randomizers::{choose, permit, question};

/// What is declared, and therefore checked.
#[derive(Clone, Copy, Debug)]
struct Law {
    k: usize,
    w: usize,
    weight_true: u64,
    weight_false: u64,
}

/// A randomizer under test: true symbol and entropy to the members of the reported set.
type Privatize<'a> = &'a dyn Fn(usize, &mut dyn EntropySource) -> Result<Vec<usize>, EntropyError>;

impl Law {
    fn randomizer(self) -> Randomizer {
        Randomizer { subset_size: self.w, weight_true: self.weight_true, weight_false: self.weight_false }
    }

    /// The shipped code, with the smallest payload that fits.
    fn shipped(self) -> impl Fn(usize, &mut dyn EntropySource) -> Result<Vec<usize>, EntropyError> {
        let question = question(self.k, self.randomizer());
        let randomizer = SubsetSelection::of(&question, question.payload_bytes());
        move |symbol, entropy| {
            let payload = randomizer.privatize(permit(), symbol, entropy)?;
            Ok(randomizer.decode(&payload).expect("a report decodes"))
        }
    }

    /// N_1, N_2, N_3.
    fn bounds(self) -> [u128; 3] {
        let (k, w) = (self.k as u128, self.w as u128);
        let total = w * u128::from(self.weight_true) + (k - w) * u128::from(self.weight_false);
        [total, small(k - 1, w - 1), small(k - 1, w)]
    }

    /// Weight of a report given a symbol, and the sum of all weights.
    fn weight(self, report: &[usize], symbol: usize) -> u128 {
        u128::from(if report.contains(&symbol) { self.weight_true } else { self.weight_false })
    }

    fn total(self) -> u128 {
        let [_, kept, dropped] = self.bounds();
        u128::from(self.weight_true) * kept + u128::from(self.weight_false) * dropped
    }
}

fn small(n: u128, r: u128) -> u128 {
    choose(n, r).expect("a small number of subsets")
}

/// The bits of each of three draws.
fn bits(law: Law) -> [u32; 3] {
    law.bounds().map(|bound| u128::BITS - (bound - 1).leading_zeros())
}

/// The bytes of three first draws with these values.
fn tape(values: [u128; 3], bits: [u32; 3]) -> Vec<u8> {
    let bytes = |(value, bits): (u128, u32)| value.to_be_bytes()[16 - bits.div_ceil(8) as usize..].to_vec();
    values.into_iter().zip(bits).flat_map(bytes).collect()
}

/// Runs every tape for every symbol and compares counts with the law.
fn check_law(law: Law, privatize: Privatize<'_>, tapes: impl Iterator<Item = Vec<u8>>) -> Result<(), String> {
    let mut accepted = 0_u128;
    let mut counts: BTreeMap<Vec<usize>, Vec<u128>> = BTreeMap::new();
    for bytes in tapes {
        // Which symbol is true changes neither whether a sequence is accepted nor how much of it is drawn.
        let mut outcomes = Vec::new();
        for symbol in 0..law.k {
            let mut entropy = Tape::new(&bytes);
            let report = privatize(symbol, &mut entropy);
            outcomes.push((report.is_ok(), entropy.left()));
            if let Ok(report) = report {
                counts.entry(report).or_insert_with(|| vec![0; law.k])[symbol] += 1;
            }
        }
        if outcomes.iter().any(|outcome| *outcome != outcomes[0]) {
            return Err(format!("{law:?}: the draws depend on the symbol"));
        }
        match outcomes[0] {
            (true, 0) => accepted += 1,
            (true, left) => return Err(format!("{law:?}: {left} bytes were not drawn")),
            (false, _) => {}
        }
    }
    let subsets = small(law.k as u128, law.w as u128);
    if counts.len() as u128 != subsets {
        return Err(format!("{law:?}: {} reports are possible, not {subsets}", counts.len()));
    }
    for (report, counts) in &counts {
        for (symbol, count) in counts.iter().enumerate() {
            // count / accepted = weight / Z
            if count * law.total() != law.weight(report, symbol) * accepted {
                return Err(format!("{law:?}: P[{report:?} | {symbol}] is {count}/{accepted}"));
            }
        }
    }
    // The loss: the largest ratio over pairs of symbols is W_t/W_f, as w < k leaves a symbol in and a symbol out.
    let ratio = |counts: &Vec<u128>| (*counts.iter().max().expect("symbols"), *counts.iter().min().expect("symbols"));
    if counts
        .values()
        .map(ratio)
        .any(|(most, least)| most * u128::from(law.weight_false) != least * u128::from(law.weight_true))
    {
        return Err(format!("{law:?}: the loss is not W_t/W_f"));
    }
    Ok(())
}

/// All values of b_1, b_2 and b_3 bits.
fn low_tapes(law: Law) -> impl Iterator<Item = Vec<u8>> {
    let bits = bits(law);
    let [first, second, third] = bits.map(|bits| 0..1_u128 << bits);
    first.flat_map(move |a| {
        let third = third.clone();
        second.clone().flat_map(move |b| third.clone().map(move |c| tape([a, b, c], bits)))
    })
}

const LAWS: [Law; 9] = [
    Law { k: 2, w: 1, weight_true: 5, weight_false: 2 },
    Law { k: 3, w: 1, weight_true: 7, weight_false: 1 },
    Law { k: 3, w: 2, weight_true: 3, weight_false: 2 },
    Law { k: 4, w: 2, weight_true: 9, weight_false: 4 },
    Law { k: 5, w: 2, weight_true: 3, weight_false: 1 },
    Law { k: 5, w: 4, weight_true: 2, weight_false: 1 },
    Law { k: 6, w: 3, weight_true: 4, weight_false: 3 },
    // A bound of two bytes: 2 · 100 + 3 · 37 = 311.
    Law { k: 5, w: 2, weight_true: 100, weight_false: 37 },
    // No privacy loss at all: every report is as likely whatever is true.
    Law { k: 4, w: 1, weight_true: 1, weight_false: 1 },
];

#[test]
fn the_law_is_exactly_the_declared_one() {
    for law in LAWS {
        check_law(law, &law.shipped(), low_tapes(law)).expect("the declared law");
        // The enumeration met every accepted sequence: N_1 N_2 N_3 of them.
        let accepted = low_tapes(law).filter(|bytes| law.shipped()(0, &mut Tape::new(bytes)).is_ok()).count();
        assert_eq!(accepted as u128, law.bounds().iter().product::<u128>(), "{law:?}");
    }
}

#[test]
fn the_law_holds_over_all_bytes() {
    let law = Law { k: 3, w: 1, weight_true: 7, weight_false: 1 };
    assert_eq!(bits(law).map(|bits| bits.div_ceil(8)), [1, 0, 1], "two bytes a report");
    let tapes = (0..=u16::MAX).map(|word| word.to_be_bytes().to_vec());
    check_law(law, &law.shipped(), tapes).expect("the declared law");
}

#[test]
fn high_bits_do_not_matter() {
    for law in LAWS {
        let (bits, privatize) = (bits(law), law.shipped());
        // The position of the first byte of each draw, and which of its bits are above b_i.
        let mut place = 0;
        for bits in bits.into_iter().filter(|bits| *bits > 0) {
            let high = 0xFF_u8.checked_shl(bits - (bits - 1) / 8 * 8).unwrap_or(0);
            for bytes in low_tapes(law).step_by(7) {
                let mut flipped = bytes.clone();
                flipped[place] |= high;
                let report = |bytes: &[u8]| privatize(law.k - 1, &mut Tape::new(bytes));
                assert_eq!(report(&bytes), report(&flipped), "{law:?}");
            }
            place += bits.div_ceil(8) as usize;
        }
    }
}

/// The number of bytes drawn is the same for every symbol also when draws are rejected, whatever is kept.
#[test]
fn the_number_of_draws_tells_nothing() {
    for (law, seed) in LAWS.into_iter().zip(1..) {
        let mut generator = Generator::new(seed);
        let privatize = law.shipped();
        for _ in 0..200 {
            let mut bytes = [0; 512];
            generator.fill(&mut bytes).expect("entropy");
            let drawn = |symbol| {
                let mut entropy = Tape::new(&bytes);
                privatize(symbol, &mut entropy).expect("512 bytes are enough");
                entropy.left()
            };
            assert!((1..law.k).all(|symbol| drawn(symbol) == drawn(0)), "{law:?}");
        }
    }
}

/// A plain randomizer, to be broken: the document's steps on lists of numbers.
fn plain(
    law: Law,
    below: impl Fn(u128, &mut dyn EntropySource) -> Result<u128, EntropyError>,
    symbol: usize,
    entropy: &mut dyn EntropySource,
) -> Result<Vec<usize>, EntropyError> {
    let [total, kept, dropped] = law.bounds();
    let keep = below(total, entropy)? < law.w as u128 * u128::from(law.weight_true);
    let (kept, dropped) = (below(kept, entropy)?, below(dropped, entropy)?);
    let (rank, size) = if keep { (kept, law.w - 1) } else { (dropped, law.w) };
    let others: Vec<usize> = (0..law.k).filter(|other| *other != symbol).collect();
    let mut subset: Vec<usize> = (0..1_usize << others.len())
        .filter(|mask| mask.count_ones() as usize == size)
        .nth(rank as usize)
        .map(|mask| (0..others.len()).filter(|place| mask >> place & 1 == 1).map(|place| others[place]).collect())
        .expect("a rank below the number of subsets");
    subset.extend(keep.then_some(symbol));
    subset.sort_unstable();
    Ok(subset)
}

fn draw(bound: u128, entropy: &mut dyn EntropySource) -> Result<u128, EntropyError> {
    let bits = u128::BITS - (bound - 1).leading_zeros();
    let mut buffer = [0; 16];
    entropy.fill(&mut buffer[16 - bits.div_ceil(8) as usize..])?;
    Ok(u128::from_be_bytes(buffer) & ((1 << bits) - 1))
}

fn rejecting(bound: u128, entropy: &mut dyn EntropySource) -> Result<u128, EntropyError> {
    loop {
        let value = draw(bound, entropy)?;
        if value < bound {
            return Ok(value);
        }
    }
}

const BROKEN: Law = Law { k: 5, w: 2, weight_true: 3, weight_false: 1 };

fn fails(law: Law, privatize: Privatize<'_>, expected: &str) {
    let found = check_law(law, privatize, low_tapes(law)).expect_err(expected);
    assert!(found.contains(expected), "{found}");
}

#[test]
fn a_sound_plain_randomizer_passes() {
    check_law(BROKEN, &|symbol, entropy| plain(BROKEN, rejecting, symbol, entropy), low_tapes(BROKEN)).expect("sound");
}

#[test]
fn swapped_weights_are_found() {
    let swapped = Law { weight_true: BROKEN.weight_false, weight_false: BROKEN.weight_true, ..BROKEN };
    let shipped = swapped.shipped();
    // The bound N_1 moves with the weights, so the tapes are those of the swapped law.
    let found = check_law(BROKEN, &shipped, low_tapes(swapped)).expect_err("swapped");
    assert!(found.contains("P["), "{found}");
}

#[test]
fn a_weight_off_by_one_is_found() {
    let declared = Law { weight_true: 8, weight_false: 3, ..BROKEN };
    let shipped = Law { weight_true: 9, ..declared }.shipped();
    fails(declared, &shipped, "P[");
}

#[test]
fn a_biased_modulo_is_found() {
    let modulo = |bound: u128, entropy: &mut dyn EntropySource| Ok(draw(bound, entropy)? % bound);
    fails(BROKEN, &|symbol, entropy| plain(BROKEN, modulo, symbol, entropy), "P[");
}

/// The subset of the others depends on the true symbol: the marginal of "keep" is right, the report is not.
#[test]
fn a_biased_choice_of_the_others_is_found() {
    let biased = |symbol: usize, entropy: &mut dyn EntropySource| {
        let mut subset = plain(BROKEN, rejecting, symbol, entropy)?;
        if subset == [1, 2] && symbol == 0 {
            subset = vec![1, 3];
        }
        Ok(subset)
    };
    fails(BROKEN, &biased, "P[");
}

#[test]
fn draws_that_depend_on_the_answer_are_found() {
    // Draws the rank that is needed and no other.
    let lazy = |symbol: usize, entropy: &mut dyn EntropySource| {
        let [total, kept, dropped] = BROKEN.bounds();
        let keep = rejecting(total, entropy)? < BROKEN.w as u128 * u128::from(BROKEN.weight_true);
        rejecting(if keep { kept } else { dropped }, entropy)?;
        Ok(vec![symbol, (symbol + 1) % BROKEN.k])
    };
    fails(BROKEN, &lazy, "bytes were not drawn");
    // Draws more for one symbol.
    let greedy = |symbol: usize, entropy: &mut dyn EntropySource| {
        let report = plain(BROKEN, rejecting, symbol, entropy)?;
        if symbol == 3 {
            entropy.fill(&mut [0])?;
        }
        Ok(report)
    };
    fails(BROKEN, &greedy, "the draws depend on the symbol");
}
