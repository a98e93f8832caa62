//! How well the model does, on real flights: figures that hold what is true, a model that breaks, and what is not asked.

use std::ops::Range;

use driftglass::spec::{MonitorSpec, WindowIndex};
use serde_json::{Value, json};

use crate::flights::{Deployment, FIRST_WEEK, Flight, Replay};
use crate::support::{Centre, SPEC, run, spec};

/// The weeks of the reference, and those that are judged.
const KNOWN: Range<WindowIndex> = FIRST_WEEK..FIRST_WEEK + 12;
const JUDGED: Range<WindowIndex> = FIRST_WEEK + 12..FIRST_WEEK + 18;

/// The demo's spec with questions for every figure, and with the airports as segments.
fn asking() -> String {
    let mut document: Value = serde_json::from_str(SPEC).expect("JSON");
    let measurement = &mut document["measurement"];
    measurement["segments"] = json!(["EWR", "JFK", "LGA"]);
    let metrics = measurement["metrics"].as_array_mut().expect("a list");
    metrics.push(json!({
        "name": "score",
        "source": {"kind": "output", "tensor": "probabilities", "index": 1},
        "cells": {"kind": "numeric", "edges": [0.1, 0.5, 0.9]}
    }));
    let pair = |name: &str, prediction: &str| json!({ "name": name, "source": {"kind": "pair", "prediction": prediction, "outcome": "outcome"} });
    metrics.push(pair("score_outcome", "score"));
    metrics.push(json!({
        "name": "failure", "source": {"kind": "error"}, "cells": {"kind": "category", "labels": ["done", "failed"]}
    }));
    metrics.push(json!({ "name": "origin_hour", "source": {"kind": "joint", "first": "origin", "second": "hour"} }));
    let law = measurement["questions"][0]["randomizer"].clone();
    let question = |name: &str, metric: &str, weight: u32| {
        json!({
            "name": name, "metric": metric, "kind": "sampled-event", "weight": weight,
            "epsilon_micronats": 3_000_000, "randomizer": law
        })
    };
    let mut slow = question("slow", "latency", 1);
    (slow["kind"], slow["threshold"]) = (json!("threshold-bit"), json!(1));
    let questions = [
        question("prediction_and_outcome", "prediction_outcome", 6),
        question("prediction", "prediction", 3),
        question("score_and_outcome", "score_outcome", 5),
        slow,
        question("failed", "failure", 1),
        question("origin_and_hour", "origin_hour", 2),
    ];
    let deltas: serde_json::Map<String, Value> =
        questions.iter().map(|one| (one["name"].as_str().expect("a name").to_owned(), json!(0.05))).collect();
    measurement["questions"] = json!(questions);
    document["detection"]["deltas"] = Value::Object(deltas);
    document.to_string()
}

/// The airport that an aircraft leaves from most.
fn home(flights: &[Flight]) -> usize {
    let at = |origin: i64| flights.iter().filter(|flight| flight.origin == origin).count();
    (0..3).max_by_key(|origin| at(*origin)).expect("three airports") as usize
}

/// Replays the weeks, with the first of them as the reference; from the third judged week on the model may be broken.
fn replay(document: &str, broken: Option<f32>) -> (Centre, [f64; 2]) {
    let read = MonitorSpec::parse(document).expect("a spec");
    let segments = read.segments.len();
    let deployment = |_: u32, flights: &[Flight]| Deployment {
        segment: if segments > 1 { home(flights) } else { 0 },
        broken: broken.map(|half| (JUDGED.start + 2, half)),
        ..Deployment::STABLE
    };
    let weeks = KNOWN.start..JUDGED.end;
    let replay = Replay { spec: &read, document, weeks, deployment: &deployment, seed: 3 };
    let centre = replay.run();
    let (dir, id) = (centre.dir.path().display().to_string(), read.id().to_string());
    let known = format!("{}..{}", KNOWN.start, KNOWN.end - 1);
    let made = ["reference", "from-windows", "--data-dir", &dir, "--spec-id", &id, "--windows", &known, "--use"];
    let made = run(&made);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (centre, replay.truth(JUDGED.start + 2..JUDGED.end))
}

fn performance(centre: &Centre, document: &str) -> Value {
    let id = MonitorSpec::parse(document).expect("a spec").id();
    centre.get(&format!("/v1/specs/{id}/performance")).json
}

fn figure<'a>(found: &'a Value, name: &str, class: Value) -> &'a Value {
    let figures = found["figures"].as_array().expect("a list");
    let wanted = |figure: &&Value| figure["name"] == name && figure["class"] == class;
    figures.iter().find(wanted).unwrap_or_else(|| panic!("no {name} in {found}"))
}

#[track_caller]
fn holds(figure: &Value, of: &str, truth: f64) {
    let [lower, upper] = ["lower", "upper"].map(|end| figure[of][end].as_f64().expect("a bound"));
    assert!((lower..=upper).contains(&truth) && upper - lower < 0.4, "{truth}: {figure}");
}

#[test]
fn figures_hold_what_is_true() {
    let document = asking();
    let (centre, [accuracy, late]) = replay(&document, None);
    let found = performance(&centre, &document);
    let labeled = figure(&found, "accuracy", json!(null));
    holds(labeled, "estimate", accuracy);
    holds(figure(&found, "outcome share", json!("late")), "estimate", late);
    // The two questions about outcomes agree, and so does what is expected without labels.
    let by_score: Vec<&Value> =
        found["figures"].as_array().expect("a list").iter().filter(|figure| figure["name"] == "accuracy").collect();
    assert_eq!(by_score.len(), 2);
    holds(by_score[1], "estimate", accuracy);
    holds(figure(&found, "expected accuracy", json!(null)), "estimate", accuracy);
    holds(figure(&found, "label share by shift", json!("late")), "estimate", late);
    for figure in found["figures"].as_array().expect("a list") {
        assert!(!["rose", "fell", "burning"].contains(&figure["state"].as_str().expect("a word")), "{figure}");
        assert!(figure["answers"].as_u64().expect("a count") > 0 && !figure["delta"].is_null());
    }
    assert!(labeled["fakes_for_delta"].as_u64().expect("a number") > 10, "{labeled}");
    let coverage = figure(&found, "label coverage", json!(null));
    assert!(coverage["estimate"]["lower"].as_f64().expect("a bound") > 0.7, "{coverage}");
    let basis = &found["questions"][0];
    assert_eq!((&basis["question"], &basis["has_reference"]), (&json!("prediction_and_outcome"), &json!(true)));
    assert!(
        basis["response_rate"].as_f64().expect("a rate") > 0.8 && basis["coverage"]["estimate"].as_f64() > Some(0.3)
    );
    let matrix = &found["confusion"][0];
    assert_eq!((&matrix["outcomes"], &matrix["now"].as_array().map(Vec::len)), (&json!(["on time", "late"]), &Some(4)));
    assert_eq!(matrix["accuracy"].as_array().expect("a list").len(), 18);
    for (place, state) in [(0, "inconclusive"), (1, "inconclusive")] {
        assert_eq!(found["calibration"][place]["state"], state, "{}", found["calibration"]);
    }
    assert_eq!(found["calibration"][1]["rows"].as_array().expect("a list").len(), 4);
    assert!(found["calibration"][1]["error"]["upper"].as_f64().expect("a bound") < 0.3);
    assert_eq!(found["joint"][0]["question"], "origin_and_hour");
    assert!(found["joint"][0]["together"].as_f64().expect("a p-value") > 0.0);
    let segments = found["segments"].as_array().expect("a list");
    assert_eq!(segments.len(), 6, "three airports, two questions");
    assert!(segments.iter().all(|segment| segment["state"] != "weak"), "{segments:?}");
    assert_eq!(found["missing"], json!([]));
}

/// The model says "late" from four minutes before the scheduled departure on.
#[test]
fn a_model_that_breaks_is_seen() {
    let document = asking();
    let (centre, [accuracy, late]) = replay(&document, Some(-4.0));
    assert!(accuracy < 0.75, "{accuracy}");
    let found = performance(&centre, &document);
    let fell = figure(&found, "accuracy", json!(null));
    holds(fell, "estimate", accuracy);
    assert_eq!(fell["state"], "fell", "{fell}");
    assert!(fell["change"]["upper"].as_f64().expect("a bound") < -0.05, "{fell}");
    assert_eq!(figure(&found, "predicted share", json!("late"))["state"], "rose");
    holds(figure(&found, "outcome share", json!("late")), "estimate", late);
    // Nothing but the labels tells: predictions alone expect the accuracy of the reference, and the rates by cell say
    // that this is wrong now.
    assert_eq!(found["calibration"][0]["state"], "drift", "{}", found["calibration"][0]);
    let slow = figure(&found, "latency budget", json!("> 1"));
    assert_eq!(slow["state"], "burning", "{slow}");
    assert_ne!(figure(&found, "error budget", json!("failed"))["state"], "burning");
    assert!(slow["burn_rate"]["lower"].as_f64().expect("a rate") > 1.0, "{slow}");
    let dir = centre.stop();
    let page = dir.path().join("drift.html").display().to_string();
    let data = dir.path().display().to_string();
    let text = run(&["drift", "--data-dir", &data, "--html", &page]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("% of the predictions are right: accuracy fell by "), "{text}");
    let json = run(&["drift", "--data-dir", &data, "--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["performance"]["figures"][0]["name"], "accuracy");
    let page = std::fs::read_to_string(page).expect("a page");
    assert!(page.contains("class=\"matrix\"") && page.contains("Calibration"));
}

/// The demo's own spec asks for pairs, not for predictions alone, scores, latency or errors; and has no reference yet.
#[test]
fn what_is_not_asked_is_named() {
    let weeks = FIRST_WEEK..FIRST_WEEK + 1;
    let deployment = |_: u32, _: &[Flight]| Deployment::STABLE;
    let centre = Replay { spec: spec(), document: SPEC, weeks, deployment: &deployment, seed: 4 }.run();
    let found = performance(&centre, SPEC);
    let missing: Vec<&str> =
        found["missing"].as_array().expect("a list").iter().filter_map(|one| one["figure"].as_str()).collect();
    let expected = [
        "changes of accuracy and rates",
        "accuracy and label shares before labels arrive",
        "calibration error",
        "latency budget",
        "error budget",
        "drift of several metrics together",
        "weak segments",
    ];
    assert_eq!(missing, expected);
    let needs = found["missing"][1]["needs"].as_str().expect("text");
    assert_eq!(needs, "a sampled-event question about the metric \"prediction\"");
    let accuracy = figure(&found, "accuracy", json!(null));
    assert_eq!((&accuracy["state"], &accuracy["reference"]), (&json!("waiting"), &Value::Null), "{accuracy}");
    assert!(accuracy["estimate"]["estimate"].as_f64().expect("a share") > 0.7);
}
