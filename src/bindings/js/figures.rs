//! The statistics by name, for the seeded test build alone: `tests/node/drift.test.mjs` compares their bits with those
//! of the native build.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use wasm_bindgen::prelude::wasm_bindgen;

use super::error::{Thrown, coded};
use crate as library;

mod functions;

/// The names of all figures.
#[wasm_bindgen(js_name = figureNames)]
pub fn figure_names() -> Vec<String> {
    functions::names().map(str::to_owned).collect()
}

/// The bits of a figure's outputs. Inputs are JSON; those that are not the figure's abort the module.
#[wasm_bindgen(js_name = figureBits)]
pub fn figure_bits(name: &str, inputs: &str) -> Result<Vec<u64>, Thrown> {
    let malformed = |_| coded("malformed-figure", "inputs are JSON");
    let inputs = serde_json::from_str(inputs).map_err(malformed)?;
    let outputs = functions::outputs(name, &inputs);
    let outputs = outputs.ok_or_else(|| coded("malformed-figure", "there is no figure of this name"))?;
    Ok(outputs.into_iter().map(f64::to_bits).collect())
}
