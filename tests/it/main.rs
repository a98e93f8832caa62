//! One integration test binary.

mod drift_vectors;
mod encoding;
mod entropy;
mod exact_law;
mod pipeline;
mod randomizers;
mod schema;
mod statistical;
mod theory;
mod tidy;
mod vectors;
