//! From the bytes of a body to reports that fit their spec. Pure: no store, no clock of its own.
//!
//! A body is at most [`MAX_BODY_BYTES`] long, so what is read from it is bounded too.

use driftglass::privacy::Payload;
use driftglass::report::{Arm, Report, ReportError};
use driftglass::spec::WindowIndex;
use driftglass::upload::{MalformedBody, reports_of};

use crate::registry::Registered;

/// Most bytes of a body.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// A report that fits its spec, ready to be folded.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The window it is about.
    pub window: WindowIndex,
    /// Index of its question.
    pub question: u16,
    /// Index of its segment.
    pub segment: u16,
    /// Its arm.
    pub arm: Arm,
    /// Its id.
    pub report_id: [u8; 16],
    /// What it reports, an output of the question's randomizer.
    pub payload: Payload,
}

/// Why a report is not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Not the canonical bytes of a report.
    Malformed,
    /// Another format version.
    UnsupportedVersion,
    /// A spec that the key does not belong to.
    ForeignSpec,
    /// A question or segment that the spec does not have.
    UnknownQuestion,
    /// The window's grace is over.
    Late,
    /// The window has not begun.
    Early,
}

/// A body, checked report by report.
#[derive(Debug, Default)]
pub struct Checked {
    /// Of each report in order, why it is refused; `None` for those among the entries.
    pub refusals: Vec<Option<Refusal>>,
    /// Those that fit, in order.
    pub entries: Vec<Entry>,
}

/// Checks a body that came with the key of a spec.
///
/// # Errors
///
/// [`MalformedBody`] when it is no list of reports.
pub fn check(spec: &Registered, body: &[u8], now_secs: u64) -> Result<Checked, MalformedBody> {
    let reports = reports_of(body)?;
    let mut checked =
        Checked { refusals: Vec::with_capacity(reports.len()), entries: Vec::with_capacity(reports.len()) };
    for bytes in reports {
        match entry(spec, bytes, now_secs) {
            Ok(entry) => {
                checked.refusals.push(None);
                checked.entries.push(entry);
            }
            Err(refusal) => checked.refusals.push(Some(refusal)),
        }
    }
    Ok(checked)
}

fn entry(registered: &Registered, bytes: &[u8], now_secs: u64) -> Result<Entry, Refusal> {
    let report = Report::decode(bytes).map_err(|error| match error {
        ReportError::Version => Refusal::UnsupportedVersion,
        _ => Refusal::Malformed,
    })?;
    let spec = &registered.spec;
    if report.spec_id != spec.id() {
        return Err(Refusal::ForeignSpec);
    }
    let index = usize::from(report.question);
    let randomizer = registered.randomizers.get(index).ok_or(Refusal::UnknownQuestion)?;
    if usize::from(report.segment) >= spec.segments.len() {
        return Err(Refusal::UnknownQuestion);
    }
    // All reports of a spec have one length.
    if report.payload.len() != spec.payload_len() {
        return Err(Refusal::Malformed);
    }
    let payload = Payload::from_bytes(&report.payload).map_err(|_| Refusal::Malformed)?;
    randomizer.check(&payload).map_err(|_| Refusal::Malformed)?;
    if report.window > spec.window.index_at(now_secs) {
        return Err(Refusal::Early);
    }
    if !spec.window.is_open(report.window, now_secs) {
        return Err(Refusal::Late);
    }
    Ok(Entry {
        window: report.window,
        question: report.question,
        segment: report.segment,
        arm: report.arm,
        report_id: report.report_id,
        payload,
    })
}
