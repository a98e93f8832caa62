//! What JavaScript gets back: plain objects.

use alloc::{string::String, vec::Vec};

use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::JsValue;

use crate::bindings::report;
use crate::estimate::Channel;
use crate::monitor::{Answer, Merged, Monitor};
use crate::privacy::DeviceState;
use crate::report::{Arm, Report};
use crate::sketch::{CellCounts, Sketches};
use crate::spec::{WindowIndex, hex};

/// An answer with the state that paid for it.
pub(super) fn answer(monitor: &Monitor, answer: &Answer, state: &DeviceState) -> JsValue {
    let spec = monitor.spec();
    let index = answer.report.question;
    let question = &spec.questions[usize::from(index)];
    let metric = spec.metric_of(question);
    let channel = Channel::of(&question.randomizer, question.domain_size);
    let probability = |of: fn(&Channel) -> f64| channel.as_ref().map_or(JsValue::NULL, |channel| of(channel).into());
    let asked = View::new();
    asked.number("index", f64::from(index));
    asked.text("name", &question.name);
    asked.text("metric", &metric.name);
    asked.text("kind", question.kind.name());
    let view = View::new();
    view.number("window", f64::from(answer.report.window));
    view.put("question", asked.into());
    let symbols = if question.has_shares() { question.symbol_labels(metric) } else { Vec::new() };
    view.put("symbols", texts(&symbols));
    view.number("trueSymbol", answer.true_symbol as f64);
    view.number("epsilonMicronats", question.epsilon_micronats as f64);
    view.put("keepProbability", probability(Channel::keep_probability));
    view.put("falseProbability", probability(Channel::false_probability));
    view.bytes("state", &state.to_bytes());
    view.bytes("report", &answer.report.encode());
    view.into()
}

/// The sketches of a window; zero counts if nothing was seen in it.
pub(super) fn profile(monitor: &Monitor, sketches: &Sketches, window: WindowIndex) -> JsValue {
    let profile = sketches.profile(window);
    let metrics = Array::new();
    for (index, metric) in monitor.spec().metrics.iter().enumerate() {
        let nothing;
        let seen = match profile {
            Some(profile) => &profile.metrics()[index],
            None => {
                nothing = CellCounts::new(metric.cells.count());
                &nothing
            }
        };
        let view = View::new();
        view.text("name", &metric.name);
        view.text("unit", &metric.unit);
        view.put("cells", texts(&metric.cells.labels()));
        view.put("counts", numbers(seen.cells()));
        view.number("missing", f64::from(seen.missing()));
        view.number("other", f64::from(seen.other()));
        view.number("events", seen.total() as f64);
        metrics.push(&view.into());
    }
    let view = View::new();
    view.number("window", f64::from(window));
    view.put("metrics", metrics.into());
    view.number("pending", sketches.pending().len() as f64);
    view.into()
}

/// Sketches for the store.
pub(super) fn merged(merged: Merged) -> JsValue {
    let view = View::new();
    view.bytes("sketches", &merged.snapshot.into_store());
    view.number("unknownOutcomes", merged.unknown_outcomes as f64);
    view.put("discarded", merged.discarded.into());
    view.into()
}

/// What was spent of each cap.
pub(super) fn ledger(monitor: &Monitor, state: &DeviceState, now_secs: u64) -> JsValue {
    let caps = Array::new();
    for cap in &monitor.spec().caps {
        let view = View::new();
        view.number("periodSecs", cap.period_secs as f64);
        view.number("spentMicronats", state.ledger.spent_within(cap.period_secs, now_secs) as f64);
        view.number("mostMicronats", state.ledger.most_spent_within(cap.period_secs) as f64);
        view.number("capMicronats", cap.epsilon_micronats as f64);
        caps.push(&view.into());
    }
    let view = View::new();
    view.number("nextWindow", f64::from(state.next_window()));
    view.put("spent", caps.into());
    view.into()
}

/// A report of this spec taken apart; `None` if its question or payload is none of the spec's.
pub(super) fn parsed(monitor: &Monitor, report: &Report) -> Option<JsValue> {
    let spec = monitor.spec();
    #[cfg_attr(not(feature = "std"), allow(unused_variables))]
    let question = spec.questions.get(usize::from(report.question))?;
    // All reports of a spec have one length; leading zeros of a longer one would say the same number.
    (report.payload.len() == spec.payload_len()).then_some(())?;
    let fields = Array::new();
    for (name, offset, length) in report::fields(report) {
        let view = View::new();
        view.text("name", name);
        view.number("offset", offset as f64);
        view.number("length", length as f64);
        fields.push(&view.into());
    }
    let view = View::new();
    view.text("specId", &hex(report.spec_id.as_bytes()));
    view.text("arm", if report.arm == Arm::Stable { "stable" } else { "canary" });
    view.number("window", f64::from(report.window));
    view.number("question", f64::from(report.question));
    view.number("segment", f64::from(report.segment));
    // What counts payloads is not in the module that devices download.
    #[cfg(feature = "std")]
    view.put("symbols", numbers(&report::supported(question, report)?));
    #[cfg(not(feature = "std"))]
    view.put("symbols", JsValue::UNDEFINED);
    view.put("fields", fields.into());
    Some(view.into())
}

/// An object in the making. One function for each kind of member: a device downloads each call.
struct View(Object);

impl View {
    fn new() -> Self {
        Self(Object::new())
    }

    fn put(&self, name: &str, value: JsValue) {
        // Cannot fail: the object is new and extensible.
        let _set = Reflect::set(&self.0, &name.into(), &value);
    }

    /// Integers are exact up to 2^53, far above what is counted here.
    fn number(&self, name: &str, number: f64) {
        self.put(name, JsValue::from_f64(number));
    }

    fn text(&self, name: &str, text: &str) {
        self.put(name, JsValue::from_str(text));
    }

    fn bytes(&self, name: &str, bytes: &[u8]) {
        self.put(name, Uint8Array::from(bytes).into());
    }
}

impl From<View> for JsValue {
    fn from(view: View) -> Self {
        view.0.into()
    }
}

fn texts(texts: &[String]) -> JsValue {
    let list = Array::new();
    for text in texts {
        list.push(&JsValue::from_str(text));
    }
    list.into()
}

fn numbers(numbers: &[u32]) -> JsValue {
    let list = Array::new();
    for number in numbers {
        list.push(&JsValue::from_f64(f64::from(*number)));
    }
    list.into()
}
