//! The device's pipeline as a JavaScript class. State goes in and out as bytes; the host commits them.

use alloc::{borrow::ToOwned, string::String, string::ToString, vec::Vec};

use js_sys::Uint8Array;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::entropy::Platform;
use super::error::{Thrown, coded, thrown};
use super::record;
use super::view;
use crate::monitor::Monitor;
use crate::privacy::DeviceState;
use crate::report::{Arm, Report};
use crate::spec::{ModelShape, WindowIndex};
use crate::upload::{Disposition, push_report};

/// A monitor for one spec.
#[wasm_bindgen(js_name = WasmMonitor)]
#[derive(Debug)]
pub struct JsMonitor {
    pub(super) core: Monitor,
}

#[wasm_bindgen(js_class = WasmMonitor)]
impl JsMonitor {
    /// Reads the spec.
    #[wasm_bindgen(constructor)]
    pub fn new(spec: &str, segment: &str, canary: bool) -> Result<Self, Thrown> {
        let spec = super::spec_of(spec)?;
        let arm = if canary { Arm::Canary } else { Arm::Stable };
        Ok(Self { core: Monitor::new(spec, arm, segment).map_err(thrown)? })
    }

    /// Hash of the measured part of the spec.
    #[wasm_bindgen(getter, js_name = specId)]
    pub fn spec_id(&self) -> String {
        self.core.spec().id().to_string()
    }

    /// Where reports are posted.
    #[wasm_bindgen(getter)]
    pub fn endpoint(&self) -> String {
        self.core.spec().upload.endpoint.clone()
    }

    /// Most bytes of one body.
    #[wasm_bindgen(getter, js_name = maxBodyBytes)]
    pub fn max_body_bytes(&self) -> usize {
        self.core.spec().upload.max_body_bytes
    }

    /// Refuses a model that the spec does not admit. `inputs` are `[name, dims]` with null for a dimension the caller chooses.
    pub fn admit(&self, sha256: &str, inputs: JsValue, outputs: Vec<String>) -> Result<(), Thrown> {
        let hash = hash(sha256).ok_or_else(|| coded("malformed-model", "a model's sha256 is 64 hexadecimal digits"))?;
        let malformed = || coded("malformed-model", "inputs are a list of [name, dims]");
        let inputs = record::shapes(&inputs).ok_or_else(malformed)?;
        admit(&self.core, &hash, &inputs, &outputs)
    }

    /// Counts a record; with a key, its prediction waits for the outcome.
    pub fn observe(&mut self, record: JsValue, key: Option<String>, now_secs: f64) -> Result<(), Thrown> {
        record::observe(&mut self.core, record, key.as_deref(), now_secs as u64)
    }

    /// Counts an outcome. False if no prediction waits under the key.
    pub fn outcome(&mut self, key: &str, value: JsValue, now_secs: f64) -> Result<bool, Thrown> {
        let value = record::scalar(value)?;
        Ok(self.core.outcome(key, value.value(), now_secs as u64))
    }

    /// The window of a moment.
    #[wasm_bindgen(js_name = windowAt)]
    pub fn window_at(&self, now_secs: f64) -> WindowIndex {
        self.core.spec().window.index_at(now_secs as u64)
    }

    /// The sketches of a window. They stay on the device.
    pub fn inspect(&self, window: WindowIndex) -> JsValue {
        view::profile(&self.core, window)
    }

    /// The state of a device that joins now, or that enters a spec new to it with the state it has.
    pub fn join(&self, state: Option<Vec<u8>>, now_secs: f64) -> Result<Vec<u8>, Thrown> {
        let (spec, now_secs) = (self.core.spec(), now_secs as u64);
        let state = match state {
            None => DeviceState::join(spec, now_secs, &mut Platform::tested().map_err(thrown)?).map_err(thrown)?,
            Some(bytes) => {
                let mut state = DeviceState::from_bytes(&bytes).map_err(thrown)?;
                state.enter(spec, now_secs).map_err(thrown)?;
                state
            }
        };
        Ok(state.to_bytes())
    }

    /// The next window that is over, not answered, and still takes reports.
    pub fn due(&self, state: &[u8], now_secs: f64) -> Result<Option<WindowIndex>, Thrown> {
        let state = DeviceState::from_bytes(state).map_err(thrown)?;
        Ok(self.core.due(&state, now_secs as u64))
    }

    /// Answers a window: debit, question, noise. Returns the report with the state that the host must commit beside it.
    pub fn answer(&self, state: &[u8], window: WindowIndex, now_secs: f64) -> Result<JsValue, Thrown> {
        let mut state = DeviceState::from_bytes(state).map_err(thrown)?;
        let mut entropy = Platform::tested().map_err(thrown)?;
        let answer = self.core.answer(&mut state, window, now_secs as u64, &mut entropy).map_err(thrown)?;
        Ok(view::answer(&self.core, &answer, &state))
    }

    /// What was spent of each cap.
    pub fn ledger(&self, state: &[u8], now_secs: f64) -> Result<JsValue, Thrown> {
        let state = DeviceState::from_bytes(state).map_err(thrown)?;
        state.check_app(self.core.spec()).map_err(thrown)?;
        Ok(view::ledger(&self.core, &state, now_secs as u64))
    }

    /// A report of this spec taken apart.
    #[wasm_bindgen(js_name = parseReport)]
    pub fn parse_report(&self, bytes: &[u8]) -> Result<JsValue, Thrown> {
        let report = Report::decode(bytes).map_err(|error| coded("malformed-report", &error.to_string()))?;
        let view = view::report(&self.core, &report);
        view.ok_or_else(|| coded("malformed-report", "the report is not one of this spec"))
    }

    /// Drops all sketches and pending predictions.
    pub fn purge(&mut self) {
        self.core.purge();
    }
}

/// One upload body of several reports.
#[wasm_bindgen(js_name = encodeBody)]
pub fn encode_body(reports: Vec<Uint8Array>) -> Vec<u8> {
    let mut body = Vec::new();
    reports.iter().for_each(|report| push_report(&mut body, &report.to_vec()));
    body
}

/// What becomes of reports after an answer: `settled`, `retry`, `retry-slowly`, `split` or `drop`. No status stands for a network error.
#[wasm_bindgen]
pub fn disposition(status: Option<u16>) -> String {
    match Disposition::of(status) {
        Disposition::Settled => "settled",
        Disposition::Retry => "retry",
        Disposition::RetrySlowly => "retry-slowly",
        Disposition::Split => "split",
        Disposition::Drop => "drop",
    }
    .to_owned()
}

pub(super) fn admit(
    monitor: &Monitor,
    sha256: &[u8; 32],
    inputs: &[(String, Vec<Option<usize>>)],
    outputs: &[String],
) -> Result<(), Thrown> {
    let inputs: Vec<(&str, &[Option<usize>])> =
        inputs.iter().map(|(name, dims)| (name.as_str(), dims.as_slice())).collect();
    let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
    monitor.spec().admit(&ModelShape { sha256, inputs: &inputs, outputs: &outputs }).map_err(thrown)
}

fn hash(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let pairs = (text.len() == 64 && text.is_ascii()).then(|| text.as_bytes().chunks_exact(2))?;
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
