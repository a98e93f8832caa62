//! How near is the accuracy without labels to the one with?
//!
//! Persons of the American Community Survey (`benches/data/employment.bin`, made by `tests/reference/employment.py`):
//! a model says whether a person is employed, the label arrives later. 68,785 of 2015 are the reference, 208,892 of
//! 2016 to 2018 what is watched. Every person is one device with one event, hidden by the shipped randomizer that the
//! chooser picks: of the reference's devices cell of the score × label, of the later ones the cell of the score alone.
//!
//! | Symbol | Meaning |
//! | --- | --- |
//! | window | 50,000 consecutive persons; windows begin every 10,000 |
//! | in time | persons in the order of the data; nothing but chance moves |
//! | by age | the same persons sorted by decade of age: the scores move far, and the accuracy with them |
//! | MAE | mean over windows and repetitions of \|estimated − true accuracy\|, in points; true: from the later labels |
//! | se | of the MAE, from the means of the repetitions, which have noise of their own |
//! | covered | share of 95 % intervals that contain the true accuracy |
//!
//! Intervals know noise and samples, but not that the rates within a cell changed, which rules where there is little
//! noise.
//!
//! Beside it without noise: the same cells counted exactly; the scores in 256 cells with rates made increasing (CBPE
//! with isotonic calibration); CBPE on the raw scores, mean of max(p, 1 − p); and the reference's accuracy, for ever.

use driftglass::chooser::{self, Limits};
use driftglass::drift::performance::label_free::{CalibrationMap, Shape, label_free};
use driftglass::drift::performance::{PairCells, given_data};
use driftglass::estimate::{Channel, Estimate};
use driftglass::privacy::{Charge, Decoder, Draws, EntropyError, EntropySource, Ledger, MemoKey, Permit, decoder_of};
use driftglass::spec::{Cap, Question, QuestionKind, Randomizer};
use fastrand::Rng;

use super::Options;

const PERSONS: &[u8] = include_bytes!("../data/employment.bin");
/// Public edges of the score's cells, chosen without the data; a score above ½ is a positive prediction.
const EDGES: [f64; 7] = [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95];
const BINS: usize = EDGES.len() + 1;
const EPSILONS: [u64; 3] = [1_000_000, 2_000_000, 4_000_000];
/// Devices of a window, and between the beginnings of two.
const WINDOW: usize = 50_000;
const STEP: usize = 10_000;
const SEED: u64 = 0x1ABE_1F2E;

struct Person {
    score: u8,
    label: bool,
    predicted: bool,
    year: u8,
    decade: u8,
}

impl Person {
    fn of(bytes: &[u8]) -> Self {
        let flags = bytes[1];
        Self {
            score: bytes[0],
            label: flags & 1 == 1,
            predicted: flags >> 1 & 1 == 1,
            year: flags >> 2 & 3,
            decade: flags >> 4,
        }
    }

    fn bin(&self) -> usize {
        let score = f64::from(self.score) / 255.0;
        EDGES.partition_point(|edge| *edge < score)
    }

    fn right(&self) -> bool {
        self.label == self.predicted
    }
}

/// Persons in the order in which windows are cut.
struct Order {
    name: &'static str,
    persons: Vec<usize>,
}

impl Order {
    /// For each window, the sum of what each of its persons adds.
    fn windows<T>(&self, of: impl Fn(&[usize]) -> T) -> Vec<T> {
        (0..=(self.persons.len() - WINDOW) / STEP)
            .map(|window| of(&self.persons[window * STEP..window * STEP + WINDOW]))
            .collect()
    }
}

pub(super) fn run(options: &Options) {
    let repetitions = if options.quick { 5 } else { 200 };
    let persons: Vec<Person> = PERSONS.chunks_exact(2).map(Person::of).collect();
    let (reference, later): (Vec<&Person>, Vec<&Person>) = persons.iter().partition(|person| person.year == 0);
    let time: Vec<usize> = (0..later.len()).collect();
    let mut age = time.clone();
    age.sort_by_key(|person| later[*person].decade);
    let orders = [Order { name: "in time", persons: time }, Order { name: "by age", persons: age }];
    println!(
        "\nAccuracy without labels: reference {} devices, {} later, windows of {WINDOW} every {STEP}, {BINS} cells of \
         the score, {repetitions} repetitions, seed {SEED:#x}",
        reference.len(),
        later.len()
    );
    println!("{:<10}{:>6} {:<44}{:>8}{:>8}{:>8}{:>9}", "windows", "ε", "method", "MAE", "se", "largest", "covered");
    for order in &orders {
        without_noise(order, &reference, &later);
    }
    for epsilon in EPSILONS {
        private(epsilon, repetitions, &orders, &reference, &later);
    }
}

fn true_accuracies(order: &Order, later: &[&Person]) -> Vec<f64> {
    order.windows(|window| window.iter().filter(|person| later[**person].right()).count() as f64 / WINDOW as f64)
}

/// Cells counted exactly, and what needs rows.
fn without_noise(order: &Order, reference: &[&Person], later: &[&Person]) {
    let truth = true_accuracies(order, later);
    println!(
        "{:<10}{:>6} {:<44}{:>8}",
        order.name,
        "-",
        "(true accuracy, least and most, in points)",
        format!(
            "{:.2}–{:.2}",
            100.0 * truth.iter().copied().fold(1.0, f64::min),
            100.0 * truth.iter().copied().fold(0.0, f64::max)
        )
    );
    let on_cells = |cells: usize, cell: &dyn Fn(&Person) -> usize, called: &[bool], shape| {
        let mut counts = vec![0; 2 * cells];
        reference.iter().for_each(|person| counts[2 * cell(person) + usize::from(person.label)] += 1);
        let pairs = PairCells::of_counts(&counts, cells, 2).expect("a table");
        let map = CalibrationMap::fit(pairs, shape).expect("a reference with data");
        order.windows(|window| {
            let mut counts = vec![0; cells];
            window.iter().for_each(|person| counts[cell(later[*person])] += 1);
            let current = PairCells::of_counts(&counts, cells, 1).expect("a table");
            label_free(&map, current.joint(), called).expect("parts that fit").accuracy.value
        })
    };
    let print = |method: &str, estimates: &[f64]| {
        let errors: Vec<f64> = estimates.iter().zip(&truth).map(|(found, truth)| (found - truth).abs()).collect();
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        let largest = errors.iter().copied().fold(0.0, f64::max);
        println!(
            "{:<10}{:>6} {method:<44}{:>8.2}{:>8}{:>8.2}{:>9}",
            order.name,
            "none",
            100.0 * mean,
            "",
            100.0 * largest,
            ""
        );
    };
    print("cells", &on_cells(BINS, &Person::bin, &called(), Shape::Free));
    let fine: Vec<bool> = (0..256).map(|score| score > 127).collect();
    print("256 cells, increasing (CBPE, isotonic)", &on_cells(256, &|p| p.score.into(), &fine, Shape::Increasing));
    let confidence = |person: &usize| {
        let score = f64::from(later[*person].score) / 255.0;
        score.max(1.0 - score)
    };
    print(
        "raw scores (CBPE without calibration)",
        &order.windows(|window| window.iter().map(confidence).sum::<f64>() / WINDOW as f64),
    );
    let then = reference.iter().filter(|person| person.right()).count() as f64 / reference.len() as f64;
    print("the reference's accuracy", &vec![then; truth.len()]);
}

/// Which cells are positive predictions.
fn called() -> Vec<bool> {
    (0..BINS).map(|bin| bin > 3).collect()
}

/// Both sides from private reports.
fn private(epsilon: u64, repetitions: usize, orders: &[Order; 2], reference: &[&Person], later: &[&Person]) {
    let (pairs, scores) = (Fleet::of(2 * BINS + 1, epsilon), Fleet::of(BINS + 1, epsilon));
    let truth: Vec<Vec<f64>> = orders.iter().map(|order| true_accuracies(order, later)).collect();
    let mut means = vec![Vec::new(); orders.len()];
    let mut largest = vec![0.0_f64; orders.len()];
    let mut covered = vec![0; orders.len()];
    let mut chance = Chance(Rng::with_seed(SEED ^ epsilon));
    for _ in 0..repetitions {
        let symbols = reference.iter().map(|person| 2 * person.bin() + usize::from(person.label));
        let reports: Vec<Vec<u64>> = symbols.map(|symbol| pairs.report(symbol, &mut chance)).collect();
        let found = pairs.estimate(reports.iter());
        let table = PairCells::of_symbols(&found, BINS, 2).expect("devices with data");
        let map = CalibrationMap::fit(table, Shape::Free).expect("cells with data");
        let reports: Vec<Vec<u64>> = later.iter().map(|person| scores.report(person.bin(), &mut chance)).collect();
        for (place, order) in orders.iter().enumerate() {
            let estimates = order.windows(|window| {
                let current = scores.estimate(window.iter().map(|person| &reports[*person]));
                let current = given_data(&current).expect("devices with data");
                label_free(&map, &current, &called()).expect("parts that fit").accuracy
            });
            let errors = estimates.iter().zip(&truth[place]).map(|(found, truth)| (found.value - truth).abs());
            largest[place] = errors.clone().fold(largest[place], f64::max);
            means[place].push(errors.sum::<f64>() / estimates.len() as f64);
            let within = estimates.iter().zip(&truth[place]);
            covered[place] += within.filter(|(found, truth)| found.interval(0.95).contains(**truth)).count();
        }
    }
    for (place, order) in orders.iter().enumerate() {
        let n = repetitions as f64;
        let mean = means[place].iter().sum::<f64>() / n;
        let spread = means[place].iter().map(|of| (of - mean) * (of - mean)).sum::<f64>() / (n - 1.0);
        let method = format!("{}, {}", pairs.name(), scores.name());
        println!(
            "{:<10}{:>6} {method:<44}{:>8.2}{:>8.3}{:>8.2}{:>9.3}",
            order.name,
            epsilon as f64 / 1e6,
            100.0 * mean,
            100.0 * (spread / n).sqrt(),
            100.0 * largest[place],
            covered[place] as f64 / (n * truth[place].len() as f64),
        );
    }
}

/// Devices that are asked one question.
struct Fleet {
    question: Question,
    randomizer: Box<dyn Decoder>,
    channel: Channel,
    memo: MemoKey,
}

impl Fleet {
    fn of(domain_size: usize, epsilon_micronats: u64) -> Self {
        let chosen = chooser::choose(domain_size, epsilon_micronats, &Limits::default()).expect("something fits");
        let randomizer: Randomizer = chosen.randomizer;
        let question = Question {
            name: "score".to_owned(),
            metric: 0,
            kind: QuestionKind::SampledEvent,
            weight: 1,
            epsilon_micronats,
            randomizer,
            domain_size,
        };
        let channel = Channel::of(&randomizer, domain_size).expect("shares are counted from it");
        Self { randomizer: decoder_of(&question), question, channel, memo: MemoKey::from_bytes([0; 32]) }
    }

    fn name(&self) -> String {
        format!("{} (k {})", self.question.randomizer.mechanism.name(), self.question.domain_size)
    }

    /// The counters that one device's report adds to.
    fn report(&self, symbol: usize, chance: &mut Chance) -> Vec<u64> {
        let randomizer = &self.randomizer;
        let coin = chance.0.u128(..).to_be_bytes();
        let draws = Draws { coin: &coin, memo: &self.memo, entropy: chance };
        let payload = randomizer.privatize(permit(), symbol as u64, draws).expect("entropy");
        let mut counters = vec![0; randomizer.counters()];
        randomizer.accumulate(&payload, &coin, &mut counters).expect("its own payload");
        counters
    }

    fn estimate<'a>(&self, reports: impl Iterator<Item = &'a Vec<u64>>) -> Estimate {
        let randomizer = &self.randomizer;
        let (mut n, mut counters) = (0, vec![0; randomizer.counters()]);
        for report in reports {
            n += 1;
            counters.iter_mut().zip(report).for_each(|(sum, more)| *sum += more);
        }
        let support = randomizer.oracle().expect("shares are counted from it").support(&counters);
        self.channel.estimate(n, &support).expect("reports")
    }
}

fn permit() -> Permit {
    let caps = [Cap { period_secs: 1, epsilon_micronats: 1 }];
    Ledger::default().spend(Charge { at_secs: 0, epsilon_micronats: 1 }, &caps).expect("within the cap")
}

struct Chance(Rng);

impl EntropySource for Chance {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.0.fill(buffer);
        Ok(())
    }
}
