//! Canonical form and spec id: RFC 8785 (JCS), then SHA-256, of which the first 16 bytes.

use alloc::string::String;
use core::fmt;

use sha2::{Digest, Sha256};

use super::document::Value;

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

    /// The id of the app's measured part: the hash of `{"app": app, "measurement": measurement}` in canonical form.
    pub(super) fn of(app: &Value, measurement: &Value) -> Self {
        // The two names are in canonical order.
        let mut canonical = String::from("{\"app\":");
        app.write_canonical(&mut canonical);
        canonical.push_str(",\"measurement\":");
        measurement.write_canonical(&mut canonical);
        canonical.push('}');
        let digest = Sha256::digest(canonical.as_bytes());
        let mut id = [0; Self::BYTES];
        id.copy_from_slice(&digest[..Self::BYTES]);
        Self(id)
    }
}

impl fmt::Display for SpecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::hex(&self.0))
    }
}

impl fmt::Debug for SpecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpecId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::from_text;
    use super::*;

    fn id(app: &str, measurement: &str) -> SpecId {
        let app = Value::Text(app.to_owned());
        SpecId::of(&app, &from_text(measurement).expect("JSON"))
    }

    /// Key order, spacing and the way a number is written do not change the id.
    #[test]
    fn spelling_does_not_change_the_id() {
        assert_eq!(id("app", r#"{"a": 1, "b": [0.5, 10]}"#), id("app", r#"{"b":[5e-1,10.0],"a":1.0}"#));
        assert_ne!(id("app", r#"{"a": 1}"#), id("app", r#"{"a": 2}"#));
    }

    #[test]
    fn the_app_is_part_of_the_id() {
        assert_ne!(id("one", "{}"), id("two", "{}"));
    }

    #[test]
    fn hex_is_read_back() {
        let id = id("app", "{}");
        assert_eq!(SpecId::from_hex(&id.to_string()), Some(id));
        assert_eq!(SpecId::from_hex("zz"), None);
    }
}
