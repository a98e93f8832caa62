//! placeholder
use driftglass as library;

#[path = "../../src/bindings/js/figures/functions/mod.rs"]
mod functions;
