//! Inference beside the monitor, so that outputs feed sketches without crossing the boundary.

use core::cell::RefCell;

use alloc::rc::Rc;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Component;
use super::monitor::{Shared, admit};
use super::wit::exports::driftglass::monitor::inference::{
    ElementType, Guest, GuestRun, GuestSession, InferenceError, InputFault, ModelInput, MonitorBorrow,
    Run as RunHandle, Session as SessionHandle, Tensor as WitTensor,
};
use super::wit::exports::driftglass::monitor::types::{Elements, Error};
use super::wit::wasi::random::random::get_random_u64;
use crate::bindings::batch::Run;
use crate::infer::{self, Data, Element, InferError, InferenceSession, Tensor};

/// A session behind a handle. Calls never overlap, as for [`Shared`].
pub(super) struct Loaded {
    core: Rc<RefCell<InferenceSession>>,
}

/// A run that is over. It keeps its session.
pub(super) struct Finished {
    session: Rc<RefCell<InferenceSession>>,
    feeds: Vec<Tensor>,
    outcome: Result<Vec<Tensor>, InferError>,
}

impl Guest for Component {
    type Session = Loaded;
    type Run = Finished;
}

impl GuestRun for Finished {
    fn outputs(&self) -> Result<Vec<WitTensor>, InferenceError> {
        let outputs = self.outcome.clone()?;
        Ok(named(&self.session.borrow(), outputs))
    }

    fn observe(
        &self,
        monitor: MonitorBorrow<'_>,
        keys: Vec<String>,
        latency_ms: Option<f64>,
        now: u64,
    ) -> Result<(), Error> {
        let monitor = &monitor.get::<Shared>().core;
        let session = &self.session.borrow();
        let outputs: Vec<&str> = session.outputs().iter().map(String::as_str).collect();
        admit(&monitor.borrow(), *session.sha256(), &inputs(session), &outputs)?;
        let run = Run { session, feeds: &self.feeds, outcome: &self.outcome, latency_ms };
        run.observe(&mut monitor.borrow_mut(), &keys, now);
        Ok(())
    }
}

impl GuestSession for Loaded {
    fn load(onnx: Vec<u8>) -> Result<SessionHandle, InferenceError> {
        let core = InferenceSession::create_seeded(&onnx, &mut || get_random_u64() as u32)?;
        Ok(SessionHandle::new(Self { core: Rc::new(RefCell::new(core)) }))
    }

    fn sha256(&self) -> Vec<u8> {
        self.core.borrow().sha256().to_vec()
    }

    fn inputs(&self) -> Vec<ModelInput> {
        inputs(&self.core.borrow())
    }

    fn input_types(&self) -> Vec<ElementType> {
        self.core.borrow().inputs().iter().map(|input| input.element.into()).collect()
    }

    fn outputs(&self) -> Vec<String> {
        self.core.borrow().outputs().to_vec()
    }

    fn run(&self, feeds: Vec<WitTensor>) -> Result<RunHandle, InferenceError> {
        let session = Rc::clone(&self.core);
        let feeds = feeds_of(&session.borrow(), feeds)?;
        let outcome = session.borrow_mut().run(&feeds);
        Ok(RunHandle::new(Finished { session, feeds, outcome }))
    }
}

fn inputs(session: &InferenceSession) -> Vec<ModelInput> {
    let input = |input: &infer::Input| ModelInput {
        name: input.name.clone(),
        // A dimension beyond 2^32 has more elements than any input may have, and is as good as the largest.
        dims: input.dims.iter().map(|dim| dim.map(|dim| u32::try_from(dim).unwrap_or(u32::MAX))).collect(),
    };
    session.inputs().iter().map(input).collect()
}

/// The tensors of the model's inputs, in its order.
fn feeds_of(session: &InferenceSession, mut given: Vec<WitTensor>) -> Result<Vec<Tensor>, InferError> {
    let feed = |input: &infer::Input| {
        let place = given.iter().position(|tensor| tensor.name == input.name);
        let place = place.ok_or_else(|| InferError::MissingInput { name: input.name.clone() })?;
        let WitTensor { dims, elements, .. } = given.swap_remove(place);
        let data = match (input.element, elements) {
            (Element::F32, Elements::Float32(data)) => Data::F32(data),
            (Element::F64, Elements::Float64(data)) => Data::F64(data),
            (Element::I32, Elements::Int32(data)) => Data::I32(data),
            (Element::I64, Elements::Int64(data)) => Data::I64(data),
            (Element::U8, Elements::Uint8(data)) => Data::U8(data),
            (Element::Bool, Elements::Boolean(data)) => Data::Bool(data.into_iter().map(u8::from).collect()),
            (expected, _) => return Err(InferError::WrongType { name: input.name.clone(), expected }),
        };
        Ok(Tensor { dims: dims.into_iter().map(|dim| dim as usize).collect(), data })
    };
    session.inputs().iter().map(feed).collect()
}

fn named(session: &InferenceSession, outputs: Vec<Tensor>) -> Vec<WitTensor> {
    let tensor = |(name, tensor): (&String, Tensor)| WitTensor {
        name: name.clone(),
        // Fits: the memory of the component has 2^32 bytes.
        dims: tensor.dims.iter().map(|dim| *dim as u32).collect(),
        elements: match tensor.data {
            Data::F32(data) => Elements::Float32(data),
            Data::F64(data) => Elements::Float64(data),
            Data::I32(data) => Elements::Int32(data),
            Data::I64(data) => Elements::Int64(data),
            Data::U8(data) => Elements::Uint8(data),
            Data::Bool(data) => Elements::Boolean(data.into_iter().map(|value| value != 0).collect()),
        },
    };
    session.outputs().iter().zip(outputs).map(tensor).collect()
}

impl From<Element> for ElementType {
    fn from(element: Element) -> Self {
        match element {
            Element::F32 => Self::Float32,
            Element::F64 => Self::Float64,
            Element::I32 => Self::Int32,
            Element::I64 => Self::Int64,
            Element::U8 => Self::Uint8,
            Element::Bool => Self::Boolean,
        }
    }
}

impl From<InferError> for InferenceError {
    fn from(error: InferError) -> Self {
        let rule = error.to_string();
        let fault = |name: String| InputFault { name, rule };
        match error {
            // Fits: the limit is 2^30.
            InferError::TooLarge => Self::TooLarge(infer::MAX_MODEL_BYTES as u32),
            InferError::Unreadable => Self::Unreadable,
            InferError::UnsupportedInput { name } => Self::UnsupportedInput(fault(name)),
            InferError::MissingInput { name } => Self::MissingInput(fault(name)),
            InferError::WrongType { name, .. } => Self::WrongType(fault(name)),
            InferError::WrongShape { name, .. } => Self::WrongShape(fault(name)),
            InferError::Unsupported => Self::Unsupported,
            InferError::Failed => Self::Failed,
        }
    }
}
