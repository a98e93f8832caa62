//! One integration test binary.

mod accounting;
mod anchored;
mod change_point;
mod debiased;
mod divergence;
mod drift_bits;
mod drift_vectors;
mod encoding;
mod entropy;
mod estimators;
mod exact_law;
mod ledger_traces;
mod one_shot;
mod performance;
mod pipeline;
mod plan;
mod randomizers;
mod references;
mod rotation;
mod schema;
mod sequential;
mod sequential_vectors;
mod statistical;
mod theory;
mod tidy;
mod vectors;
