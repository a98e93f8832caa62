//! What JavaScript gets back, written with serde-wasm-bindgen.

use js_sys::Uint8Array;
use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::estimate::Channel;
use crate::monitor::{Answer, Monitor};
use crate::privacy::{DeviceState, Payload, decoder_of};
use crate::report::{HEADER_BYTES, Report};
use crate::sketch::CellCounts;
use crate::spec::{Question, WindowIndex};

/// An answer with the state that paid for it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AnswerView {
    window: WindowIndex,
    question: QuestionView,
    symbols: Vec<String>,
    true_symbol: u64,
    epsilon_micronats: u64,
    keep_probability: Option<f64>,
    false_probability: Option<f64>,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    state: Uint8Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    report: Uint8Array,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct QuestionView {
    index: u16,
    name: String,
    metric: String,
    kind: &'static str,
}

/// The sketches of a window.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProfileView {
    window: WindowIndex,
    metrics: Vec<MetricView>,
    pending: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MetricView {
    name: String,
    unit: String,
    cells: Vec<String>,
    counts: Vec<u32>,
    missing: u32,
    other: u32,
    events: u64,
}

/// What was spent of each cap.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LedgerView {
    next_window: WindowIndex,
    spent: Vec<SpentView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpentView {
    period_secs: u64,
    spent_micronats: u64,
    most_micronats: u64,
    cap_micronats: u64,
}

/// A report taken apart.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportView {
    spec_id: String,
    arm: &'static str,
    window: WindowIndex,
    question: u16,
    segment: u16,
    symbols: Vec<usize>,
    fields: Vec<FieldView>,
}

#[derive(Serialize)]
struct FieldView {
    name: &'static str,
    offset: usize,
    length: usize,
}

/// Converts a view. Cannot fail: views hold numbers, text, lists and bytes alone.
pub(super) fn to_js(view: &impl Serialize) -> JsValue {
    view.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).expect("a plain view")
}

impl AnswerView {
    pub(super) fn new(monitor: &Monitor, answer: &Answer, state: &DeviceState) -> Self {
        let spec = monitor.spec();
        let question = &spec.questions[usize::from(answer.report.question)];
        let metric = spec.metric_of(question);
        let channel = Channel::of(&question.randomizer, question.domain_size);
        Self {
            window: answer.report.window,
            question: QuestionView {
                index: answer.report.question,
                name: question.name.clone(),
                metric: metric.name.clone(),
                kind: question.kind.name(),
            },
            symbols: if question.has_shares() { question.symbol_labels(metric) } else { Vec::new() },
            true_symbol: answer.true_symbol,
            epsilon_micronats: question.epsilon_micronats,
            keep_probability: channel.as_ref().map(Channel::keep_probability),
            false_probability: channel.as_ref().map(Channel::false_probability),
            state: Uint8Array::from(state.to_bytes().as_slice()),
            report: Uint8Array::from(answer.report.encode().as_slice()),
        }
    }
}

impl ProfileView {
    /// The view of a window; zero counts if nothing was seen in it.
    pub(super) fn new(monitor: &Monitor, window: WindowIndex) -> Self {
        let profile = monitor.profile(window);
        let metric = |(index, metric): (usize, &crate::spec::Metric)| {
            let cells = metric.cells.labels();
            let seen = profile.map(|profile| &profile.metrics()[index]);
            MetricView {
                name: metric.name.clone(),
                unit: metric.unit.clone(),
                counts: seen.map_or(vec![0; cells.len()], |counts| counts.cells().to_vec()),
                cells,
                missing: seen.map_or(0, CellCounts::missing),
                other: seen.map_or(0, CellCounts::other),
                events: seen.map_or(0, CellCounts::total),
            }
        };
        Self {
            window,
            metrics: monitor.spec().metrics.iter().enumerate().map(metric).collect(),
            pending: monitor.pending().len(),
        }
    }
}

impl LedgerView {
    pub(super) fn new(monitor: &Monitor, state: &DeviceState, now_secs: u64) -> Self {
        let spent = |cap: &crate::spec::Cap| SpentView {
            period_secs: cap.period_secs,
            spent_micronats: state.ledger.spent_within(cap.period_secs, now_secs),
            most_micronats: state.ledger.most_spent_within(cap.period_secs),
            cap_micronats: cap.epsilon_micronats,
        };
        Self { next_window: state.next_window(), spent: monitor.spec().caps.iter().map(spent).collect() }
    }
}

impl ReportView {
    /// The view of a report of this spec; `None` if its question or payload is none of the spec's.
    pub(super) fn new(monitor: &Monitor, report: &Report) -> Option<Self> {
        let spec = monitor.spec();
        let question = spec.questions.get(usize::from(report.question))?;
        // All reports of a spec have one length; leading zeros of a longer one would say the same number.
        (report.payload.len() == spec.payload_len()).then_some(())?;
        let symbols = supported(question, report)?;
        let field = |name, offset, length| FieldView { name, offset, length };
        Some(Self {
            spec_id: report.spec_id.to_string(),
            arm: match report.arm {
                crate::report::Arm::Stable => "stable",
                crate::report::Arm::Canary => "canary",
            },
            window: report.window,
            question: report.question,
            segment: report.segment,
            symbols,
            fields: vec![
                field("magic", 0, 2),
                field("version", 2, 1),
                field("arm", 3, 1),
                field("spec id", 4, 16),
                field("window", 20, 4),
                field("question", 24, 2),
                field("segment", 26, 2),
                field("report id", 28, 16),
                field("payload", HEADER_BYTES, report.payload.len()),
            ],
        })
    }
}

/// The symbols that a report supports, none if its mechanism has no such notion; `None` if the payload is no output of it.
fn supported(question: &Question, report: &Report) -> Option<Vec<usize>> {
    let randomizer = decoder_of(question);
    let payload = Payload::from_bytes(&report.payload).ok()?;
    let mut counters = vec![0; randomizer.counters()];
    randomizer.accumulate(&payload, &report.report_id, &mut counters).ok()?;
    let support = randomizer.oracle().map_or(Vec::new(), |oracle| oracle.support(&counters));
    Some((0..support.len()).filter(|symbol| support[*symbol] > 0).collect())
}
