//! Rotation: of each block of windows a device answers exactly one, at a place that nobody else can foretell.
//!
//! The uniformity test looks at 10,000 devices with seeded secrets and at three blocks for each of three rotations:
//! nine chi-square tests (Pearson, 1900), each at α = 10⁻⁴. If all turns were uniform, a fresh seed would fail one of
//! them less than once in a thousand runs; the seed is fixed.

use std::collections::BTreeSet;

use driftglass::monitor::{AnswerError, Monitor};
use driftglass::privacy::{DeviceSecret, DeviceState, EntropySource};
use driftglass::report::Arm;
use driftglass::spec::{MonitorSpec, WindowIndex};
use serde_json::{Value, json};

use crate::entropy::Generator;

const SHIPPED: &str = include_str!("../../pkg-config.json");
const WEEK: u64 = 604_800;
const DEVICES: u32 = 10_000;

fn spec(edit: impl FnOnce(&mut Value)) -> MonitorSpec {
    let mut document = serde_json::from_str(SHIPPED).expect("JSON");
    edit(&mut document);
    MonitorSpec::parse(&document.to_string()).expect("a valid spec")
}

fn rotating(windows: u32) -> MonitorSpec {
    spec(|document| document["measurement"]["privacy"]["rotation_windows"] = json!(windows))
}

fn secrets(seed: u64) -> impl Iterator<Item = DeviceSecret> {
    let mut generator = Generator::new(seed);
    (0..DEVICES).map(move |_| DeviceSecret::generate(&mut generator).expect("entropy"))
}

fn turns(secret: &DeviceSecret, spec: &MonitorSpec, block: u32) -> Vec<WindowIndex> {
    let first = block * spec.rotation_windows;
    (first..first + spec.rotation_windows).filter(|window| secret.takes_part(spec, *window)).collect()
}

#[test]
fn every_window_is_taken_equally_often_and_every_block_once() {
    // The quantile of χ² at 1 − 10⁻⁴ for R − 1 degrees of freedom.
    for (windows, quantile) in [(2, QUANTILES[0]), (13, QUANTILES[1]), (52, QUANTILES[2])] {
        let spec = rotating(windows);
        for block in [0, 43, 70_000] {
            let mut taken = vec![0_u32; windows as usize];
            for secret in secrets(2_027) {
                let turns = turns(&secret, &spec, block);
                assert_eq!(turns.len(), 1, "one turn in block {block} of {windows}");
                taken[(turns[0] % windows) as usize] += 1;
            }
            let expected = f64::from(DEVICES) / f64::from(windows);
            let statistic: f64 = taken.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
            assert!(statistic < quantile, "block {block} of {windows}: χ² = {statistic:.1}, limit {quantile}");
        }
    }
}

const QUANTILES: [f64; 3] = [15.136, 39.134, 97.337];

/// Values of another implementation, `tests/reference/rotation_v1.py`.
#[test]
fn turns_equal_the_reference() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../vectors/rotation-v1.json")).expect("JSON");
    for row in &vectors {
        let spec = spec(|document| {
            document["app"] = row["app"].clone();
            document["measurement"]["privacy"]["rotation_windows"] = row["rotation_windows"].clone();
        });
        let text = row["secret"].as_str().expect("text");
        let mut secret = [0; DeviceSecret::BYTES];
        for (place, byte) in secret.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).expect("hexadecimal");
        }
        let block = row["block"].as_u64().expect("an integer") as u32;
        let turn = row["turn"].as_u64().expect("an integer") as WindowIndex;
        assert_eq!(turns(&DeviceSecret::from_bytes(secret), &spec, block), [turn], "{row}");
    }
    assert_eq!(vectors.len(), 60);
}

/// Over two blocks a device takes each of the R² pairs of places equally often: knowing one turn tells nothing about
/// the next.
#[test]
fn turns_of_different_blocks_are_independent() {
    let spec = rotating(4);
    let mut taken = [[0_u32; 4]; 4];
    for secret in secrets(2_028) {
        let place = |block| (turns(&secret, &spec, block)[0] % 4) as usize;
        taken[place(10)][place(11)] += 1;
    }
    let expected = f64::from(DEVICES) / 16.0;
    let statistic: f64 = taken.iter().flatten().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
    assert!(statistic < 44.263, "χ² = {statistic:.1} on 15 degrees of freedom, α = 10⁻⁴");
}

/// The app's turns stay where they are when it changes what it measures; another app has its own.
#[test]
fn turns_belong_to_the_app() {
    let one = rotating(13);
    let asked_otherwise = spec(|document| {
        document["measurement"]["privacy"]["rotation_windows"] = json!(13);
        document["measurement"]["questions"][0]["weight"] = json!(999);
    });
    let elsewhere = spec(|document| {
        document["measurement"]["privacy"]["rotation_windows"] = json!(13);
        document["app"] = json!("elsewhere");
    });
    assert_ne!(one.id(), asked_otherwise.id());
    let turn = |secret: &DeviceSecret, spec: &MonitorSpec| turns(secret, spec, 7)[0];
    assert!(secrets(1).take(200).all(|secret| turn(&secret, &one) == turn(&secret, &asked_otherwise)));
    let same = secrets(1).filter(|secret| turn(secret, &one) == turn(secret, &elsewhere)).count();
    // Binomial(10,000, 1/13): mean 769, standard deviation 27; five of them either way.
    assert!((634..=904).contains(&same), "{same} of 10,000 devices have the same turn in both apps");
}

/// The ids in the vectors were computed by another program, from documents without the field.
#[test]
fn without_the_field_every_window_is_a_turn_and_the_id_is_what_it_was() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/report-v1.json")).expect("JSON");
    let absent = vectors["specs"].as_array().expect("specs");
    for stored in absent {
        let spec = MonitorSpec::parse(&stored["document"].to_string()).expect("a valid spec");
        assert_eq!(spec.id().to_string(), stored["id"]);
        assert_eq!(spec.rotation_windows, 1);
        assert!(secrets(3).take(100).all(|secret| (0..100).all(|window| secret.takes_part(&spec, window))));
    }
    assert!(!absent.is_empty());
    assert_ne!(spec(|_| {}).id(), rotating(1).id(), "what is written is hashed, even if it says what absence says");
}

/// A device that is always there answers its turn of each block and nothing else; one that sleeps through its turn does
/// not take another.
#[test]
fn a_missed_turn_is_not_made_up() {
    const R: u32 = 5;
    let spec = rotating(R);
    let monitor = Monitor::new(spec.clone(), Arm::Stable, "all").expect("a segment of the spec");
    let mut generator = Generator::new(11);
    let (mut answered, mut missed) = (0, 0);
    for device in 0..200 {
        // Joins in the window before a block, so that it sees the block whole.
        let block = 400 + device % 3;
        let first = block * R;
        let mut state = DeviceState::join(&spec, u64::from(first - 1) * WEEK, &mut generator).expect("entropy");
        let turn = turns(&state.secret, &spec, block)[0];
        let sleeps = generator.word().expect("entropy").is_multiple_of(2);
        let mut windows = BTreeSet::new();
        for window in first..first + R {
            // Looks in just after each window, but for the one that it sleeps through.
            let now_secs = spec.window.end_secs(window) + 60;
            if sleeps && window == turn {
                continue;
            }
            let due = monitor.due(&state, now_secs);
            for other in (first..first + R).filter(|other| Some(*other) != due) {
                let refused = monitor.answer(&mut state.clone(), other, now_secs, &mut generator);
                assert_eq!(refused.map(|_| ()), Err(AnswerError::NotDue));
            }
            if let Some(due) = due {
                monitor.answer(&mut state, due, now_secs, &mut generator).expect("due");
                windows.insert(due);
            }
        }
        if sleeps {
            missed += 1;
            assert_eq!(windows, BTreeSet::new());
        } else {
            answered += 1;
            assert_eq!(windows, BTreeSet::from([turn]));
        }
    }
    assert!(answered > 50 && missed > 50, "{answered} answered, {missed} slept");
}
