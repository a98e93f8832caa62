//! One integration test binary.

mod drift_vectors;
mod entropy;
mod estimators;
mod exact_law;
mod pipeline;
mod randomizers;
mod schema;
mod statistical;
mod theory;
mod tidy;
mod vectors;
