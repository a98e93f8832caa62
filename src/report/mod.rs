//! Reports: the bytes that leave. Normative layout in `docs/report-format.md`.
//!
//! Only a [`Report`] can be encoded. Its length depends on the spec alone, and every byte outside the payload is known before the
//! answer is.

use alloc::vec::Vec;

use crate::spec::{SpecId, WindowIndex};

/// The format version, and the one place that names it.
pub const FORMAT_VERSION: u8 = 1;

/// Bytes before the payload.
pub const HEADER_BYTES: usize = 44;

/// Most bytes of a payload.
pub const MAX_PAYLOAD_BYTES: usize = 32;

const MAGIC: [u8; 2] = *b"DG";

/// Which release of the model the device ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Arm {
    /// The model in general use.
    Stable,
    /// The model under trial.
    Canary,
}

/// One answer, privatized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Arm of the rollout.
    pub arm: Arm,
    /// The spec it was made under.
    pub spec_id: SpecId,
    /// The window it is about.
    pub window: WindowIndex,
    /// Index of the question in the spec.
    pub question: u16,
    /// Index of the segment in the spec.
    pub segment: u16,
    /// The same on every retry, and unlinkable across windows.
    pub report_id: [u8; 16],
    /// Canonical encoding of the reported subset.
    pub payload: Vec<u8>,
}

/// Bytes that are no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("{}", self.sentence())]
pub enum ReportError {
    /// Shorter or longer than a report can be.
    Length,
    /// The first bytes are not "DG".
    Magic,
    /// Another format version.
    Version,
    /// The arm is neither stable nor canary.
    Arm,
}

impl ReportError {
    /// The error for people.
    #[must_use]
    pub fn sentence(&self) -> &'static str {
        match self {
            Self::Length => "a report has from 45 to 76 bytes",
            Self::Magic => "a report begins with the magic bytes 44 47",
            Self::Version => "this reader knows format version 1",
            Self::Arm => "an arm is 0 (stable) or 1 (canary)",
        }
    }
}

impl Report {
    /// The bytes that leave.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.payload.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.push(FORMAT_VERSION);
        bytes.push(match self.arm {
            Arm::Stable => 0,
            Arm::Canary => 1,
        });
        bytes.extend_from_slice(self.spec_id.as_bytes());
        bytes.extend_from_slice(&self.window.to_be_bytes());
        bytes.extend_from_slice(&self.question.to_be_bytes());
        bytes.extend_from_slice(&self.segment.to_be_bytes());
        bytes.extend_from_slice(&self.report_id);
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Reads one report. Whether spec, window, question and payload fit is for the reader who has the spec.
    ///
    /// # Errors
    ///
    /// [`ReportError`] when the bytes are no report of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReportError> {
        let (magic, rest) = take::<2>(bytes)?;
        let (version, rest) = take::<1>(rest)?;
        if magic != MAGIC {
            return Err(ReportError::Magic);
        }
        if version != [FORMAT_VERSION] {
            return Err(ReportError::Version);
        }
        let (arm, rest) = take::<1>(rest)?;
        let (spec_id, rest) = take(rest)?;
        let (window, rest) = take(rest)?;
        let (question, rest) = take(rest)?;
        let (segment, rest) = take(rest)?;
        let (report_id, payload) = take(rest)?;
        if payload.is_empty() || payload.len() > MAX_PAYLOAD_BYTES {
            return Err(ReportError::Length);
        }
        Ok(Self {
            arm: match arm {
                [0] => Arm::Stable,
                [1] => Arm::Canary,
                _ => return Err(ReportError::Arm),
            },
            spec_id: SpecId::from_bytes(spec_id),
            window: WindowIndex::from_be_bytes(window),
            question: u16::from_be_bytes(question),
            segment: u16::from_be_bytes(segment),
            report_id,
            payload: payload.to_vec(),
        })
    }
}

fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), ReportError> {
    bytes.split_first_chunk().map(|(head, rest)| (*head, rest)).ok_or(ReportError::Length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_name_the_limits() {
        let lengths = format!("a report has from {} to {} bytes", HEADER_BYTES + 1, HEADER_BYTES + MAX_PAYLOAD_BYTES);
        assert_eq!(ReportError::Length.to_string(), lengths);
        assert_eq!(ReportError::Version.to_string(), format!("this reader knows format version {FORMAT_VERSION}"));
    }
}
