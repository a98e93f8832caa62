//! The statistics of the crate by name, on inputs and outputs that a file can hold: so that native and WebAssembly
//! builds can be compared bit for bit.
//!
//! | Term | Here |
//! | --- | --- |
//! | inputs | a JSON object; numbers are decimals that read back as the same f64 |
//! | outputs | f64 in a fixed order, of which the bits count |
//!
//! This is no part of any product: the seeded test build includes it ([`super`]), and `tests/it/drift_bits.rs` includes
//! the same file for the native side. What includes it names the crate `library`.
//!
//! **Limits.** Bits are compared for these inputs, so a function that only differs elsewhere is not found: inputs reach
//! into the tails, as there are the branches.

mod accounting;
mod estimate;
mod one_shot;
mod parts;
mod performance;
mod plan;
mod sequential;
mod tails;

use serde_json::Value;

use super::library;

/// A figure: inputs to outputs.
type Figure = fn(&Value) -> Vec<f64>;

const GROUPS: [&[(&str, Figure)]; 7] = [
    estimate::FIGURES,
    one_shot::FIGURES,
    tails::FIGURES,
    plan::FIGURES,
    sequential::FIGURES,
    performance::FIGURES,
    accounting::FIGURES,
];

/// The names of all figures.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    GROUPS.into_iter().flatten().map(|(name, _)| *name)
}

/// The outputs of the figure with this name, `None` if there is none.
///
/// # Panics
///
/// If the inputs are not those of the figure.
pub(super) fn outputs(name: &str, inputs: &Value) -> Option<Vec<f64>> {
    let (_, figure) = GROUPS.into_iter().flatten().find(|(known, _)| *known == name)?;
    Some(figure(inputs))
}
