//! A spec as the engine's own JSON parser reads it.

use alloc::{string::String, vec::Vec};

use js_sys::{Array, JSON, JsString, Number as JsNumber, Object};
use wasm_bindgen::{JsCast, JsValue};

use super::error::{Thrown, coded};
use crate::spec::{MonitorSpec, Number, Value};

/// Longest document that is read, in bytes.
const MAX_DOCUMENT_BYTES: usize = 1 << 24;
/// Arrays and objects inside each other; a spec has a dozen.
const MAX_DEPTH: u32 = 64;

/// Reads a spec from JSON text.
pub(super) fn spec(text: &str) -> Result<MonitorSpec, Thrown> {
    if text.len() > MAX_DOCUMENT_BYTES {
        return Err(coded("invalid-spec", "(root): must be at most 16777216 bytes"));
    }
    let parsed = JSON::parse(text).ok();
    let document = parsed.and_then(|parsed| value(&parsed, 0));
    let document = document.ok_or_else(|| coded("invalid-spec", "(root): must be JSON"))?;
    MonitorSpec::read(&document).map_err(super::error::thrown)
}

/// `None` for what JSON does not carry everywhere alike: numbers out of range, text that is no Unicode, depth.
fn value(given: &JsValue, depth: u32) -> Option<Value> {
    if depth > MAX_DEPTH {
        return None;
    }
    if given.is_null() {
        return Some(Value::Null);
    }
    if let Some(truth) = given.as_bool() {
        return Some(Value::Bool(truth));
    }
    if let Some(value) = given.as_f64() {
        let spelling = String::from(JsNumber::from(value).to_string_with_radix(10).ok()?);
        return value.is_finite().then_some(Value::Number(Number { value, spelling }));
    }
    if let Some(text) = given.dyn_ref::<JsString>() {
        return unicode(text).map(Value::Text);
    }
    if let Some(items) = given.dyn_ref::<Array>() {
        let mut values = Vec::with_capacity(items.length() as usize);
        for index in 0..items.length() {
            values.push(value(&items.get(index), depth + 1)?);
        }
        return Some(Value::Array(values));
    }
    let entries = Object::entries(given.unchecked_ref());
    let mut members = Vec::with_capacity(entries.length() as usize);
    for index in 0..entries.length() {
        let entry = entries.get(index).unchecked_into::<Array>();
        members.push((unicode(&entry.get(0).unchecked_into())?, value(&entry.get(1), depth + 1)?));
    }
    Some(Value::Object(members))
}

fn unicode(text: &JsString) -> Option<String> {
    text.is_valid_utf16().then(|| String::from(text))
}
