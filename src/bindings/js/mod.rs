//! The JavaScript edge: the only place that names wasm-bindgen and js-sys.
//!
//! Types here are the wire between Rust and the TypeScript facade in `js/`; they are converted by hand and never reach the core. The
//! facade is what applications use.

// wasm-bindgen exports public items alone.
#![allow(unreachable_pub)]

#[cfg(not(feature = "std"))]
mod document;
mod entropy;
mod error;
#[cfg(feature = "seeded-entropy")]
mod figures;
mod monitor;
mod probe;
mod record;
#[cfg(feature = "onnx")]
mod session;
mod view;

/// Reads a spec: with the crate's own parser, which an auditor can run without a JavaScript engine.
#[cfg(feature = "std")]
fn spec_of(text: &str) -> Result<crate::spec::MonitorSpec, error::Thrown> {
    crate::spec::MonitorSpec::parse(text).map_err(error::thrown)
}

/// Reads a spec with the engine's parser, which devices have and need not download.
#[cfg(not(feature = "std"))]
fn spec_of(text: &str) -> Result<crate::spec::MonitorSpec, error::Thrown> {
    document::spec(text)
}
