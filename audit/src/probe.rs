//! A randomizer as an auditor sees it: a symbol and entropy go in, a report comes out.

use crate::tape::Tape;

/// What is fixed about a report before entropy is drawn: 16 bytes of report id, which are the public coin, then the
/// 32 bytes of the key of memoized answers.
pub type Known = [u8; 48];

/// A randomizer under audit.
pub trait Probe {
    /// The report that hides a symbol; nothing if the tape ended.
    ///
    /// # Errors
    ///
    /// [`ProbeError`] when the module did something else.
    fn report(&mut self, symbol: u32, known: &Known, tape: &mut Tape) -> Result<Option<Vec<u8>>, ProbeError>;

    /// Instructions of the last report, where they can be counted.
    fn instructions(&self) -> Option<u64>;
}

/// What a module did in place of making a report.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct ProbeError(pub String);
