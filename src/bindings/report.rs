//! A report taken apart, for both edges.

#[cfg(feature = "text")]
use alloc::vec::Vec;

use crate::report::{HEADER_BYTES, Report};

/// Name, offset and length of each part, as `docs/report-format.md` has them.
pub(super) fn fields(report: &Report) -> [(&'static str, usize, usize); 9] {
    [
        ("magic", 0, 2),
        ("version", 2, 1),
        ("arm", 3, 1),
        ("spec id", 4, 16),
        ("window", 20, 4),
        ("question", 24, 2),
        ("segment", 26, 2),
        ("report id", 28, 16),
        ("payload", HEADER_BYTES, report.payload.len()),
    ]
}

/// The symbols that a report supports, none if its mechanism has no such notion; `None` if the payload is no output of
/// it. What counts payloads is not in the module that browsers download.
#[cfg(feature = "text")]
pub(super) fn supported(question: &crate::spec::Question, report: &Report) -> Option<Vec<u32>> {
    use crate::privacy::{Payload, decoder_of};
    let decoder = decoder_of(question);
    let payload = Payload::from_bytes(&report.payload).ok()?;
    let mut counters = alloc::vec![0; decoder.counters()];
    decoder.accumulate(&payload, &report.report_id, &mut counters).ok()?;
    let support = decoder.oracle().map_or_else(Default::default, |oracle| oracle.support(&counters));
    Some((0..).zip(support).filter(|(_, count)| *count > 0).map(|(symbol, _)| symbol).collect())
}
