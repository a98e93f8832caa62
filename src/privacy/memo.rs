//! Chance that stays the same: what memoized answers are a function of.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::entropy::{EntropyError, EntropySource};
use super::secret::prf;

/// The key of what a question memoizes in an epoch. Never leaves.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MemoKey([u8; 32]);

impl MemoKey {
    /// The key with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Chance that is the same whenever it is asked for: `H(key, label ‖ index ‖ 0) ‖ H(key, label ‖ index ‖ 1) ‖ …`.
    pub(super) fn stream(&self, label: &'static [u8], index: u32) -> MemoStream<'_> {
        MemoStream { key: self, label, index, counter: 0, block: [0; 32], left: 0 }
    }
}

impl fmt::Debug for MemoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoKey(..)")
    }
}

/// Pseudo-random bytes of a key. Ends after 2^32 blocks.
pub(super) struct MemoStream<'a> {
    key: &'a MemoKey,
    label: &'static [u8],
    index: u32,
    counter: u32,
    block: [u8; 32],
    left: usize,
}

impl EntropySource for MemoStream<'_> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        for byte in buffer {
            if self.left == 0 {
                let parts: [&[u8]; 3] = [self.label, &self.index.to_be_bytes(), &self.counter.to_be_bytes()];
                self.block = prf(&self.key.0, &parts);
                self.counter = self.counter.checked_add(1).ok_or(EntropyError)?;
                self.left = self.block.len();
            }
            *byte = self.block[self.block.len() - self.left];
            self.left -= 1;
        }
        Ok(())
    }
}

impl Drop for MemoStream<'_> {
    fn drop(&mut self) {
        self.block.zeroize();
    }
}
