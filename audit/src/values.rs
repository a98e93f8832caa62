//! The JavaScript values that the `core` module looks at when it reads a spec, and no others.
//!
//! Devices hand the text to the engine's `JSON.parse`, so the module imports that and a few questions about the result.
//! They are answered here as the generated glue answers them, from `serde_json` and the canonical spelling of numbers
//! (RFC 8785, which is `Number.prototype.toString`). Everything happens before the first report is made.

use serde_json::Value;
use wasmtime::{Caller, ExternRef, FuncType, Linker, Rooted, ValType};

use crate::module::{Host, exported, memory, throw};

type Reference = Option<Rooted<ExternRef>>;

/// What the glue gives for a value that is no truth value.
const NEITHER: i32 = 0x00FF_FFFF;

/// Answers an import, if it is one of these; whether it is. The name ends in a hash, which is not looked at.
pub(crate) fn answer(
    linker: &mut Linker<Host>,
    from: &str,
    name: &str,
    signature: &FuncType,
) -> wasmtime::Result<bool> {
    let is = |start: &str| name.starts_with(start);
    let second_is_index = signature.params().nth(1).is_some_and(|param| matches!(param, ValType::I32));
    if is("__wbg_parse_") {
        linker.func_wrap(from, name, parse)?;
    } else if is("__wbg___wbindgen_is_null_") {
        linker.func_wrap(from, name, |caller: Caller<'_, Host>, given: Reference| {
            Ok(i32::from(value(&caller, given)? == Some(&Value::Null)))
        })?;
    } else if is("__wbg___wbindgen_is_string_") {
        linker.func_wrap(from, name, |caller: Caller<'_, Host>, given: Reference| {
            Ok(i32::from(value(&caller, given)?.is_some_and(Value::is_string)))
        })?;
    } else if is("__wbg_isArray_") {
        linker.func_wrap(from, name, |caller: Caller<'_, Host>, given: Reference| {
            Ok(i32::from(value(&caller, given)?.is_some_and(Value::is_array)))
        })?;
    } else if is("__wbg___wbindgen_boolean_get_") {
        linker.func_wrap(from, name, |caller: Caller<'_, Host>, given: Reference| {
            Ok(value(&caller, given)?.and_then(Value::as_bool).map_or(NEITHER, i32::from))
        })?;
    } else if is("__wbg___wbindgen_number_get_") {
        linker.func_wrap(from, name, number)?;
    } else if is("__wbg___wbindgen_string_get_") {
        linker.func_wrap(from, name, text)?;
    } else if is("__wbg_length_") {
        linker.func_wrap(from, name, |caller: Caller<'_, Host>, given: Reference| {
            let length = match value(&caller, given)? {
                Some(Value::Array(items)) => items.len(),
                Some(Value::String(text)) => text.encode_utf16().count(),
                _ => 0,
            };
            Ok(i32::try_from(length)?)
        })?;
    } else if is("__wbg_charCodeAt_") {
        linker.func_wrap(from, name, |caller: Caller<'_, Host>, given: Reference, at: i32| {
            let text = value(&caller, given)?.and_then(Value::as_str).unwrap_or_default();
            Ok(text.encode_utf16().nth(at.cast_unsigned() as usize).map_or(f64::NAN, f64::from))
        })?;
    } else if is("__wbg_get_") && second_is_index {
        linker.func_wrap(from, name, |mut caller: Caller<'_, Host>, given: Reference, at: i32| {
            let item = value(&caller, given)?.and_then(|list| list.get(at.cast_unsigned() as usize)).cloned();
            reference(&mut caller, item)
        })?;
    } else if is("__wbg_entries_") {
        linker.func_wrap(from, name, |mut caller: Caller<'_, Host>, given: Reference| {
            let pair = |(name, value): (&String, &Value)| Value::Array(vec![name.as_str().into(), value.clone()]);
            let members = value(&caller, given)?.and_then(Value::as_object);
            let entries = members.map(|members| Value::Array(members.iter().map(pair).collect()));
            reference(&mut caller, entries)
        })?;
    } else if is("__wbg_toString_") {
        linker.func_wrap(from, name, |mut caller: Caller<'_, Host>, given: Reference, _radix: i32| {
            let spelling = value(&caller, given)?.and_then(|number| serde_json_canonicalizer::to_string(number).ok());
            reference(&mut caller, spelling.map(Value::String))
        })?;
    } else if name == "__wbindgen_generic_0000000000000001" && signature.params().all(|p| matches!(p, ValType::F64)) {
        linker.func_wrap(from, name, |mut caller: Caller<'_, Host>, number: f64| {
            reference(&mut caller, Some(Value::from(number)))
        })?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn value<'a>(caller: &'a Caller<'_, Host>, given: Reference) -> wasmtime::Result<Option<&'a Value>> {
    let Some(given) = given else { return Ok(None) };
    Ok(given.data(caller)?.and_then(|data| data.downcast_ref::<Value>()))
}

fn reference(caller: &mut Caller<'_, Host>, value: Option<Value>) -> wasmtime::Result<Reference> {
    value.map(|value| ExternRef::new(caller, value)).transpose()
}

fn parse(mut caller: Caller<'_, Host>, at: i32, length: i32) -> wasmtime::Result<Reference> {
    let memory = memory(&caller)?;
    let start = at.cast_unsigned() as usize;
    let text = memory.data(&caller).get(start..start + length.cast_unsigned() as usize).unwrap_or_default();
    match serde_json::from_slice::<Value>(text) {
        Ok(read) => reference(&mut caller, Some(read)),
        Err(_) => {
            throw(&mut caller)?;
            Ok(None)
        }
    }
}

fn number(mut caller: Caller<'_, Host>, at: i32, given: Reference) -> wasmtime::Result<()> {
    let number = value(&caller, given)?.and_then(Value::as_f64);
    let memory = memory(&caller)?;
    let at = at.cast_unsigned() as usize;
    memory.write(&mut caller, at + 8, &number.unwrap_or(0.0).to_le_bytes())?;
    Ok(memory.write(&mut caller, at, &i32::from(number.is_some()).to_le_bytes())?)
}

fn text(mut caller: Caller<'_, Host>, at: i32, given: Reference) -> wasmtime::Result<()> {
    let text = value(&caller, given)?.and_then(Value::as_str).map(str::to_owned);
    let memory = memory(&caller)?;
    let length = i32::try_from(text.as_ref().map_or(0, String::len))?;
    let mut place = 0;
    if let Some(text) = text {
        let allocate = exported(&mut caller, "__wbindgen_malloc")?.typed::<(i32, i32), i32>(&caller)?;
        place = allocate.call(&mut caller, (length, 1))?;
        memory.write(&mut caller, place.cast_unsigned() as usize, text.as_bytes())?;
    }
    let at = at.cast_unsigned() as usize;
    memory.write(&mut caller, at + 4, &length.to_le_bytes())?;
    Ok(memory.write(&mut caller, at, &place.to_le_bytes())?)
}
