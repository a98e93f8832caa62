//! One integration test binary.

mod tidy;
