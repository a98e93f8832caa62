//! Records that an application hands over by value.

use alloc::{string::String, vec, vec::Vec};

use js_sys::{Array, BigInt64Array, Float32Array, Float64Array, Int32Array, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::error::{Thrown, coded};
use crate::monitor::Monitor;
use crate::observe::{Observation, Value, Values};
use crate::spec::{MonitorSpec, Source};

/// A number, a truth value, a text, or nothing.
pub(super) enum Scalar {
    Number(f64),
    Truth(bool),
    Text(String),
    Nothing,
}

/// The elements of a field, all numbers or all text. Typed arrays are copied whole, which costs little for large ones.
enum Column {
    Numbers(Vec<Option<f64>>),
    Texts(Vec<String>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    U8(Vec<u8>),
}

/// Reads what `monitor.observe` takes: `{ inputs, outputs, latencyMs, failed }`.
///
/// Of the tensors it asks for those that the spec reads, by names that are JavaScript strings already: making them anew
/// would cost more than counting.
#[derive(Debug)]
pub(super) struct Reader {
    fields: [JsValue; 4],
    inputs: Vec<(String, JsValue)>,
    outputs: Vec<(String, JsValue)>,
}

impl Reader {
    /// A reader for the metrics of a spec.
    pub(super) fn new(spec: &MonitorSpec) -> Self {
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for metric in &spec.metrics {
            let (names, tensor) = match &metric.source {
                Source::Input { tensor, .. } => (&mut inputs, tensor),
                Source::Output { tensor, .. } | Source::Argmax { tensor } | Source::Max { tensor } => {
                    (&mut outputs, tensor)
                }
                Source::Codebook(book) if book.of_output => (&mut outputs, &book.tensor),
                Source::Codebook(book) => (&mut inputs, &book.tensor),
                Source::Latency | Source::Error | Source::Outcome | Source::Pair { .. } | Source::Joint { .. } => {
                    continue;
                }
            };
            if !names.iter().any(|(name, _)| name == tensor) {
                names.push((tensor.clone(), JsValue::from_str(tensor)));
            }
        }
        Self { fields: ["inputs", "outputs", "latencyMs", "failed"].map(JsValue::from_str), inputs, outputs }
    }

    /// Counts a record.
    pub(super) fn observe(
        &self,
        monitor: &mut Monitor,
        record: &JsValue,
        key: Option<&str>,
        now_secs: u64,
    ) -> Result<(), Thrown> {
        let (inputs, outputs, latency_ms, failed) = self.read(record).ok_or_else(malformed)?;
        let (inputs, outputs) = (named(&inputs), named(&outputs));
        let seen = Observation { inputs: &inputs, outputs: &outputs, latency_ms, failed };
        monitor.observe(&seen, key, now_secs);
        Ok(())
    }

    fn read(&self, record: &JsValue) -> Option<(Fields<'_>, Fields<'_>, Option<f64>, bool)> {
        let object = record.dyn_ref::<Object>()?;
        let mut values = [const { JsValue::UNDEFINED }; 4];
        for (value, field) in values.iter_mut().zip(&self.fields) {
            *value = Reflect::get(object, field).ok()?;
        }
        let present = values.iter().filter(|value| !value.is_undefined()).count();
        if Object::keys(object).length() as usize > present {
            let names = Object::keys(object);
            for index in 0..names.length() {
                self.fields.contains(&names.get(index)).then_some(())?;
            }
        }
        let [inputs, outputs, latency, failed] = values;
        Some((
            columns(&inputs, &self.inputs)?,
            columns(&outputs, &self.outputs)?,
            if latency.is_undefined() || latency.is_null() { None } else { Some(latency.as_f64()?) },
            if failed.is_undefined() { false } else { failed.as_bool()? },
        ))
    }
}

/// Reads one value.
pub(super) fn scalar(value: JsValue) -> Result<Scalar, Thrown> {
    of(&value).ok_or_else(malformed)
}

/// Names and dimensions of inputs, `[name, dims][]`, null for a dimension that the caller chooses.
pub(super) fn shapes(given: &JsValue) -> Option<Vec<(String, Vec<Option<usize>>)>> {
    let given = given.dyn_ref::<Array>()?;
    let mut shapes = Vec::new();
    for index in 0..given.length() {
        let pair = given.get(index).dyn_into::<Array>().ok()?;
        let given = pair.get(1).dyn_into::<Array>().ok()?;
        let mut dims = Vec::new();
        for index in 0..given.length() {
            let dim = given.get(index);
            dims.push(match dim.as_f64() {
                Some(dim) if dim >= 0.0 && dim == f64::from(dim as u32) => Some(dim as usize),
                _ if dim.is_null() => None,
                _ => return None,
            });
        }
        shapes.push((pair.get(0).as_string()?, dims));
    }
    Some(shapes)
}

type Fields<'a> = Vec<(&'a str, Column)>;

/// The tensors that are asked for; those that the record lacks are left out.
fn columns<'a>(fields: &JsValue, names: &'a [(String, JsValue)]) -> Option<Fields<'a>> {
    if fields.is_undefined() {
        return Some(Vec::new());
    }
    let object = fields.dyn_ref::<Object>()?;
    let mut columns = Vec::with_capacity(names.len());
    for (name, key) in names {
        let value = Reflect::get(object, key).ok()?;
        if !value.is_undefined() {
            columns.push((name.as_str(), Column::read(&value)?));
        }
    }
    Some(columns)
}

fn of(value: &JsValue) -> Option<Scalar> {
    if let Some(number) = value.as_f64() {
        return Some(Scalar::Number(number));
    }
    if let Some(truth) = value.as_bool() {
        return Some(Scalar::Truth(truth));
    }
    if value.is_null() || value.is_undefined() {
        return Some(Scalar::Nothing);
    }
    value.as_string().map(Scalar::Text)
}

impl Scalar {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Self::Number(number) => Value::from(*number),
            Self::Truth(truth) => Value::from(f64::from(u8::from(*truth))),
            Self::Text(text) => Value::Text(text),
            Self::Nothing => Value::Missing,
        }
    }

    /// As a number; what is none is missing.
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Truth(truth) => Some(f64::from(u8::from(*truth))),
            Self::Text(_) | Self::Nothing => None,
        }
    }
}

impl Column {
    fn of(scalars: Vec<Scalar>) -> Self {
        let (mut numbers, mut texts) = (Vec::with_capacity(scalars.len()), Vec::new());
        if scalars.iter().any(|scalar| matches!(scalar, Scalar::Text(_))) {
            for scalar in scalars {
                texts.push(if let Scalar::Text(text) = scalar { text } else { String::new() });
            }
            return Self::Texts(texts);
        }
        for scalar in &scalars {
            numbers.push(scalar.number());
        }
        Self::Numbers(numbers)
    }

    /// A typed array of one of the element types that models have, a list, or a single value; the usual ones first.
    fn read(value: &JsValue) -> Option<Self> {
        if let Some(data) = value.dyn_ref::<Float32Array>() {
            return Some(Self::F32(data.to_vec()));
        }
        if let Some(items) = value.dyn_ref::<Array>() {
            let mut scalars = Vec::with_capacity(items.length() as usize);
            for index in 0..items.length() {
                scalars.push(of(&items.get(index))?);
            }
            return Some(Self::of(scalars));
        }
        if let Some(data) = value.dyn_ref::<BigInt64Array>() {
            return Some(Self::I64(data.to_vec()));
        }
        if let Some(scalar) = of(value) {
            return Some(Self::of(vec![scalar]));
        }
        None.or_else(|| value.dyn_ref::<Float64Array>().map(|data| Self::F64(data.to_vec())))
            .or_else(|| value.dyn_ref::<Int32Array>().map(|data| Self::I32(data.to_vec())))
            .or_else(|| value.dyn_ref::<Uint8Array>().map(|data| Self::U8(data.to_vec())))
    }

    fn values(&self) -> Values<'_> {
        match self {
            Self::Numbers(numbers) => Values::Optional(numbers),
            Self::Texts(texts) => Values::Text(texts),
            Self::F32(data) => Values::F32(data),
            Self::F64(data) => Values::F64(data),
            Self::I32(data) => Values::I32(data),
            Self::I64(data) => Values::I64(data),
            Self::U8(data) => Values::U8(data),
        }
    }
}

fn named<'a>(columns: &'a Fields<'a>) -> Vec<(&'a str, Values<'a>)> {
    columns.iter().map(|(name, column)| (*name, column.values())).collect()
}

fn malformed() -> Thrown {
    coded(
        "malformed-record",
        "a record is { inputs, outputs, latencyMs, failed }; a field is a number, a truth value, a text, null, a list \
         of them, or a typed array",
    )
}
