//! One integration test binary.

mod accounting;
mod anchored;
mod divergence;
mod drift_vectors;
mod encoding;
mod entropy;
mod estimators;
mod exact_law;
mod ledger_traces;
mod pipeline;
mod randomizers;
mod rotation;
mod schema;
mod statistical;
mod theory;
mod tidy;
mod vectors;
