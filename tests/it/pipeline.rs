//! Properties of the device's pipeline: from any bytes, over any schedule, with any data.
//!
//! Seeds are fixed, so a run repeats. A schedule is 10,000 random steps of a device's life: events, clock jumps in both
//! directions, restarts from stored bytes, lack of entropy, changes of spec and attempts to answer. What must hold is
//! kept by a book of the test's own.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use driftglass::monitor::{AnswerError, Monitor};
use driftglass::observe::{Observation, Value, Values};
use driftglass::privacy::{DeviceState, EntropyError, EntropySource, LedgerError};
use driftglass::report::{Arm, HEADER_BYTES, MAX_PAYLOAD_BYTES, Report};
use driftglass::spec::{Cap, MonitorSpec, SpecId, WindowIndex, word};
use driftglass::upload::{push_report, reports_of};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value as Json, json};

use crate::entropy::{Generator, SeedStream, Tape};

pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(2_026), ..ProptestConfig::default() }
}

/// A spec with every kind of metric, question and mechanism.
pub(crate) fn document() -> Json {
    static BASE: LazyLock<Json> = LazyLock::new(|| {
        let faults: Json = serde_json::from_str(include_str!("../vectors/spec-faults.json")).expect("JSON");
        faults["base"].clone()
    });
    BASE.clone()
}

pub(crate) fn parse(document: &Json) -> MonitorSpec {
    MonitorSpec::parse(&document.to_string()).expect("a valid spec")
}

/// The same spec with windows of some hours, and caps that bind: 4 in six hours, 30 in a hundred.
fn hours(hours: u64) -> MonitorSpec {
    static READ: LazyLock<[MonitorSpec; 5]> = LazyLock::new(|| [1, 2, 3, 4, 5].map(read_hours));
    READ[hours as usize - 1].clone()
}

fn read_hours(hours: u64) -> MonitorSpec {
    let mut document = document();
    let measurement = &mut document["measurement"];
    measurement["window"] = json!({"length_secs": hours * 3600, "grace_secs": 3600, "join": "next_window"});
    measurement["privacy"]["caps"] = json!([
        {"period_secs": 21600, "epsilon_micronats": 4_000_000},
        {"period_secs": 360_000, "epsilon_micronats": 30_000_000},
    ]);
    parse(&document)
}

pub(crate) fn monitor(spec: &MonitorSpec) -> Monitor {
    Monitor::new(spec.clone(), Arm::Stable, "all").expect("a segment of the spec")
}

/// One random event, with an outcome half of the time.
fn happen(monitor: &mut Monitor, now_secs: u64, generator: &mut Generator) {
    let mut key = "";
    observe(monitor, now_secs, generator, |generator| {
        key = ["a", "b", "c", "d"][generator.next() as usize % 4];
        Some(key)
    });
    if generator.next().is_multiple_of(2) {
        let truth = ["no", "yes", "new"][generator.next() as usize % 3];
        monitor.outcome(key, Value::Text(truth), now_secs);
    }
}

/// One random inference.
pub(crate) fn observe<'k>(
    monitor: &mut Monitor,
    now_secs: u64,
    generator: &mut Generator,
    key: impl FnOnce(&mut Generator) -> Option<&'k str>,
) {
    let mut number = || (generator.next() % 64) as f64 - 20.0;
    let x = [if number() > 40.0 { f64::NAN } else { number() }];
    let y = [number(), number() / 32.0];
    let z = [0.0, 0.0, 0.0, number(), number()];
    let w = [["late", "later", "never"][number().rem_euclid(3.0) as usize].to_owned()];
    let inputs = [("x", Values::F64(&x)), ("z", Values::F64(&z)), ("w", Values::Text(&w))];
    let outputs = [("y", Values::F64(&y))];
    let seen = Observation { inputs: &inputs, outputs: &outputs, latency_ms: Some(number()), ..Observation::default() };
    monitor.observe(&seen, key(generator), now_secs);
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn decode_inverts_encode(
        canary in any::<bool>(),
        (spec_id, report_id) in any::<([u8; 16], [u8; 16])>(),
        (window, question, segment) in any::<(u32, u16, u16)>(),
        payload in prop::collection::vec(any::<u8>(), 1..=MAX_PAYLOAD_BYTES),
    ) {
        let arm = if canary { Arm::Canary } else { Arm::Stable };
        let spec_id = SpecId::from_bytes(spec_id);
        let report = Report { arm, spec_id, window, question, segment, report_id, payload };
        let bytes = report.encode();
        prop_assert_eq!(bytes.len(), HEADER_BYTES + report.payload.len());
        prop_assert_eq!(Report::decode(&bytes), Ok(report.clone()));
        let mut body = Vec::new();
        push_report(&mut body, &bytes);
        push_report(&mut body, &bytes);
        prop_assert_eq!(reports_of(&body), Ok(vec![&bytes[..], &bytes[..]]));
    }

    /// Whatever is read from any bytes is written as the same bytes: there is one encoding of each thing.
    #[test]
    fn any_bytes_are_read_without_panic_and_canonically(bytes in bytes_near(&any_valid())) {
        if let Ok(report) = Report::decode(&bytes) {
            prop_assert_eq!(report.encode(), bytes.clone());
        }
        if let Ok(reports) = reports_of(&bytes) {
            let mut body = Vec::new();
            reports.iter().for_each(|report| push_report(&mut body, report));
            prop_assert_eq!(body, bytes.clone());
        }
        if let Ok(state) = DeviceState::from_bytes(&bytes) {
            prop_assert_eq!(state.to_bytes(), bytes);
        }
    }

    #[test]
    fn any_text_is_read_without_panic(text in ".*", place in any::<prop::sample::Index>(), length in 0_usize..8) {
        let _ = MonitorSpec::parse(&text);
        // The text in place of a part of a valid spec, at borders of characters.
        let valid = document().to_string();
        let mut start = place.index(valid.len());
        while !valid.is_char_boundary(start) {
            start -= 1;
        }
        let end = (start..=valid.len()).find(|end| *end >= start + length && valid.is_char_boundary(*end));
        let _ = MonitorSpec::parse(&[&valid[..start], &text, &valid[end.unwrap_or(valid.len())..]].concat());
    }

    /// A valid spec with one value replaced: refused, or good for all that follows.
    #[test]
    fn any_spec_that_is_read_can_be_run(
        place in any::<prop::sample::Index>(),
        value in any_json(),
        seed in any::<u64>(),
    ) {
        let mut document = document();
        let mut pointers = Vec::new();
        list_pointers(&document, String::new(), &mut pointers);
        *document.pointer_mut(&pointers[place.index(pointers.len())]).expect("a value") = value;
        if let Ok(spec) = MonitorSpec::parse(&document.to_string()) {
            prop_assert!((1..=MAX_PAYLOAD_BYTES).contains(&spec.payload_len()));
            prop_assert!(spec.questions.iter().all(|question| question.payload_bytes() <= spec.payload_len()));
            let segment = spec.segments[0].clone();
            let mut monitor = Monitor::new(spec.clone(), Arm::Canary, &segment).expect("a segment of the spec");
            let mut generator = Generator::new(seed);
            let mut state = DeviceState::join(&spec, 0, &mut generator).expect("entropy");
            let window = state.next_window();
            happen(&mut monitor, spec.window.start_secs(window), &mut generator);
            let answer = monitor.answer(&mut state, window, spec.window.end_secs(window), &mut generator);
            let within = |cap: &Cap| spec.questions.iter().all(|q| q.epsilon_micronats <= cap.epsilon_micronats);
            prop_assert!(answer.is_ok() || !spec.caps.iter().all(within));
        }
    }

    /// Data, and nothing but data, differs: the header, the number of draws and the state do not.
    #[test]
    fn data_reach_nothing_but_the_payload(seed in any::<u64>(), events in (0_usize..40, 0_usize..40)) {
        let spec = hours(1);
        let mut generator = Generator::new(seed);
        let joined = DeviceState::join(&spec, 7_000, &mut generator).expect("entropy");
        let window = joined.next_window();
        let mut life = |events: usize| {
            let (mut monitor, mut state) = (monitor(&spec), joined.clone());
            (0..events).for_each(|_| happen(&mut monitor, spec.window.start_secs(window), &mut generator));
            let mut entropy = SeedStream::new(&seed.to_be_bytes());
            let answer = monitor.answer(&mut state, window, spec.window.end_secs(window), &mut entropy).expect("due");
            (answer.report.encode(), entropy.drawn, state.to_bytes())
        };
        let ((one, drawn, state), (other, others_drawn, others_state)) = (life(events.0), life(events.1));
        prop_assert_eq!(&one[..HEADER_BYTES], &other[..HEADER_BYTES]);
        prop_assert_eq!(one.len(), other.len());
        prop_assert_eq!(drawn, others_drawn);
        prop_assert_eq!(state, others_state);
    }

    #[test]
    fn all_reports_of_a_spec_have_one_length(seed in any::<u64>(), events in 0_usize..5) {
        let spec = parse(&document());
        let mut generator = Generator::new(seed);
        let mut state = DeviceState::join(&spec, 0, &mut generator).expect("entropy");
        let mut monitor = monitor(&spec);
        for window in 1..=8 {
            (0..events).for_each(|_| happen(&mut monitor, spec.window.start_secs(window), &mut generator));
            let answer = monitor.answer(&mut state, window, spec.window.end_secs(window), &mut generator).expect("due");
            prop_assert_eq!(answer.report.encode().len(), HEADER_BYTES + spec.payload_len());
        }
    }

    /// The next due window is the first that a plain search finds, and no jump of the clock makes it slow.
    #[test]
    fn due_is_the_first_open_window(
        now_secs in prop_oneof![any::<u64>(), 0_u64..1_000_000],
        joined_secs in 0_u64..1_000_000,
    ) {
        static MONITORS: LazyLock<[Monitor; 2]> = LazyLock::new(|| [1, 5].map(|count| monitor(&hours(count))));
        for device in MONITORS.iter() {
            let spec = device.spec();
            let state = DeviceState::join(spec, joined_secs, &mut Generator::new(1)).expect("entropy");
            let current = spec.window.index_at(now_secs);
            let mut recent = current.saturating_sub(9)..current;
            let open = |window: &WindowIndex| spec.window.is_open(*window, now_secs);
            let expected = recent.find(|window| *window >= state.next_window() && open(window));
            prop_assert_eq!(device.due(&state, now_secs), expected);
        }
    }

    /// However much entropy there is: all that is needed, or no report and an error that says so.
    #[test]
    fn without_entropy_there_is_no_report(bytes in prop::collection::vec(any::<u8>(), 0..120), events in 0_usize..5) {
        let spec = hours(1);
        let mut generator = Generator::new(3);
        let mut state = DeviceState::join(&spec, 0, &mut generator).expect("entropy");
        let mut monitor = monitor(&spec);
        (0..events).for_each(|_| happen(&mut monitor, 3_600, &mut generator));
        let mut entropy = Tape::new(&bytes);
        match monitor.answer(&mut state, 1, 7_200, &mut entropy) {
            Ok(answer) => prop_assert_eq!(answer.report.encode().len(), HEADER_BYTES + spec.payload_len()),
            Err(error) => prop_assert_eq!(error, AnswerError::Entropy(EntropyError)),
        }
    }
}

/// Fails one draw, and gives bytes in all others.
struct FailsOnce {
    draws: usize,
    fails: usize,
    generator: Generator,
}

impl EntropySource for FailsOnce {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.draws += 1;
        if self.draws - 1 == self.fails { Err(EntropyError) } else { self.generator.fill(buffer) }
    }
}

/// Whichever of its draws fails, there is no report: a failure that is swallowed would leave a constant in place of
/// entropy.
#[test]
fn a_single_failure_of_entropy_prevents_the_report() {
    let spec = hours(1);
    let state = DeviceState::join(&spec, 0, &mut Generator::new(3)).expect("entropy");
    let answer = |fails| {
        let mut entropy = FailsOnce { draws: 0, fails, generator: Generator::new(5) };
        let answer = monitor(&spec).answer(&mut state.clone(), 1, 7_200, &mut entropy);
        (answer.map(|_| ()), entropy.draws)
    };
    let (made, draws) = answer(usize::MAX);
    assert_eq!(made, Ok(()));
    assert!(draws >= 3, "the event, keep or drop, and the others");
    for fails in 0..draws {
        assert_eq!(answer(fails).0, Err(AnswerError::Entropy(EntropyError)), "draw {fails}");
    }
}

/// A device, and a book of its life that the test keeps.
struct Life {
    specs: [MonitorSpec; 2],
    /// Which of them the device is in.
    current: usize,
    monitor: Monitor,
    /// What the host has stored.
    stored: Vec<u8>,
    now_secs: u64,
    generator: Generator,
    /// (spec, window) of each report.
    answered: BTreeSet<(usize, WindowIndex)>,
    /// Start and cost of each report, in the order they were made.
    spent: Vec<(u64, u64)>,
    refused: Refused,
}

/// How often each refusal was met, so that a schedule is known to have reached it.
#[derive(Debug, Default)]
struct Refused {
    not_due: usize,
    cap: usize,
    entropy: usize,
}

impl Life {
    fn new(seed: u64) -> Self {
        let specs = [hours(1), hours(2)];
        let mut generator = Generator::new(seed);
        let now_secs = 360_000_000;
        let stored = DeviceState::join(&specs[0], now_secs, &mut generator).expect("entropy").to_bytes();
        let monitor = monitor(&specs[0]);
        let (answered, spent) = (BTreeSet::new(), Vec::new());
        Self { specs, current: 0, monitor, stored, now_secs, generator, answered, spent, refused: Refused::default() }
    }

    fn step(&mut self) -> Result<(), TestCaseError> {
        let spec = &self.specs[self.current];
        match self.generator.next() % 100 {
            0..25 => happen(&mut self.monitor, self.now_secs, &mut self.generator),
            25..60 => self.now_secs += self.generator.next() % 4_000,
            // Clock jumps: most small, some large.
            60..66 => self.now_secs = self.now_secs.saturating_sub(self.generator.next() % 10_000),
            66..67 => self.now_secs = self.now_secs.saturating_sub(self.generator.next() % 300_000),
            67..68 => self.now_secs += self.generator.next() % 300_000,
            // The page is closed and opened again.
            68..72 => self.monitor = monitor(spec),
            72..73 => self.change_spec(),
            _ => self.try_to_answer()?,
        }
        Ok(())
    }

    fn change_spec(&mut self) {
        self.current = 1 - self.current;
        let spec = &self.specs[self.current];
        let mut state = DeviceState::from_bytes(&self.stored).expect("stored bytes");
        state.enter(spec, self.now_secs).expect("the same app");
        self.stored = state.to_bytes();
        self.monitor = monitor(spec);
    }

    /// Reads the state, asks for an answer, and commits both or neither.
    fn try_to_answer(&mut self) -> Result<(), TestCaseError> {
        let spec = &self.specs[self.current];
        let mut state = DeviceState::from_bytes(&self.stored).expect("stored bytes");
        let due = self.monitor.due(&state, self.now_secs);
        let window = match self.generator.next() % 4 {
            // A window of the host's own choice.
            0 => spec.window.index_at(self.now_secs) + 1 - (self.generator.next() % 6) as WindowIndex,
            _ => due.unwrap_or(state.next_window()),
        };
        let bytes = [0x5A; 128];
        let supply = self.generator.next() as usize % 512;
        let answer = if supply < bytes.len() {
            self.monitor.answer(&mut state, window, self.now_secs, &mut Tape::new(&bytes[..supply]))
        } else {
            self.monitor.answer(&mut state, window, self.now_secs, &mut self.generator)
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                match error {
                    AnswerError::NotDue => self.refused.not_due += 1,
                    AnswerError::Ledger(LedgerError::CapReached { .. }) => self.refused.cap += 1,
                    AnswerError::Entropy(EntropyError) => self.refused.entropy += 1,
                    _ => prop_assert!(false, "{error}"),
                }
                // The state that was passed in is dropped: nothing has happened.
                return Ok(());
            }
        };

        prop_assert_eq!(due, Some(window), "what was not due was answered");
        prop_assert!(spec.window.end_secs(window) <= self.now_secs, "a window that is not over was answered");
        prop_assert!(spec.window.is_open(window, self.now_secs), "a window that takes no reports was answered");
        prop_assert!(self.answered.insert((self.current, window)), "window {window} was answered twice");
        prop_assert_eq!((answer.report.window, answer.report.spec_id), (window, spec.id()));
        prop_assert_eq!(answer.report.encode().len(), HEADER_BYTES + spec.payload_len());

        let cost = spec.questions[usize::from(answer.report.question)].epsilon_micronats;
        let start = spec.window.start_secs(window);
        self.spent.push((start, cost));
        // Every span of a cap's period that ends with this debit. Earlier ones were checked when they ended; none ends
        // later, as time in the book does not go back.
        for cap in &spec.caps {
            let within = self.spent.iter().filter(|(at, _)| at + cap.period_secs > start);
            let sum: u64 = within.map(|(_, cost)| cost).sum();
            prop_assert!(sum <= cap.epsilon_micronats, "{sum} in {} s", cap.period_secs);
        }
        prop_assert!(self.spent.iter().all(|(at, _)| *at <= start), "the book went back in time");
        self.stored = state.to_bytes();
        Ok(())
    }
}

proptest! {
    #![proptest_config(config(4))]

    #[test]
    fn a_device_keeps_its_promises_over_any_schedule(seed in any::<u64>()) {
        let mut life = Life::new(seed);
        for _ in 0..10_000 {
            life.step()?;
        }
        let refused = &life.refused;
        let met = [refused.not_due, refused.cap, refused.entropy];
        prop_assert!(met.iter().all(|count| *count > 0), "the schedule met too little: {refused:?}");
        prop_assert!(life.spent.len() > 50, "{} answers", life.spent.len());
    }
}

/// A device that leaves a spec and comes back to it with a clock that was set back does not answer a window again.
#[test]
fn coming_back_to_a_spec_answers_no_window_again() {
    let specs = [hours(1), hours(2)];
    let mut generator = Generator::new(9);
    let mut state = DeviceState::join(&specs[0], 99 * 3_600, &mut generator).expect("entropy");
    let device = monitor(&specs[0]);
    device.answer(&mut state, 100, 101 * 3_600, &mut generator).expect("due");
    state.enter(&specs[1], 50 * 3_600).expect("the same app");
    state.enter(&specs[0], 50 * 3_600).expect("the same app");
    let again = device.answer(&mut state, 100, 101 * 3_600, &mut generator);
    assert_eq!(again.expect_err("it was answered").to_string(), AnswerError::NotDue.to_string());
    assert_eq!(device.due(&state, 102 * 3_600), Some(101));
}

/// A spec with other caps in between does not make the ledger forget what the first spec's cap can see.
#[test]
fn a_detour_through_another_spec_resets_no_budget() {
    let with_cap = |period_secs: u64, epsilon_micronats: u64| {
        let mut document = document();
        document["measurement"]["window"] = json!({"length_secs": 3600, "grace_secs": 3600, "join": "next_window"});
        document["measurement"]["privacy"]["caps"] =
            json!([{"period_secs": period_secs, "epsilon_micronats": epsilon_micronats}]);
        parse(&document)
    };
    let (long, short) = (with_cap(360_000, 4_000_000), with_cap(3_600, 8_000_000));
    let mut generator = Generator::new(9);
    let mut state = DeviceState::join(&long, 0, &mut generator).expect("entropy");
    let mut answers = |spec: &MonitorSpec, state: &mut DeviceState, window: WindowIndex| {
        let mut tried = state.clone();
        let answer = monitor(spec).answer(&mut tried, window, spec.window.end_secs(window), &mut generator);
        if answer.is_ok() {
            *state = tried;
        }
        answer.is_ok()
    };
    let full = (1..100).find(|window| !answers(&long, &mut state, *window)).expect("the cap is reached");
    state.enter(&short, short.window.start_secs(full)).expect("the same app");
    assert!(answers(&short, &mut state, full + 1), "the other cap leaves room");
    state.enter(&long, long.window.start_secs(full + 2)).expect("the same app");
    assert!(!answers(&long, &mut state, full + 3), "what was spent within the period is still in the book");
}

/// Words that arrive as outcomes are counted like those of an inference.
#[test]
fn an_outcome_of_words_is_counted() {
    let mut document = document();
    let metrics = document["measurement"]["metrics"].as_array_mut().expect("metrics");
    let cells = json!({"kind": "text", "max_words": 4});
    metrics.push(json!({"name": "said", "source": {"kind": "outcome"}, "cells": cells}));
    let mut device = monitor(&parse(&document));
    device.observe(&Observation::default(), Some("key"), 0);
    assert!(device.outcome("key", Value::Text("later"), 0));
    let words = device.profile(0).expect("a profile").words().last().expect("metrics").sorted();
    assert_eq!(words, [(word("later"), 1)]);
}

/// Valid bytes of everything that is read as bytes.
fn any_valid() -> Vec<Vec<u8>> {
    let spec = hours(1);
    let mut generator = Generator::new(5);
    let mut state = DeviceState::join(&spec, 0, &mut generator).expect("entropy");
    let monitor = monitor(&spec);
    let report = monitor.answer(&mut state, 1, 7_200, &mut generator).expect("due").report.encode();
    let mut body = Vec::new();
    push_report(&mut body, &report);
    push_report(&mut body, &report);
    vec![Vec::new(), report, body, state.to_bytes()]
}

/// Any bytes, or valid ones with some bytes changed, cut off or added.
pub(crate) fn bytes_near(valid: &[Vec<u8>]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let tail = prop::collection::vec(any::<u8>(), 0..20);
    let near = (prop::sample::select(valid.to_vec()), edits, tail, any::<prop::sample::Index>(), 0..3);
    let near = near.prop_map(|(mut bytes, edits, tail, cut, how)| {
        for (place, byte) in edits.into_iter().filter(|_| !bytes.is_empty()).collect::<Vec<_>>() {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        match how {
            0 => bytes.extend(tail),
            1 => bytes.truncate(cut.index(bytes.len() + 1)),
            _ => {}
        }
        bytes
    });
    prop_oneof![1 => prop::collection::vec(any::<u8>(), 0..200), 4 => near]
}

fn any_json() -> impl Strategy<Value = Json> {
    let scalar = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        (0_u64..200).prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[a-z_]{0,8}".prop_map(Json::from),
        prop::sample::select(vec!["all", "delay", "truth", "both", "pair", "numeric", "sampled-event"])
            .prop_map(Json::from),
    ];
    scalar.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::hash_map("[a-z_]{1,8}", inner, 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn list_pointers(value: &Json, at: String, pointers: &mut Vec<String>) {
    match value {
        Json::Object(members) => {
            members.iter().for_each(|(name, member)| list_pointers(member, format!("{at}/{name}"), pointers));
        }
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(place, item)| list_pointers(item, format!("{at}/{place}"), pointers));
        }
        _ => {}
    }
    pointers.push(at);
}
