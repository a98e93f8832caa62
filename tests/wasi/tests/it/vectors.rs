//! The vectors of `docs/report-format.md` through the components as they ship, with the host's entropy scripted.
//! `tests/it/vectors.rs` of the workspace runs the same natively, `tests/node/vectors.test.mjs` in JavaScript.

use std::sync::{Arc, Mutex};

use driftglass::privacy::EntropySource;
use driftglass_wasi_host::world::exports::driftglass::monitor::monitoring::{
    Arm, Elements, Error, Field, Observation, OutcomeValue,
};
use driftglass_wasi_host::{Host, Running};
use serde_json::Value;
use wasmtime::component::ResourceAny;

use self::entropy::SeedStream;
use crate::running::{WORLDS, start, start_with};

#[path = "../../../it/entropy.rs"]
#[allow(dead_code, reason = "shared with the tests of the workspace, which use more of it")]
mod entropy;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../vectors/report-v1.json")).expect("the file of vectors")
}

fn list<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    value[name].as_array().expect("a list")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("an integer")
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().expect("text");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")).collect()
}

/// A monitor for a spec of the vectors.
fn create(running: &mut Running, document: &Value, segment: usize, arm: Arm) -> ResourceAny {
    let segment = document["measurement"]["segments"][segment].as_str().expect("a segment");
    let monitor = running.monitoring.monitor();
    let created = monitor.call_create(&mut running.store, &document.to_string(), segment, arm);
    created.expect("no trap").expect("a valid spec")
}

/// Observes each sample as often as the profile says.
fn fill(running: &mut Running, monitor: ResourceAny, samples: &[Value], profile: &[Value], secs: u64) {
    let calls = running.monitoring.monitor();
    for (sample, count) in samples.iter().zip(profile) {
        for _ in 0..number(count) {
            let elements = match &sample["input"] {
                Value::Number(number) => Elements::Float64(vec![number.as_f64().expect("a double")]),
                Value::String(text) => Elements::Text(vec![text.clone()]),
                _ => Elements::Nullable(vec![None]),
            };
            let seen = Observation {
                inputs: vec![Field { name: "x".to_owned(), elements }],
                outputs: Vec::new(),
                latency_ms: None,
                failed: false,
            };
            let outcome = sample["outcome"].as_str();
            calls.call_observe(&mut running.store, monitor, &seen, outcome.map(|_| "key"), secs).expect("no trap");
            if let Some(outcome) = outcome {
                let value = OutcomeValue::Text(outcome.to_owned());
                let joined = calls.call_outcome(&mut running.store, monitor, "key", &value, secs);
                assert!(joined.expect("no trap"), "a prediction waits");
            }
        }
    }
}

#[test]
fn specs_have_the_expected_id() {
    for world in WORLDS {
        let mut running = start(world);
        for spec in list(&vectors(), "specs") {
            let monitor = create(&mut running, &spec["document"], 0, Arm::Stable);
            let id = running.monitoring.monitor().call_spec_id(&mut running.store, monitor).expect("no trap");
            assert_eq!(Some(id.as_str()), spec["id"].as_str());
        }
    }
}

#[test]
fn good_reports_byte_for_byte() {
    let vectors = vectors();
    let cases = list(&vectors, "good");
    assert!(cases.len() >= 150);
    for world in WORLDS {
        let stream = Arc::new(Mutex::new(SeedStream::new(b"before the first case: the start-up tests")));
        let script = Arc::clone(&stream);
        let entropy = move |buffer: &mut [u8]| script.lock().expect("no panic").fill(buffer).expect("endless");
        let mut running = start_with(world, Host { entropy: Box::new(entropy) });
        for (row, case) in cases.iter().enumerate() {
            let spec = &vectors["specs"][number(&case["spec"]) as usize];
            let document = &spec["document"];
            let arm = if case["canary"] == true { Arm::Canary } else { Arm::Stable };
            let monitor = create(&mut running, document, number(&case["segment"]) as usize, arm);
            let calls = running.monitoring.monitor();
            let (window, now) = (number(&case["window"]) as u32, number(&case["now_secs"]));
            if row == 0 {
                // The start-up tests draw before the first state or answer of an instance, and never again.
                calls.call_join(&mut running.store, monitor, None, now).expect("no trap").expect("entropy");
            }
            let secs = u64::from(window) * number(&document["measurement"]["window"]["length_secs"]);
            let profile = case["profile"].as_array().map_or(&[][..], Vec::as_slice);
            fill(&mut running, monitor, list(spec, "samples"), profile, secs);

            *stream.lock().expect("no panic") = SeedStream::new(&bytes(&case["seed"]));
            let calls = running.monitoring.monitor();
            let state = bytes(&case["state"]);
            let answer = calls.call_answer(&mut running.store, monitor, &state, window, now, None).expect("no trap");
            let answer = answer.unwrap_or_else(|error| panic!("{world} {row}: {error:?}"));
            let name = format!("{world}, case {row}");
            assert_eq!(answer.report, bytes(&case["report"]), "{name}");
            assert_eq!(answer.true_symbol, number(&case["true_symbol"]), "{name}");
            assert_eq!(u64::from(answer.question.index), number(&case["question"]), "{name}");
            assert_eq!(stream.lock().expect("no panic").drawn as u64, number(&case["drawn"]), "{name}");

            let view = calls.call_parse_report(&mut running.store, monitor, &answer.report).expect("no trap");
            let view = view.expect("a report of the spec");
            let supports: Vec<u64> = view.symbols.into_iter().map(u64::from).collect();
            let expected = case["supports"].as_array().map_or_else(Vec::new, |list| list.iter().map(number).collect());
            assert_eq!(supports, expected, "{name}");
            assert_eq!((view.window, view.arm), (window, arm), "{name}");
            let due = calls.call_due(&mut running.store, monitor, &answer.state, now).expect("no trap");
            assert_ne!(due.expect("a state"), Some(window), "{name}: a window is answered once");
            monitor.resource_drop(&mut running.store).expect("a monitor");
        }
    }
}

#[test]
fn bad_reports_are_refused() {
    let vectors = vectors();
    let cases = list(&vectors, "bad");
    assert!(cases.len() >= 200);
    for world in WORLDS {
        let mut running = start(world);
        for case in cases {
            let document = &vectors["specs"][number(&case["spec"]) as usize]["document"];
            let monitor = create(&mut running, document, 0, Arm::Stable);
            let calls = running.monitoring.monitor();
            let view = calls.call_parse_report(&mut running.store, monitor, &bytes(&case["bytes"])).expect("no trap");
            assert!(matches!(view, Err(Error::MalformedReport(_))), "{world}: {}", case["name"]);
            monitor.resource_drop(&mut running.store).expect("a monitor");
        }
    }
}

#[test]
fn upload_bodies() {
    for world in WORLDS {
        let mut running = start(world);
        for case in list(&vectors()["bodies"], "good") {
            let reports: Vec<Vec<u8>> = list(case, "reports").iter().map(bytes).collect();
            let body = running.monitoring.call_encode_body(&mut running.store, &reports).expect("no trap");
            assert_eq!(body.expect("reports"), bytes(&case["bytes"]), "{world}");
        }
    }
}
