//! The device's pipeline as a JavaScript class. State goes in and out as bytes; the host commits them.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use js_sys::Uint8Array;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::entropy::Platform;
use super::error::{Thrown, coded, thrown};
use super::record::{self, Reader};
use super::view;
use crate::monitor::Monitor;
use crate::privacy::DeviceState;
use crate::report::{Arm, Report};
use crate::sketch::{Sketches, Snapshot};
use crate::spec::{ModelShape, WindowIndex, hex, hex_bytes};
use crate::upload::{Disposition, push_report};

/// A monitor for one spec.
#[wasm_bindgen(js_name = WasmMonitor)]
#[derive(Debug)]
pub struct JsMonitor {
    pub(super) core: Monitor,
    reader: Reader,
}

#[wasm_bindgen(js_class = WasmMonitor)]
impl JsMonitor {
    /// Reads the spec.
    #[wasm_bindgen(constructor)]
    pub fn new(spec: &str, segment: &str, canary: bool) -> Result<Self, Thrown> {
        let spec = super::spec_of(spec)?;
        let arm = if canary { Arm::Canary } else { Arm::Stable };
        let reader = Reader::new(&spec);
        Ok(Self { core: Monitor::new(spec, arm, segment).map_err(thrown)?, reader })
    }

    /// Hash of the measured part of the spec.
    #[wasm_bindgen(getter, js_name = specId)]
    pub fn spec_id(&self) -> String {
        hex(self.core.spec().id().as_bytes())
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
        self.reader.observe(&mut self.core, &record, key.as_deref(), now_secs as u64)
    }

    /// Counts an outcome. False if no prediction waits in this module under the key; then the outcome is held until
    /// `merged` looks among those of the store.
    pub fn outcome(&mut self, key: &str, value: JsValue, now_secs: f64) -> Result<bool, Thrown> {
        let value = record::scalar(value)?;
        Ok(self.core.outcome(key, value.value(), now_secs as u64))
    }

    /// The window of a moment.
    #[wasm_bindgen(js_name = windowAt)]
    pub fn window_at(&self, now_secs: f64) -> WindowIndex {
        self.core.spec().window.index_at(now_secs as u64)
    }

    /// What was added since the last time, for the device's own store; it is forgotten here. Nothing if nothing was.
    #[wasm_bindgen(js_name = takeDelta)]
    pub fn take_delta(&mut self) -> Option<Vec<u8>> {
        self.core.take_delta().map(Snapshot::into_store)
    }

    /// Takes back a delta that could not be stored.
    #[wasm_bindgen(js_name = giveBack)]
    pub fn give_back(&mut self, delta: Vec<u8>, now_secs: f64) -> Result<(), Thrown> {
        self.core.give_back(&Snapshot::from_store(delta), now_secs as u64).map_err(thrown)
    }

    /// What is stored with a delta added, for the device's own store: `{ sketches, unknownOutcomes, discarded }`.
    pub fn merged(&self, stored: Option<Vec<u8>>, delta: Option<Vec<u8>>, now_secs: f64) -> Result<JsValue, Thrown> {
        let (stored, delta) = (stored.map(Snapshot::from_store), delta.map(Snapshot::from_store));
        let merged = self.core.merged(stored.as_ref(), delta.as_ref(), now_secs as u64).map_err(thrown)?;
        Ok(view::merged(merged))
    }

    /// The sketches of a window, with what is stored if that is given. They stay on the device.
    pub fn inspect(&self, window: WindowIndex, stored: Option<Vec<u8>>) -> JsValue {
        let at_secs = self.core.spec().window.start_secs(window);
        match self.with_stored(stored, at_secs) {
            Some(all) => view::profile(&self.core, &all, window),
            None => view::profile(&self.core, self.core.sketches(), window),
        }
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
    /// The data are what this module holds, with what is stored if that is given.
    pub fn answer(
        &self,
        state: &[u8],
        window: WindowIndex,
        now_secs: f64,
        stored: Option<Vec<u8>>,
    ) -> Result<JsValue, Thrown> {
        let mut state = DeviceState::from_bytes(state).map_err(thrown)?;
        let mut entropy = Platform::tested().map_err(thrown)?;
        let now_secs = now_secs as u64;
        let all = self.with_stored(stored, now_secs);
        let sketches = all.as_ref().unwrap_or(self.core.sketches());
        let answer = self.core.answer_from(sketches, &mut state, window, now_secs, &mut entropy).map_err(thrown)?;
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
        let report = Report::decode(bytes).map_err(|error| coded("malformed-report", error.sentence()))?;
        let view = view::parsed(&self.core, &report);
        view.ok_or_else(|| coded("malformed-report", "the report is not one of this spec"))
    }

    /// Drops all sketches and pending predictions.
    pub fn purge(&mut self) {
        self.core.purge();
    }
}

impl JsMonitor {
    fn with_stored(&self, stored: Option<Vec<u8>>, now_secs: u64) -> Option<Sketches> {
        stored.map(|stored| self.core.with_stored(&Snapshot::from_store(stored), now_secs))
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
    hex_bytes(&text.to_ascii_lowercase())
}
