//! The device secret and what follows from it.
//!
//! HMAC-SHA-256 (RFC 2104) as a pseudo-random function, one label per use. What it gives is the same on every retry and
//! looks random to everyone else: report ids of different windows cannot be linked.

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::app::AppId;
use super::entropy::{EntropyError, EntropySource};
use super::memo::MemoKey;
use crate::spec::{MonitorSpec, SpecId, WindowIndex};

/// 32 random bytes that never leave the device.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DeviceSecret([u8; DeviceSecret::BYTES]);

impl DeviceSecret {
    /// Length in bytes.
    pub const BYTES: usize = 32;

    /// A fresh secret.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when there is no entropy.
    pub fn generate(entropy: &mut dyn EntropySource) -> Result<Self, EntropyError> {
        let mut secret = Self([0; Self::BYTES]);
        entropy.fill(&mut secret.0)?;
        Ok(secret)
    }

    /// The secret with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// The id of the report that answers `question` in `window`.
    #[must_use]
    pub fn report_id(&self, spec: SpecId, window: WindowIndex, question: u16) -> [u8; 16] {
        let parts: [&[u8]; 4] =
            [b"driftglass report id v1", spec.as_bytes(), &window.to_be_bytes(), &question.to_be_bytes()];
        first(self.prf(&parts))
    }

    /// The question that this device answers in `window`: drawn by weight, independent of data.
    #[must_use]
    pub fn choose_question(&self, spec: &MonitorSpec, window: WindowIndex) -> u16 {
        let id = spec.id();
        let parts: [&[u8]; 3] = [b"driftglass question v1", id.as_bytes(), &window.to_be_bytes()];
        let draw = u64::from_be_bytes(first(self.prf(&parts)));
        let total: u128 = spec.questions.iter().map(|question| u128::from(question.weight)).sum();
        let mut point = (u128::from(draw) * total) >> 64;
        for (index, question) in spec.questions.iter().enumerate() {
            match point.checked_sub(u128::from(question.weight)) {
                Some(rest) => point = rest,
                // Fits: a spec has at most 256 questions.
                None => return index as u16,
            }
        }
        unreachable!("the point lies below the sum of the weights")
    }

    /// The key of what `question` memoizes in an epoch.
    #[must_use]
    pub fn memo_key(&self, spec: SpecId, question: u16, epoch: u32) -> MemoKey {
        let parts: [&[u8]; 4] = [b"driftglass memo v1", spec.as_bytes(), &question.to_be_bytes(), &epoch.to_be_bytes()];
        MemoKey::from_bytes(self.prf(&parts))
    }

    /// Whether this device answers `window`: of each block of `rotation_windows` windows it answers one.
    ///
    /// Which one follows from the secret, the app and the block, and from nothing else: neither data nor a new spec of
    /// the app move it.
    #[must_use]
    pub fn takes_part(&self, spec: &MonitorSpec, window: WindowIndex) -> bool {
        let (app, block) = (AppId::of(&spec.app), window / spec.rotation_windows);
        let parts: [&[u8]; 3] = [b"driftglass rotation v1", app.as_bytes(), &block.to_be_bytes()];
        let draw = u64::from_be_bytes(first(self.prf(&parts)));
        let turn = (u128::from(draw) * u128::from(spec.rotation_windows)) >> 64;
        u128::from(window % spec.rotation_windows) == turn
    }

    fn prf(&self, parts: &[&[u8]]) -> [u8; 32] {
        prf(&self.0, parts)
    }
}

pub(super) fn prf(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // Cannot fail: HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceSecret(..)")
    }
}

fn first<const N: usize>(digest: [u8; 32]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&digest[..N]);
    bytes
}
