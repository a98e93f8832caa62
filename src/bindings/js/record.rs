//! Records that an application hands over by value.

use alloc::{string::String, vec, vec::Vec};

use js_sys::{Array, BigInt64Array, Float32Array, Float64Array, Int32Array, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::error::{Thrown, coded};
use crate::monitor::Monitor;
use crate::observe::{Observation, Value, Values};

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

/// What `monitor.observe` takes: `{ inputs, outputs, latencyMs, failed }`.
pub(super) fn observe(monitor: &mut Monitor, record: JsValue, key: Option<&str>, now_secs: u64) -> Result<(), Thrown> {
    let (inputs, outputs, latency_ms, failed) = read(&record).ok_or_else(malformed)?;
    let (inputs, outputs) = (named(&inputs), named(&outputs));
    let seen = Observation { inputs: &inputs, outputs: &outputs, latency_ms, failed };
    monitor.observe(&seen, key, now_secs);
    Ok(())
}

/// Reads one value.
pub(super) fn scalar(value: JsValue) -> Result<Scalar, Thrown> {
    of(&value).ok_or_else(malformed)
}

/// Names and dimensions of inputs, `[name, dims][]`, null for a dimension that the caller chooses.
pub(super) fn shapes(given: &JsValue) -> Option<Vec<(String, Vec<Option<usize>>)>> {
    let dim = |dim: JsValue| match dim.as_f64() {
        Some(dim) if dim >= 0.0 && dim == f64::from(dim as u32) => Some(Some(dim as usize)),
        _ => dim.is_null().then_some(None),
    };
    let input = |pair: JsValue| {
        let pair = pair.dyn_into::<Array>().ok()?;
        let dims = pair.get(1).dyn_into::<Array>().ok()?;
        Some((pair.get(0).as_string()?, dims.iter().map(dim).collect::<Option<_>>()?))
    };
    given.dyn_ref::<Array>()?.iter().map(input).collect()
}

type Fields = Vec<(String, Column)>;

fn read(record: &JsValue) -> Option<(Fields, Fields, Option<f64>, bool)> {
    const KNOWN: [&str; 4] = ["inputs", "outputs", "latencyMs", "failed"];
    let object = record.dyn_ref::<Object>()?;
    let known = |name: JsValue| name.as_string().is_some_and(|name| KNOWN.contains(&name.as_str()));
    Object::keys(object).iter().all(known).then_some(())?;
    let field = |name: &str| Reflect::get(object, &name.into()).ok();
    let optional = |value: &JsValue| value.is_undefined() || value.is_null();
    let fields = |value: JsValue| if value.is_undefined() { Some(Vec::new()) } else { columns(&value) };
    let latency = field("latencyMs")?;
    let failed = field("failed")?;
    Some((
        fields(field("inputs")?)?,
        fields(field("outputs")?)?,
        if optional(&latency) { None } else { Some(latency.as_f64()?) },
        if failed.is_undefined() { false } else { failed.as_bool()? },
    ))
}

fn columns(fields: &JsValue) -> Option<Fields> {
    let column = |entry: JsValue| {
        let entry = entry.unchecked_into::<Array>();
        let value = entry.get(1);
        let column = match value.dyn_ref::<Array>() {
            Some(items) => Column::of(items.iter().map(|item| of(&item)).collect::<Option<Vec<_>>>()?),
            None => match of(&value) {
                Some(scalar) => Column::of(vec![scalar]),
                None => Column::typed(&value)?,
            },
        };
        Some((entry.get(0).as_string()?, column))
    };
    Object::entries(fields.dyn_ref::<Object>()?).iter().map(column).collect()
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
        if scalars.iter().any(|scalar| matches!(scalar, Scalar::Text(_))) {
            let text = |scalar| if let Scalar::Text(text) = scalar { text } else { String::new() };
            Self::Texts(scalars.into_iter().map(text).collect())
        } else {
            Self::Numbers(scalars.iter().map(Scalar::number).collect())
        }
    }

    /// A typed array of one of the element types that models have.
    fn typed(value: &JsValue) -> Option<Self> {
        None.or_else(|| value.dyn_ref::<Float32Array>().map(|data| Self::F32(data.to_vec())))
            .or_else(|| value.dyn_ref::<BigInt64Array>().map(|data| Self::I64(data.to_vec())))
            .or_else(|| value.dyn_ref::<Float64Array>().map(|data| Self::F64(data.to_vec())))
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

fn named(columns: &[(String, Column)]) -> Vec<(&str, Values<'_>)> {
    columns.iter().map(|(name, column)| (name.as_str(), column.values())).collect()
}

fn malformed() -> Thrown {
    coded(
        "malformed-record",
        "a record is { inputs, outputs, latencyMs, failed }; a field is a number, a truth value, a text, null, a list \
         of them, or a typed array",
    )
}
