//! Same bytes as an independent implementation: good and bad reports of `tests/reference/report_v1.py`.

use std::collections::BTreeSet;

use driftglass::monitor::{Answer, Monitor};
use driftglass::observe::{Observation, Value, Values};
use driftglass::privacy::{Charge, DeviceSecret, DeviceState, Draws, EntropySource, Ledger, Payload, decoder_of};
use driftglass::report::{Arm, Report, ReportError};
use driftglass::spec::{CellKind, MonitorSpec, SpecId, word};
use driftglass::upload::{MalformedBody, push_report, reports_of};
use serde::Deserialize;

use crate::entropy::SeedStream;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    specs: Vec<Spec>,
    good: Vec<Good>,
    bad: Vec<Bad>,
    bodies: Bodies,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    document: serde_json::Value,
    id: String,
    payload_len: usize,
    samples: Vec<Option<Sample>>,
}

/// One event that falls into a cell, or that has a word.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    input: Option<Scalar>,
    outcome: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(f64),
    Text(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Good {
    spec: usize,
    secret: String,
    window: u32,
    segment: usize,
    canary: bool,
    now_secs: u64,
    state: String,
    profile: Option<Vec<u32>>,
    seed: String,
    question: u16,
    true_symbol: u64,
    output: String,
    supports: Option<Vec<usize>>,
    drawn: usize,
    report: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bad {
    name: String,
    spec: usize,
    bytes: String,
    error: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bodies {
    good: Vec<GoodBody>,
    bad: Vec<BadBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GoodBody {
    reports: Vec<String>,
    bytes: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BadBody {
    name: String,
    bytes: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../vectors/report-v1.json")).expect("the file of vectors")
}

fn bytes(hex: &str) -> Vec<u8> {
    assert_eq!(hex.len() % 2, 0, "two digits a byte");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")).collect()
}

impl Spec {
    fn parse(&self) -> MonitorSpec {
        MonitorSpec::parse(&self.document.to_string()).expect("a valid spec")
    }
}

impl Good {
    fn secret(&self) -> DeviceSecret {
        DeviceSecret::from_bytes(bytes(&self.secret).try_into().expect("32 bytes"))
    }

    /// A monitor that has seen the case's profile, event by event.
    fn monitor(&self, spec: MonitorSpec, samples: &[Option<Sample>]) -> Monitor {
        let arm = if self.canary { Arm::Canary } else { Arm::Stable };
        let at_secs = spec.window.start_secs(self.window);
        let asked = spec.questions[usize::from(self.question)].metric;
        let segment = spec.segments[self.segment].clone();
        let mut monitor = Monitor::new(spec, arm, &segment).expect("a segment of the spec");
        let Some(profile) = &self.profile else { return monitor };
        assert_eq!(profile.len(), samples.len(), "one count per cell");
        for (count, sample) in profile.iter().zip(samples) {
            for _ in 0..*count {
                sample.as_ref().expect("a cell that can be reached").observe(&mut monitor, at_secs);
            }
        }
        let seen = monitor.profile(self.window).expect("a profile");
        if let CellKind::Text { .. } = monitor.spec().metrics[asked].cells.kind {
            assert_eq!(seen.words()[asked].sorted(), words(profile, samples), "each word is counted");
        } else {
            assert_eq!(seen.metrics()[asked].cells(), profile, "each sample falls into its cell");
        }
        monitor
    }

    fn answer(&self, spec: &Spec) -> (Answer, DeviceState, usize) {
        let monitor = self.monitor(spec.parse(), &spec.samples);
        let mut state = DeviceState::from_bytes(&bytes(&self.state)).expect("a state");
        let mut entropy = SeedStream::new(&bytes(&self.seed));
        let answer = monitor.answer(&mut state, self.window, self.now_secs, &mut entropy).expect("an answer");
        (answer, state, entropy.drawn)
    }
}

/// The hashes of the words that occur, with their counts, in increasing order.
fn words(profile: &[u32], samples: &[Option<Sample>]) -> Vec<(u32, u32)> {
    let text = |sample: &Option<Sample>| match sample.as_ref().and_then(|sample| sample.input.as_ref()) {
        Some(Scalar::Text(text)) => word(text),
        _ => panic!("a sample of words is a text"),
    };
    let mut words: Vec<_> =
        samples.iter().map(text).zip(profile.iter().copied()).filter(|(_, count)| *count > 0).collect();
    words.sort_unstable();
    words
}

impl Sample {
    fn observe(&self, monitor: &mut Monitor, at_secs: u64) {
        let (number, text);
        let values = match &self.input {
            Some(Scalar::Number(value)) => {
                number = [*value];
                Values::F64(&number)
            }
            Some(Scalar::Text(value)) => {
                text = [value.clone()];
                Values::Text(&text)
            }
            None => Values::F64(&[f64::NAN]),
        };
        let inputs = [("x", values)];
        let seen = Observation { inputs: &inputs, ..Observation::default() };
        monitor.observe(&seen, self.outcome.as_ref().map(|_| "key"), at_secs);
        if let Some(outcome) = &self.outcome {
            assert!(monitor.outcome("key", Value::Text(outcome), at_secs), "a prediction waits");
        }
    }
}

/// A payload of the length that the spec gives all of its reports.
fn payload_of(spec: &MonitorSpec, report: &Report) -> Option<Payload> {
    (report.payload.len() == spec.payload_len())
        .then(|| Payload::from_bytes(&report.payload).expect("at most 32 bytes"))
}

#[test]
fn specs_have_the_expected_id_and_length() {
    for spec in vectors().specs {
        let parsed = spec.parse();
        assert_eq!(parsed.id().to_string(), spec.id);
        assert_eq!(parsed.payload_len(), spec.payload_len);
    }
}

#[test]
fn questions_and_report_ids_follow_from_the_secret() {
    let vectors = vectors();
    for case in &vectors.good {
        let spec = vectors.specs[case.spec].parse();
        assert_eq!(case.secret().choose_question(&spec, case.window), case.question);
        let id = case.secret().report_id(spec.id(), case.window, case.question);
        assert_eq!(id, bytes(&case.report)[28..44]);
    }
}

#[test]
fn a_monitor_answers_with_the_expected_bytes() {
    let vectors = vectors();
    assert!(vectors.good.len() >= 60);
    for (row, case) in vectors.good.iter().enumerate() {
        let spec = &vectors.specs[case.spec];
        let (answer, state, drawn) = case.answer(spec);
        assert_eq!(answer.report.encode(), bytes(&case.report), "case {row}");
        assert_eq!(answer.true_symbol, case.true_symbol, "case {row}");
        assert_eq!(drawn, case.drawn, "case {row}");

        // The state that is committed with the report: next window, one debit at the start of the window, and the epoch it pays for.
        let parsed = spec.parse();
        let mut expected = bytes(&case.state);
        expected.truncate(1 + 16 + 32 + 16);
        expected.extend_from_slice(&(case.window + 1).to_be_bytes());
        expected.extend_from_slice(&1_u32.to_be_bytes());
        expected.extend_from_slice(&parsed.window.start_secs(case.window).to_be_bytes());
        let question = &parsed.questions[usize::from(case.question)];
        expected.extend_from_slice(&question.epsilon_micronats.to_be_bytes());
        // A memoized answer is paid for until its epoch ends.
        let epoch = question.epoch_windows().map(|windows| case.window / windows);
        expected.extend_from_slice(&(epoch.iter().count() as u16).to_be_bytes());
        if let Some(epoch) = epoch {
            expected.extend_from_slice(&case.question.to_be_bytes());
            expected.extend_from_slice(&epoch.to_be_bytes());
        }
        assert_eq!(state.to_bytes(), expected, "case {row}");
    }
}

#[test]
fn the_randomizer_alone_gives_the_expected_payload() {
    let vectors = vectors();
    for (row, case) in vectors.good.iter().enumerate() {
        let spec = vectors.specs[case.spec].parse();
        let question = &spec.questions[usize::from(case.question)];
        let mut entropy = SeedStream::new(&bytes(&case.seed));
        entropy.word().expect("the draw of the event");
        let charge = Charge { at_secs: 0, epsilon_micronats: question.epsilon_micronats };
        let permit = Ledger::default().spend(charge, &spec.caps).expect("within the caps");
        let coin = bytes(&case.report)[28..44].try_into().expect("16 bytes");
        let epoch = case.window / question.epoch_windows().unwrap_or(1);
        let memo = case.secret().memo_key(spec.id(), case.question, epoch);
        let draws = Draws { coin: &coin, memo: &memo, entropy: &mut entropy };
        let payload = decoder_of(question).privatize(permit, case.true_symbol, draws).expect("entropy");
        assert_eq!(payload.to_bytes(spec.payload_len()), bytes(&case.report)[44..], "case {row}");
        if let Ok(number) = case.output.parse::<u128>() {
            assert_eq!(payload.to_bytes(32)[16..], number.to_be_bytes(), "case {row}");
        }
    }
}

/// The file would prove less if a mechanism or a kind of question were missing.
#[test]
fn every_mechanism_and_kind_occurs() {
    let vectors = vectors();
    let asked = |case: &Good| vectors.specs[case.spec].parse().questions[usize::from(case.question)].clone();
    let questions: Vec<_> = vectors.good.iter().map(asked).collect();
    let names: BTreeSet<_> = questions.iter().map(|question| question.randomizer.mechanism.name()).collect();
    assert_eq!(names.len(), 12, "{names:?}");
    let kinds: BTreeSet<_> = questions.iter().map(|question| question.kind.name()).collect();
    let expected = ["anchored-bit", "event-count", "mean", "open-vocabulary", "sampled-event", "threshold-bit"];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn reports_are_read_back() {
    let vectors = vectors();
    for case in &vectors.good {
        let spec = vectors.specs[case.spec].parse();
        let report = Report::decode(&bytes(&case.report)).expect("a report");
        assert_eq!(report.arm, if case.canary { Arm::Canary } else { Arm::Stable });
        assert_eq!((report.spec_id, report.window), (spec.id(), case.window));
        assert_eq!((report.question, usize::from(report.segment)), (case.question, case.segment));
        let question = &spec.questions[usize::from(case.question)];
        let randomizer = decoder_of(question);
        let payload = payload_of(&spec, &report).expect("the length of the spec");
        assert_eq!(randomizer.check(&payload), Ok(()));
        let mut counters = vec![0; randomizer.counters()];
        randomizer.accumulate(&payload, &report.report_id, &mut counters).expect("an output");
        let supports = randomizer.oracle().map(|oracle| {
            let support = oracle.support(&counters);
            assert!(support.iter().all(|count| *count <= 1), "one report supports a symbol once");
            (0..support.len()).filter(|symbol| support[*symbol] == 1).collect::<Vec<_>>()
        });
        assert_eq!(supports, case.supports);
        assert_eq!(report.encode(), bytes(&case.report));
    }
}

#[test]
fn bad_reports_are_refused_for_the_expected_reason() {
    let vectors = vectors();
    for case in &vectors.bad {
        let spec = vectors.specs[case.spec].parse();
        let found = match Report::decode(&bytes(&case.bytes)) {
            Err(ReportError::Length) => "length",
            Err(ReportError::Magic) => "magic",
            Err(ReportError::Version) => "version",
            Err(ReportError::Arm) => "arm",
            Err(_) => "another error",
            Ok(report) => {
                let question = &spec.questions[usize::from(report.question)];
                let payload = payload_of(&spec, &report);
                let output = payload.is_some_and(|payload| decoder_of(question).check(&payload).is_ok());
                if output { "none" } else { "payload" }
            }
        };
        assert_eq!(found, case.error, "spec {}: {}", case.spec, case.name);
    }
    for error in ["length", "magic", "version", "arm", "payload"] {
        assert!(vectors.bad.iter().any(|case| case.error == error), "{error} has a case");
    }
}

#[test]
fn bodies_are_framed_and_read_back() {
    for case in vectors().bodies.good {
        let reports: Vec<Vec<u8>> = case.reports.iter().map(|report| bytes(report)).collect();
        let mut body = Vec::new();
        reports.iter().for_each(|report| push_report(&mut body, report));
        assert_eq!(body, bytes(&case.bytes));
        assert_eq!(reports_of(&body).expect("a body"), reports);
    }
}

#[test]
fn bad_bodies_are_refused_whole() {
    for case in vectors().bodies.bad {
        assert_eq!(reports_of(&bytes(&case.bytes)), Err(MalformedBody), "{}", case.name);
    }
}

/// Each field stands where the table of `docs/report-format.md` says.
#[test]
fn labelled_bytes() {
    let report = Report {
        arm: Arm::Canary,
        spec_id: SpecId::from_bytes([0xA0; 16]),
        window: 0x0102_0304,
        question: 0x0506,
        segment: 0x0708,
        report_id: [0xB0; 16],
        payload: vec![0xC1, 0xC2],
    };
    let labelled: [(&str, &str); 9] = [
        ("magic", "4447"),
        ("version", "01"),
        ("arm", "01"),
        ("spec id", "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0"),
        ("window", "01020304"),
        ("question", "0506"),
        ("segment", "0708"),
        ("report id", "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0"),
        ("payload", "c1c2"),
    ];
    let mut rest = &report.encode()[..];
    for (field, expected) in labelled {
        let (found, after) = rest.split_at(expected.len() / 2);
        assert_eq!(found, bytes(expected), "{field}");
        rest = after;
    }
    assert!(rest.is_empty(), "nothing follows the payload");
}
