//! `cargo bench --bench heavy_hitters`: what a search for frequent words costs the centre.
//!
//! 60,000 reports at ε = 3 of words by Zipf's law over 2,000 words, seed 1; the median of nine searches.
#![allow(clippy::print_stdout, reason = "a bench prints its table")]

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/it/entropy.rs"]
mod entropy;

use std::time::Instant;

use driftglass::estimate::{HeavyHitter, Search, heavy_hitters};
use driftglass::privacy::{Charge, Coin, DeviceSecret, Draws, Ledger, LocalRandomizer, OpenVocabulary, Payload};
use driftglass::spec::{Cap, SpecId, Weights, word};
use entropy::Generator;

const REPORTS: usize = 60_000;
const WORDS: u32 = 2_000;
const BUCKETS: u32 = 21;

fn main() {
    let (weights, mut generator) = (Weights::within(3_000_000), Generator::new(1));
    let vocabulary = OpenVocabulary::new(BUCKETS, weights);
    let memo = DeviceSecret::from_bytes([0; 32]).memo_key(SpecId::from_bytes([0; 16]), 0, 0);
    let caps = [Cap { period_secs: 1, epsilon_micronats: 1 }];
    let words: Vec<String> = (1..=WORDS).map(|rank| format!("word {rank}")).collect();
    let mut cumulative = vec![0.0];
    (1..=WORDS).for_each(|rank| cumulative.push(cumulative[cumulative.len() - 1] + f64::from(rank).powf(-1.1)));
    let reports: Vec<(Payload, Coin)> = (0..REPORTS)
        .map(|_| {
            let point = (generator.next() >> 11) as f64 / (1_u64 << 53) as f64 * cumulative[words.len()];
            let place = cumulative.partition_point(|below| *below <= point) - 1;
            let coin: Coin = (u128::from(generator.next()) << 64 | u128::from(generator.next())).to_be_bytes();
            let charge = Charge { at_secs: 0, epsilon_micronats: 1 };
            let permit = Ledger::default().spend(charge, &caps).expect("within the cap");
            let draws = Draws { coin: &coin, memo: &memo, entropy: &mut generator };
            let symbol = u64::from(word(&words[place]));
            (vocabulary.privatize(permit, symbol, draws).expect("entropy"), coin)
        })
        .collect();
    let search = || {
        let start = Instant::now();
        let dictionary = words.iter().map(String::as_str);
        let found = heavy_hitters(BUCKETS, weights, &reports, dictionary, Search::default()).expect("outputs");
        (start.elapsed(), found)
    };
    let (mut times, mut found): (Vec<_>, Vec<_>) = (0..9).map(|_| search()).unzip();
    times.sort_unstable();
    let nanoseconds = times[4].as_nanos() as f64 / REPORTS as f64;
    let labels: Vec<String> = found.swap_remove(0).iter().map(HeavyHitter::label).collect();
    println!("{REPORTS} reports, {} words found: {}", labels.len(), labels.join(", "));
    println!("search: {nanoseconds:.0} ns a report");
}
