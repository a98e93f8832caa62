//! Inference beside the monitor, so that outputs feed sketches without crossing the boundary.

use alloc::{format, string::String, vec::Vec};

use js_sys::{Array, BigInt64Array, Float32Array, Float64Array, Int32Array, Object, Reflect, Uint8Array};
use wasm_bindgen::intern;
use wasm_bindgen::prelude::{JsCast, JsValue, wasm_bindgen};

use super::error::{Thrown, coded, thrown};
use super::monitor::{JsMonitor, admit};
use crate::bindings::batch::Run;
use crate::infer::{Data, Element, InferError, InferenceSession, Tensor};

#[wasm_bindgen]
extern "C" {
    /// Milliseconds since the start of the page or process, with fractions.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn now_ms() -> f64;
}

/// A loaded ONNX model.
#[wasm_bindgen(js_name = WasmSession)]
#[derive(Debug)]
pub struct JsSession {
    core: InferenceSession,
    /// Names as JavaScript strings, made once: making them anew would cost more than a small model.
    input_keys: Vec<JsValue>,
    output_keys: Vec<JsValue>,
}

#[wasm_bindgen(js_class = WasmSession)]
impl JsSession {
    /// Reads the bytes of an ONNX file.
    #[wasm_bindgen(constructor)]
    pub fn new(onnx: &[u8]) -> Result<Self, Thrown> {
        let core = InferenceSession::create(onnx).map_err(thrown)?;
        let input_keys = core.inputs().iter().map(|input| JsValue::from_str(&input.name)).collect();
        let output_keys = core.outputs().iter().map(|name| JsValue::from_str(name)).collect();
        Ok(Self { core, input_keys, output_keys })
    }

    /// Names of the inputs, in the order of the model.
    #[wasm_bindgen(getter, js_name = inputNames)]
    pub fn input_names(&self) -> Vec<String> {
        self.core.inputs().iter().map(|input| input.name.clone()).collect()
    }

    /// Names of the outputs, in the order of the model.
    #[wasm_bindgen(getter, js_name = outputNames)]
    pub fn output_names(&self) -> Vec<String> {
        self.core.outputs().to_vec()
    }

    /// What each input is, as `{ name, isTensor, type, shape }`; a text stands for a dimension that the caller chooses.
    #[wasm_bindgen(getter, js_name = inputMetadata)]
    pub fn input_metadata(&self) -> Result<Array, Thrown> {
        let dim = |(place, dim): (usize, &Option<usize>)| match dim {
            Some(dim) => JsValue::from_f64(*dim as f64),
            None => JsValue::from_str(&format!("dim{place}")),
        };
        let metadata = |(input, key): (&crate::infer::Input, &JsValue)| {
            let shape: Array = input.dims.iter().enumerate().map(dim).collect();
            let object = Object::new();
            Reflect::set(&object, &intern("name").into(), key)?;
            Reflect::set(&object, &intern("isTensor").into(), &JsValue::TRUE)?;
            Reflect::set(&object, &intern("type").into(), &intern(input.element.name()).into())?;
            Reflect::set(&object, &intern("shape").into(), &shape)?;
            Ok(object)
        };
        self.core.inputs().iter().zip(&self.input_keys).map(metadata).collect()
    }

    /// SHA-256 of the file, in hexadecimal.
    #[wasm_bindgen(getter)]
    pub fn sha256(&self) -> String {
        self.core.sha256().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Runs the model on tensors by name.
    pub fn run(&mut self, feeds: &JsValue) -> Result<Object, Thrown> {
        let feeds = self.feeds(feeds)?;
        let outputs = self.core.run(&feeds).map_err(thrown)?;
        self.to_object(&outputs)
    }

    fn feeds(&self, feeds: &JsValue) -> Result<Vec<Tensor>, Thrown> {
        let feed = |(input, key): (&crate::infer::Input, &JsValue)| {
            let given = Reflect::get(feeds, key).unwrap_or(JsValue::UNDEFINED);
            if given.is_undefined() {
                return Err(thrown(InferError::MissingInput { name: input.name.clone() }));
            }
            tensor(&given, input.element)
                .ok_or_else(|| thrown(InferError::WrongType { name: input.name.clone(), expected: input.element }))
        };
        self.core.inputs().iter().zip(&self.input_keys).map(feed).collect()
    }

    fn to_object(&self, outputs: &[Tensor]) -> Result<Object, Thrown> {
        let object = Object::new();
        for (key, output) in self.output_keys.iter().zip(outputs) {
            Reflect::set(&object, key, &plain(output)?.into())?;
        }
        Ok(object)
    }
}

#[wasm_bindgen(js_class = WasmMonitor)]
impl JsMonitor {
    /// Refuses a session whose model the spec does not admit.
    #[wasm_bindgen(js_name = admitSession)]
    pub fn admit_session(&self, session: &JsSession) -> Result<(), Thrown> {
        let inputs: Vec<_> =
            session.core.inputs().iter().map(|input| (input.name.clone(), input.dims.clone())).collect();
        admit(&self.core, session.core.sha256(), &inputs, session.core.outputs())
    }

    /// Runs a model and counts each row of the batch. `keys` names the rows whose outcome comes later.
    pub fn run(
        &mut self,
        session: &mut JsSession,
        feeds: &JsValue,
        keys: Vec<String>,
        now_secs: f64,
    ) -> Result<Object, Thrown> {
        let feeds = session.feeds(feeds)?;
        let started = now_ms();
        let outcome = session.core.run(&feeds);
        let latency_ms = Some(now_ms() - started);
        let run = Run { session: &session.core, feeds: &feeds, outcome: &outcome, latency_ms };
        run.observe(&mut self.core, &keys, now_secs as u64);
        session.to_object(&outcome.map_err(thrown)?)
    }
}

/// Reads a tensor `{ data, dims }` of this element type; `None` if its data are of another type.
fn tensor(given: &JsValue, element: Element) -> Option<Tensor> {
    let field = |name: &str| Reflect::get(given, &intern(name).into()).ok();
    let data = field("data")?;
    let dims = field("dims")?.dyn_into::<Array>().ok()?;
    let dims = dims.iter().map(|dim| dim.as_f64().map(|dim| dim as usize)).collect::<Option<_>>()?;
    let data = match element {
        Element::F32 => Data::F32(data.dyn_into::<Float32Array>().ok()?.to_vec()),
        Element::F64 => Data::F64(data.dyn_into::<Float64Array>().ok()?.to_vec()),
        Element::I32 => Data::I32(data.dyn_into::<Int32Array>().ok()?.to_vec()),
        Element::I64 => Data::I64(data.dyn_into::<BigInt64Array>().ok()?.to_vec()),
        Element::U8 => Data::U8(data.dyn_into::<Uint8Array>().ok()?.to_vec()),
        Element::Bool => Data::Bool(data.dyn_into::<Uint8Array>().ok()?.to_vec()),
    };
    Some(Tensor { dims, data })
}

/// A tensor as `{ type, data, dims }`.
fn plain(tensor: &Tensor) -> Result<Object, Thrown> {
    let data: JsValue = match &tensor.data {
        Data::F32(data) => Float32Array::from(data.as_slice()).into(),
        Data::F64(data) => Float64Array::from(data.as_slice()).into(),
        Data::I32(data) => Int32Array::from(data.as_slice()).into(),
        Data::I64(data) => BigInt64Array::from(data.as_slice()).into(),
        Data::U8(data) | Data::Bool(data) => Uint8Array::from(data.as_slice()).into(),
    };
    let dims: Array = tensor.dims.iter().map(|dim| JsValue::from_f64(*dim as f64)).collect();
    let object = Object::new();
    Reflect::set(&object, &intern("type").into(), &intern(tensor.data.element().name()).into())?;
    Reflect::set(&object, &intern("data").into(), &data)?;
    Reflect::set(&object, &intern("dims").into(), &dims)
        .map_err(|_| coded("inference-failed", "the outputs cannot be handed over"))?;
    Ok(object)
}
