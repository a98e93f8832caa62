//! Words of an open vocabulary, as numbers.

use sha2::{Digest, Sha256};

/// The symbol of a word: the first 4 bytes of SHA-256 of "driftglass word v1" and the text. The empty word stands for "no data".
#[must_use]
pub fn word(text: &str) -> u32 {
    let digest = Sha256::new().chain_update(b"driftglass word v1").chain_update(text.as_bytes()).finalize();
    let [a, b, c, d, ..]: [u8; 32] = digest.into();
    u32::from_be_bytes([a, b, c, d])
}
