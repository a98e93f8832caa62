//! Canonical form and spec id: RFC 8785 (JCS), then SHA-256, of which the first 16 bytes.

use core::fmt;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Hash of the measured part of a spec. Reports with different ids are never merged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpecId([u8; SpecId::BYTES]);

impl SpecId {
    /// Length in bytes.
    pub const BYTES: usize = 16;

    /// The id with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// Reads 32 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        super::read::hex_bytes(text).map(Self)
    }

    /// The id of the app's measured part, or `None` if it holds a number that JSON cannot carry exactly.
    pub(super) fn of(app: &str, measurement: &Value) -> Option<Self> {
        let document = json!({ "app": app, "measurement": measurement });
        let canonical = serde_json_canonicalizer::to_vec(&document).ok()?;
        let digest = Sha256::digest(&canonical);
        let mut id = [0; Self::BYTES];
        id.copy_from_slice(&digest[..Self::BYTES]);
        Some(Self(id))
    }
}

impl fmt::Display for SpecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SpecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpecId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Key order, spacing and the way a number is written do not change the id.
    #[test]
    fn spelling_does_not_change_the_id() {
        let id = |text: &str| SpecId::of("app", &serde_json::from_str(text).expect("JSON"));
        assert_eq!(id(r#"{"a": 1, "b": [0.5, 10]}"#), id(r#"{"b":[5e-1,10.0],"a":1.0}"#));
        assert_ne!(id(r#"{"a": 1}"#), id(r#"{"a": 2}"#));
    }

    #[test]
    fn the_app_is_part_of_the_id() {
        let measurement = json!({});
        assert_ne!(SpecId::of("one", &measurement), SpecId::of("two", &measurement));
    }

    #[test]
    fn hex_is_read_back() {
        let id = SpecId::of("app", &json!({})).expect("an id");
        assert_eq!(SpecId::from_hex(&id.to_string()), Some(id));
        assert_eq!(SpecId::from_hex("zz"), None);
    }
}
