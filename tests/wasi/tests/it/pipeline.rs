//! The pipeline of a device from the host's side, and every way in which a call is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use driftglass_wasi_host::world::exports::driftglass::monitor::monitoring::{
    Answer, Arm, Disposition, Elements, Error, Field, MergedSketches, ModelInput, ModelShape, Observation, OutcomeValue,
};
use driftglass_wasi_host::world::exports::driftglass::monitor::types::Refusal;
use driftglass_wasi_host::{Host, Running};
use wasmtime::component::ResourceAny;

use crate::running::{start, start_with};

pub(crate) const SPEC: &str = include_str!("../../../../pkg-config.json");
pub(crate) const WEEK: u64 = 604_800;

/// A monitor in an instance of the world `core`.
struct Device {
    running: Running,
    monitor: ResourceAny,
}

impl Device {
    fn new() -> Self {
        Self::of(start("core"), SPEC)
    }

    fn of(mut running: Running, spec: &str) -> Self {
        let monitor = create(&mut running, spec, "all").expect("a valid spec");
        Self { running, monitor }
    }

    fn join(&mut self, state: Option<&[u8]>, now: u64) -> Result<Vec<u8>, Error> {
        let calls = self.running.monitoring.monitor();
        let state = state.map(<[u8]>::to_vec);
        calls.call_join(&mut self.running.store, self.monitor, state.as_ref(), now).expect("no trap")
    }

    fn due(&mut self, state: &[u8], now: u64) -> Option<u32> {
        let calls = self.running.monitoring.monitor();
        calls.call_due(&mut self.running.store, self.monitor, &state.to_vec(), now).expect("no trap").expect("a state")
    }

    fn answer(&mut self, state: &[u8], window: u32, now: u64) -> Result<Answer, Error> {
        let calls = self.running.monitoring.monitor();
        calls.call_answer(&mut self.running.store, self.monitor, &state.to_vec(), window, now, None).expect("no trap")
    }

    fn observe(&mut self, late_by: f32, key: Option<&str>, now: u64) {
        let calls = self.running.monitoring.monitor();
        let field = |name: &str, elements| Field { name: name.to_owned(), elements };
        let seen = Observation {
            inputs: vec![
                field("numeric", Elements::Float32(vec![late_by, 9.0, 500.0, f32::NAN, 5.0, 0.0, 10.0, 1_010.0])),
                field("carrier", Elements::Int64(vec![2])),
                field("origin", Elements::Text(vec!["JFK".to_owned()])),
            ],
            outputs: vec![field("probabilities", Elements::Float64(vec![0.2, 0.8]))],
            latency_ms: Some(3.5),
            failed: false,
        };
        calls.call_observe(&mut self.running.store, self.monitor, &seen, key, now).expect("no trap");
    }

    fn outcome(&mut self, key: &str, value: &str, now: u64) -> bool {
        let calls = self.running.monitoring.monitor();
        let value = OutcomeValue::Text(value.to_owned());
        calls.call_outcome(&mut self.running.store, self.monitor, key, &value, now).expect("no trap")
    }

    /// Counts of a metric in a window.
    fn counts(&mut self, metric: &str, window: u32) -> Vec<u32> {
        let calls = self.running.monitoring.monitor();
        let profile = calls.call_inspect(&mut self.running.store, self.monitor, window, None).expect("no trap");
        profile.metrics.into_iter().find(|view| view.name == metric).expect("a metric").counts
    }

    fn take_delta(&mut self) -> Option<Vec<u8>> {
        let calls = self.running.monitoring.monitor();
        calls.call_take_delta(&mut self.running.store, self.monitor).expect("no trap")
    }

    fn give_back(&mut self, delta: &[u8]) -> Result<(), Error> {
        let calls = self.running.monitoring.monitor();
        calls.call_give_back(&mut self.running.store, self.monitor, &delta.to_vec(), 11 * WEEK).expect("no trap")
    }

    fn merged(&mut self, stored: Option<Vec<u8>>, delta: Option<Vec<u8>>) -> Result<MergedSketches, Error> {
        let calls = self.running.monitoring.monitor();
        let (stored, delta) = (stored.as_ref(), delta.as_ref());
        calls.call_merged(&mut self.running.store, self.monitor, stored, delta, 11 * WEEK).expect("no trap")
    }

    fn admit(&mut self, model: &ModelShape) -> Result<(), Error> {
        let calls = self.running.monitoring.monitor();
        calls.call_admit(&mut self.running.store, self.monitor, model).expect("no trap")
    }
}

fn create(running: &mut Running, spec: &str, segment: &str) -> Result<ResourceAny, Error> {
    let calls = running.monitoring.monitor();
    calls.call_create(&mut running.store, spec, segment, Arm::Stable).expect("no trap")
}

#[test]
fn a_device_joins_observes_answers_and_knows_what_it_spent() {
    let mut device = Device::new();
    let state = device.join(None, 10 * WEEK).expect("entropy");
    assert_eq!(device.due(&state, 11 * WEEK), None, "a device joins at the next boundary");
    for late_by in [-5.0, 20.0, 60.0] {
        device.observe(late_by, Some("flight"), 11 * WEEK + 5);
    }
    assert!(device.outcome("flight", "late", 11 * WEEK + 9));
    assert!(!device.outcome("flight", "late", 11 * WEEK + 9), "an outcome is counted once");
    assert_eq!(device.counts("dep_delay", 11).iter().sum::<u32>(), 3);
    assert_eq!(device.counts("outcome", 11), [0, 1]);
    assert_eq!(device.counts("dep_delay", 10).iter().sum::<u32>(), 0);

    let now = 12 * WEEK + 1;
    assert_eq!(device.due(&state, now), Some(11));
    let answer = device.answer(&state, 11, now).expect("an answer");
    assert_eq!((answer.window, answer.report.len()), (11, 45));
    assert_eq!(device.due(&answer.state, now), None);

    let calls = device.running.monitoring.monitor();
    let ledger = calls.call_ledger(&mut device.running.store, device.monitor, &answer.state, now).expect("no trap");
    let ledger = ledger.expect("a state");
    assert_eq!(ledger.next_window, 12);
    assert_eq!(ledger.spent[0].cap.period_secs, 7_862_400);
    assert_eq!((ledger.spent[0].spent_micronats, ledger.spent[0].most_micronats), (3_000_000, 3_000_000));

    let calls = device.running.monitoring.monitor();
    let view = calls.call_parse_report(&mut device.running.store, device.monitor, &answer.report).expect("no trap");
    let view = view.expect("a report of the spec");
    assert_eq!((view.window, view.question, view.segment), (11, answer.question.index, 0));
    assert_eq!(view.fields.iter().map(|field| field.length).sum::<u32>(), 45);
}

#[test]
fn what_an_instance_forgets_the_host_has_kept() {
    let mut first = Device::new();
    let state = first.join(None, 10 * WEEK).expect("entropy");
    drop(first);
    let mut second = Device::new();
    let entered = second.join(Some(&state), 11 * WEEK).expect("the same app");
    assert_eq!(entered, state, "the same spec: secret, budget book and next window stay");
    let answer = second.answer(&entered, 11, 12 * WEEK).expect("an answer without data");
    assert_eq!(answer.report.len(), 45);
}

#[test]
fn sketches_outlive_an_instance_and_are_shared_by_several() {
    let (mut first, mut second) = (Device::new(), Device::new());
    first.observe(20.0, Some("flight"), 11 * WEEK);
    second.observe(60.0, None, 11 * WEEK);
    assert!(!second.outcome("flight", "late", 11 * WEEK), "the prediction waits in the other instance");
    let mut stored = None;
    for device in [&mut first, &mut second] {
        let delta = device.take_delta().expect("something was added");
        assert!(device.take_delta().is_none(), "what was taken is forgotten");
        device.give_back(&delta).expect("as if the transaction had failed");
        let delta = device.take_delta().expect("what was given back");
        let merged = device.merged(stored, Some(delta)).expect("a delta of this spec");
        assert_eq!((merged.unknown_outcomes, merged.discarded), (0, false));
        stored = Some(merged.sketches);
    }
    let stored = stored.expect("two deltas");
    let mut third = Device::new();
    let counts = |device: &mut Device, metric: &str| {
        let calls = device.running.monitoring.monitor();
        let profile = calls.call_inspect(&mut device.running.store, device.monitor, 11, Some(&stored));
        profile.expect("no trap").metrics.into_iter().find(|view| view.name == metric).expect("a metric").counts
    };
    assert_eq!(counts(&mut third, "dep_delay").iter().sum::<u32>(), 2);
    assert_eq!(counts(&mut third, "outcome"), [0, 1], "joined when they were merged");

    let state = third.join(None, 10 * WEEK).expect("entropy");
    let calls = third.running.monitoring.monitor();
    let answer = calls.call_answer(&mut third.running.store, third.monitor, &state, 11, 12 * WEEK, Some(&stored));
    assert_eq!(answer.expect("no trap").expect("an answer").report.len(), 45);

    let other = third.merged(Some(vec![7; 40]), None).expect("what is stored may be anything");
    assert!(other.discarded);
    assert!(matches!(third.merged(None, Some(vec![7; 40])), Err(Error::UnreadableSketches)));
    assert!(matches!(third.give_back(&[7; 40]), Err(Error::UnreadableSketches)));
}

#[test]
fn states_that_cannot_be_used_are_refused() {
    let mut device = Device::new();
    let state = device.join(None, 10 * WEEK).expect("entropy");
    for bytes in [&[][..], &[7; 80], &state[1..]] {
        assert!(matches!(device.join(Some(bytes), 0), Err(Error::UnreadableState)));
        assert!(matches!(device.answer(bytes, 11, 12 * WEEK), Err(Error::UnreadableState)));
    }
    let other = SPEC.replace("\"app\": \"nyc-late-arrival\"", "\"app\": \"another\"");
    let mut other = Device::of(start("core"), &other);
    assert!(matches!(other.join(Some(&state), 0), Err(Error::ForeignState)));
}

#[test]
fn windows_that_are_not_due_are_refused() {
    let mut device = Device::new();
    let state = device.join(None, 10 * WEEK).expect("entropy");
    for (window, now) in [(10, 11 * WEEK), (11, 11 * WEEK + 5), (11, 14 * WEEK), (12, 12 * WEEK)] {
        assert!(matches!(device.answer(&state, window, now), Err(Error::NotDue)), "window {window}");
    }
}

#[test]
fn a_spent_budget_names_its_cap() {
    let tight = SPEC.replace("\"epsilon_micronats\": 39000000", "\"epsilon_micronats\": 7000000");
    let mut device = Device::of(start("core"), &tight);
    let mut state = device.join(None, 0).expect("entropy");
    for window in 1..=2 {
        state = device.answer(&state, window, u64::from(window + 1) * WEEK).expect("ε = 3 of 7").state;
    }
    let Err(Error::BudgetSpent(cap)) = device.answer(&state, 3, 4 * WEEK) else { panic!("ε = 9 of 7") };
    assert_eq!((cap.period_secs, cap.epsilon_micronats), (7_862_400, 7_000_000));
}

#[test]
fn specs_and_segments_that_are_none_are_refused() {
    let mut running = start("core");
    let fault = |error| if let Error::InvalidSpec(fault) = error { (fault.pointer, fault.rule) } else { panic!() };
    let (pointer, rule) = fault(create(&mut running, "{", "all").expect_err("no JSON"));
    assert_eq!((pointer.as_str(), rule.as_str()), ("", "must be JSON (line 1, column 1)"));
    let weight = SPEC.replace("\"weight\": 4", "\"weight\": -4");
    let (pointer, _) = fault(create(&mut running, &weight, "all").expect_err("a weight below 1"));
    assert_eq!(pointer, "/measurement/questions/0/weight");
    assert!(matches!(create(&mut running, SPEC, "some"), Err(Error::UnknownSegment)));
}

#[test]
fn broken_entropy_hides_nothing_and_is_tried_again() {
    let broken = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&broken);
    let entropy = move |buffer: &mut [u8]| {
        if switch.load(Ordering::Relaxed) {
            buffer.fill(7);
        } else {
            getrandom::fill(buffer).expect("entropy of the system");
        }
    };
    let mut device = Device::of(start_with("core", Host { entropy: Box::new(entropy) }), SPEC);
    assert!(matches!(device.join(None, 0), Err(Error::NoEntropy)));
    broken.store(false, Ordering::Relaxed);
    assert!(device.join(None, 0).is_ok());
}

#[test]
fn models_that_do_not_fit_are_refused() {
    let mut device = Device::new();
    let sha256 = "4905d5a550ab677766717d6471291b03e5593a0b1f40ccef17f248e79f885fb8";
    let sha256 = (0..32).map(|at| u8::from_str_radix(&sha256[2 * at..2 * at + 2], 16).expect("hexadecimal"));
    let input = |name: &str, dims: &[Option<u32>]| ModelInput { name: name.to_owned(), dims: dims.to_vec() };
    let good = ModelShape {
        sha256: sha256.collect(),
        inputs: vec![input("numeric", &[None, Some(8)]), input("carrier", &[None]), input("origin", &[None])],
        outputs: vec!["probabilities".to_owned()],
    };
    assert!(device.admit(&good).is_ok());
    let short = ModelShape { sha256: vec![7; 31], ..good.clone() };
    assert!(matches!(device.admit(&short), Err(Error::MalformedModel(_))));
    let refused = |device: &mut Device, model: &ModelShape| match device.admit(model) {
        Err(Error::ModelRefused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    let other = ModelShape { sha256: vec![7; 32], ..good.clone() };
    assert!(matches!(refused(&mut device, &other), Refusal::NotListed));
    let mute = ModelShape { outputs: Vec::new(), ..good.clone() };
    let Refusal::MissingTensor(misfit) = refused(&mut device, &mute) else { panic!("an output is missing") };
    assert_eq!((misfit.tensor.as_str(), misfit.metric.as_str()), ("probabilities", "prediction"));
    let inputs = vec![input("numeric", &[None, Some(2)]), input("carrier", &[None]), input("origin", &[None])];
    let narrow = ModelShape { inputs, ..good };
    let Refusal::IndexOutside(misfit) = refused(&mut device, &narrow) else { panic!("no third element") };
    assert_eq!((misfit.tensor.as_str(), misfit.metric.as_str()), ("numeric", "temperature"));
}

#[test]
fn purge_forgets_what_was_seen() {
    let mut device = Device::new();
    device.observe(20.0, Some("flight"), 11 * WEEK);
    assert_eq!(device.counts("dep_delay", 11).iter().sum::<u32>(), 1);
    let calls = device.running.monitoring.monitor();
    calls.call_purge(&mut device.running.store, device.monitor).expect("no trap");
    assert_eq!(device.counts("dep_delay", 11).iter().sum::<u32>(), 0);
    assert!(!device.outcome("flight", "late", 11 * WEEK));
}

#[test]
fn answers_of_the_centre_have_a_meaning() {
    let mut running = start("core");
    let mut of = |status| running.monitoring.call_disposition_of(&mut running.store, status).expect("no trap");
    assert_eq!(
        [Some(202), Some(503), None, Some(401), Some(413), Some(422)].map(&mut of),
        [
            Disposition::Settled,
            Disposition::Retry,
            Disposition::Retry,
            Disposition::RetrySlowly,
            Disposition::Split,
            Disposition::Drop
        ]
    );
    let refused = running.monitoring.call_encode_body(&mut running.store, &[vec![7; 99]]).expect("no trap");
    assert!(matches!(refused, Err(Error::MalformedReport(_))));
}
