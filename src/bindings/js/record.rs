//! Records that an application hands over by value, read with serde-wasm-bindgen.

use std::collections::BTreeMap;

use serde::Deserialize;
use wasm_bindgen::JsValue;

use super::error::{Thrown, coded};
use crate::monitor::Monitor;
use crate::observe::{Observation, Value, Values};

/// What `monitor.observe` takes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Record {
    #[serde(default)]
    inputs: BTreeMap<String, Field>,
    #[serde(default)]
    outputs: BTreeMap<String, Field>,
    latency_ms: Option<f64>,
    #[serde(default)]
    failed: bool,
}

/// One value or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Field {
    Many(Vec<Scalar>),
    One(Scalar),
}

/// A number, a truth value, a text, or nothing.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Number(f64),
    Truth(bool),
    Text(String),
    Nothing,
}

/// The elements of a field, all numbers or all text.
enum Column {
    Numbers(Vec<Option<f64>>),
    Texts(Vec<String>),
}

/// Reads a record and counts it.
pub(super) fn observe(monitor: &mut Monitor, record: JsValue, key: Option<&str>, now_secs: u64) -> Result<(), Thrown> {
    let record: Record = serde_wasm_bindgen::from_value(record).map_err(|_| malformed())?;
    let inputs = columns(record.inputs);
    let outputs = columns(record.outputs);
    let (inputs, outputs) = (named(&inputs), named(&outputs));
    let seen = Observation { inputs: &inputs, outputs: &outputs, latency_ms: record.latency_ms, failed: record.failed };
    monitor.observe(&seen, key, now_secs);
    Ok(())
}

/// Reads one value.
pub(super) fn scalar(value: JsValue) -> Result<Scalar, Thrown> {
    serde_wasm_bindgen::from_value(value).map_err(|_| malformed())
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

fn columns(fields: BTreeMap<String, Field>) -> Vec<(String, Column)> {
    let column = |field: Field| {
        let scalars = match field {
            Field::Many(scalars) => scalars,
            Field::One(scalar) => vec![scalar],
        };
        if scalars.iter().any(|scalar| matches!(scalar, Scalar::Text(_))) {
            let text = |scalar| if let Scalar::Text(text) = scalar { text } else { String::new() };
            Column::Texts(scalars.into_iter().map(text).collect())
        } else {
            Column::Numbers(scalars.iter().map(Scalar::number).collect())
        }
    };
    fields.into_iter().map(|(name, field)| (name, column(field))).collect()
}

fn named(columns: &[(String, Column)]) -> Vec<(&str, Values<'_>)> {
    columns.iter().map(|(name, column)| (name.as_str(), column.values())).collect()
}

impl Column {
    fn values(&self) -> Values<'_> {
        match self {
            Self::Numbers(numbers) => Values::Optional(numbers),
            Self::Texts(texts) => Values::Text(texts),
        }
    }
}

fn malformed() -> Thrown {
    coded(
        "malformed-record",
        "a record is { inputs, outputs, latencyMs, failed }; a field is a number, a truth value, a text, null, or a list of them",
    )
}
