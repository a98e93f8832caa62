//! Broken randomizers: the checker must find each, and for the reason given.

use driftglass::privacy::{EntropyError, EntropySource, KAryResponse, SubsetSelection};
use driftglass::spec::Weights;

use super::laws::{response_law, subset_law};
use super::{Draw, Law, Privatize, check_law, shipped};

const WEIGHTS: Weights = Weights { of_true: 3, of_false: 1 };
const K: u64 = 5;
const SIZE: u32 = 2;

/// A source of uniform integers: below a bound by rejection, and below a bound from a word.
type Below<'a> = &'a dyn Fn(Draw, &mut dyn EntropySource) -> Result<u128, EntropyError>;

/// A plain randomizer, to be broken: the document's steps of subset selection, on lists and with branches.
fn plain(below: Below<'_>, symbol: u64, entropy: &mut dyn EntropySource) -> Result<Vec<u64>, EntropyError> {
    let (of_true, of_false) = (u128::from(WEIGHTS.of_true), u128::from(WEIGHTS.of_false));
    let keep_weight = u128::from(SIZE) * of_true;
    let keep = below(Draw::Below(keep_weight + u128::from(K - u64::from(SIZE)) * of_false), entropy)? < keep_weight;
    let mut missing = u128::from(SIZE) - u128::from(keep);
    let mut subset = Vec::new();
    for number in 0..K - 1 {
        if below(Draw::Word((K - 1 - number) as u32), entropy)? < missing {
            missing -= 1;
            subset.push(if number == symbol { K - 1 } else { number });
        }
    }
    subset.extend(keep.then_some(symbol));
    subset.sort_unstable();
    Ok(subset)
}

/// The rank of a pair, s_1 + C(s_2, 2).
fn rank(pair: &[u64]) -> u64 {
    pair[0] + pair[1] * pair[1].saturating_sub(1) / 2
}

fn draw(draw: Draw, entropy: &mut dyn EntropySource) -> Result<u128, EntropyError> {
    let mut buffer = [0; 16];
    match draw {
        Draw::Below(_) => {
            entropy.fill(&mut buffer[16 - draw.bits().div_ceil(8) as usize..])?;
            Ok(u128::from_be_bytes(buffer) & ((1 << draw.bits()) - 1))
        }
        Draw::Word(bound) => {
            entropy.fill(&mut buffer[12..])?;
            Ok((u128::from_be_bytes(buffer) * u128::from(bound)) >> 32)
        }
    }
}

/// Values at or above a bound are drawn again. Of a word's products none is, which is a bias of 2^-32 that tapes of one
/// word a value do not see.
fn rejecting(kind: Draw, entropy: &mut dyn EntropySource) -> Result<u128, EntropyError> {
    loop {
        let value = draw(kind, entropy)?;
        if value < kind.bound() {
            return Ok(value);
        }
    }
}

fn declared() -> Law {
    subset_law(K, SIZE, WEIGHTS)
}

fn fails(law: &Law, privatize: Privatize<'_>, expected: &str) {
    let found = check_law(law, privatize).expect_err(expected);
    assert!(found.contains(expected), "{found}");
}

#[test]
fn a_sound_plain_randomizer_passes() {
    check_law(&declared(), &|symbol, entropy| Ok(rank(&plain(&rejecting, symbol, entropy)?))).expect("sound");
}

#[test]
fn swapped_weights_are_found() {
    let swapped = Weights { of_true: WEIGHTS.of_false, of_false: WEIGHTS.of_true };
    let randomizer = SubsetSelection::new(K, SIZE as usize, swapped);
    // The bound of the first draw moves with the weights, so the tapes are those of the swapped law.
    let law = Law { draws: subset_law(K, SIZE, swapped).draws, ..declared() };
    fails(&law, &shipped(&randomizer, [0; 16], [0; 32]), "P[");
}

#[test]
fn a_weight_off_by_one_is_found() {
    let (declared, shipped_weights) = (Weights { of_true: 8, of_false: 3 }, Weights { of_true: 9, of_false: 3 });
    let response = KAryResponse::new(4, shipped_weights);
    let law = response_law("k-ary".to_owned(), 4, declared);
    fails(&law, &shipped(&response, [0; 16], [0; 32]), "sequences are accepted");
    let law = Law { draws: response_law(String::new(), 4, shipped_weights).draws, ..law };
    fails(&law, &shipped(&response, [0; 16], [0; 32]), "P[");
}

#[test]
fn a_biased_modulo_is_found() {
    let modulo = |kind: Draw, entropy: &mut dyn EntropySource| Ok(draw(kind, entropy)? % kind.bound());
    fails(&declared(), &|symbol, entropy| Ok(rank(&plain(&modulo, symbol, entropy)?)), "sequences are accepted");
    // Where the bound is declared as the power of two above it, every sequence is accepted and the law shows it.
    let mut law = declared();
    law.draws[0] = Draw::Below(1 << law.draws[0].bits());
    fails(&law, &|symbol, entropy| Ok(rank(&plain(&modulo, symbol, entropy)?)), "P[");
}

/// The subset of the others depends on the true symbol: the marginal of "keep" is right, the report is not.
#[test]
fn a_biased_choice_of_the_others_is_found() {
    let biased = |symbol: u64, entropy: &mut dyn EntropySource| {
        let subset = plain(&rejecting, symbol, entropy)?;
        Ok(rank(if subset == [1, 2] && symbol == 0 { &[1, 3] } else { &subset }))
    };
    fails(&declared(), &biased, "P[");
}

/// The law is right, but a report says in which order its members were found.
#[test]
fn a_leak_beside_the_law_is_found() {
    let leaking = |symbol: u64, entropy: &mut dyn EntropySource| {
        let subset = plain(&rejecting, symbol, entropy)?;
        Ok(rank(&subset) + if subset[0] == symbol { 10 } else { 0 })
    };
    fails(&declared(), &leaking, "is no report");
    let wide =
        Law { reports: 20, weight: Box::new(|report, symbol| (declared().weight)(report % 10, symbol)), ..declared() };
    fails(&wide, &leaking, "P[");
}

#[test]
fn a_loss_above_the_declared_one_is_found() {
    let response = KAryResponse::new(4, WEIGHTS);
    let privatize = shipped(&response, [0; 16], [0; 32]);
    let law = response_law("k-ary".to_owned(), 4, WEIGHTS);
    fails(&Law { ratio: Weights { of_true: 5, of_false: 2 }, ..law }, &privatize, "a loss above");
    let law = response_law("k-ary".to_owned(), 4, WEIGHTS);
    fails(&Law { ratio: Weights { of_true: 7, of_false: 2 }, ..law }, &privatize, "attained: false");
}

#[test]
fn draws_that_depend_on_the_answer_are_found() {
    // Stops to draw when the subset is full.
    let lazy = |symbol: u64, entropy: &mut dyn EntropySource| {
        rejecting(declared().draws[0], entropy)?;
        Ok(symbol)
    };
    fails(&declared(), &lazy, "bytes were not drawn");
    // Draws more for one symbol.
    let greedy = |symbol: u64, entropy: &mut dyn EntropySource| {
        let report = plain(&rejecting, symbol, entropy)?;
        if symbol == 3 {
            entropy.fill(&mut [0])?;
        }
        Ok(rank(&report))
    };
    fails(&declared(), &greedy, "the draws depend on the symbol");
}
