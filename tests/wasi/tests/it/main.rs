//! The components in wasmtime: what they import, the shared vectors, the pipeline with its errors, inference.
//!
//! They run the files that `cargo xtask build --only wasi` made, as they ship.

mod imports;
mod inference;
mod pipeline;
mod quick_start;
mod running;
mod vectors;
