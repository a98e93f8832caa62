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
    if Array::is_array(given) {
        let items = Array::from(given).iter().map(|item| value(&item, depth + 1)).collect::<Option<Vec<_>>>();
        return items.map(Value::Array);
    }
    let member = |entry: JsValue| {
        let entry = entry.unchecked_into::<Array>();
        Some((unicode(&entry.get(0).unchecked_into())?, value(&entry.get(1), depth + 1)?))
    };
    let entries = Object::entries(given.unchecked_ref());
    entries.iter().map(member).collect::<Option<Vec<_>>>().map(Value::Object)
}

fn unicode(text: &JsString) -> Option<String> {
    text.is_valid_utf16().then(|| String::from(text))
}
