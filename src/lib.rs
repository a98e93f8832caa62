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
//!
//! Without the feature `std` only what a device needs is there, from [`spec`] to [`upload`] and [`monitor`], and the
//! standard library is not linked: that makes the module that devices download small.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "std")]
pub mod accounting;
#[cfg(feature = "std")]
pub mod aggregate;
#[cfg(all(target_arch = "wasm32", any(all(feature = "js", target_os = "unknown"), feature = "wasi")))]
mod bindings;
#[cfg(feature = "std")]
pub mod chooser;
#[cfg(feature = "std")]
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
