//! What a device keeps between visits: its secret, its ledger and the next window it may answer.
//!
//! The host stores the bytes and nothing else; it commits them together with the report they paid for. Layout, integers most
//! significant byte first: version (1), secret (32), spec id (16), next window (4), number of debits (4), then 16 bytes per
//! debit: time and cost (8 each).

use super::entropy::{EntropyError, EntropySource};
use super::ledger::{Charge, Ledger};
use super::secret::DeviceSecret;
use crate::spec::{Join, MonitorSpec, SpecId, WindowIndex};

const VERSION: u8 = 1;
const HEADER: usize = 1 + DeviceSecret::BYTES + SpecId::BYTES + 4 + 4;
const PER_CHARGE: usize = 16;

/// A device's lasting state.
#[derive(Debug, Clone)]
pub struct DeviceState {
    /// Its secret.
    pub secret: DeviceSecret,
    /// Its budget book.
    pub ledger: Ledger,
    /// The spec it takes part in.
    spec_id: SpecId,
    /// The next window it may answer. Never decreases under one spec, so that a window is answered at most once.
    next_window: WindowIndex,
}

/// Stored bytes that are no device state. The device then answers nothing until the host purges them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored device state cannot be read; purge it to start anew")]
pub struct StateError;

impl DeviceState {
    /// A new device.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when there is no entropy for a secret.
    pub fn join(spec: &MonitorSpec, now_secs: u64, entropy: &mut dyn EntropySource) -> Result<Self, EntropyError> {
        Ok(Self {
            secret: DeviceSecret::generate(entropy)?,
            ledger: Ledger::default(),
            spec_id: spec.id(),
            next_window: first_window(spec, now_secs),
        })
    }

    /// Enters a spec that is new to the device; does nothing for the one it is in. Secret and ledger stay.
    ///
    /// Windows up to the newest debit are over for good, whatever the clock says: a device that comes back to a spec answers none of its windows again.
    pub fn enter(&mut self, spec: &MonitorSpec, now_secs: u64) {
        if self.spec_id != spec.id() {
            self.spec_id = spec.id();
            self.next_window = first_window(spec, now_secs);
            if let Some(newest) = self.ledger.charges().last() {
                self.pass(spec.window.index_at(newest.at_secs));
            }
        }
    }

    /// The next window it may answer.
    #[must_use]
    pub fn next_window(&self) -> WindowIndex {
        self.next_window
    }

    /// Marks a window, and all before it, as answered or missed.
    pub fn pass(&mut self, window: WindowIndex) {
        self.next_window = self.next_window.max(window.saturating_add(1));
    }

    /// The bytes that the host stores.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let charges = self.ledger.charges();
        let mut bytes = Vec::with_capacity(HEADER + PER_CHARGE * charges.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(self.secret.as_bytes());
        bytes.extend_from_slice(self.spec_id.as_bytes());
        bytes.extend_from_slice(&self.next_window.to_be_bytes());
        // Fits: a ledger holds at most 16,384 debits.
        bytes.extend_from_slice(&(charges.len() as u32).to_be_bytes());
        for charge in charges {
            bytes.extend_from_slice(&charge.at_secs.to_be_bytes());
            bytes.extend_from_slice(&charge.epsilon_micronats.to_be_bytes());
        }
        bytes
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    ///
    /// [`StateError`] when they are not what [`DeviceState::to_bytes`] writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        let (version, rest) = take::<1>(bytes)?;
        let (secret, rest) = take(rest)?;
        let (spec_id, rest) = take(rest)?;
        let (next_window, rest) = take(rest)?;
        let (count, rest) = take(rest)?;
        let count = u32::from_be_bytes(count) as usize;
        if version != [VERSION] || count > Ledger::MAX_CHARGES || rest.len() != count * PER_CHARGE {
            return Err(StateError);
        }
        let charge = |entry: &[u8]| {
            let (at_secs, entry) = take(entry)?;
            let (cost, _) = take(entry)?;
            Ok(Charge { at_secs: u64::from_be_bytes(at_secs), epsilon_micronats: u64::from_be_bytes(cost) })
        };
        let charges = rest.chunks_exact(PER_CHARGE).map(charge).collect::<Result<_, _>>()?;
        Ok(Self {
            secret: DeviceSecret::from_bytes(secret),
            ledger: Ledger::from_charges(charges).ok_or(StateError)?,
            spec_id: SpecId::from_bytes(spec_id),
            next_window: WindowIndex::from_be_bytes(next_window),
        })
    }
}

fn first_window(spec: &MonitorSpec, now_secs: u64) -> WindowIndex {
    let current = spec.window.index_at(now_secs);
    match spec.window.join {
        Join::NextWindow => current.saturating_add(1),
        Join::Immediately => current,
    }
}

fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), StateError> {
    bytes.split_first_chunk().map(|(head, rest)| (*head, rest)).ok_or(StateError)
}
