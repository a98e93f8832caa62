//! Drift monitoring for models that run on people's own devices, without seeing what those people do.
//!
//! Everything that runs on the device, and the mathematics the centre shares. Modules in reading order, which is also
//! the direction of imports:
//!
//! | Module | Idea |
//! | --- | --- |
//! | [`spec`] | the one public contract: what is measured and how it is hidden |
//! | [`observe`] | one inference as the device saw it; never leaves |
//! | [`sketch`] | bounded counts of a window; never leave |
//! | [`privacy`] | ledger, permit, exact randomizer |
//! | [`report`] | the bytes that leave |
//! | [`upload`] | how reports are framed, and what an answer to an upload means |
//! | [`aggregate`] | mergeable sums of reports |
//! | [`estimate`] | de-biased shares with their covariance |
//! | [`chooser`] | which mechanism hides the answers to a question best |
//! | [`drift`] | reference against current: test, effect, verdict |
//! | `infer` | ONNX models through tract (feature `onnx`) |
//! | [`accounting`] | beside the flow: what reports compose to, and what a crowd adds |
//! | [`monitor`] | the device's pipeline: observe, sketch, ask, privatize, encode |
//!
//! Outside `bindings` nothing here opens a file or socket, reads a clock or asks for entropy: all are arguments.

pub mod accounting;
pub mod aggregate;
#[cfg(all(feature = "js", target_arch = "wasm32", target_os = "unknown"))]
mod bindings;
pub mod chooser;
pub mod drift;
pub mod estimate;
#[cfg(feature = "onnx")]
pub mod infer;
pub mod monitor;
pub mod observe;
pub mod privacy;
pub mod report;
pub mod sketch;
pub mod spec;
pub mod upload;
