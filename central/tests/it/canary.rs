//! The canary beside stable on real flights: a model that answers otherwise is told apart, the same model is not.

use driftglass::report::Arm;
use serde_json::{Value, json};

use crate::flights::{Deployment, FIRST_WEEK, Replay};
use crate::support::{Centre, SPEC, run, spec};

/// Three aircraft in ten run the canary, by a hash of their number; the canary's model says "late" from `half` minutes on.
fn canary(half: f32) -> Centre {
    let deployment = |device: u32, _: &[_]| {
        let is_canary = device.wrapping_mul(0x9E37_79B9) >> 16 & 0xFF < 77;
        if is_canary { Deployment { arm: Arm::Canary, half, ..Deployment::STABLE } } else { Deployment::STABLE }
    };
    let weeks = FIRST_WEEK..FIRST_WEEK + 12;
    Replay { spec: spec(), document: SPEC, weeks, deployment: &deployment, seed: 1 }.run()
}

fn arms(centre: &Centre) -> Value {
    centre.get(&format!("/v1/specs/{}/verdicts", spec().id())).json["arms"].clone()
}

fn question<'a>(arms: &'a Value, name: &str) -> &'a Value {
    let questions = arms["questions"].as_array().expect("a list");
    questions.iter().find(|question| question["name"] == name).expect("a question")
}

#[test]
fn a_canary_with_another_model_is_told_apart() {
    let centre = canary(-4.0);
    let found = arms(&centre);
    assert_eq!((&found["run"], &found["first_window"]), (&json!(1), &json!(FIRST_WEEK)));
    assert_eq!(found["last_window"], FIRST_WEEK + 11);
    // 7 questions × (the fleet, two groups with their own start, the canary beside stable) share one false alarm; the
    // first run has half of its stream's part.
    assert_eq!(found["alpha"], 1.0 / 28.0 / 2.0);
    let differs = question(&found, "prediction_and_outcome");
    assert_eq!((&differs["verdict"], &differs["method"]), (&json!("differs"), &json!("e-process")), "{differs}");
    assert!(differs["log_e"].as_f64().expect("evidence") > 20.0, "{differs}");
    let [lower, upper] = ["lower", "upper"].map(|end| differs["effect"][end].as_f64().expect("a bound"));
    let largest = differs["effect"]["largest"].as_f64().expect("a size");
    assert!(0.05 < lower && lower < largest && largest < upper, "{differs}");
    // "late" that was on time, the third pair, is what the canary says more often.
    let difference = differs["difference"].as_array().expect("cells");
    assert_eq!(difference.len(), 4);
    assert!(difference[2].as_f64().expect("a number") > 0.05, "{differs}");
    assert!(difference.iter().map(|d| d.as_f64().expect("a number")).sum::<f64>().abs() < 1e-9);
    let windows = differs["windows"].as_array().expect("a list");
    assert_eq!(windows.len(), 12);
    let evidence: Vec<f64> = windows.iter().map(|window| window["log_e"].as_f64().expect("evidence")).collect();
    assert!(evidence[0] < evidence[11], "{evidence:?}");
    assert!(differs["answers"]["canary"].as_u64().expect("a number") > 500, "{differs}");
    // What the model does not touch is not said to differ.
    for name in ["departed_late", "arrived_late", "temperature", "hour", "carrier"] {
        assert_ne!(question(&found, name)["verdict"], "differs", "{name}");
    }
    let dir = centre.stop();
    let page = dir.path().join("drift.html");
    let arguments = ["drift", "--data-dir", &dir.path().display().to_string(), "--html", &page.display().to_string()];
    let text = run(&arguments.map(str::to_owned));
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("The canary differs from stable in "), "{text}");
    assert!(text.contains("prediction_and_outcome      different"), "{text}");
    let page = std::fs::read_to_string(page).expect("a page");
    assert!(page.contains("Canary beside stable") && page.contains("class=\"narrowing\""));
}

#[test]
fn a_canary_with_the_same_model_is_not_shown_to_differ() {
    let centre = canary(Deployment::STABLE.half);
    let found = arms(&centre);
    for question in found["questions"].as_array().expect("a list") {
        assert!(["alike", "inconclusive"].contains(&question["verdict"].as_str().expect("a word")), "{question}");
        let lower = question["effect"]["lower"].as_f64().expect("a bound");
        assert!(lower <= question["effect"]["upper"].as_f64().expect("a bound"));
    }
    // A fleet with one arm has no such comparison.
    let one = Replay {
        spec: spec(),
        document: SPEC,
        weeks: FIRST_WEEK..FIRST_WEEK + 1,
        deployment: &|_, _| Deployment::STABLE,
        seed: 1,
    };
    assert_eq!(arms(&one.run()), Value::Null);
}
