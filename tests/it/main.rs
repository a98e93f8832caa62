//! One integration test binary.

mod entropy;
mod tidy;
mod vectors;
