//! The JavaScript edge: the only place that names wasm-bindgen and js-sys.
//!
//! Types here are the wire between Rust and the TypeScript facade in `js/`; they are converted by hand and never reach the core. The
//! facade is what applications use.

// wasm-bindgen exports public items alone.
#![allow(unreachable_pub)]

mod document;
mod entropy;
mod error;
#[cfg(feature = "seeded-entropy")]
mod figures;
mod monitor;
mod probe;
mod record;
#[cfg(not(feature = "std"))]
mod runtime;
#[cfg(feature = "onnx")]
mod session;
mod view;
