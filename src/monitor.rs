//! The device's pipeline: observe, sketch, ask, privatize, encode.
//!
//! A [`Monitor`] holds the sketches of the current window and the one before; a [`DeviceState`] holds what lasts. To
//! answer a window, the host opens a transaction on its store, reads the state, calls [`Monitor::answer`], and commits
//! state and report together; only then may the report be sent.
//!
//! Sketches outlive the page, and are shared by the tabs of a device, when the host keeps them: now and then it takes
//! what the monitor added ([`Monitor::take_delta`]) and merges it with what is stored ([`Monitor::merged`]), again in
//! a transaction. A monitor then holds only what it added since, and an answer is made from both.

use alloc::{borrow::ToOwned, boxed::Box, string::String, vec::Vec};

use crate::observe::{Observation, Value};
use crate::privacy::{
    Charge, DeviceState, Draws, EntropyError, EntropySource, LedgerError, LocalRandomizer, randomizer_of,
};
use crate::report::{Arm, Report};
use crate::sketch::{Binning, Profile, Sketches, Snapshot, SnapshotError};
use crate::spec::{MonitorSpec, WindowIndex};

/// What runs beside the model.
#[derive(Debug)]
pub struct Monitor {
    spec: MonitorSpec,
    arm: Arm,
    segment: u16,
    binnings: Vec<Binning>,
    randomizers: Vec<Box<dyn LocalRandomizer>>,
    sketches: Sketches,
}

/// Stored sketches with what was merged into them.
#[derive(Debug)]
pub struct Merged {
    /// For the store, in place of what was there.
    pub snapshot: Snapshot,
    /// Outcomes without a prediction: told twice, too late, or for a key that was never seen.
    pub unknown_outcomes: usize,
    /// Whether what was stored is of another spec, or cannot be read, and was left out.
    pub discarded: bool,
}

/// A report, and what only the device knows about it.
#[derive(Debug)]
pub struct Answer {
    /// What leaves.
    pub report: Report,
    /// The symbol it hides. For the device's own pages; never sent.
    pub true_symbol: u64,
}

/// Why no report was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
#[non_exhaustive]
pub enum AnswerError {
    /// The window is not due: not over yet, answered before, closed for reports, not this device's turn, or of a spec
    /// that the device has not entered.
    NotDue,
    /// The ledger refused the debit.
    Ledger(#[from] LedgerError),
    /// There was no entropy.
    Entropy(#[from] EntropyError),
}

impl AnswerError {
    /// The error for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::NotDue => {
                "the window is not due: it is not over, not this device's, was answered before, or takes no \
                             more reports"
                    .to_owned()
            }
            Self::Ledger(error) => error.sentence(),
            Self::Entropy(_) => EntropyError::SENTENCE.to_owned(),
        }
    }
}

/// The segment is none of the spec's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", Self::SENTENCE)]
pub struct UnknownSegment;

impl UnknownSegment {
    /// The error for people.
    pub const SENTENCE: &str = "the segment must be one that the spec declares";
}

impl Monitor {
    /// A monitor for one spec.
    ///
    /// # Errors
    ///
    /// [`UnknownSegment`] when the spec has no such segment.
    pub fn new(spec: MonitorSpec, arm: Arm, segment: &str) -> Result<Self, UnknownSegment> {
        let place = spec.segments.iter().position(|label| label == segment).ok_or(UnknownSegment)?;
        Ok(Self {
            arm,
            // Fits: a spec has at most 64 segments.
            segment: place as u16,
            binnings: spec.metrics.iter().map(|metric| Binning::of(&metric.cells)).collect(),
            randomizers: spec.questions.iter().map(randomizer_of).collect(),
            sketches: Sketches::new(spec.outcome),
            spec,
        })
    }

    /// The spec.
    #[must_use]
    pub fn spec(&self) -> &MonitorSpec {
        &self.spec
    }

    /// Counts an inference in the window of `now_secs`. With a key, its prediction waits for the outcome.
    pub fn observe(&mut self, seen: &Observation<'_>, key: Option<&str>, now_secs: u64) {
        self.sketches.observe(&self.spec, &self.binnings, seen, key, now_secs);
    }

    /// Counts an outcome in the window in which it arrives. `false` if no prediction waits in this monitor under the
    /// key; then the outcome is held until [`Monitor::merged`] looks among those of the store.
    pub fn outcome(&mut self, key: &str, value: Value<'_>, now_secs: u64) -> bool {
        self.sketches.outcome(&self.spec, &self.binnings, key, value, now_secs)
    }

    /// What this monitor holds. Stays on the device.
    #[must_use]
    pub fn sketches(&self) -> &Sketches {
        &self.sketches
    }

    /// The profile of a window, if this monitor holds any of it. Stays on the device.
    #[must_use]
    pub fn profile(&self, window: WindowIndex) -> Option<&Profile> {
        self.sketches.profile(window)
    }

    /// What was added since the last time, which is forgotten here; `None` if nothing was.
    pub fn take_delta(&mut self) -> Option<Snapshot> {
        if self.sketches.is_empty() {
            return None;
        }
        let taken = core::mem::replace(&mut self.sketches, Sketches::new(self.spec.outcome));
        Some(Snapshot::of(&self.spec, &taken))
    }

    /// Takes back a delta that could not be stored, as if it had never been taken.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] when it is none of this spec.
    pub fn give_back(&mut self, delta: &Snapshot, now_secs: u64) -> Result<(), SnapshotError> {
        let since = Snapshot::of(&self.spec, &self.sketches);
        self.sketches = self.together(Some(delta), Some(&since), now_secs)?;
        Ok(())
    }

    /// What is stored, with a delta: both for the device's own store. The host calls this inside a transaction, so that
    /// no tab overwrites what another added.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] when the delta is none of this spec. What is stored may be anything.
    pub fn merged(
        &self,
        stored: Option<&Snapshot>,
        delta: Option<&Snapshot>,
        now_secs: u64,
    ) -> Result<Merged, SnapshotError> {
        let discarded = stored.is_some_and(|stored| stored.sketches(&self.spec).is_err());
        let mut all = self.together(stored.filter(|_| !discarded), delta, now_secs)?;
        let unknown_outcomes = all.give_up_outcomes();
        Ok(Merged { snapshot: Snapshot::of(&self.spec, &all), unknown_outcomes, discarded })
    }

    /// What is stored together with what this monitor holds, to look at; what cannot be read counts as nothing.
    #[must_use]
    pub fn with_stored(&self, stored: &Snapshot, now_secs: u64) -> Sketches {
        let own = Snapshot::of(&self.spec, &self.sketches);
        let all = self.together(Some(stored), Some(&own), now_secs);
        all.or_else(|_| own.sketches(&self.spec)).unwrap_or_else(|_| Sketches::new(self.spec.outcome))
    }

    /// What came first and what came later.
    fn together(
        &self,
        first: Option<&Snapshot>,
        later: Option<&Snapshot>,
        now_secs: u64,
    ) -> Result<Sketches, SnapshotError> {
        let mut all = Sketches::new(self.spec.outcome);
        for part in [first, later].into_iter().flatten() {
            all.merge(&self.spec, part.sketches(&self.spec)?, now_secs);
        }
        Ok(all)
    }

    /// The next window that this device owes an answer: one of its turns that is over and still takes reports. None
    /// while the device is in another spec.
    #[must_use]
    pub fn due(&self, state: &DeviceState, now_secs: u64) -> Option<WindowIndex> {
        let current = self.spec.window.index_at(now_secs);
        // A grace is at most one window long, so no window before these is open, however far the clock jumped.
        let first = state.next_window().max(current.saturating_sub(2));
        let owed = |window: &WindowIndex| {
            self.spec.window.is_open(*window, now_secs) && state.secret.takes_part(&self.spec, *window)
        };
        if state.is_in(&self.spec) { (first..current).find(owed) } else { None }
    }

    /// Answers a window from what this monitor holds: debits, asks, privatizes. A window without data is answered with
    /// "no data".
    ///
    /// # Errors
    ///
    /// [`AnswerError`]; then the caller drops the state it passed in, and nothing has happened.
    pub fn answer(
        &self,
        state: &mut DeviceState,
        window: WindowIndex,
        now_secs: u64,
        entropy: &mut dyn EntropySource,
    ) -> Result<Answer, AnswerError> {
        self.answer_from(&self.sketches, state, window, now_secs, entropy)
    }

    /// As [`Monitor::answer`], from other sketches: those of [`Monitor::with_stored`].
    ///
    /// # Errors
    ///
    /// As [`Monitor::answer`].
    pub fn answer_from(
        &self,
        sketches: &Sketches,
        state: &mut DeviceState,
        window: WindowIndex,
        now_secs: u64,
        entropy: &mut dyn EntropySource,
    ) -> Result<Answer, AnswerError> {
        if self.due(state, now_secs).is_none_or(|due| window != due) {
            return Err(AnswerError::NotDue);
        }
        let index = state.secret.choose_question(&self.spec, window);
        let question = &self.spec.questions[usize::from(index)];
        // A memoized answer is paid for once in an epoch; every other each time.
        let epoch = question.epoch_windows().map(|windows| window / windows);
        let paid = epoch.is_some_and(|epoch| state.has_paid(index, epoch));
        let epsilon_micronats = if paid { 0 } else { question.epsilon_micronats };
        state.pass(window);
        let charge = Charge { at_secs: self.spec.window.start_secs(window), epsilon_micronats };
        let permit = state.ledger.spend(charge, &self.spec.caps)?;
        if let Some(epoch) = epoch {
            state.mark_paid(index, epoch);
        }

        let report_id = state.secret.report_id(self.spec.id(), window, index);
        let memo = state.secret.memo_key(self.spec.id(), index, epoch.unwrap_or(0));
        let draw = entropy.word()?;
        let asked = sketches.profile(window).map(|profile| profile.answer(question, &report_id, draw));
        let true_symbol = asked.unwrap_or(Profile::unanswered(question, draw));
        let draws = Draws { coin: &report_id, memo: &memo, entropy };
        let payload = self.randomizers[usize::from(index)].privatize(permit, true_symbol, draws)?;
        let report = Report {
            arm: self.arm,
            spec_id: self.spec.id(),
            window,
            question: index,
            segment: self.segment,
            report_id,
            payload: payload.to_bytes(self.spec.payload_len()),
        };
        Ok(Answer { report, true_symbol })
    }

    /// Drops all sketches.
    pub fn purge(&mut self) {
        self.sketches = Sketches::new(self.spec.outcome);
    }
}
