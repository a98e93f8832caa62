//! `driftglass simulate`: the detector on fleets whose drift is known.

use std::process::Output;

use serde_json::Value;

use crate::support::run;

const SPEC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../pkg-config.json");

fn output(options: &[&str]) -> Output {
    run(&[&["simulate", SPEC], options].concat())
}

/// The scores of one scenario.
fn simulated(scenario: &str, options: &[&str]) -> Value {
    let output = output(&[&["--json", "--scenario", scenario], options].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    found["scenarios"][0].take()
}

fn question<'a>(scores: &'a Value, name: &str) -> &'a Value {
    let questions = scores["questions"].as_array().expect("a list");
    questions.iter().find(|question| question["name"] == name).expect("a question")
}

fn count(value: &Value) -> u64 {
    value.as_u64().expect("a count")
}

/// 12 fleets of 1,000 devices over 16 windows, seed 5: 3.68 years with 1 false alarm a year accepted over all seven
/// questions, so a count of mean 3.68 at most. A Poisson count of that mean exceeds 11 with probability 4e-4 = α. Spans
/// share windows, so false verdicts come in groups of up to 4: the bound is on runs with any, of which there are no
/// more than alarms.
#[test]
fn without_drift_the_knob_holds() {
    let null = simulated("null", &["--fleet", "1000", "--windows", "16", "--runs", "12", "--seed", "5"]);
    assert!(count(&null["false_drift"]["runs_with"]) <= 11, "{null}");
    let (drift, alarms) = (count(&null["false_drift"]["count"]), count(&null["false_alarms"]["count"]));
    assert!(drift <= 11 && alarms <= 11, "{drift} verdicts, {alarms} alarms");
    let counts = &null["counts"];
    assert_eq!((count(&counts["question_windows"]), count(&counts["above_delta"])), (7 * 16 * 12, 0));
    assert_eq!(null["recall"], Value::Null, "there was nothing to find");
    assert_eq!(count(&counts["stable_wrong"]) + count(&counts["drift_true"]) + count(&counts["alarms_true"]), 0);
    assert_eq!(count(&counts["stable_true"]) + count(&counts["inconclusive"]) + drift, 7 * 16 * 12);
}

/// With delta 0 every verdict of drift errs, and the knob is all that keeps them few: 30 a year, 110.4 in the 3.68
/// years of these 12 fleets (seed 5), at most on average. Verdicts on one question of a run share their reference; if
/// all 16 of them came together the count had a standard deviation of √(16 · 110.4) = 42, so 241 = 110.4 + 3.09 · 42 is
/// exceeded with probability 1e-3 = α at most, as for a normal count. With standard errors half as large more
/// than one in four of the 1,344 verdicts would be false.
#[test]
fn with_delta_0_the_knob_is_all_that_holds() {
    let size = ["--fleet", "1000", "--windows", "16", "--runs", "12", "--seed", "5"];
    let null = simulated("null", &[&size[..], &["--delta", "0", "--false-alarms-per-year", "30"]].concat());
    let (drift, alarms) = (count(&null["false_drift"]["count"]), count(&null["false_alarms"]["count"]));
    assert!(drift <= 241 && alarms <= 241, "{drift} verdicts, {alarms} alarms");
    assert!(drift > 20, "with so many accepted there are some: {drift}");
    assert_eq!(null["knob"], 30.0);
}

/// A detector that never says drift, or always does, would not pass both this and the test before.
#[test]
fn a_sudden_strong_change_is_found_with_its_delay() {
    let options = ["--fleet", "1500", "--windows", "16", "--runs", "4", "--strength", "0.3"];
    let sudden = simulated("sudden", &options);
    assert_eq!(count(&sudden["change_window"]), 4);
    for name in ["departed_late", "arrived_late", "confident"] {
        let question = question(&sudden, name);
        let effect = question["true_effect"].as_f64().expect("a number");
        assert!((effect - 0.3).abs() < 0.02, "{name}: {effect}");
        assert_eq!((count(&question["delay"]["changed"]), count(&question["delay"]["found"])), (4, 4), "{name}");
        assert!(question["delay"]["median"].as_u64().is_some_and(|median| median <= 3), "{question}");
        assert!(question["recall"].as_f64().is_some_and(|recall| recall > 0.8), "{question}");
    }
    // Windows of the change: 16 − 4 for each question of each run; a span with one of four has a quarter of 0.3 > 0.05.
    assert_eq!(count(&sudden["counts"]["above_delta"]), 7 * 12 * 4);
    assert!(sudden["precision"].as_f64().is_some_and(|precision| precision > 0.95), "{sudden}");
}

#[test]
fn a_label_shift_moves_questions_about_outcomes_only() {
    let moved = simulated("label-shift", &["--fleet", "1000", "--windows", "8", "--runs", "2", "--strength", "0.3"]);
    for question in moved["questions"].as_array().expect("a list") {
        let effect = question["true_effect"].as_f64().expect("a number");
        if ["arrived_late", "prediction_and_outcome"].contains(&question["name"].as_str().expect("a name")) {
            assert!(effect > 0.15, "{question}");
        } else {
            assert_eq!(effect, 0.0, "{question}");
        }
    }
}

#[test]
fn one_question_or_one_segment_changes() {
    let size = ["--fleet", "3000", "--windows", "8", "--runs", "2", "--strength", "0.4"];
    let feature = simulated("feature", &[&size[..], &["--question", "confident"]].concat());
    for question in feature["questions"].as_array().expect("a list") {
        assert_eq!(question["true_effect"].as_f64().expect("a number") > 0.0, question["name"] == "confident");
    }
    let segment = simulated("segment", &[&size[..], &["--affected", "0.5"]].concat());
    let groups = segment["groups"].as_array().expect("a list");
    let numbers = |group: &Value| ["above_delta", "drift_false", "unlike_rest"].map(|name| count(&group[name]));
    assert_eq!(groups[0]["segment"], "all");
    assert_eq!(numbers(&groups[0])[..2], [0, 0], "{segment}");
    assert_eq!(numbers(&groups[1])[0], 14, "every question of the segment in both runs: {segment}");
    assert!(count(&groups[1]["drift_true"]) >= 6, "{segment}");
    assert_eq!(numbers(&groups[0])[2], numbers(&groups[1])[2], "two groups are unlike each other alike");
}

/// What poisoned devices send is not true: whatever is said of it is false. A fifth of the devices moves a share of two
/// by a fifth of its distance to 1 at least, which no detector can tell from a change of the fleet.
#[test]
fn poison_and_a_broken_pipeline_differ_in_truth_alone() {
    let size = ["--fleet", "2000", "--windows", "12", "--runs", "2", "--affected", "0.3"];
    let (poisoned, broken) = (simulated("poisoned", &size), simulated("bad-pipeline", &size));
    assert_eq!(count(&poisoned["counts"]["above_delta"]), 0);
    assert!(count(&poisoned["counts"]["drift_false"]) > 20, "{poisoned}");
    assert_eq!(poisoned["precision"], 0.0);
    assert!(count(&broken["counts"]["drift_true"]) > 20, "{broken}");
}

#[test]
fn a_seed_gives_one_output() {
    let of = |seed: &str| {
        let size = ["--fleet", "300", "--windows", "6", "--runs", "3", "--scenario", "gradual", "--json", "--seed"];
        output(&[&size[..], &[seed]].concat()).stdout
    };
    assert_eq!(of("3"), of("3"));
    assert_ne!(of("3"), of("4"));
}

#[test]
fn wrong_usage() {
    for options in
        [&["--scenario", "earthquake"][..], &["--question", "nothing"], &["--strength", "0"], &["--runs", "0"]]
    {
        let output = output(options);
        assert_eq!(output.status.code(), Some(2), "{options:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty());
    }
    let listed = run(&["simulate", "--list"]);
    assert!(listed.status.success());
    assert_eq!(String::from_utf8_lossy(&listed.stdout).lines().count(), 9);
    assert_eq!(run(&["simulate"]).status.code(), Some(2));
    assert_eq!(run(&["simulate", "no-such-file"]).status.code(), Some(1));
}
