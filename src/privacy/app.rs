//! Whose ledger it is.

use sha2::{Digest, Sha256};

/// Short name of an app: the first 16 bytes of SHA-256("driftglass app v1" ‖ name).
///
/// It stands in the device state, so that the ledger of one app is never charged, or taken for empty, by another. An
/// app's name is public; the hash is there for its fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AppId([u8; AppId::BYTES]);

impl AppId {
    /// Length in bytes.
    pub(super) const BYTES: usize = 16;

    /// The id of the app with this name.
    pub(super) fn of(app: &str) -> Self {
        let digest = Sha256::new().chain_update(b"driftglass app v1").chain_update(app).finalize();
        let mut id = [0; Self::BYTES];
        id.copy_from_slice(&digest[..Self::BYTES]);
        Self(id)
    }

    /// The id with these bytes.
    pub(super) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub(super) fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by Python's hashlib: the label and the name are hashed as documented.
    #[test]
    fn the_id_is_the_documented_hash() {
        assert_eq!(AppId::of("flights").as_bytes(), &EXPECTED);
        assert_ne!(AppId::of("flights"), AppId::of("flight"));
    }

    const EXPECTED: [u8; 16] =
        [0x20, 0x1C, 0x34, 0xD9, 0x64, 0xD7, 0x7F, 0x85, 0xD5, 0xE8, 0xDE, 0x48, 0xF3, 0x15, 0xE3, 0x00];
}
