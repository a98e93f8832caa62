//! Payloads: an output as an integer of at most 256 bits, most significant byte first.
//!
//! An output has one encoding, its number; leading zeros fill a payload up to the length that a spec gives all of its reports.

use alloc::vec::Vec;

/// The output of a randomizer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Payload([u8; Payload::MAX_BYTES]);

/// Bytes that are not the canonical encoding of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the payload is not an output of this question's randomizer")]
pub struct MalformedPayload;

impl Payload {
    /// Most bytes of a payload.
    pub const MAX_BYTES: usize = 32;

    /// Reads a payload of a report.
    ///
    /// # Errors
    ///
    /// [`MalformedPayload`] when it is longer than a payload can be.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MalformedPayload> {
        let mut padded = [0; Self::MAX_BYTES];
        let start = Self::MAX_BYTES.checked_sub(bytes.len()).ok_or(MalformedPayload)?;
        padded[start..].copy_from_slice(bytes);
        Ok(Self(padded))
    }

    /// The low bytes, as many as a report of the spec carries.
    ///
    /// # Panics
    ///
    /// If `length` is above [`Payload::MAX_BYTES`].
    #[must_use]
    pub fn to_bytes(&self, length: usize) -> Vec<u8> {
        self.0[Self::MAX_BYTES - length..].to_vec()
    }

    /// All bytes, most significant first.
    pub(super) fn as_bytes(&self) -> &[u8; Self::MAX_BYTES] {
        &self.0
    }

    pub(super) fn from_be_bytes(bytes: [u8; Self::MAX_BYTES]) -> Self {
        Self(bytes)
    }

    /// The output with a small number.
    pub(super) fn from_number(number: u64) -> Self {
        let mut bytes = [0; Self::MAX_BYTES];
        bytes[Self::MAX_BYTES - 8..].copy_from_slice(&number.to_be_bytes());
        Self(bytes)
    }

    /// The number of the output, if it is below `outputs`.
    pub(super) fn number_below(&self, outputs: u64) -> Result<u64, MalformedPayload> {
        let (high, low) = self.0.split_last_chunk::<8>().ok_or(MalformedPayload)?;
        let number = u64::from_be_bytes(*low);
        if high.iter().all(|byte| *byte == 0) && number < outputs { Ok(number) } else { Err(MalformedPayload) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_are_part_of_the_encoding() {
        let payload = Payload::from_number(0x0102);
        assert_eq!(payload.to_bytes(3), [0, 1, 2]);
        assert_eq!(Payload::from_bytes(&[0, 1, 2]), Ok(payload));
        assert_eq!(payload.number_below(0x0103), Ok(0x0102));
        assert_eq!(payload.number_below(0x0102), Err(MalformedPayload));
        assert_eq!(Payload::from_bytes(&[0; 33]), Err(MalformedPayload));
        let mut high = [0; 32];
        high[23] = 1;
        assert_eq!(Payload(high).number_below(u64::MAX), Err(MalformedPayload));
    }
}
