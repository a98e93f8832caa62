//! The device's pipeline as a resource. State goes in and out as bytes; the host commits them.

use core::cell::RefCell;

use alloc::string::String;
use alloc::vec::Vec;

use super::Component;
use super::entropy::Host;
use super::view;
use super::wit::exports::driftglass::monitor::monitoring::{
    Answer, Disposition, Field, Guest, GuestMonitor, LedgerView, MergedSketches, ModelInput, ModelShape as Described,
    Monitor as Handle, Observation, OutcomeValue, ProfileView, ReportView, UploadRules,
};
use super::wit::exports::driftglass::monitor::types::{Arm, Elements, Error};
use crate::monitor::Monitor;
use crate::observe::{Observation as Seen, Value, Values};
use crate::privacy::DeviceState;
use crate::report::{self, Report};
use crate::sketch::{Sketches, Snapshot};
use crate::spec::{ModelShape, MonitorSpec, WindowIndex, hex};
use crate::upload::{self, push_report};

/// A monitor behind a handle. Calls never overlap: the one import calls nothing back.
pub(super) struct Shared {
    pub(super) core: RefCell<Monitor>,
}

impl Guest for Component {
    type Monitor = Shared;

    fn encode_body(reports: Vec<Vec<u8>>) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        for bytes in &reports {
            Report::decode(bytes).map_err(malformed)?;
            push_report(&mut body, bytes);
        }
        Ok(body)
    }

    fn disposition_of(status: Option<u16>) -> Disposition {
        match upload::Disposition::of(status) {
            upload::Disposition::Settled => Disposition::Settled,
            upload::Disposition::Retry => Disposition::Retry,
            upload::Disposition::RetrySlowly => Disposition::RetrySlowly,
            upload::Disposition::Split => Disposition::Split,
            upload::Disposition::Drop => Disposition::Drop,
        }
    }
}

impl GuestMonitor for Shared {
    fn create(spec: String, segment: String, arm: Arm) -> Result<Handle, Error> {
        let spec = MonitorSpec::parse(&spec)?;
        let arm = match arm {
            Arm::Stable => report::Arm::Stable,
            Arm::Canary => report::Arm::Canary,
        };
        Ok(Handle::new(Self { core: RefCell::new(Monitor::new(spec, arm, &segment)?) }))
    }

    fn spec_id(&self) -> String {
        hex(self.core.borrow().spec().id().as_bytes())
    }

    fn upload(&self) -> UploadRules {
        let core = self.core.borrow();
        let upload = &core.spec().upload;
        // Fits: a spec allows at most 65,536 bytes.
        UploadRules { endpoint: upload.endpoint.clone(), max_body_bytes: upload.max_body_bytes as u32 }
    }

    fn admit(&self, model: Described) -> Result<(), Error> {
        let malformed = || Error::MalformedModel("a model's sha256 has 32 bytes".into());
        let sha256 = <[u8; 32]>::try_from(model.sha256).map_err(|_| malformed())?;
        let outputs: Vec<&str> = model.outputs.iter().map(String::as_str).collect();
        admit(&self.core.borrow(), sha256, &model.inputs, &outputs)
    }

    fn observe(&self, seen: Observation, key: Option<String>, now: u64) {
        let named = |fields: Vec<Field>| {
            fields.into_iter().map(|field| (field.name, plain(field.elements))).collect::<Vec<_>>()
        };
        let (inputs, outputs) = (named(seen.inputs), named(seen.outputs));
        let (inputs, outputs) = (borrowed(&inputs), borrowed(&outputs));
        let seen = Seen { inputs: &inputs, outputs: &outputs, latency_ms: seen.latency_ms, failed: seen.failed };
        self.core.borrow_mut().observe(&seen, key.as_deref(), now);
    }

    fn outcome(&self, key: String, value: OutcomeValue, now: u64) -> bool {
        let value = match &value {
            OutcomeValue::Number(number) => Value::from(*number),
            OutcomeValue::Text(text) => Value::Text(text),
            OutcomeValue::Missing => Value::Missing,
        };
        self.core.borrow_mut().outcome(&key, value, now)
    }

    fn window_at(&self, now: u64) -> WindowIndex {
        self.core.borrow().spec().window.index_at(now)
    }

    fn take_delta(&self) -> Option<Vec<u8>> {
        self.core.borrow_mut().take_delta().map(Snapshot::into_store)
    }

    fn give_back(&self, delta: Vec<u8>, now: u64) -> Result<(), Error> {
        Ok(self.core.borrow_mut().give_back(&Snapshot::from_store(delta), now)?)
    }

    fn merged(&self, stored: Option<Vec<u8>>, delta: Option<Vec<u8>>, now: u64) -> Result<MergedSketches, Error> {
        let (stored, delta) = (stored.map(Snapshot::from_store), delta.map(Snapshot::from_store));
        Ok(view::merged(self.core.borrow().merged(stored.as_ref(), delta.as_ref(), now)?))
    }

    fn inspect(&self, window: WindowIndex, stored: Option<Vec<u8>>) -> ProfileView {
        let core = self.core.borrow();
        let all = with_stored(&core, stored, core.spec().window.start_secs(window));
        view::profile(&core, all.as_ref().unwrap_or(core.sketches()), window)
    }

    fn join(&self, state: Option<Vec<u8>>, now: u64) -> Result<Vec<u8>, Error> {
        let core = self.core.borrow();
        let state = match state {
            None => DeviceState::join(core.spec(), now, &mut Host::tested()?)?,
            Some(bytes) => {
                let mut state = DeviceState::from_bytes(&bytes)?;
                state.enter(core.spec(), now)?;
                state
            }
        };
        Ok(state.to_bytes())
    }

    fn due(&self, state: Vec<u8>, now: u64) -> Result<Option<WindowIndex>, Error> {
        let state = DeviceState::from_bytes(&state)?;
        Ok(self.core.borrow().due(&state, now))
    }

    fn answer(&self, state: Vec<u8>, window: WindowIndex, now: u64, stored: Option<Vec<u8>>) -> Result<Answer, Error> {
        let core = self.core.borrow();
        let mut state = DeviceState::from_bytes(&state)?;
        let all = with_stored(&core, stored, now);
        let sketches = all.as_ref().unwrap_or(core.sketches());
        let answer = core.answer_from(sketches, &mut state, window, now, &mut Host::tested()?)?;
        Ok(view::answer(&core, &answer, &state))
    }

    fn ledger(&self, state: Vec<u8>, now: u64) -> Result<LedgerView, Error> {
        let core = self.core.borrow();
        let state = DeviceState::from_bytes(&state)?;
        state.check_app(core.spec())?;
        Ok(view::ledger(&core, &state, now))
    }

    fn parse_report(&self, bytes: Vec<u8>) -> Result<ReportView, Error> {
        let report = Report::decode(&bytes).map_err(malformed)?;
        let other = || Error::MalformedReport("the report is not one of this spec".into());
        view::parsed(&self.core.borrow(), &report).ok_or_else(other)
    }

    fn purge(&self) {
        self.core.borrow_mut().purge();
    }
}

/// Refuses a model that the spec does not admit.
pub(super) fn admit(monitor: &Monitor, sha256: [u8; 32], inputs: &[ModelInput], outputs: &[&str]) -> Result<(), Error> {
    let dims = |input: &ModelInput| input.dims.iter().map(|dim| dim.map(|dim| dim as usize)).collect();
    let dims: Vec<Vec<Option<usize>>> = inputs.iter().map(dims).collect();
    let names = inputs.iter().map(|input| input.name.as_str());
    let inputs: Vec<_> = names.zip(dims.iter().map(Vec::as_slice)).collect();
    Ok(monitor.spec().admit(&ModelShape { sha256: &sha256, inputs: &inputs, outputs })?)
}

/// What is stored with what the monitor holds.
fn with_stored(monitor: &Monitor, stored: Option<Vec<u8>>, now_secs: u64) -> Option<Sketches> {
    stored.map(|stored| monitor.with_stored(&Snapshot::from_store(stored), now_secs))
}

fn malformed(error: report::ReportError) -> Error {
    Error::MalformedReport(error.sentence().into())
}

/// Elements as the core knows them: truth values are bytes.
fn plain(elements: Elements) -> Elements {
    match elements {
        Elements::Boolean(values) => Elements::Uint8(values.into_iter().map(u8::from).collect()),
        other => other,
    }
}

fn borrowed(fields: &[(String, Elements)]) -> Vec<(&str, Values<'_>)> {
    fields.iter().map(|(name, elements)| (name.as_str(), values(elements))).collect()
}

fn values(elements: &Elements) -> Values<'_> {
    match elements {
        Elements::Float32(values) => Values::F32(values),
        Elements::Float64(values) => Values::F64(values),
        Elements::Nullable(values) => Values::Optional(values),
        Elements::Int32(values) => Values::I32(values),
        Elements::Int64(values) => Values::I64(values),
        Elements::Uint8(values) => Values::U8(values),
        Elements::Text(values) => Values::Text(values),
        // Made bytes by `plain`.
        Elements::Boolean(_) => Values::U8(&[]),
    }
}
