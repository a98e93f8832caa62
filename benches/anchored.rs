//! False alarms and power of the anchored bit, by simulation: `cargo bench -p driftglass --bench anchored [-- --quick]
//! [validate] [false-alarms] [power] [mix]`.
//!
//! 20,000 devices, k = 32 cells, ε = 1, level 5 %. What is simulated is the law of the reports, exactly:
//!
//! - A device has shares: those of the fleet ("alike"), or its own draw from Dirichlet(20 · shares), kept over all
//!   windows. The events of a window are independent draws from them, so the count in a half-space is binomial in the
//!   device's share of it, the bit is 1 with P\[Z + U ≥ C\], and the report is 1 with (W_f + (W_t − W_f) P)/(W_t + W_f).
//!   That probability is computed once per device and row, to 2^-32; then a window takes one draw per device, for row
//!   and report.
//! - `validate` checks this against events drawn one by one, [`anchored_bit`] itself and integer randomized response.
//! - A sampled event is drawn from the device's shares and hidden by subset selection over 33 symbols ("no data"
//!   included) with the best subset size, 9.
//!
//! After drift each event of a falling cell v moves with probability −δ_v/g_v to a rising cell, drawn in proportion
//! to its δ; so the mean of the fleet moves by δ exactly, whatever its devices. Directions are drawn anew per fleet.
//!
//! A null run compares a window with the R windows before it, and the next run the next window with the R before that.
//! Differences j ≤ R windows apart have the correlation −j/(R (R + 1)), statistics its square: that adds at most 12 %
//! to the variance of a share of alarms at R = 5, and 1 % at R = 60. Runs of power share the reference of their fleet.

#![allow(clippy::print_stdout)]

use std::collections::VecDeque;

use driftglass::drift::{Fleet as Expected, HETEROGENEOUS, anchored_test, combined_p_value, question_mix, wald};
use driftglass::estimate::Matrix;
use driftglass::sketch::{Anchor, anchored_bit, hadamard_order, half_space, row_of};
use fastrand::Rng;

const DEVICES: usize = 20_000;
const CELLS: usize = 32;
const ROWS: usize = CELLS - 1;
const WEIGHT_FALSE: u64 = 1 << 32;
/// ⌊e · 2^32⌋: ε = 1.
const WEIGHT_TRUE: u64 = 11_674_931_554;
const TV: f64 = 0.03;
const LEVEL: f64 = 0.05;
/// Of the Dirichlet law of devices that differ.
const CONCENTRATION: f64 = 20.0;
const SEED: u64 = 20_131_225;

/// A part of the run by its name.
type Part<'a> = (&'a str, &'a dyn Fn(&mut Rng));

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let runs = |few: usize, many: usize| if quick { few } else { many };
    println!("{DEVICES} devices, {CELLS} cells, ε = 1, level 5 %, seed {SEED}\n");
    let parts: [Part<'_>; 4] = [
        ("validate", &|rng| validate(rng)),
        ("false-alarms", &|rng| false_alarms(runs(2, 25), rng)),
        ("power", &|rng| power(runs(4, 20), rng)),
        ("mix", &|rng| mixes(runs(2, 20), runs(2, 25), rng)),
    ];
    // Each part has its own stream, so that it prints the same with or without the others.
    for (stream, (name, part)) in parts.into_iter().enumerate() {
        if arguments.is_empty() || arguments.iter().any(|argument| argument == name) {
            part(&mut Rng::with_seed(SEED + stream as u64));
        }
    }
}

// ---- Fleets -------------------------------------------------------------------------------------------------------

#[derive(Clone, Copy, PartialEq)]
enum Devices {
    Alike,
    Differing,
}

#[derive(Clone, Copy)]
enum Events {
    Fixed(u64),
    /// ⌊201^u⌋ for uniform u: 1 to 200. A device keeps its number.
    LogUniform,
}

#[derive(Clone, Copy)]
enum Shares {
    Even,
    Zipf,
}

#[derive(Clone, Copy)]
enum Shift {
    /// A share of the events comes from the same Zipf law over permuted cells.
    Mixture,
    /// A random half of the cells rises, the other falls, in proportion to their shares.
    HalvesInProportion,
    /// A random half of the cells rises, the other falls, all by as much.
    HalvesByAsMuch,
    /// One random cell loses to another.
    TwoCells,
}

impl Shares {
    fn draw(self) -> Vec<f64> {
        let weight = |cell: usize| match self {
            Self::Even => 1.0,
            Self::Zipf => libm::pow(cell as f64 + 1.0, -1.1),
        };
        normalized((0..CELLS).map(weight).collect())
    }
}

impl Shift {
    /// δ, with ½ Σ|δ| = TV.
    fn draw(self, shares: &[f64], rng: &mut Rng) -> Vec<f64> {
        let mut order: Vec<usize> = (0..CELLS).collect();
        rng.shuffle(&mut order);
        let mut delta = vec![0.0; CELLS];
        match self {
            Self::Mixture => (0..CELLS).for_each(|cell| delta[cell] = shares[order[cell]] - shares[cell]),
            Self::TwoCells => (delta[order[0]], delta[order[1]]) = (1.0, -1.0),
            Self::HalvesByAsMuch => order
                .iter()
                .enumerate()
                .for_each(|(place, cell)| delta[*cell] = if place < CELLS / 2 { 1.0 } else { -1.0 }),
            Self::HalvesInProportion => {
                for (half, sign) in order.chunks(CELLS / 2).zip([1.0, -1.0]) {
                    let total: f64 = half.iter().map(|cell| shares[*cell]).sum();
                    half.iter().for_each(|cell| delta[*cell] = sign * shares[*cell] / total);
                }
            }
        }
        let size: f64 = delta.iter().map(|change| change.abs()).sum::<f64>() / 2.0;
        delta.iter().map(|change| change * TV / size).collect()
    }
}

/// A fleet, by device: events, and shares of the cells.
struct Fleet {
    mean: Vec<f64>,
    /// One row if all devices are alike in shares.
    shares: Vec<Vec<f64>>,
    events: Vec<u64>,
}

impl Fleet {
    fn new(shares: Shares, devices: Devices, events: Events, rng: &mut Rng) -> Self {
        let mean = shares.draw();
        let shares = match devices {
            Devices::Alike => vec![mean.clone()],
            Devices::Differing => (0..DEVICES).map(|_| dirichlet(&mean, rng)).collect(),
        };
        let number = |rng: &mut Rng| match events {
            Events::Fixed(number) => number,
            Events::LogUniform => libm::pow(201.0, rng.f64()) as u64,
        };
        let events = (0..DEVICES).map(|_| number(rng)).collect();
        Self { mean, shares, events }
    }

    /// The same devices after the fleet's shares moved by δ.
    fn moved(&self, delta: &[f64]) -> Self {
        let kernel = |shares: &Vec<f64>| {
            let leaves = |cell: usize| shares[cell] * (-delta[cell]).max(0.0) / self.mean[cell];
            let moving: f64 = (0..CELLS).map(leaves).sum();
            (0..CELLS).map(|cell| shares[cell] - leaves(cell) + moving * delta[cell].max(0.0) / TV).collect()
        };
        Self { mean: self.mean.clone(), shares: self.shares.iter().map(kernel).collect(), events: self.events.clone() }
    }

    /// The same devices with another number of events.
    fn with_events(&self, events: u64) -> Self {
        Self { mean: self.mean.clone(), shares: self.shares.clone(), events: vec![events; DEVICES] }
    }

    fn shares_of(&self, device: usize) -> &[f64] {
        &self.shares[device % self.shares.len()]
    }

    /// The weights that devices are told.
    fn baseline(&self) -> Vec<u32> {
        self.mean.iter().map(|share| libm::round(share * 1e9) as u32).collect()
    }

    /// What each device says to each row.
    fn reports(&self) -> Reports {
        let baseline = self.baseline();
        let anchors: Vec<Anchor> = (1..=ROWS).map(|row| Anchor::new(row, &baseline)).collect();
        let same = self.shares.len() == 1 && self.events.iter().all(|events| *events == self.events[0]);
        let devices = if same { 1 } else { DEVICES };
        // Thresholds do not depend on the device but on its number of events.
        let thresholds: Vec<Vec<f64>> = (0..=200)
            .map(|events| anchors.iter().map(|anchor| anchor.threshold(events) as f64 / libm::exp2(64.0)).collect())
            .collect();
        let inside: Vec<[f64; CELLS]> =
            (0..=ROWS).map(|row| core::array::from_fn(|cell| f64::from(u8::from(half_space(row, cell))))).collect();
        let mut ones = Vec::with_capacity(devices * ROWS);
        for device in 0..devices {
            let (shares, events) = (self.shares_of(device), self.events[device]);
            for row in 1..=ROWS {
                let inside: f64 = inside[row].iter().zip(shares).map(|(inside, share)| inside * share).sum();
                let bit = above(events, inside.clamp(0.0, 1.0), thresholds[events as usize][row - 1]);
                let (t, f) = (WEIGHT_TRUE as f64, WEIGHT_FALSE as f64);
                ones.push(((f + (t - f) * bit) / (t + f) * libm::exp2(32.0)) as u32);
            }
        }
        Reports { ones }
    }
}

/// P[report 1] of each device and row, in units of 2^-32; one device stands for all if they are alike.
#[derive(Clone)]
struct Reports {
    ones: Vec<u32>,
}

impl Reports {
    fn answer(&self, place: usize, counters: &mut [u64], rng: &mut Rng) {
        let word = rng.u64(..);
        let row = (((word & 0xFFFF_FFFF) * ROWS as u64) >> 32) as usize;
        let one = (word >> 32) < u64::from(self.ones[place + row]);
        counters[2 * (row + 1) + usize::from(one)] += 1;
    }
}

/// P[Z + U ≥ threshold] for Z ~ Bin(m, s): P[Z ≥ τ] less the part of P[Z = τ] below the threshold.
fn above(m: u64, s: f64, threshold: f64) -> f64 {
    let median = libm::floor(threshold);
    let part = threshold - median;
    if s > 0.5 {
        // By the events outside, m − Z ~ Bin(m, 1 − s), so that the powers below do not vanish.
        let (at, below) = law_at(m, 1.0 - s, m as f64 - median);
        below + (1.0 - part) * at
    } else {
        let (at, below) = law_at(m, s, median);
        1.0 - below - part * at
    }
}

/// P[Z = count] and P[Z < count] for s ≤ 1/2; 0 and what is left outside of 0–m.
fn law_at(m: u64, s: f64, count: f64) -> (f64, f64) {
    if count < 0.0 {
        return (0.0, 0.0);
    }
    let (mut term, mut below, odds) = (libm::pow(1.0 - s, m as f64), 0.0, s / (1.0 - s));
    for step in 0..count as u64 {
        below += term;
        term *= m.saturating_sub(step) as f64 / (step + 1) as f64 * odds;
    }
    (term, below)
}

fn normalized(weights: Vec<f64>) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

fn dirichlet(mean: &[f64], rng: &mut Rng) -> Vec<f64> {
    normalized(mean.iter().map(|share| gamma(CONCENTRATION * share, rng)).collect())
}

/// Marsaglia and Tsang, "A simple method for generating gamma variables", 2000; with their step for shapes below 1.
fn gamma(shape: f64, rng: &mut Rng) -> f64 {
    if shape < 1.0 {
        return gamma(shape + 1.0, rng) * libm::pow(rng.f64(), 1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let normal = libm::sqrt(-2.0 * libm::log(1.0 - rng.f64())) * libm::cos(2.0 * core::f64::consts::PI * rng.f64());
        let v = libm::pow(1.0 + c * normal, 3.0);
        if v > 0.0 && libm::log(1.0 - rng.f64()) < 0.5 * normal * normal + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

/// A cell drawn from shares.
fn draw(shares: &[f64], rng: &mut Rng) -> usize {
    let mut point = rng.f64();
    let below = |share: &f64| {
        point -= share;
        point < 0.0
    };
    shares.iter().position(below).unwrap_or(CELLS - 1)
}

// ---- Validation ---------------------------------------------------------------------------------------------------

/// Events one by one, the device's own code and integer randomized response against the probabilities above.
fn validate(rng: &mut Rng) {
    const WINDOWS: usize = 10;
    let fleet = Fleet::new(Shares::Zipf, Devices::Differing, Events::LogUniform, rng);
    let (reports, baseline) = (fleet.reports(), fleet.baseline());
    let mut counters = vec![0_u64; 2 * hadamard_order(CELLS)];
    let (mut expected, mut variance) = (vec![0.0; ROWS + 1], vec![0.0; ROWS + 1]);
    for _ in 0..WINDOWS {
        for device in 0..DEVICES {
            let mut counts = [0_u32; CELLS];
            (0..fleet.events[device]).for_each(|_| counts[draw(fleet.shares_of(device), rng)] += 1);
            let id = (u128::from(rng.u64(..)) << 64 | u128::from(rng.u64(..))).to_be_bytes();
            let row = row_of(&id, CELLS);
            let bit = anchored_bit(&counts, row, &baseline, rng.u64(..));
            let lie = rng.u64(..WEIGHT_TRUE + WEIGHT_FALSE) >= WEIGHT_TRUE;
            counters[2 * row + (bit ^ usize::from(lie))] += 1;
            let one = f64::from(reports.ones[device * ROWS + row - 1]) / libm::exp2(32.0);
            expected[row] += one;
            variance[row] += one * (1.0 - one);
        }
    }
    let term = |row: usize| {
        let difference = counters[2 * row + 1] as f64 - expected[row];
        difference * difference / variance[row]
    };
    let statistic: f64 = (1..=ROWS).map(term).sum();
    println!(
        "law of the reports against events drawn one by one ({} device-windows, log-uniform events, Dirichlet): \
         χ² = {statistic:.1} on {ROWS} df, p = {:.3}\n",
        WINDOWS * DEVICES,
        driftglass::drift::chi_squared_survival(statistic, ROWS),
    );
}

// ---- Tables -------------------------------------------------------------------------------------------------------

/// How many fleets are compared with themselves or with what they became, and how.
struct Plan {
    fleets: usize,
    runs_per_fleet: usize,
    /// Windows of the reference.
    windows: usize,
    mix: Mix,
    /// Whether the reference moves along: for null runs.
    rolling: bool,
}

impl Plan {
    fn runs(&self) -> usize {
        self.fleets * self.runs_per_fleet
    }

    /// The share of runs with an alarm, over fleets that `pair` makes (reference, current).
    fn alarms(&self, rng: &mut Rng, pair: &dyn Fn(&mut Rng) -> (Fleet, Fleet)) -> f64 {
        let mut alarms = 0;
        for _ in 0..self.fleets {
            let (then, now) = pair(rng);
            let baseline = then.baseline();
            let then_reports = then.reports();
            let now_reports = if self.rolling { then_reports.clone() } else { now.reports() };
            let mut history: VecDeque<Sums> =
                (0..self.windows).map(|_| Sums::window(&then, &then_reports, self.mix, rng)).collect();
            let mut reference = Sums::default();
            history.iter().for_each(|window| reference.add(window, u64::wrapping_add));
            for _ in 0..self.runs_per_fleet {
                let current = Sums::window(&now, &now_reports, self.mix, rng);
                alarms += usize::from(current.p_value(&reference, &baseline, self.mix) < LEVEL);
                if self.rolling {
                    reference.add(&current, u64::wrapping_add);
                    history.push_back(current);
                    reference.add(&history.pop_front().expect("a window"), u64::wrapping_sub);
                }
            }
        }
        alarms as f64 / self.runs() as f64
    }
}

fn percent(share: f64, runs: usize) -> String {
    format!("{:5.2} ± {:.2} %", 100.0 * share, 196.0 * libm::sqrt(share * (1.0 - share) / runs as f64))
}

fn name(devices: Devices) -> &'static str {
    if devices == Devices::Alike { "alike" } else { "Dirichlet(20)" }
}

fn false_alarms(fleets: usize, rng: &mut Rng) {
    let plan = |windows, rolling| Plan { fleets, runs_per_fleet: 400, windows, mix: ANCHOR, rolling };
    let runs = plan(60, true).runs();
    println!("false alarms, nothing changed, 50 events each, {runs} runs in {fleets} fleets (± 95 %)");
    for (shares, shape) in [(Shares::Zipf, "Zipf(1.1)"), (Shares::Even, "even")] {
        for devices in [Devices::Alike, Devices::Differing] {
            for windows in [60, 5] {
                let pair = |rng: &mut Rng| {
                    let fleet = Fleet::new(shares, devices, Events::Fixed(50), rng);
                    let same = fleet.with_events(50);
                    (fleet, same)
                };
                let share = plan(windows, true).alarms(rng, &pair);
                println!(
                    "  {shape:10} {:14} reference of {windows:2} windows  {}",
                    name(devices),
                    percent(share, runs)
                );
            }
        }
    }
    println!("false alarms when devices have 20 events now and had 50, reference of 60 windows, {runs} runs");
    for devices in [Devices::Alike, Devices::Differing] {
        let pair = |rng: &mut Rng| {
            let fleet = Fleet::new(Shares::Zipf, devices, Events::Fixed(50), rng);
            let fewer = fleet.with_events(20);
            (fleet, fewer)
        };
        let share = plan(60, false).alarms(rng, &pair);
        println!("  Zipf(1.1)  {:14}  {}", name(devices), percent(share, runs));
    }
    println!();
}

const SHIFTS: [(Shares, Shift, &str); 5] = [
    (Shares::Zipf, Shift::Mixture, "Zipf(1.1), some events from the Zipf law over permuted cells"),
    (Shares::Zipf, Shift::HalvesInProportion, "Zipf(1.1), a random half up, the other down, in proportion"),
    (Shares::Even, Shift::TwoCells, "even, one cell loses to another"),
    (Shares::Zipf, Shift::HalvesByAsMuch, "Zipf(1.1), a random half up, the other down, all by as much"),
    (Shares::Even, Shift::HalvesByAsMuch, "even, a random half up, the other down: the smallest Σδ²"),
];

/// Σδ² over TV², averaged over directions: what power depends on.
fn energy(shares: Shares, shift: Shift, rng: &mut Rng) -> f64 {
    let shares = shares.draw();
    let one = |rng: &mut Rng| shift.draw(&shares, rng).iter().map(|change| change * change).sum::<f64>() / (TV * TV);
    (0..1_000).map(|_| one(rng)).sum::<f64>() / 1_000.0
}

fn power(fleets: usize, rng: &mut Rng) {
    let plan = Plan { fleets, runs_per_fleet: 100, windows: 60, mix: ANCHOR, rolling: false };
    let runs = plan.runs();
    println!(
        "power, 50 events each, total-variation shift {TV}, reference of 60 windows, {runs} runs in {fleets} fleets"
    );
    for (shares, shift, name) in SHIFTS {
        let [alike, differing] = [Devices::Alike, Devices::Differing].map(|devices| {
            let pair = |rng: &mut Rng| {
                let fleet = Fleet::new(shares, devices, Events::Fixed(50), rng);
                let moved = fleet.moved(&shift.draw(&fleet.mean, rng));
                (fleet, moved)
            };
            plan.alarms(rng, &pair)
        });
        let energy = energy(shares, shift, rng);
        println!("  {name:62} Σδ²/TV² {energy:.3}  alike {alike:.3}  Dirichlet(20) {differing:.3}");
    }
    println!();
}

// ---- Mix of questions ---------------------------------------------------------------------------------------------

/// Weights of anchored bit and sampled event, and the weight of the first in the combined test.
#[derive(Clone, Copy)]
struct Mix {
    weights: [u32; 2],
    evidence: f64,
}

const ANCHOR: Mix = Mix { weights: [1, 0], evidence: 1.0 };
const SAMPLE: Mix = Mix { weights: [0, 1], evidence: 0.0 };

/// Sums of some windows: anchored counters, support counts and number of sampled reports.
struct Sums {
    counters: Vec<u64>,
    support: Vec<u64>,
    sampled: u64,
}

impl Default for Sums {
    fn default() -> Self {
        Self { counters: vec![0; 2 * hadamard_order(CELLS)], support: vec![0; SYMBOLS], sampled: 0 }
    }
}

impl Sums {
    /// One window: each device answers one of the questions, drawn by weight.
    fn window(fleet: &Fleet, reports: &Reports, mix: Mix, rng: &mut Rng) -> Self {
        let (mut sums, channel) = (Self::default(), Sampled::new());
        let stride = if reports.ones.len() == ROWS { 0 } else { ROWS };
        let [anchored, sampled] = mix.weights;
        for device in 0..DEVICES {
            if sampled == 0 || rng.u32(..anchored + sampled) < anchored {
                reports.answer(device * stride, &mut sums.counters, rng);
            } else {
                channel.report(draw(fleet.shares_of(device), rng), &mut sums.support, rng);
                sums.sampled += 1;
            }
        }
        sums
    }

    fn add(&mut self, other: &Self, operation: fn(u64, u64) -> u64) {
        let both = self.counters.iter_mut().zip(&other.counters).chain(self.support.iter_mut().zip(&other.support));
        both.for_each(|(sum, count)| *sum = operation(*sum, *count));
        self.sampled = operation(self.sampled, other.sampled);
    }

    /// Of the test that the mix has.
    fn p_value(&self, reference: &Self, baseline: &[u32], mix: Mix) -> f64 {
        let anchored = || {
            let test = anchored_test(&self.counters, &reference.counters, baseline, WEIGHT_TRUE, WEIGHT_FALSE);
            test.expect("answers").p_value
        };
        match mix.weights {
            [_, 0] => anchored(),
            [0, _] => Sampled::new().p_value(self, reference),
            _ => combined_p_value(anchored(), Sampled::new().p_value(self, reference), mix.evidence),
        }
    }
}

const SYMBOLS: usize = CELLS + 1;
const SUBSET: usize = 9;

/// Subset selection over the cells and "no data".
struct Sampled {
    /// P[kept].
    p: f64,
    q: f64,
}

impl Sampled {
    fn new() -> Self {
        let (k, w) = (SYMBOLS as f64, SUBSET as f64);
        let keep = w * WEIGHT_TRUE as f64;
        let p = keep / (keep + (k - w) * WEIGHT_FALSE as f64);
        Self { p, q: p * (w - 1.0) / (k - 1.0) + (1.0 - p) * w / (k - 1.0) }
    }

    /// n·Var of a small share.
    fn noise(&self) -> f64 {
        self.q * (1.0 - self.q) / ((self.p - self.q) * (self.p - self.q))
    }

    /// A uniform subset of the right size, with the symbol or without.
    fn report(&self, symbol: usize, support: &mut [u64], rng: &mut Rng) {
        let keep = rng.f64() < self.p;
        let mut left = if keep { SUBSET - 1 } else { SUBSET };
        support[symbol] += u64::from(keep);
        let mut taken = 1_u64 << symbol;
        while left > 0 {
            let other = rng.usize(..SYMBOLS);
            if taken >> other & 1 == 0 {
                taken |= 1 << other;
                support[other] += 1;
                left -= 1;
            }
        }
    }

    /// The p-value of the χ² test of two samples, with the covariance of the channel at the pooled shares.
    fn p_value(&self, now: &Sums, then: &Sums) -> f64 {
        let (k, w) = (SYMBOLS as f64, SUBSET as f64);
        let (n, all) = (now.sampled as f64, (now.sampled + then.sampled) as f64);
        let mean: Vec<f64> =
            now.support.iter().zip(&then.support).map(|(now, then)| (now + then) as f64 / all).collect();
        let f = |v: usize| (mean[v] - self.q) / (self.p - self.q);
        let r = self.p * (w - 1.0) / (k - 1.0);
        let t = (self.p * (w - 1.0) * (w - 2.0) + (1.0 - self.p) * w * (w - 1.0)) / ((k - 1.0) * (k - 2.0));
        let covariance = Matrix::from_fn(SYMBOLS, |u, v| {
            let both = if u == v { mean[u] } else { r * (f(u) + f(v)) + t * (1.0 - f(u) - f(v)) };
            (both - mean[u] * mean[v]) * (1.0 / n + 1.0 / (all - n))
        });
        let share = |sums: &Sums, v: usize| sums.support[v] as f64 / sums.sampled as f64;
        let difference: Vec<f64> = (0..SYMBOLS).map(|v| share(now, v) - share(then, v)).collect();
        wald(&difference, &covariance).expect("positive definite").p_value
    }
}

fn mixes(fleets: usize, null_fleets: usize, rng: &mut Rng) {
    let law: Vec<(u64, f64)> = (1..=200).map(|m| (m, libm::log((m + 1) as f64 / m as f64))).collect();
    let expected = Expected { events: &law, concentration: HETEROGENEOUS };
    let mix = question_mix(expected, CELLS, [WEIGHT_TRUE, WEIGHT_FALSE], Sampled::new().noise());
    println!("log-uniform 1 to 200 events: {}", mix.reason);
    let chosen = Mix { weights: [mix.anchored, mix.sampled], evidence: mix.anchored_evidence };
    let runs = fleets * 25;
    println!("power, shift {TV}, reference of 60 windows, {runs} runs in {fleets} fleets:");
    println!("all sample one event / the mix / all answer the anchored bit");
    for (shares, shift, name) in SHIFTS {
        for devices in [Devices::Alike, Devices::Differing] {
            let pair = |rng: &mut Rng| {
                let fleet = Fleet::new(shares, devices, Events::LogUniform, rng);
                let moved = fleet.moved(&shift.draw(&fleet.mean, rng));
                (fleet, moved)
            };
            let alarms = |mix| Plan { fleets, runs_per_fleet: 25, windows: 60, mix, rolling: false }.alarms(rng, &pair);
            let [one, both, bit] = [SAMPLE, chosen, ANCHOR].map(alarms);
            println!("  {name:62} {:14} {one:.3} / {both:.3} / {bit:.3}", self::name(devices));
        }
    }
    let plan = Plan { fleets: null_fleets, runs_per_fleet: 400, windows: 5, mix: chosen, rolling: true };
    println!("false alarms of the mix, reference of 5 windows, Zipf(1.1), {} runs", plan.runs());
    for devices in [Devices::Alike, Devices::Differing] {
        let pair = |rng: &mut Rng| {
            let fleet = Fleet::new(Shares::Zipf, devices, Events::LogUniform, rng);
            let same = fleet.moved(&[0.0; CELLS]);
            (fleet, same)
        };
        println!("  {:14} {}", name(devices), percent(plan.alarms(rng, &pair), plan.runs()));
    }
}
