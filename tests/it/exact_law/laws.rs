//! The declared laws, written from the docs of the mechanisms without their code.

use driftglass::privacy::{
    Coin, Decoder, DiscreteLaplace, DuchiBit, HadamardResponse, HybridMean, KAryResponse, LocalHashing,
    MemoizedHashing, OpenVocabulary, OptimizedUnary, ProjectiveGeometry, SlidingWindow, SquareWave, SubsetSelection,
};
use driftglass::spec::Weights;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::Draw::{Below, Word};
use super::{Draw, Law, check_shipped, shipped, words};
use crate::entropy::{Generator, Tape};

const NO_COIN: Coin = [0; 16];
const NO_MEMO: [u8; 32] = [0; 32];

fn weights(of_true: u64, of_false: u64) -> Weights {
    Weights { of_true, of_false }
}

/// W_t of a report that is made likelier by the true symbol, else W_f.
fn chosen(weights: Weights, likelier: bool) -> u128 {
    u128::from(if likelier { weights.of_true } else { weights.of_false })
}

/// What k-ary response draws: keep or not, and which other symbol.
fn response_draws(k: u64, weights: Weights) -> Vec<Draw> {
    let total = u128::from(weights.of_true) + u128::from(k - 1) * u128::from(weights.of_false);
    vec![Below(total), Word(k as u32 - 1)]
}

fn check(law: Law, randomizer: &dyn Decoder) {
    check_shipped(&law, &shipped(randomizer, NO_COIN, NO_MEMO));
}

/// The law of one symbol reported for one true one.
pub(super) fn response_law(name: String, k: u64, weights: Weights) -> Law {
    Law {
        name,
        symbols: (0..k).collect(),
        draws: response_draws(k, weights),
        reports: k,
        weight: Box::new(move |report, symbol| chosen(weights, report == symbol)),
        ratio: weights,
        attained: true,
    }
}

#[test]
fn k_ary() {
    for (k, w) in [(2, weights(5, 2)), (3, weights(7, 1)), (5, weights(100, 37)), (4, weights(1, 1))] {
        check(response_law(format!("k-ary {k}"), k, w), &KAryResponse::new(k, w));
    }
}

/// All subsets of a size, by increasing rank: colexicographic order is the order of the masks as numbers.
fn subsets(k: u64, size: u32) -> Vec<u64> {
    (0..1 << k).filter(|mask: &u64| mask.count_ones() == size).collect()
}

/// What selection sampling draws: keep or not, then for each of the others a number below those that are left.
pub(super) fn subset_law(k: u64, size: u32, declared: Weights) -> Law {
    let list = subsets(k, size);
    let keep = u128::from(size) * u128::from(declared.of_true);
    let drop = u128::from(k - u64::from(size)) * u128::from(declared.of_false);
    Law {
        name: format!("subset selection {k} {size}"),
        symbols: (0..k).collect(),
        draws: [Below(keep + drop)].into_iter().chain((1..k as u32).rev().map(Word)).collect(),
        reports: list.len() as u64,
        weight: Box::new(move |report, symbol| chosen(declared, list[report as usize] >> symbol & 1 == 1)),
        ratio: declared,
        attained: true,
    }
}

#[test]
fn subset_selection() {
    for (k, size, w) in [
        (2, 1, weights(5, 2)),
        (3, 2, weights(3, 2)),
        (4, 2, weights(9, 4)),
        (5, 2, weights(100, 37)),
        (5, 4, weights(2, 1)),
        (6, 3, weights(4, 3)),
        (4, 1, weights(1, 1)),
    ] {
        check(subset_law(k, size, w), &SubsetSelection::new(k, size as usize, w));
    }
}

/// The first byte is a fair coin for the true symbol's bit; then a bit for each symbol.
#[test]
fn optimized_unary() {
    for (k, w) in [(2, weights(5, 2)), (3, weights(7, 3)), (4, weights(3, 1))] {
        let each = Below(u128::from(w.of_true + w.of_false));
        let law = Law {
            name: format!("optimized unary {k}"),
            symbols: (0..k).collect(),
            draws: [Below(2)].into_iter().chain(std::iter::repeat_n(each, k as usize)).collect(),
            reports: 1 << k,
            weight: Box::new(move |report, symbol| {
                let others = (0..k).filter(|other| *other != symbol);
                // q = W_f / (W_t + W_f) for a bit that is set, 1 − q for one that is not; the true symbol's bit is
                // fair.
                others.map(|other| chosen(w, report >> other & 1 == 0)).product()
            }),
            ratio: w,
            attained: true,
        };
        check(law, &OptimizedUnary::new(k, w));
    }
}

fn coins(count: usize, seed: u64) -> impl Iterator<Item = Coin> {
    let mut generator = Generator::new(seed);
    let coin = move || {
        let (high, low) = (generator.next(), generator.next());
        (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
    };
    [[0; 16], [0xFF; 16]].into_iter().chain(std::iter::repeat_with(coin).take(count))
}

/// The bucket of a symbol: the 15 high bits of a·v² + b·v + c modulo 2^32, cut into `range` parts.
fn bucket(seed: &[u8], symbol: u64, range: u64) -> u64 {
    let number = |at: usize| seed[at..at + 4].iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let v = u128::from(symbol);
    let value = (number(0) * v * v + number(4) * v + number(8)) % (1 << 32);
    (((value >> 17) * u128::from(range)) >> 15) as u64
}

/// Given the coin, a response to what the coin makes of the symbol.
fn law_given_coin(name: String, symbols: Vec<u64>, outputs: u64, w: Weights, seen: Vec<u64>) -> Law {
    let attained = seen.iter().any(|output| *output != seen[0]);
    let places: std::collections::BTreeMap<u64, u64> = symbols.iter().copied().zip(seen).collect();
    Law {
        symbols,
        weight: Box::new(move |report, symbol| chosen(w, report == places[&symbol])),
        // A report of no symbol's bucket is as likely whatever is true, so W_t/W_f is attained where two symbols
        // differ.
        attained,
        ..response_law(name, outputs, w)
    }
}

#[test]
fn local_hashing() {
    for (k, g, w) in [(6, 3, weights(5, 2)), (9, 5, weights(7, 1)), (4, 2, weights(3, 1))] {
        for coin in coins(40, k) {
            let seen = (0..k).map(|symbol| bucket(&coin, symbol, g)).collect();
            let law = law_given_coin(format!("local hashing {k} {g} {coin:?}"), (0..k).collect(), g, w, seen);
            check_shipped(&law, &shipped(&LocalHashing::new(k, g as u32, w), coin, NO_MEMO));
        }
    }
}

#[test]
fn hadamard() {
    for (k, w) in [(2, weights(5, 2)), (5, weights(7, 3)), (8, weights(3, 1))] {
        let rows = [2, 4, 8].into_iter().find(|rows| *rows >= k).expect("few symbols");
        for row in 0..rows {
            // The row is the low bits of the first two bytes; the others do not matter.
            let mut coin = [0xA5; 16];
            coin[1] = row as u8 | 0xF8;
            let row = u64::from(coin[1]) & (rows - 1);
            let seen = (0..k).map(|symbol| u64::from((symbol & row).count_ones() % 2)).collect();
            let law = law_given_coin(format!("hadamard {k} {row}"), (0..k).collect(), 2, w, seen);
            check_shipped(&law, &shipped(&HadamardResponse::new(k, w), coin, NO_MEMO));
        }
    }
}

/// Words of 32 bits cannot all be tried; these differ in every byte, and in the last alone.
#[test]
fn open_vocabulary() {
    let symbols: Vec<u64> = vec![0, 1, 0xFF, 0x100, 0xDEAD_BEEF, 0xDEAD_BEEE, 0xFFFF_FFFF, 0x0102_0304];
    let (g, w) = (4, weights(5, 2));
    let mut levels = [0; 4];
    for coin in coins(40, 7) {
        let level = u64::from(coin[15] % 4);
        levels[level as usize] += 1;
        let (a, b) = coin.split_at(8);
        let word = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().expect("8 bytes"));
        let bucket = |symbol: &u64| {
            let prefix = u128::from(symbol >> (24 - 8 * level));
            let hash = ((u128::from(word(a)) * prefix + u128::from(word(b))) % (1 << 64)) >> 32;
            ((hash * u128::from(g)) >> 32) as u64
        };
        let seen = symbols.iter().map(bucket).collect();
        let law = law_given_coin(format!("open vocabulary {coin:?}"), symbols.clone(), g, w, seen);
        check_shipped(&law, &shipped(&OpenVocabulary::new(g as u32, w), coin, NO_MEMO));
    }
    assert!(levels.iter().all(|count| *count > 0), "every level occurs");
}

/// A product of field elements by schoolbook multiplication; the moduli are x + 1, x² + x + 1, x³ + x + 1.
fn product(q: u64, a: u64, b: u64) -> u64 {
    if !q.is_power_of_two() {
        return a * b % q;
    }
    let degree = q.trailing_zeros();
    let modulus = [0b11, 0b111, 0b1011][degree as usize - 1];
    let mut product = (0..degree).filter(|bit| b >> bit & 1 == 1).fold(0, |sum, bit| sum ^ a << bit);
    for place in (degree..2 * degree).rev().filter(|place| *place < 64) {
        if product >> place & 1 == 1 {
            product ^= modulus << (place - degree);
        }
    }
    product
}

fn sum(q: u64, a: u64, b: u64) -> u64 {
    if q.is_power_of_two() { a ^ b } else { (a + b) % q }
}

/// Symbol v is the hyperplane y_0 + a_1 y_1 + … = 0 with the digits of v; see the docs of the module for the numbers of
/// points.
#[test]
fn projective_geometry() {
    for (q, t, k, w) in [
        (2_u64, 3_u32, 4_u64, weights(3, 1)),
        (3, 2, 3, weights(5, 2)),
        (3, 3, 9, weights(2, 1)),
        (4, 2, 4, weights(7, 3)),
        (4, 3, 13, weights(3, 1)),
        (5, 3, 25, weights(3, 2)),
        (8, 2, 8, weights(9, 1)),
    ] {
        let mut directions: Vec<Vec<u64>> = Vec::new();
        for last in 0..t - 1 {
            let digits = |number: u64| (0..last).map(move |place| number / q.pow(place) % q);
            directions.extend((0..q.pow(last)).map(|number| digits(number).chain([1]).collect::<Vec<u64>>()));
        }
        let c = directions.len() as u64;
        let lies_on = move |report: u64, symbol: u64| {
            let Some(report) = report.checked_sub(1) else { return false };
            let terms = directions[(report / q) as usize].iter().zip(0..);
            let terms = terms.map(|(y, place)| product(q, symbol / q.pow(place) % q, *y));
            terms.fold(report % q, |total, term| sum(q, total, term)) == 0
        };
        let (of_true, of_false) = (u128::from(w.of_true), u128::from(w.of_false));
        let total = of_false + u128::from(c) * (of_true + u128::from(q - 1) * of_false);
        let law = Law {
            name: format!("projective geometry {q} {t}"),
            symbols: (0..k).collect(),
            draws: vec![Below(total), Word(c as u32), Word(q as u32 - 1)],
            reports: 1 + c * q,
            weight: Box::new(move |report, symbol| chosen(w, lies_on(report, symbol))),
            ratio: w,
            attained: true,
        };
        check(law, &ProjectiveGeometry::new(k, q as u32, t, w));
    }
}

fn window_draws(k: u64, half_width: u64, w: Weights) -> Vec<Draw> {
    let width = 2 * half_width + 1;
    let near = u128::from(width) * u128::from(w.of_true);
    vec![Below(near + u128::from(k - 1) * u128::from(w.of_false)), Word(width as u32), Word(k as u32 - 1)]
}

fn window_law(name: String, symbols: u64, k: u64, half_width: u64, w: Weights, place: fn(u64, u64, u64) -> u64) -> Law {
    Law {
        name,
        symbols: (0..symbols).collect(),
        draws: window_draws(k, half_width, w),
        reports: k + 2 * half_width,
        // Places are reported from −b on, so that number y is place y − b.
        weight: Box::new(move |report, symbol| {
            chosen(w, report.abs_diff(place(symbol, symbols, half_width) + half_width) <= half_width)
        }),
        ratio: w,
        attained: true,
    }
}

#[test]
fn sliding_window() {
    for (k, half_width, w) in
        [(2, 0, weights(5, 2)), (4, 1, weights(3, 1)), (6, 2, weights(7, 4)), (3, 5, weights(2, 1))]
    {
        let law = window_law(format!("window {k} {half_width}"), k, k, half_width, w, |symbol, _, _| symbol);
        check(law, &SlidingWindow::new(k, half_width as u32, w));
    }
}

/// "No data" lies behind the cells by a whole window, so that no place is near to both.
#[test]
fn square_wave() {
    for (k, half_width, w) in [(3, 0, weights(5, 2)), (4, 1, weights(3, 1)), (5, 2, weights(7, 4))] {
        let place = |symbol, symbols, half_width| symbol + if symbol + 1 == symbols { 2 * half_width } else { 0 };
        let law = window_law(format!("square wave {k}"), k, k + 2 * half_width, half_width, w, place);
        let near_both = (0..law.reports).any(|report| {
            let near = |symbol| (law.weight)(report, symbol) == u128::from(w.of_true);
            near(k - 1) && (0..k - 1).any(near)
        });
        assert!(!near_both, "a place near a cell and near \"no data\"");
        check(law, &SquareWave::new(k, half_width as u32, w));
    }
}

fn duchi_weight(w: Weights, last: u64, bit: u64, place: u64) -> u128 {
    let (of_true, of_false) = (u128::from(w.of_true), u128::from(w.of_false));
    let place = if bit == 1 { place } else { last - place };
    u128::from(place) * of_true + u128::from(last - place) * of_false
}

fn duchi_draw(last: u64, w: Weights) -> Draw {
    Below(u128::from(last) * u128::from(w.of_true + w.of_false))
}

#[test]
fn duchi() {
    for (k, w) in [(2, weights(5, 2)), (3, weights(7, 1)), (11, weights(100, 37))] {
        let law = Law {
            name: format!("duchi {k}"),
            symbols: (0..k).collect(),
            draws: vec![duchi_draw(k - 1, w)],
            reports: 2,
            weight: Box::new(move |bit, place| duchi_weight(w, k - 1, bit, place)),
            ratio: w,
            attained: true,
        };
        check(law, &DuchiBit::new(k, w));
    }
}

/// The first draw chooses the mechanism: the values below
/// `share` the window, the others the bit, whatever else is drawn (one in 97 values is tried, and all near `share`). So
/// the law is that of the window in `share` and that of the bit in 65,536 − `share` cases, and each is enumerated with
/// one value of the first draw.
#[test]
fn hybrid() {
    for (k, half_width, share, w) in
        [(3, 1, 40_000, weights(3, 1)), (5, 0, 1, weights(5, 2)), (4, 2, 65_535, weights(2, 1))]
    {
        let randomizer = HybridMean::new(k, half_width as u32, share, w);
        let (places, last) = (k + 2 * half_width, k - 1);
        let privatize = shipped(&randomizer, NO_COIN, NO_MEMO);
        for symbol in [0, k - 1] {
            let windowed = |value: u32| {
                // The smallest draws that are accepted: in the window, and a bit.
                let mut tape = words(1 << 16, value).0.to_be_bytes().to_vec();
                let rest = window_draws(k, half_width, w).into_iter().chain([duchi_draw(last, w)]);
                rest.for_each(|draw| tape.extend(draw.bytes(0)));
                privatize(symbol, &mut Tape::new(&tape)).expect("accepted") < places
            };
            let near = share.saturating_sub(100)..(share + 100).min(1 << 16);
            let values = near.chain((0..1 << 16).step_by(97)).chain([(1 << 16) - 1]);
            for value in values {
                assert_eq!(windowed(value), value < share, "hybrid {k}: symbol {symbol}, value {value}");
            }
        }
        for (value, bit) in [(0, false), (65_535, true)] {
            let first = words(1 << 16, value).0.to_be_bytes();
            let half = |symbol: u64, entropy: &mut dyn driftglass::privacy::EntropySource| {
                privatize(symbol, &mut Then { first: Some(first), rest: entropy })
            };
            let law = Law {
                name: format!("hybrid {k}, bit {bit}"),
                symbols: (0..k).collect(),
                draws: window_draws(k, half_width, w).into_iter().chain([duchi_draw(last, w)]).collect(),
                reports: places + 2,
                weight: Box::new(move |report, symbol| match report.checked_sub(places) {
                    None if !bit => chosen(w, report.abs_diff(symbol + half_width) <= half_width),
                    Some(report) if bit => duchi_weight(w, last, report, symbol),
                    _ => 0,
                }),
                ratio: w,
                attained: true,
            };
            super::check_law(&law, &half).expect("the declared law");
        }
    }
}

/// One word, and then what another source gives.
struct Then<'a> {
    first: Option<[u8; 4]>,
    rest: &'a mut dyn driftglass::privacy::EntropySource,
}

impl driftglass::privacy::EntropySource for Then<'_> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), driftglass::privacy::EntropyError> {
        match self.first.take() {
            Some(word) => {
                buffer.copy_from_slice(&word);
                Ok(())
            }
            None => self.rest.fill(buffer),
        }
    }
}

/// The table by the recurrences of the doc, in wide integers: weight of a report given a count.
fn laplace_weight(k: u64, w: Weights, report: u64, count: u64) -> u128 {
    let (of_true, of_false) = (u128::from(w.of_true), u128::from(w.of_false));
    let inner = |distance: u64| (distance..k - 2).fold(1_u128 << 20, |weight, _| weight * of_true / of_false);
    let end = |distance: u64| {
        let farthest = (of_false << 20).div_ceil(of_true - of_false);
        farthest + (distance..k - 1).map(inner).sum::<u128>()
    };
    let distance = report.abs_diff(count);
    if report == 0 || report == k - 1 { end(distance) } else { inner(distance) }
}

/// Draws are too many to try each, but their reports follow each other: a report is the number of places whose weights
/// sum to at most the draw. So the draws where the report changes give the number of draws of each report, which is its
/// weight; between them some others are tried too.
#[test]
fn discrete_laplace() {
    for (k, w) in [(2, weights(3, 1)), (3, weights(4, 1)), (6, weights(5, 3)), (12, weights(3, 2))] {
        let randomizer = DiscreteLaplace::new(k, w);
        let total: u128 = (0..k).map(|report| laplace_weight(k, w, report, 0)).sum();
        let privatize = shipped(&randomizer, NO_COIN, NO_MEMO);
        for count in 0..k {
            let law: Vec<u128> = (0..k).map(|report| laplace_weight(k, w, report, count)).collect();
            assert_eq!(law.iter().sum::<u128>(), total, "one sum for every count");
            let report = |draw: u128| privatize(count, &mut Tape::new(&Below(total).bytes(draw)));
            let mut start = 0;
            for (place, weight) in law.iter().enumerate() {
                let end = start + weight;
                let inside = (0..=40).map(|step| start + (weight - 1) * step / 40);
                for draw in inside {
                    assert_eq!(report(draw), Ok(place as u64), "k {k} count {count} draw {draw}");
                }
                start = end;
            }
            assert!(total.is_power_of_two() || report(total).is_err(), "drawn again");
            // Neighboring counts differ by W_t/W_f at most; attained where no weight was rounded.
            for (place, weight) in law.iter().enumerate().filter(|_| count > 0) {
                let before = laplace_weight(k, w, place as u64, count - 1);
                let within = |a: u128, b: u128| a * u128::from(w.of_false) <= b * u128::from(w.of_true);
                assert!(within(*weight, before) && within(before, *weight), "k {k} count {count}");
            }
        }
    }
}

/// The pseudo-random stream of a memo key, as docs/report-format.md has it.
fn memo_stream(key: &[u8; 32], label: &[u8], index: u32) -> Vec<u8> {
    let block = |counter: u32| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key");
        mac.update(label);
        mac.update(&index.to_be_bytes());
        mac.update(&counter.to_be_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    (0..2).flat_map(block).collect()
}

/// A number below a bound from a list of words; the words are taken off.
fn word_below(bytes: &mut Vec<u8>, bound: u32) -> u32 {
    loop {
        let word: Vec<u8> = bytes.drain(..4).collect();
        let product = u64::from(u32::from_be_bytes(word.try_into().expect("4 bytes"))) * u64::from(bound);
        if product % (1 << 32) >= (1 << 32) % u64::from(bound) {
            return (product >> 32) as u32;
        }
    }
}

/// k-ary response by the doc, from a list of bytes.
fn respond(bytes: &mut Vec<u8>, k: u64, w: Weights, symbol: u64) -> u64 {
    let total = u128::from(w.of_true) + u128::from(k - 1) * u128::from(w.of_false);
    let draw = Below(total);
    let value = loop {
        let taken: Vec<u8> = bytes.drain(..draw.bits().div_ceil(8) as usize).collect();
        let value = taken.iter().fold(0_u128, |value, byte| value << 8 | u128::from(*byte)) % (1 << draw.bits());
        if value < total {
            break value;
        }
    };
    let other = u64::from(word_below(bytes, k as u32 - 1));
    if value < u128::from(w.of_true) { symbol } else { other + u64::from(other >= symbol) }
}

struct Memo {
    cohort: u64,
    /// The memoized answer to each bucket.
    answers: Vec<u64>,
}

fn memo(key: &[u8; 32], g: u64, cohorts: u32, w: Weights) -> Memo {
    let cohort = u64::from(word_below(&mut memo_stream(key, b"cohort", 0), cohorts));
    let answer = |bucket: u64| respond(&mut memo_stream(key, b"answer", bucket as u32), g, w, bucket);
    Memo { cohort, answers: (0..g).map(answer).collect() }
}

fn cohort_bucket(cohort: u64, symbol: u64, g: u64) -> u64 {
    let seed = Sha256::new().chain_update(b"driftglass cohort hash v1").chain_update((cohort as u32).to_be_bytes());
    bucket(&seed.finalize(), symbol, g)
}

/// For each key: the cohort and the memoized answer of each bucket are those of the document, and over all fresh
/// entropy a report follows the second round's law about that answer. Two symbols with one memoized answer give one
/// law; so what is new in a report is ln(W′_t/W′_f)-LDP, which some key attains.
#[test]
fn memoized_hashing_given_a_key() {
    let (k, g, cohorts) = (7, 3, 5);
    let (w, fresh) = (weights(5, 2), weights(7, 3));
    let randomizer = MemoizedHashing::new(k, g as u32, cohorts, w, fresh);
    for seed in 0..40 {
        let key = *Sha256::digest([seed]).as_ref();
        let memo = memo(&key, g, cohorts, w);
        let answers: Vec<u64> =
            (0..k).map(|symbol| memo.answers[cohort_bucket(memo.cohort, symbol, g) as usize]).collect();
        let attained = answers.iter().any(|answer| *answer != answers[0]);
        let (cohort, places) = (memo.cohort, answers.clone());
        let law = Law {
            name: format!("memoized hashing, key {seed}"),
            symbols: (0..k).collect(),
            draws: response_draws(g, fresh),
            reports: u64::from(cohorts) * g,
            weight: Box::new(move |report, symbol| {
                if report / g == cohort { chosen(fresh, report % g == places[symbol as usize]) } else { 0 }
            }),
            ratio: fresh,
            // Reports of other cohorts are never made: 0 ≤ 0 would count as attained.
            attained: attained || cohorts > 1,
        };
        check_shipped(&law, &shipped(&randomizer, NO_COIN, key));
    }
}

/// Over keys, a memoized answer is the bucket with probability p₁ and any other one with q₁; cohorts are uniform; and a
/// report, with P and Q of the module's doc. 12,000 keys (SHA-256 of their numbers); each share within 4.5 standard
/// errors, α below 7e-6 for each of 5 + 3 + 3 shares.
#[test]
fn memoized_hashing_over_keys() {
    const KEYS: u32 = 12_000;
    let (k, g, cohorts, symbol) = (7, 3, 5, 4);
    let (w, fresh) = (weights(5, 2), weights(7, 3));
    let randomizer = MemoizedHashing::new(k, g as u32, cohorts, w, fresh);
    let mut generator = Generator::new(81);
    let (mut by_cohort, mut memoized, mut reported) =
        (vec![0; cohorts as usize], vec![0; g as usize], vec![0; g as usize]);
    for number in 0..KEYS {
        let key = *Sha256::digest(number.to_be_bytes()).as_ref();
        let memo = memo(&key, g, cohorts, w);
        let bucket = cohort_bucket(memo.cohort, symbol, g);
        let report = shipped(&randomizer, NO_COIN, key)(symbol, &mut generator).expect("entropy");
        assert_eq!(report / g, memo.cohort);
        by_cohort[memo.cohort as usize] += 1;
        memoized[((memo.answers[bucket as usize] + g - bucket) % g) as usize] += 1;
        reported[((report % g + g - bucket) % g) as usize] += 1;
    }
    let near = |count: u32, p: f64, what: &str| {
        let n = f64::from(KEYS);
        let error = (p * (1.0 - p) / n).sqrt();
        assert!((f64::from(count) / n - p).abs() < 4.5 * error, "{what}: {count} of {KEYS}, not {p}");
    };
    by_cohort.iter().for_each(|count| near(*count, 0.2, "a cohort"));
    // p₁ = 5/9, q₁ = 2/9; p₂ = 7/13, q₂ = 3/13.
    let (p1, q1, p2, q2) = (5.0 / 9.0, 2.0 / 9.0, 7.0 / 13.0, 3.0 / 13.0);
    near(memoized[0], p1, "kept");
    memoized[1..].iter().for_each(|count| near(*count, q1, "another bucket"));
    near(reported[0], p1 * p2 + 2.0 * q1 * q2, "P");
    reported[1..].iter().for_each(|count| near(*count, p1 * q2 + q1 * p2 + q1 * q2, "Q"));
}
