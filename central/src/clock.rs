//! What time it is.
//!
//! The centre's clock decides which windows are open. The system's clock serves people; a simulated one, moved by hand and forward only, serves replays,
//! tests and the demo.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Latest time that is accepted: the largest integer that JSON carries exactly.
pub const MAX_SECS: u64 = (1 << 53) - 1;

/// Where the time comes from.
#[derive(Debug)]
pub enum Clock {
    /// The system.
    System,
    /// A number that moves when it is told to.
    Simulated(AtomicU64),
}

/// A move that the clock refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClockError {
    /// The clock stands later already.
    #[error("the clock moves forward, never back")]
    Backwards,
    /// Later than JSON carries exactly.
    #[error("a time is at most {MAX_SECS} seconds")]
    TooLate,
    /// It is the system's clock.
    #[error("only a simulated clock is moved")]
    NotSimulated,
}

impl Clock {
    /// A simulated clock that stands at a time.
    #[must_use]
    pub fn simulated(start_secs: u64) -> Self {
        Self::Simulated(AtomicU64::new(start_secs.min(MAX_SECS)))
    }

    /// Unix seconds. 0 if the system's clock stands before the epoch.
    #[must_use]
    pub fn now_secs(&self) -> u64 {
        match self {
            Self::System => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
            Self::Simulated(now) => now.load(Ordering::SeqCst),
        }
    }

    /// The word for it in answers and in the store.
    #[must_use]
    pub fn mode(&self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Simulated(_) => "simulated",
        }
    }

    /// Moves a simulated clock to a time that is not before its own.
    ///
    /// # Errors
    ///
    /// [`ClockError`]; then the clock stands where it stood.
    pub fn advance(&self, to_secs: u64) -> Result<(), ClockError> {
        let Self::Simulated(now) = self else { return Err(ClockError::NotSimulated) };
        if to_secs > MAX_SECS {
            return Err(ClockError::TooLate);
        }
        let before = now.fetch_max(to_secs, Ordering::SeqCst);
        if before > to_secs { Err(ClockError::Backwards) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_forward_only() {
        let clock = Clock::simulated(100);
        assert_eq!(clock.advance(200), Ok(()));
        assert_eq!(clock.advance(200), Ok(()));
        assert_eq!(clock.advance(199), Err(ClockError::Backwards));
        assert_eq!(clock.advance(MAX_SECS + 1), Err(ClockError::TooLate));
        assert_eq!(clock.now_secs(), 200);
        assert_eq!(Clock::System.advance(u64::MAX), Err(ClockError::NotSimulated));
    }
}
