//! Bounded state of a window on the device. Never leaves.
//!
//! A [`Profile`] holds one count per cell of each metric, so its size is fixed by the spec. From it a question draws one
//! symbol ([`Profile::answer`]). A profile has no encoder for leaving, and its `Debug` shows its shape alone:
//!
//! ```compile_fail
//! fn leaves<T: serde::Serialize>() {}
//! leaves::<driftglass::sketch::Profile>();
//! ```
//!
//! The device's own store keeps [`Sketches`] as a [`Snapshot`], so that a page that is reloaded goes on with its window.

mod anchored;
mod answer;
mod binning;
mod counts;
mod label;
mod pending;
mod profile;
mod sketches;
mod snapshot;
mod words;

pub use anchored::{Anchor, EXACT_EVENTS, anchored_bit, hadamard_order, half_space, row_of};
pub use binning::Binning;
pub use counts::CellCounts;
pub use pending::PendingPredictions;
pub use profile::Profile;
pub use sketches::Sketches;
pub use snapshot::{Snapshot, SnapshotError};
pub use words::WordCounts;
