//! Verdicts over HTTP: the shape, and that planted drift is found.

use driftglass_central::clock::Clock;
use driftglass_central::writer::QueueLimits;
use serde_json::{Value, json};

use crate::support::{Centre, Fleet, WINDOW, body, data_dir, now_secs, register, spec};

/// A reference in which the first cell of each question has a share, and the others divide the rest.
pub(crate) fn reference(first: f64) -> String {
    let question = |question: &driftglass::spec::Question| {
        let cells = question.data_cells();
        let rest = (1.0 - first) / (cells - 1) as f64;
        let shares: Vec<f64> = (0..cells).map(|cell| if cell == 0 { first } else { rest }).collect();
        let covariance = vec![vec![0.0; cells]; cells];
        (question.name.clone(), json!({ "device_windows": 10_000, "shares": shares, "covariance": covariance }))
    };
    let questions: serde_json::Map<String, Value> = spec().questions.iter().map(question).collect();
    json!({ "spec_id": spec().id().to_string(), "questions": questions }).to_string()
}

fn verdicts(reference: Option<&str>) -> Value {
    let dir = data_dir();
    register(dir.path(), reference);
    let centre = Centre::start(dir, Clock::simulated(now_secs()), QueueLimits::default());
    assert_eq!(centre.upload(&body(&Fleet::new(1).reports(3_000))).status, 202);
    centre.get(&format!("/v1/specs/{}/verdicts", spec().id())).json
}

/// All devices saw a departure after 0 minutes; the reference expects 90 % before.
#[test]
fn planted_drift_is_found() {
    let found = verdicts(Some(&reference(0.9)));
    let number = |value: &Value| value.as_f64().expect("a number");
    assert_eq!(found["tests_per_year"], 7.0 * 31_557_600.0 / 604_800.0);
    assert_eq!(found["level"], 1.0 / (7.0 * 31_557_600.0 / 604_800.0));
    let question = &found["questions"][0];
    assert_eq!((&question["name"], &question["cells"]), (&json!("departed_late"), &json!(["≤ 0", "> 0"])));
    assert_eq!(
        (&question["kind"], &question["threshold"], &question["ordered"]),
        (&json!("threshold-bit"), &json!(0.0), &json!(true))
    );
    let asked = &spec().questions[0];
    assert_eq!(question["epsilon"], asked.epsilon_micronats as f64 / 1e6);
    assert_eq!(question["delta"], spec().detection.deltas[0]);
    assert_eq!(question["reference"], json!({ "device_windows": 10_000, "shares": [0.9, 1.0 - 0.9] }));
    assert_eq!(question["first_alert_window"], Value::Null, "an alert counts once its window takes no more reports");

    let window = &question["windows"][0];
    assert_eq!((&window["window"], &window["span_first_window"]), (&json!(WINDOW), &json!(WINDOW)));
    assert_eq!(window["end_secs"], now_secs());
    assert_eq!((&window["closed"], &window["verdict"]), (&json!(false), &json!("drift")));
    assert_eq!((&window["reports"], &window["reports_needed"]), (&window["span_reports"], &json!(null)));
    let late = &window["shares"][1];
    assert!(number(&late["lower"]) > 0.5 && number(&late["upper"]) == 1.0, "{late}");
    assert!(number(&window["answered_share"]) > 0.8);
    assert!((number(&window["no_data"]["estimate"]) + number(&window["answered_share"]) - 1.0).abs() < 1e-12);
    assert_eq!((&window["effect"]["measure"], &window["wald"]["df"]), (&json!("ks"), &json!(1)));
    assert!(number(&window["effect"]["lower"]) > spec().detection.deltas[0]);

    let reports: u64 = found["questions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|question| question["windows"][0]["reports"].as_u64().expect("a count"))
        .sum();
    assert_eq!(reports, 3_000);
    let carrier = &found["questions"][6];
    let mechanism = spec().questions[6].randomizer.mechanism.name();
    assert_eq!((&carrier["threshold"], &carrier["mechanism"]), (&json!(null), &json!(mechanism)));
    assert_eq!(carrier["windows"][0]["verdict"], "waiting", "nobody has data");
}

#[test]
fn without_a_reference_verdicts_wait() {
    let found = verdicts(None);
    let question = &found["questions"][0];
    assert_eq!((&question["reference"], &question["first_alert_window"]), (&json!(null), &json!(null)));
    let window = &question["windows"][0];
    assert_eq!(window["verdict"], "waiting");
    for field in ["answered_share", "shares", "no_data", "wald", "effect", "reports_needed"] {
        assert_eq!(window[field], json!(null), "{field}");
    }
}

#[test]
fn spans_reach_back() {
    let dir = data_dir();
    register(dir.path(), Some(&reference(0.9)));
    let centre = Centre::start(dir, Clock::simulated(now_secs()), QueueLimits::default());
    let mut fleet = Fleet::new(1);
    for (window, reports) in [(WINDOW, 30), (WINDOW + 1, 20), (WINDOW + 4, 10)] {
        let reports: Vec<_> = (0..reports)
            .map(|_| {
                let mut report = fleet.report();
                (report.window, report.question, report.payload) = (window, 0, vec![1]);
                report.encode()
            })
            .collect();
        centre.set_clock(spec().window.start_secs(window).max(now_secs()));
        assert_eq!(centre.upload(&body(&reports)).counts()[0], reports.len() as u64);
    }
    let found = centre.get(&format!("/v1/specs/{}/verdicts", spec().id())).json;
    let windows = found["questions"][0]["windows"].as_array().expect("a list");
    let spans: Vec<_> = windows
        .iter()
        .map(|window| {
            ["window", "reports", "span_first_window", "span_reports"]
                .map(|name| window[name].as_u64().expect("a count"))
        })
        .collect();
    let first = u64::from(WINDOW);
    assert_eq!(spans, [[first, 30, first, 30], [first + 1, 20, first, 50], [first + 4, 10, first + 1, 30]]);
    let closed: Vec<_> = windows.iter().map(|window| window["closed"].as_bool().expect("a bool")).collect();
    assert_eq!(closed, [true, true, false]);
}
