//! One integration test binary.

mod accounting;
mod anchored;
mod change_point;
mod debiased;
mod drift_vectors;
mod encoding;
mod entropy;
mod estimators;
mod exact_law;
mod ledger_traces;
mod pipeline;
mod plan;
mod randomizers;
mod rotation;
mod schema;
mod statistical;
mod theory;
mod tidy;
mod vectors;
