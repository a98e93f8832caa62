//! Figures of `accounting`: what reports compose to, and what a crowd adds.

use serde_json::Value;

use super::Figure;
use super::library::accounting::blanket::{self, BlanketLaw};
use super::library::accounting::memoized::{Calibration, Weights, longitudinal};
use super::library::accounting::shuffle::{self, Clones};
use super::library::accounting::{Delta, Epsilon, Summary, composition, pair_law};
use super::parts::{count, number, numbers, randomizer, symbols};

pub(super) const FIGURES: &[(&str, Figure)] =
    &[("composition", compose), ("shuffle", shuffled), ("blanket", of_blanket), ("memoized", memoized)];

fn epsilon(inputs: &Value, field: &str) -> Epsilon {
    Epsilon::new(number(inputs, field)).expect("an ε")
}

fn delta(inputs: &Value) -> Delta {
    Delta::new(number(inputs, "delta")).expect("a δ")
}

fn compose(inputs: &Value) -> Vec<f64> {
    let law = pair_law(&randomizer(inputs), symbols(inputs)).expect("a law");
    let reports = count(inputs, "reports") as u32;
    let summary = Summary::of(&law, reports, delta(inputs));
    let orders = numbers(inputs, "orders").into_iter().map(|alpha| law.renyi(alpha));
    let several = composition::renyi_of_several(&[(&law, reports), (&law.swapped(), 3)], delta(inputs));
    let figures = [summary.basic, summary.optimal, summary.renyi, summary.zcdp, law.epsilon().nats(), law.zcdp()];
    figures.into_iter().chain([several]).chain(orders).collect()
}

fn shuffled(inputs: &Value) -> Vec<f64> {
    let (epsilon, delta, reports) = (epsilon(inputs, "epsilon"), delta(inputs), count(inputs, "reports") as u32);
    let closed = [shuffle::fmt21_closed(epsilon, reports, delta), shuffle::fmt23_closed(epsilon, reports, delta)];
    let bounds = [Clones::Fmt21, Clones::Fmt23].map(|clones| shuffle::upper(clones, epsilon, reports, delta));
    let lower = shuffle::lower(epsilon, reports, delta);
    closed.map(|bound| bound.unwrap_or(-1.0)).into_iter().chain(bounds).chain([lower]).collect()
}

fn of_blanket(inputs: &Value) -> Vec<f64> {
    let [domain, subset] = ["symbols", "subset_size"].map(|field| count(inputs, field) as u32);
    let law = BlanketLaw::subset_selection(epsilon(inputs, "epsilon"), domain, subset).expect("a subset");
    vec![blanket::upper(&law, count(inputs, "reports") as u32, delta(inputs)), law.pair().epsilon().nats()]
}

fn memoized(inputs: &Value) -> Vec<f64> {
    let [first, second] = ["epsilon_infinity", "epsilon_1"].map(|field| epsilon(inputs, field));
    let cells = count(inputs, "cells") as u32;
    let exact = Calibration::exact(first, second, cells).expect("ordered");
    let best = Calibration::best(first, second, 2..=16).expect("ordered");
    let weights = Weights::new(first, second, cells).expect("weights");
    let of = |found: Calibration| {
        let keeps = [found.keep_first, found.keep_second, found.support(), found.other(), found.variance()];
        [vec![f64::from(found.cells)], keeps.to_vec()].concat()
    };
    let integers = [weights.first_true, weights.second_true].map(|weight| weight as f64);
    [of(exact), of(best), integers.to_vec(), vec![longitudinal(first, cells, 5)]].concat()
}
