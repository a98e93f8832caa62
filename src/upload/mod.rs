//! How reports travel: framing, and what an answer means for the reports it is about.
//!
//! A body is a list of reports, each preceded by its length as two bytes, most significant first. A retry sends identical bytes, so that
//! sending twice tells nothing more and counts once.

use alloc::vec::Vec;

use crate::report::{HEADER_BYTES, MAX_PAYLOAD_BYTES};

/// A body that is no list of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a body is a list of reports, each preceded by its length as two bytes")]
pub struct MalformedBody;

/// What becomes of reports after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The centre has them: forget them.
    Settled,
    /// Send the same bytes again later.
    Retry,
    /// Send the same bytes again later, but rarely: keys rotate.
    RetrySlowly,
    /// The body was too large: send it in halves.
    Split,
    /// The centre will never take them: drop and count.
    Drop,
}

impl Disposition {
    /// The meaning of an HTTP status; `None` stands for a network error.
    #[must_use]
    pub fn of(status: Option<u16>) -> Self {
        match status {
            Some(200..=299 | 409) => Self::Settled,
            Some(401 | 403) => Self::RetrySlowly,
            Some(413) => Self::Split,
            Some(408 | 421 | 425 | 429 | 500..=599) | None => Self::Retry,
            Some(_) => Self::Drop,
        }
    }
}

/// Appends one encoded report to a body.
///
/// # Panics
///
/// If the report is longer than a report can be.
pub fn push_report(body: &mut Vec<u8>, report: &[u8]) {
    assert!(report.len() <= HEADER_BYTES + MAX_PAYLOAD_BYTES, "a report has a bounded length");
    body.extend_from_slice(&(report.len() as u16).to_be_bytes());
    body.extend_from_slice(report);
}

/// The reports of a body.
///
/// # Errors
///
/// [`MalformedBody`] when a length does not fit, bytes are left over, or there is no report.
pub fn reports_of(body: &[u8]) -> Result<Vec<&[u8]>, MalformedBody> {
    let mut reports = Vec::with_capacity(body.len() / (HEADER_BYTES + 3));
    let mut rest = body;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>().ok_or(MalformedBody)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length > after.len() || length <= HEADER_BYTES || length > HEADER_BYTES + MAX_PAYLOAD_BYTES {
            return Err(MalformedBody);
        }
        let (report, after) = after.split_at(length);
        reports.push(report);
        rest = after;
    }
    if reports.is_empty() { Err(MalformedBody) } else { Ok(reports) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing_is_read_back() {
        let mut body = Vec::new();
        push_report(&mut body, &[1; 46]);
        push_report(&mut body, &[2; 46]);
        assert_eq!(reports_of(&body), Ok(vec![&[1_u8; 46][..], &[2; 46][..]]));
    }

    #[test]
    fn broken_bodies_are_refused() {
        let mut body = Vec::new();
        push_report(&mut body, &[1; 46]);
        for cut in 1..body.len() {
            assert_eq!(reports_of(&body[..cut]), Err(MalformedBody), "cut at {cut}");
        }
        body.push(0);
        assert_eq!(reports_of(&body), Err(MalformedBody), "left over");
        assert_eq!(reports_of(&[]), Err(MalformedBody), "empty");
        assert_eq!(reports_of(&[0, 3, 1, 2, 3]), Err(MalformedBody), "shorter than a report");
    }

    #[test]
    fn answers_have_a_meaning() {
        let check = |status, expected| assert_eq!(Disposition::of(status), expected, "{status:?}");
        for status in [200, 202, 409] {
            check(Some(status), Disposition::Settled);
        }
        for status in [401, 403] {
            check(Some(status), Disposition::RetrySlowly);
        }
        check(Some(413), Disposition::Split);
        for status in [408, 421, 425, 429, 500, 503] {
            check(Some(status), Disposition::Retry);
        }
        check(None, Disposition::Retry);
        for status in [400, 404, 422] {
            check(Some(status), Disposition::Drop);
        }
    }
}
