//! What makes an answer safe to send: a ledger that pays, a permit that proves it, and an exact randomizer.
//!
//! The order is fixed by types. [`Ledger::spend`](ledger::Ledger::spend) debits and returns a [`Permit`]; a permit cannot be made otherwise, cloned or kept;
//! [`SubsetSelection::privatize`] consumes it. So nothing is privatized that was not paid for.
//!
//! No float occurs on this path: laws are fixed by two integers, and sampling compares integers. The bound
//! ln(W_t/W_f) ≤ ε was checked when the spec was read.

mod app;
mod binomial;
mod entropy;
mod ledger;
mod permit;
mod secret;
mod state;
mod subset_selection;

pub use entropy::{EntropyError, EntropySource};
pub use ledger::{Charge, Ledger, LedgerError};
pub use permit::Permit;
pub use secret::DeviceSecret;
pub use state::{DeviceState, StateError};
pub use subset_selection::{MalformedPayload, SubsetSelection};
