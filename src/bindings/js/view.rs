//! What JavaScript gets back: plain objects.

use alloc::vec;

use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::JsValue;

use crate::bindings::report;
use crate::estimate::Channel;
use crate::monitor::{Answer, Merged, Monitor};
use crate::privacy::DeviceState;
use crate::report::{Arm, Report};
use crate::sketch::{CellCounts, Sketches};
use crate::spec::{Cap, Metric, WindowIndex, hex};

/// An answer with the state that paid for it.
pub(super) fn answer(monitor: &Monitor, answer: &Answer, state: &DeviceState) -> JsValue {
    let spec = monitor.spec();
    let index = answer.report.question;
    let question = &spec.questions[usize::from(index)];
    let metric = spec.metric_of(question);
    let channel = Channel::of(&question.randomizer, question.domain_size);
    let probability = |of: fn(&Channel) -> f64| channel.as_ref().map_or(JsValue::NULL, |channel| of(channel).into());
    object([
        ("window", answer.report.window.into()),
        (
            "question",
            object([
                ("index", index.into()),
                ("name", question.name.as_str().into()),
                ("metric", metric.name.as_str().into()),
                ("kind", question.kind.name().into()),
            ]),
        ),
        ("symbols", if question.has_shares() { list(question.symbol_labels(metric)) } else { Array::new().into() }),
        ("trueSymbol", number(answer.true_symbol)),
        ("epsilonMicronats", number(question.epsilon_micronats)),
        ("keepProbability", probability(Channel::keep_probability)),
        ("falseProbability", probability(Channel::false_probability)),
        ("state", bytes(&state.to_bytes())),
        ("report", bytes(&answer.report.encode())),
    ])
}

/// The sketches of a window; zero counts if nothing was seen in it.
pub(super) fn profile(monitor: &Monitor, sketches: &Sketches, window: WindowIndex) -> JsValue {
    let profile = sketches.profile(window);
    let metric = |(index, metric): (usize, &Metric)| {
        let cells = metric.cells.labels();
        let seen = profile.map(|profile| &profile.metrics()[index]);
        let counts = seen.map_or(vec![0; cells.len()], |counts| counts.cells().to_vec());
        object([
            ("name", metric.name.as_str().into()),
            ("unit", metric.unit.as_str().into()),
            ("cells", list(cells)),
            ("counts", list(counts)),
            ("missing", seen.map_or(0, CellCounts::missing).into()),
            ("other", seen.map_or(0, CellCounts::other).into()),
            ("events", number(seen.map_or(0, CellCounts::total))),
        ])
    };
    object([
        ("window", window.into()),
        ("metrics", list(monitor.spec().metrics.iter().enumerate().map(metric))),
        ("pending", sketches.pending().len().into()),
    ])
}

/// Sketches for the store.
pub(super) fn merged(merged: Merged) -> JsValue {
    object([
        ("sketches", bytes(&merged.snapshot.into_store())),
        ("unknownOutcomes", merged.unknown_outcomes.into()),
        ("discarded", merged.discarded.into()),
    ])
}

/// What was spent of each cap.
pub(super) fn ledger(monitor: &Monitor, state: &DeviceState, now_secs: u64) -> JsValue {
    let spent = |cap: &Cap| {
        object([
            ("periodSecs", number(cap.period_secs)),
            ("spentMicronats", number(state.ledger.spent_within(cap.period_secs, now_secs))),
            ("mostMicronats", number(state.ledger.most_spent_within(cap.period_secs))),
            ("capMicronats", number(cap.epsilon_micronats)),
        ])
    };
    object([("nextWindow", state.next_window().into()), ("spent", list(monitor.spec().caps.iter().map(spent)))])
}

/// A report of this spec taken apart; `None` if its question or payload is none of the spec's.
pub(super) fn parsed(monitor: &Monitor, report: &Report) -> Option<JsValue> {
    let spec = monitor.spec();
    #[cfg_attr(not(feature = "std"), allow(unused_variables))]
    let question = spec.questions.get(usize::from(report.question))?;
    // All reports of a spec have one length; leading zeros of a longer one would say the same number.
    (report.payload.len() == spec.payload_len()).then_some(())?;
    let field = |(name, offset, length): (&str, usize, usize)| {
        object([("name", name.into()), ("offset", offset.into()), ("length", length.into())])
    };
    let arm = match report.arm {
        Arm::Stable => "stable",
        Arm::Canary => "canary",
    };
    #[cfg(feature = "std")]
    let symbols = list(report::supported(question, report)?);
    // What counts payloads is not in the module that devices download.
    #[cfg(not(feature = "std"))]
    let symbols = JsValue::UNDEFINED;
    Some(object([
        ("specId", hex(report.spec_id.as_bytes()).into()),
        ("arm", arm.into()),
        ("window", report.window.into()),
        ("question", report.question.into()),
        ("segment", report.segment.into()),
        ("symbols", symbols),
        ("fields", list(report::fields(report).into_iter().map(field))),
    ]))
}

/// An object with these members.
fn object<const N: usize>(members: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    for (name, value) in members {
        // Cannot fail: the object is new and extensible.
        let _set = Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}

fn list(items: impl IntoIterator<Item = impl Into<JsValue>>) -> JsValue {
    items.into_iter().map(Into::into).collect::<Array>().into()
}

/// An integer as a JavaScript number: exact up to 2^53, far above what is counted here.
fn number(integer: u64) -> JsValue {
    JsValue::from_f64(integer as f64)
}

fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}
