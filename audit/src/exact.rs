//! The exact ε of a question: its law, enumerated for every symbol, and the largest ratio in it.
//!
//! | Mechanism | Method |
//! | --- | --- |
//! | at most 10^6 outputs | the whole law, for every true symbol |
//! | subset selection above | the weights of keeping and not keeping, and every step of selection sampling at both its edges: by ∏ m/n sets of a branch are alike |
//! | unary encoding above | P\[bit\] for every bit; a ratio of reports is a product over bits |
//! | with a public coin | the whole law given the coin, for some coins: the argument is the same for each |
//! | memoized | the law given the memo key, for some keys; and what is memoized is compared with the documented function of the key, draw by draw |

use driftglass::report::HEADER_BYTES;
use driftglass::spec::{Mechanism, Question};
use hmac::{Hmac, KeyInit, Mac};
use num_bigint::BigUint;
use sha2::Sha256;

use crate::bound;
use crate::claims;
use crate::law::{Enumerator, Extremes, Fraction, Violation, ratio_between};
use crate::plan::{Draw, Edge, Plan, has_coin, rejected_word};
use crate::probe::{Known, Probe};
use crate::support::{bucket_of_cohort, choose, number};
use crate::tape::{Chance, Tape};
use crate::verdict::{Enclosure, Exact};

/// Most outputs that are listed.
const MAX_OUTPUTS: u64 = 1_000_000;
/// Coins or memo keys for which a law is enumerated.
const COINS: u64 = 4;
/// Symbols that are taken where not all are.
const SOME_SYMBOLS: u64 = 64;
/// Memo keys for which the first round is compared.
const MEMO_KEYS: u64 = 2_000;

/// Whether reports depend on the report id or the memo key, besides entropy.
#[must_use]
pub fn depends_on_known(question: &Question) -> bool {
    has_coin(question) || question.epoch_windows().is_some()
}

/// Enumerates.
///
/// # Errors
///
/// [`Violation`] when the module does otherwise than any law that is claimed.
pub fn exact(probe: &mut dyn Probe, question: &Question, foretell: u64, seed: u64) -> Result<Exact, Violation> {
    let mut chance = Chance::seeded(seed);
    let mechanism = question.randomizer.mechanism;
    let listed = claims::outputs(question) <= BigUint::from(MAX_OUTPUTS);
    let symbols = claims::symbols(question);
    let (method, words, result) = match mechanism {
        _ if depends_on_known(question) => {
            if let Mechanism::MemoizedHashing { .. } = mechanism {
                check_memoized(probe, question, &mut chance)?;
            }
            let some = pick(symbols, SOME_SYMBOLS, &mut chance);
            let result = over_coins(probe, question, &some, foretell, &mut chance)?;
            if has_coin(question) {
                let words = "The law given the public coin was enumerated whole, for several coins. A coin is known \
                    before the answer is and does not depend on it, so the bound for each coin is one for the report.";
                ("per-coin", words, result)
            } else {
                let words = "The law given the device's memo key was enumerated whole, for several keys: that is \
                    what one more report tells. What is memoized was compared with the documented function of the \
                    key for 2,000 keys; its loss is that of the first weights, once for each bucket.";
                ("per-memo-key", words, result)
            }
        }
        Mechanism::SubsetSelection { subset_size } if !listed => {
            let some = pick(symbols, 8, &mut chance);
            let result = subsets(probe, question, subset_size, &some, foretell, &mut chance)?;
            let words = "There are too many sets to list. The weights of keeping and of not keeping the answer were \
                enumerated, and each step of choosing the others was run at both its edges: it takes m of n values, \
                so that all sets of a branch are equally likely.";
            ("branches", words, result)
        }
        Mechanism::OptimizedUnary if !listed => {
            let some = pick(symbols, 4, &mut chance);
            let result = unary(probe, question, &some, foretell, &mut chance)?;
            let words = "There are too many reports to list. The chance of each bit was enumerated; bits are drawn \
                apart, so the ratio of two reports is a product over bits.";
            ("branches", words, result)
        }
        _ => {
            let all: Vec<u32> = (0..symbols as u32).collect();
            let result = whole(probe, question, &all, foretell, &mut chance)?;
            ("all-outputs", "The probability of every report was enumerated for every true answer.", result)
        }
    };
    let reduced = result.ratio.reduced();
    Ok(Exact {
        method,
        method_in_words: words.to_owned(),
        symbols: result.symbols,
        coins: result.coins,
        runs: result.runs,
        epsilon: bound::ln(&reduced),
        ratio_numerator: reduced.numerator.to_string(),
        ratio_denominator: reduced.denominator.to_string(),
        foretold: result.foretold,
    })
}

/// Stands for a law that was not found, so that an audit always has the field.
#[must_use]
pub fn unknown() -> Exact {
    Exact {
        method: "none",
        method_in_words: "The law could not be enumerated; the checks say why.".to_owned(),
        symbols: 0,
        coins: 0,
        runs: 0,
        ratio_numerator: String::new(),
        ratio_denominator: String::new(),
        epsilon: Enclosure { lower: 0.0, upper: f64::MAX },
        foretold: 0,
    }
}

struct Found {
    ratio: Fraction,
    symbols: u64,
    coins: u64,
    runs: u64,
    foretold: u64,
}

/// All symbols if there are few, else some, the ends among them.
fn pick(symbols: u64, most: u64, chance: &mut Chance) -> Vec<u32> {
    if symbols <= most {
        return (0..symbols as u32).collect();
    }
    let mut picked = vec![0, 1, symbols as u32 / 2, (symbols - 1) as u32];
    while (picked.len() as u64) < most {
        picked.push(chance.below(symbols) as u32);
        picked.sort_unstable();
        picked.dedup();
    }
    picked
}

/// Reports that are foretold for each symbol.
fn share(foretell: u64, symbols: &[u32]) -> u64 {
    foretell.div_ceil(symbols.len() as u64)
}

fn whole(
    probe: &mut dyn Probe,
    question: &Question,
    symbols: &[u32],
    foretell: u64,
    chance: &mut Chance,
) -> Result<Found, Violation> {
    let foretell = share(foretell, symbols);
    let mut enumerator = Enumerator::new(probe, [0; 48], chance.word());
    let mut extremes = Extremes::default();
    let mut worst: Option<Fraction> = None;
    let mut before = None;
    for &symbol in symbols {
        let law = match Plan::of(question, symbol) {
            Plan::Draws(draws) => enumerator.law(symbol, &draws, foretell)?,
            Plan::Selection { keep, domain, size } => {
                enumerator.selection_law(symbol, &keep, domain, size, foretell)?
            }
        };
        if question.is_event_level() {
            // One event more or less: neighbors alone are compared.
            if let Some(before) = &before {
                let ratio = ratio_between(before, &law)?;
                if worst.as_ref().is_none_or(|worst| ratio.exceeds(worst)) {
                    worst = Some(ratio);
                }
            }
            before = Some(law);
        } else {
            extremes.add(law);
        }
    }
    let ratio = match worst {
        Some(worst) => worst,
        None => {
            let claimed = claims::outputs(question);
            if BigUint::from(extremes.reports()) != claimed {
                return Err(Violation::Draws(format!("{} reports are possible, not {claimed}", extremes.reports())));
            }
            extremes.ratio()?
        }
    };
    let foretold = foretell * symbols.len() as u64;
    Ok(Found { ratio, symbols: symbols.len() as u64, coins: 0, runs: enumerator.runs, foretold })
}

fn over_coins(
    probe: &mut dyn Probe,
    question: &Question,
    symbols: &[u32],
    foretell: u64,
    chance: &mut Chance,
) -> Result<Found, Violation> {
    let foretell = share(foretell, symbols).div_ceil(COINS);
    let mut enumerator = Enumerator::new(probe, [0; 48], chance.word());
    let mut worst: Option<Fraction> = None;
    for _ in 0..COINS {
        let mut known = [0; 48];
        chance.fill(&mut known);
        enumerator.know(known);
        let mut extremes = Extremes::default();
        for &symbol in symbols {
            let Plan::Draws(draws) = Plan::of(question, symbol) else { unreachable!("no coin selects subsets") };
            extremes.add(enumerator.law(symbol, &draws, foretell)?);
        }
        let ratio = extremes.ratio()?;
        if worst.as_ref().is_none_or(|worst| ratio.exceeds(worst)) {
            worst = Some(ratio);
        }
    }
    Ok(Found {
        ratio: worst.expect("at least one coin"),
        symbols: symbols.len() as u64,
        coins: COINS,
        runs: enumerator.runs,
        foretold: foretell * symbols.len() as u64 * COINS,
    })
}

fn subsets(
    probe: &mut dyn Probe,
    question: &Question,
    size: usize,
    symbols: &[u32],
    foretell: u64,
    chance: &mut Chance,
) -> Result<Found, Violation> {
    let foretell = share(foretell, symbols);
    let mut enumerator = Enumerator::new(probe, [0; 48], chance.word());
    let (of_kept, of_dropped) = (choose(question.domain_size - 1, size - 1), choose(question.domain_size - 1, size));
    let mut chances: Vec<Fraction> = Vec::new();
    for &symbol in symbols {
        let Plan::Selection { keep, domain, size } = Plan::of(question, symbol) else {
            unreachable!("subset selection selects")
        };
        let [kept, dropped] = enumerator.selection_branches(symbol, &keep, domain, size, foretell)?;
        let total = BigUint::from(kept + dropped);
        chances.push(Fraction { numerator: kept.into(), denominator: &total * &of_kept });
        chances.push(Fraction { numerator: dropped.into(), denominator: &total * &of_dropped });
    }
    let ratio = largest_ratio(&chances);
    let foretold = foretell * symbols.len() as u64;
    Ok(Found { ratio, symbols: symbols.len() as u64, coins: 0, runs: enumerator.runs, foretold })
}

fn unary(
    probe: &mut dyn Probe,
    question: &Question,
    symbols: &[u32],
    foretell: u64,
    chance: &mut Chance,
) -> Result<Found, Violation> {
    let foretell = share(foretell, symbols);
    let mut enumerator = Enumerator::new(probe, [0; 48], chance.word());
    let mut rows: Vec<Vec<Fraction>> = Vec::new();
    for &symbol in symbols {
        let Plan::Draws(draws) = Plan::of(question, symbol) else { unreachable!("bits are drawn") };
        rows.push(enumerator.bits(symbol, &draws, foretell)?);
    }
    let mut worst: Option<Fraction> = None;
    for (one, other) in rows.iter().flat_map(|one| rows.iter().map(move |other| (one, other))) {
        let mut ratio = Fraction { numerator: 1_u8.into(), denominator: 1_u8.into() };
        for (a, b) in one.iter().zip(other) {
            let (set, unset) = (a.over(b), complement(a).over(&complement(b)));
            let larger = if set.exceeds(&unset) { set } else { unset };
            ratio.numerator *= larger.numerator;
            ratio.denominator *= larger.denominator;
            ratio = ratio.reduced();
        }
        if worst.as_ref().is_none_or(|worst| ratio.exceeds(worst)) {
            worst = Some(ratio);
        }
    }
    Ok(Found {
        ratio: worst.expect("at least one symbol"),
        symbols: symbols.len() as u64,
        coins: 0,
        runs: enumerator.runs,
        foretold: foretell * symbols.len() as u64,
    })
}

fn complement(chance: &Fraction) -> Fraction {
    Fraction { numerator: &chance.denominator - &chance.numerator, denominator: chance.denominator.clone() }
}

fn largest_ratio(chances: &[Fraction]) -> Fraction {
    let most = chances.iter().reduce(|a, b| if b.exceeds(a) { b } else { a });
    let least = chances.iter().reduce(|a, b| if a.exceeds(b) { b } else { a });
    most.expect("a symbol").over(least.expect("a symbol"))
}

/// With fresh noise that keeps, the report is the memoized answer: it must be the documented function of the key.
fn check_memoized(probe: &mut dyn Probe, question: &Question, chance: &mut Chance) -> Result<(), Violation> {
    let Mechanism::MemoizedHashing { hash_range, cohorts, .. } = question.randomizer.mechanism else { return Ok(()) };
    let Plan::Draws(fresh) = Plan::of(question, 0) else { return Ok(()) };
    let mut bytes = Vec::new();
    fresh.iter().for_each(|draw| draw.write(0, Edge::First, chance, &mut bytes));
    let mut tape = Tape::script(Vec::new());
    for _ in 0..MEMO_KEYS {
        let mut known: Known = [0; 48];
        chance.fill(&mut known);
        let symbol = chance.below(question.domain_size as u64) as u32;
        tape.rewind(&bytes);
        let report = probe.report(symbol, &known, &mut tape)?;
        let report = report.ok_or_else(|| Violation::Draws("fresh noise draws more than is documented".into()))?;

        let key = &known[16..];
        let cohort = Stream::new(key, b"cohort", 0).below(cohorts);
        let weights = question.randomizer.weights;
        let bucket = bucket_of_cohort(cohort, symbol, hash_range) as u32;
        let mut stream = Stream::new(key, b"answer", bucket);
        let total = u128::from(weights.of_true) + u128::from(hash_range - 1) * u128::from(weights.of_false);
        let keep = stream.wide(total) < u128::from(weights.of_true);
        let other = stream.below(hash_range - 1);
        let memoized = if keep { bucket } else { other + u32::from(other >= bucket) };
        let expected = u64::from(cohort) * u64::from(hash_range) + u64::from(memoized);
        if number(&report[HEADER_BYTES..]) != expected {
            return Err(Violation::Draws(format!(
                "symbol {symbol}: the memoized answer is not the documented function of the key"
            )));
        }
    }
    Ok(())
}

/// HMAC-SHA-256(key, label ‖ index ‖ counter), block after block.
struct Stream {
    bytes: std::vec::IntoIter<u8>,
}

impl Stream {
    /// The first 32 blocks: more than any draw needs but with negligible chance.
    fn new(key: &[u8], label: &[u8], index: u32) -> Self {
        let block = |counter: u32| {
            // Cannot fail: HMAC takes keys of any length.
            let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
            mac.update(label);
            mac.update(&index.to_be_bytes());
            mac.update(&counter.to_be_bytes());
            mac.finalize().into_bytes().to_vec()
        };
        Self { bytes: (0..32).flat_map(block).collect::<Vec<u8>>().into_iter() }
    }

    fn integer(&mut self, bytes: usize) -> u128 {
        self.bytes.by_ref().take(bytes).fold(0, |number, byte| number << 8 | u128::from(byte))
    }

    fn below(&mut self, bound: u32) -> u32 {
        loop {
            let word = self.integer(4) as u32;
            let value = ((u64::from(word) * u64::from(bound)) >> 32) as u32;
            if rejected_word(bound, value) != Some(word) {
                return value;
            }
        }
    }

    fn wide(&mut self, bound: u128) -> u128 {
        let draw = Draw::Wide { bound, hints: Vec::new() };
        loop {
            let value = self.integer(draw.bytes()) & draw.last();
            if value < bound {
                return value;
            }
        }
    }
}
