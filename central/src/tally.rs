//! How many reports met which fate.
//!
//! Counts of reports that reach the store are saved in the transaction that stores them. Counts of those that are turned away before are saved with the next
//! transaction, within a second; a crash loses at most these.

use std::ops::AddAssign;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// Counts. All are of reports but the last two, which are of uploads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Stored and folded.
    pub accepted: u64,
    /// Known already.
    pub duplicate: u64,
    /// Of a window whose grace is over.
    pub late: u64,
    /// Of a window that has not begun.
    pub early: u64,
    /// Not the canonical bytes of a report of this version. A body that is no list of reports counts once.
    pub malformed: u64,
    /// Made under a spec that the key does not belong to.
    pub foreign: u64,
    /// Of a question or segment that the spec does not have.
    pub unknown_question: u64,
    /// Uploads with an ingest key that nobody has.
    pub unknown_key: u64,
    /// Uploads with a body above the limit.
    pub oversized: u64,
}

impl Tally {
    /// Each count with its name.
    pub fn named(&mut self) -> [(&'static str, &mut u64); 9] {
        [
            ("accepted", &mut self.accepted),
            ("duplicate", &mut self.duplicate),
            ("late", &mut self.late),
            ("early", &mut self.early),
            ("malformed", &mut self.malformed),
            ("foreign", &mut self.foreign),
            ("unknown_question", &mut self.unknown_question),
            ("unknown_key", &mut self.unknown_key),
            ("oversized", &mut self.oversized),
        ]
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, mut other: Self) {
        for ((_, sum), (_, more)) in self.named().into_iter().zip(other.named()) {
            *sum += *more;
        }
    }
}

/// The counts of a running centre.
#[derive(Debug, Default)]
pub struct Counters(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    total: Tally,
    unsaved: Tally,
}

impl Counters {
    /// Counters that go on from what was saved.
    #[must_use]
    pub fn from_saved(total: Tally) -> Self {
        Self(Mutex::new(State { total, unsaved: Tally::default() }))
    }

    /// All that was counted.
    #[must_use]
    pub fn total(&self) -> Tally {
        self.state().total
    }

    /// Counts what is not in the store yet.
    pub fn count(&self, tally: Tally) {
        let mut state = self.state();
        state.total += tally;
        state.unsaved += tally;
    }

    /// Takes what is not in the store yet, to save it.
    #[must_use]
    pub fn take_unsaved(&self) -> Tally {
        std::mem::take(&mut self.state().unsaved)
    }

    /// Gives back what could not be saved.
    pub fn give_back(&self, tally: Tally) {
        self.state().unsaved += tally;
    }

    /// Counts what was saved together with its reports.
    pub fn count_saved(&self, tally: Tally) {
        self.state().total += tally;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A thread that panicked here left whole numbers behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
