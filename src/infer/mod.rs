//! ONNX models on the device, through tract. The only module that names tract.
//!
//! A session is made from the bytes of an ONNX file. Plans are made for the shapes that are asked for, so that a symbolic batch costs nothing at run time; the
//! last few are kept. Model bytes are untrusted: what tract reports becomes an [`InferError`] here.
//!
//! Sources: ONNX operators as tract 0.23 implements them; equality with onnxruntime is tested on the demo's model.

mod seeds;

use core::fmt;
use std::io::Cursor;

use sha2::{Digest, Sha256};
use tract_onnx::pb::GraphProto;
use tract_onnx::prelude::{
    DatumType, Framework, InferenceFact, InferenceModel, InferenceModelExt, IntoRunnable, IntoTValue, TValue, TVec,
    Tensor as TractTensor, TractResult,
};
use tract_onnx::tract_core::model::TypedSimpleState;
use tract_onnx::tract_hir::infer::Factoid;

use crate::observe::Values;

/// Largest model file, in bytes: what a 32-bit address space holds about three times (file, weights, packed weights).
pub const MAX_MODEL_BYTES: usize = 1 << 30;

/// Largest input tensor, in elements.
pub const MAX_TENSOR_ELEMENTS: usize = 1 << 27;

/// Plans for different shapes that are kept.
const KEPT_PLANS: usize = 4;

/// A loaded model.
pub struct InferenceSession {
    model: InferenceModel,
    inputs: Vec<Input>,
    outputs: Vec<String>,
    sha256: [u8; 32],
    plans: Vec<Plan>,
}

/// A model prepared for the shapes of its inputs. The state keeps what a run allocates.
struct Plan {
    shapes: Vec<Vec<usize>>,
    state: TypedSimpleState,
}

/// An input of a model.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Type of its elements.
    pub element: Element,
    /// Its dimensions; `None` for one that the caller chooses.
    pub dims: Vec<Option<usize>>,
}

/// Type of tensor elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// Byte.
    U8,
    /// Truth value.
    Bool,
}

/// A dense tensor, row by row.
#[derive(Clone)]
pub struct Tensor {
    /// Its dimensions.
    pub dims: Vec<usize>,
    /// Its elements.
    pub data: Data,
}

/// The elements of a tensor.
#[derive(Clone)]
pub enum Data {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
    /// 32-bit integers.
    I32(Vec<i32>),
    /// 64-bit integers.
    I64(Vec<i64>),
    /// Bytes.
    U8(Vec<u8>),
    /// Truth values, 0 or 1.
    Bool(Vec<u8>),
}

/// A model or an input that cannot be used. Holds no value of a tensor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InferError {
    /// The file is too large.
    #[error("a model file has at most {MAX_MODEL_BYTES} bytes")]
    TooLarge,
    /// The bytes are no ONNX model that tract can read.
    #[error("the bytes are not an ONNX model that can be read")]
    Unreadable,
    /// The model has an input of a type that cannot be fed.
    #[error(
        "input \"{name}\" has an element type that is not supported; supported: float32, float64, int32, int64, uint8, bool"
    )]
    UnsupportedInput {
        /// Name of the input.
        name: String,
    },
    /// An input was not given.
    #[error("input \"{name}\" is missing")]
    MissingInput {
        /// Name of the input.
        name: String,
    },
    /// An input has the wrong element type.
    #[error("input \"{name}\" must be {expected}")]
    WrongType {
        /// Name of the input.
        name: String,
        /// Type that it must have.
        expected: Element,
    },
    /// An input has dimensions that the model does not take, or that do not match its number of elements.
    #[error(
        "input \"{name}\" must have {expected} and as many elements as its dimensions say, at most {MAX_TENSOR_ELEMENTS}"
    )]
    WrongShape {
        /// Name of the input.
        name: String,
        /// Dimensions that it must have.
        expected: Shape,
    },
    /// The model cannot be prepared for these shapes.
    #[error(
        "the model cannot be prepared for inputs of these dimensions: an operator is not supported or the dimensions do not fit it"
    )]
    Unsupported,
    /// The model failed while running.
    #[error("the model failed while running")]
    Failed,
}

/// Dimensions in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape(Vec<Option<usize>>);

impl InferenceSession {
    /// Reads an ONNX file.
    ///
    /// # Errors
    ///
    /// [`InferError`] when the bytes are no model that can be run.
    pub fn create(onnx: &[u8]) -> Result<Self, InferError> {
        Self::read(onnx, |_| {})
    }

    /// Reads an ONNX file, for platforms that give no entropy to libraries: operators that draw random numbers and have
    /// no seed get one.
    ///
    /// # Errors
    ///
    /// As [`InferenceSession::create`].
    pub fn create_seeded(onnx: &[u8], seed: &mut dyn FnMut() -> u32) -> Result<Self, InferError> {
        Self::read(onnx, |graph| seeds::fill(graph, seed))
    }

    fn read(onnx: &[u8], change: impl FnOnce(&mut GraphProto)) -> Result<Self, InferError> {
        if onnx.len() > MAX_MODEL_BYTES {
            return Err(InferError::TooLarge);
        }
        let framework = tract_onnx::onnx();
        let mut proto = framework.proto_model_for_read(&mut Cursor::new(onnx)).map_err(|_| InferError::Unreadable)?;
        if let Some(graph) = &mut proto.graph {
            change(graph);
        }
        let model = framework.model_for_proto_model(&proto).map_err(|_| InferError::Unreadable)?;
        let inputs = inputs(&model)?;
        let outputs = outputs(&model).map_err(|_| InferError::Unreadable)?;
        Ok(Self { model, inputs, outputs, sha256: Sha256::digest(onnx).into(), plans: Vec::new() })
    }

    /// The inputs, in the order of the model.
    #[must_use]
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// Names of the outputs, in the order of the model.
    #[must_use]
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// SHA-256 of the file.
    #[must_use]
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// Runs the model on one tensor per input, in the order of the model.
    ///
    /// # Errors
    ///
    /// [`InferError`] when an input does not fit or the model fails.
    pub fn run(&mut self, feeds: &[Tensor]) -> Result<Vec<Tensor>, InferError> {
        for (index, input) in self.inputs.iter().enumerate() {
            let missing = || InferError::MissingInput { name: input.name.clone() };
            input.check(feeds.get(index).ok_or_else(missing)?)?;
        }
        let values: TractResult<TVec<TValue>> =
            feeds.iter().map(|feed| feed.to_tract().map(IntoTValue::into_tvalue)).collect();
        let values = values.map_err(|_| InferError::Failed)?;
        let results = self.plan(feeds)?.state.run(values).map_err(|_| {
            // What a failed run left behind is not run again.
            self.plans.remove(0);
            InferError::Failed
        })?;
        results.iter().map(|value| Tensor::from_tract(value).ok_or(InferError::Failed)).collect()
    }

    /// The plan for these shapes, made on first use. The one used least recently gives way.
    fn plan(&mut self, feeds: &[Tensor]) -> Result<&mut Plan, InferError> {
        let fits = |plan: &Plan| plan.shapes.iter().zip(feeds).all(|(dims, feed)| *dims == feed.dims);
        match self.plans.iter().position(fits) {
            Some(place) => self.plans[..=place].rotate_right(1),
            None => {
                let state = self.prepare(feeds).map_err(|_| InferError::Unsupported)?;
                let shapes = feeds.iter().map(|feed| feed.dims.clone()).collect();
                self.plans.truncate(KEPT_PLANS - 1);
                self.plans.insert(0, Plan { shapes, state });
            }
        }
        Ok(&mut self.plans[0])
    }

    fn prepare(&self, feeds: &[Tensor]) -> TractResult<TypedSimpleState> {
        let mut model = self.model.clone();
        for (index, feed) in feeds.iter().enumerate() {
            let fact = InferenceFact::dt_shape(self.inputs[index].element.datum_type(), &feed.dims);
            model = model.with_input_fact(index, fact)?;
        }
        model.into_optimized()?.into_runnable()?.spawn()
    }
}

fn inputs(model: &InferenceModel) -> Result<Vec<Input>, InferError> {
    let outlets = model.input_outlets().map_err(|_| InferError::Unreadable)?;
    let read = |(index, outlet): (usize, _)| {
        let fact = model.input_fact(index).map_err(|_| InferError::Unreadable)?;
        let name = name(model, outlet);
        let element = fact.datum_type.concretize().and_then(Element::of);
        let dims = fact.shape.dims().map(|dim| dim.concretize().and_then(|dim| dim.as_i64()));
        Ok(Input {
            element: element.ok_or_else(|| InferError::UnsupportedInput { name: name.clone() })?,
            dims: dims.map(|dim| dim.and_then(|dim| usize::try_from(dim).ok())).collect(),
            name,
        })
    };
    outlets.iter().copied().enumerate().map(read).collect()
}

fn outputs(model: &InferenceModel) -> TractResult<Vec<String>> {
    Ok(model.output_outlets()?.iter().map(|outlet| name(model, *outlet)).collect())
}

fn name(model: &InferenceModel, outlet: tract_onnx::prelude::OutletId) -> String {
    model.outlet_label(outlet).unwrap_or_else(|| &model.nodes()[outlet.node].name).to_owned()
}

impl Input {
    fn check(&self, feed: &Tensor) -> Result<(), InferError> {
        if feed.data.element() != self.element {
            return Err(InferError::WrongType { name: self.name.clone(), expected: self.element });
        }
        let elements = feed.dims.iter().try_fold(1_usize, |product, dim| product.checked_mul(*dim));
        let filled = elements == Some(feed.data.values().len()) && elements <= Some(MAX_TENSOR_ELEMENTS);
        let fits = self.dims.len() == feed.dims.len()
            && self.dims.iter().zip(&feed.dims).all(|(fixed, given)| fixed.is_none_or(|fixed| fixed == *given));
        if filled && fits {
            Ok(())
        } else {
            Err(InferError::WrongShape { name: self.name.clone(), expected: Shape(self.dims.clone()) })
        }
    }
}

impl Element {
    /// Its name, as in onnxruntime-web.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F64 => "float64",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::U8 => "uint8",
            Self::Bool => "bool",
        }
    }

    fn of(datum: DatumType) -> Option<Self> {
        Some(match datum {
            DatumType::F32 => Self::F32,
            DatumType::F64 => Self::F64,
            DatumType::I32 => Self::I32,
            DatumType::I64 => Self::I64,
            DatumType::U8 => Self::U8,
            DatumType::Bool => Self::Bool,
            _ => return None,
        })
    }

    fn datum_type(self) -> DatumType {
        match self {
            Self::F32 => DatumType::F32,
            Self::F64 => DatumType::F64,
            Self::I32 => DatumType::I32,
            Self::I64 => DatumType::I64,
            Self::U8 => DatumType::U8,
            Self::Bool => DatumType::Bool,
        }
    }
}

impl Data {
    /// Type of the elements.
    #[must_use]
    pub fn element(&self) -> Element {
        match self {
            Self::F32(_) => Element::F32,
            Self::F64(_) => Element::F64,
            Self::I32(_) => Element::I32,
            Self::I64(_) => Element::I64,
            Self::U8(_) => Element::U8,
            Self::Bool(_) => Element::Bool,
        }
    }

    /// The elements, to be observed.
    #[must_use]
    pub fn values(&self) -> Values<'_> {
        match self {
            Self::F32(data) => Values::F32(data),
            Self::F64(data) => Values::F64(data),
            Self::I32(data) => Values::I32(data),
            Self::I64(data) => Values::I64(data),
            Self::U8(data) | Self::Bool(data) => Values::U8(data),
        }
    }
}

impl Tensor {
    fn to_tract(&self) -> TractResult<TractTensor> {
        match &self.data {
            Data::F32(data) => TractTensor::from_shape(&self.dims, data),
            Data::F64(data) => TractTensor::from_shape(&self.dims, data),
            Data::I32(data) => TractTensor::from_shape(&self.dims, data),
            Data::I64(data) => TractTensor::from_shape(&self.dims, data),
            Data::U8(data) => TractTensor::from_shape(&self.dims, data),
            Data::Bool(data) => {
                TractTensor::from_shape(&self.dims, &data.iter().map(|value| *value != 0).collect::<Vec<bool>>())
            }
        }
    }

    fn from_tract(tensor: &TractTensor) -> Option<Self> {
        let view = tensor.as_plain_ram()?;
        let data = match Element::of(tensor.datum_type())? {
            Element::F32 => Data::F32(view.as_slice::<f32>().ok()?.to_vec()),
            Element::F64 => Data::F64(view.as_slice::<f64>().ok()?.to_vec()),
            Element::I32 => Data::I32(view.as_slice::<i32>().ok()?.to_vec()),
            Element::I64 => Data::I64(view.as_slice::<i64>().ok()?.to_vec()),
            Element::U8 => Data::U8(view.as_slice::<u8>().ok()?.to_vec()),
            Element::Bool => Data::Bool(view.as_slice::<bool>().ok()?.iter().map(|value| u8::from(*value)).collect()),
        };
        Some(Self { dims: tensor.shape().to_vec(), data })
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dim = |dim: &Option<usize>| dim.map_or("any".to_owned(), |dim| dim.to_string());
        write!(f, "dimensions [{}]", self.0.iter().map(dim).collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor({} {:?})", self.data.element(), self.dims)
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Data({} × {})", self.element(), self.values().len())
    }
}

impl fmt::Debug for InferenceSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InferenceSession")
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}
