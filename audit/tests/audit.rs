//! The auditor on sound and on broken randomizers, natively and through the wasm file.

use std::path::Path;

use driftglass::spec::{Mechanism, MonitorSpec};
use driftglass_audit::audit::{ERROR, Effort, Seeds, audit, question};
use driftglass_audit::black_box;
use driftglass_audit::claims;
use driftglass_audit::configuration::Configuration;
use driftglass_audit::exact::exact;
use driftglass_audit::law::Fraction;
use driftglass_audit::module::Shipped;
use driftglass_audit::native::Native;
use driftglass_audit::planted::Mistake;
use driftglass_audit::probe::Probe;
use driftglass_audit::self_test;
use driftglass_audit::support::Support;
use driftglass_audit::tape::{Chance, Tape};
use driftglass_audit::verdict::Part;

const QUICK: Effort = Effort { reports: 5_000, foretell: 200 };
const SEEDS: Seeds = Seeds { points: 11, choices: 12, entropy: Some(13) };

fn configuration(mechanism: &'static str, symbols: u32, epsilon_micronats: u64) -> Configuration {
    Configuration { mechanism, symbols, epsilon_micronats }
}

fn spec(configuration: &Configuration) -> MonitorSpec {
    MonitorSpec::parse(&configuration.spec()).unwrap_or_else(|error| panic!("{}: {error}", configuration.name()))
}

/// Small sizes of every mechanism, and of those that have too many outputs to list.
fn configurations() -> Vec<Configuration> {
    [
        ("k-ary", 2),
        ("k-ary", 16),
        ("subset-selection", 9),
        ("subset-selection", 64),
        ("optimized-unary", 5),
        ("optimized-unary", 24),
        ("local-hashing", 40),
        ("hadamard", 20),
        ("projective-geometry", 20),
        ("projective-geometry-2", 20),
        ("square-wave", 12),
        ("memoized-hashing", 20),
        ("duchi", 9),
        ("piecewise", 12),
        ("hybrid", 9),
        ("discrete-laplace", 8),
        ("open-vocabulary", 0),
    ]
    .map(|(mechanism, symbols)| configuration(mechanism, symbols, 1_000_000))
    .to_vec()
}

/// Every flavour that devices load.
const FLAVOURS: [&str; 2] = ["core", "full"];

fn shipped(flavour: &str) -> Shipped {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../js/wasm/{flavour}/driftglass_bg.wasm"));
    Shipped::load(&file).unwrap_or_else(|error| panic!("{error}; build it with `cargo xtask build --only wasm`"))
}

#[test]
fn every_planted_bug_is_caught_by_the_part_that_it_is_about() {
    let caught = |mistake| self_test::planted(mistake, 5).caught_by;
    for (mistake, part) in [
        (Mistake::Float, Part::Exact),
        (Mistake::Modulo, Part::Exact),
        (Mistake::Order, Part::Format),
        (Mistake::Length, Part::Format),
        (Mistake::Seed, Part::Format),
    ] {
        assert!(caught(mistake).contains(&part), "{}: {:?}", mistake.name(), caught(mistake));
    }
    assert_eq!(caught(Mistake::Float), [Part::Exact], "an error of 10^-8 shows in the exact law alone");
    assert_eq!(caught(Mistake::Length), [Part::Format], "the law of lengths is within the claim");
}

#[test]
fn sound_randomizers_are_not_accused() {
    assert_eq!(self_test::accused(40, &mut Chance::seeded(2)), Vec::<String>::new());
}

#[test]
fn every_mechanism_passes_natively() {
    for configuration in configurations() {
        let spec = spec(&configuration);
        let audit = question(&mut Native::of(&spec, 0), &spec, 0, QUICK, ERROR, SEEDS);
        for check in &audit.checks {
            assert!(check.passed, "{}: {}: {}", configuration.name(), check.name, check.sentence);
        }
    }
}

/// Where the claim is tight the largest ratio is W_t/W_f itself, not less.
#[test]
fn the_exact_ratio_is_that_of_the_weights() {
    for configuration in configurations() {
        let spec = spec(&configuration);
        let question = &spec.questions[0];
        let found = exact(&mut Native::of(&spec, 0), question, 50, 3).expect("a law");
        let tight = !matches!(question.randomizer.mechanism, Mechanism::DiscreteLaplace);
        let weights = claims::report_ratio(&question.randomizer).reduced();
        let ratio = (found.ratio_numerator, found.ratio_denominator);
        if tight {
            assert_eq!(
                ratio,
                (weights.numerator.to_string(), weights.denominator.to_string()),
                "{}",
                configuration.name()
            );
        } else {
            let ratio =
                Fraction { numerator: ratio.0.parse().expect("digits"), denominator: ratio.1.parse().expect("digits") };
            assert!(!ratio.exceeds(&weights), "{}", configuration.name());
        }
    }
}

/// A randomizer with more weight on the truth than is claimed.
#[test]
fn too_large_weights_are_found_by_the_law_and_by_sampling() {
    for mechanism in ["k-ary", "subset-selection", "hadamard", "duchi"] {
        let claimed = spec(&configuration(mechanism, 8, 1_000_000));
        let actual = spec(&configuration(mechanism, 8, 1_100_000));
        let same = claimed.questions[0].randomizer.mechanism == actual.questions[0].randomizer.mechanism;
        assert!(same, "{mechanism}: only the weights differ");
        let audit = question(
            &mut Native::of(&actual, 0),
            &claimed,
            0,
            Effort { reports: 400_000, foretell: 100 },
            ERROR,
            SEEDS,
        );
        let failed: Vec<Part> = audit.checks.iter().filter(|check| !check.passed).map(|check| check.part).collect();
        assert!(failed.contains(&Part::Exact) && failed.contains(&Part::BlackBox), "{mechanism}: {failed:?}");
    }
}

/// One symbol is treated otherwise than all others: no event of theory is about it.
#[test]
fn an_unforeseen_leak_is_found_by_looking() {
    struct Leaky(Native);
    impl Probe for Leaky {
        fn report(
            &mut self,
            symbol: u32,
            known: &driftglass_audit::probe::Known,
            tape: &mut Tape,
        ) -> Result<Option<Vec<u8>>, driftglass_audit::probe::ProbeError> {
            let report = self.0.report(symbol, known, tape)?;
            // Symbol 3 is never reported as 5.
            Ok(report.map(|mut report| {
                if let Some(last) = report.last_mut().filter(|last| symbol == 3 && **last == 5) {
                    *last = 6;
                }
                report
            }))
        }

        fn instructions(&self) -> Option<u64> {
            None
        }
    }
    let spec = spec(&configuration("k-ary", 16, 1_000_000));
    let mut leaky = Leaky(Native::of(&spec, 0));
    let sample =
        black_box::sample(&mut leaky, &spec.questions[0], 200_000, ERROR, Chance::seeded(1), Chance::seeded(2));
    let sample = sample.expect("a sample");
    assert!(sample.lower_bound < 1.0, "the event of theory shows nothing");
    assert!(sample.found_lower_bound.is_some_and(|found| found > 1.0), "{sample:?}");
    assert!(exact(&mut leaky, &spec.questions[0], 50, 3).is_err(), "a report is impossible");
}

/// The auditor's own reading of payloads against the crate's counters.
#[test]
fn support_agrees_with_the_frequency_oracles() {
    let mut chance = Chance::seeded(7);
    for configuration in configurations() {
        let spec = spec(&configuration);
        let question = &spec.questions[0];
        let randomizer = driftglass::privacy::decoder_of(question);
        let Some(oracle) = randomizer.oracle() else { continue };
        let (support, _) = Support::of(question);
        let mut native = Native::of(&spec, 0);
        for _ in 0..50 {
            let mut known = [0; 48];
            chance.fill(&mut known);
            let symbol = chance.below(question.domain_size as u64) as u32;
            let mut tape = Tape::endless(Chance::seeded(chance.word()));
            let report = native.report(symbol, &known, &mut tape).expect("a probe").expect("a report");
            let payload = &report[driftglass::report::HEADER_BYTES..];
            let mut coin = [0; 16];
            coin.copy_from_slice(&known[..16]);
            let mut counters = vec![0; oracle.counters()];
            let parsed = driftglass::privacy::Payload::from_bytes(payload).expect("a payload");
            oracle.accumulate(&parsed, &coin, &mut counters).expect("an output");
            let expected: Vec<bool> = oracle.support(&counters).into_iter().map(|count| count == 1).collect();
            let found: Vec<bool> =
                (0..question.domain_size as u32).map(|symbol| support.holds(payload, &coin, symbol)).collect();
            assert_eq!(found, expected, "{}", configuration.name());
        }
    }
}

#[test]
fn the_modules_make_the_reports_that_the_crate_makes() {
    FLAVOURS.iter().for_each(|flavour| makes_the_reports_that_the_crate_makes(flavour));
}

fn makes_the_reports_that_the_crate_makes(flavour: &str) {
    let shipped = shipped(flavour);
    let mut chance = Chance::seeded(8);
    for configuration in configurations() {
        let spec = spec(&configuration);
        let mut running = shipped.start(&configuration.spec()).expect("a module that runs");
        let mut native = Native::of(&spec, 0);
        for _ in 0..20 {
            let mut known = [0; 48];
            chance.fill(&mut known);
            let symbol = chance.below(claims::symbols(&spec.questions[0])) as u32;
            let seed = chance.word();
            let run = |probe: &mut dyn Probe| {
                let mut tape = Tape::endless(Chance::seeded(seed));
                (probe.report(symbol, &known, &mut tape).expect("a probe"), tape.requests().to_vec())
            };
            assert_eq!(run(&mut running.question(0)), run(&mut native), "{}", configuration.name());
        }
        let mut empty = Tape::script(Vec::new());
        assert_eq!(
            running.question(0).report(0, &[0; 48], &mut empty).expect("a probe"),
            None,
            "no entropy, no report"
        );
    }
}

#[test]
fn the_package_passes_its_audit() {
    FLAVOURS.iter().for_each(|flavour| passes_its_audit(flavour));
}

fn passes_its_audit(flavour: &str) {
    let text = include_str!("../../pkg-config.json");
    let audit = audit(text, &shipped(flavour), QUICK).expect("an audit");
    let failed: Vec<_> = audit
        .questions
        .iter()
        .flat_map(|question| &question.checks)
        .chain(&audit.checks)
        .filter(|check| !check.passed)
        .collect();
    assert!(audit.passed, "{failed:?}");
    let json = serde_json::to_value(&audit).expect("JSON");
    assert_eq!(json["audit_version"], 1);
    assert_eq!(json["questions"].as_array().map(Vec::len), Some(7));
    assert_eq!(json["questions"][0]["exact"]["ratio_numerator"], "86266724207");
}
