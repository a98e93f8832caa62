//! The device's pipeline: observe, sketch, ask, privatize, encode.
//!
//! A [`Monitor`] holds the profiles of the current window and the one before; a [`DeviceState`] holds what lasts. To
//! answer a window, the host opens a transaction on its store, reads the state, calls [`Monitor::answer`], and commits
//! state and report together; only then may the report be sent.

use alloc::{boxed::Box, vec::Vec};

use alloc::collections::BTreeMap;

use crate::observe::{Observation, Value};
use crate::privacy::{
    Charge, DeviceState, Draws, EntropyError, EntropySource, LedgerError, LocalRandomizer, randomizer_of,
};
use crate::report::{Arm, Report};
use crate::sketch::{Binning, PendingPredictions, Profile};
use crate::spec::{MonitorSpec, WindowIndex};

/// What runs beside the model.
#[derive(Debug)]
pub struct Monitor {
    spec: MonitorSpec,
    arm: Arm,
    segment: u16,
    binnings: Vec<Binning>,
    randomizers: Vec<Box<dyn LocalRandomizer>>,
    profiles: BTreeMap<WindowIndex, Profile>,
    pending: PendingPredictions,
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
#[non_exhaustive]
pub enum AnswerError {
    /// The window is not due: not over yet, answered before, closed for reports, not this device's turn, or of a spec
    /// that the device has not entered.
    #[error("the window is not due: it is not over, not this device's, was answered before, or takes no more reports")]
    NotDue,
    /// The ledger refused the debit.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// There was no entropy.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// The segment is none of the spec's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the segment must be one that the spec declares")]
pub struct UnknownSegment;

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
            profiles: BTreeMap::new(),
            pending: PendingPredictions::new(spec.outcome),
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
        let profile = profile_at(&mut self.profiles, &self.spec, now_secs);
        let waits = key.map(|key| (key, now_secs, &mut self.pending));
        profile.observe(&self.spec, &self.binnings, seen, waits);
    }

    /// Counts an outcome in the window in which it arrives. `false` if no prediction waits under the key.
    pub fn outcome(&mut self, key: &str, value: Value<'_>, now_secs: u64) -> bool {
        let Some(predictions) = self.pending.take(key, now_secs) else { return false };
        let profile = profile_at(&mut self.profiles, &self.spec, now_secs);
        profile.outcome(&self.spec, &self.binnings, value, &predictions);
        true
    }

    /// The profile of a window, if it holds anything. Stays on the device.
    #[must_use]
    pub fn profile(&self, window: WindowIndex) -> Option<&Profile> {
        self.profiles.get(&window)
    }

    /// Predictions that wait for their outcome.
    #[must_use]
    pub fn pending(&self) -> &PendingPredictions {
        &self.pending
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

    /// Answers a window: debits, asks, privatizes. A window without data is answered with "no data".
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
        let asked = self.profiles.get(&window).map(|profile| profile.answer(question, &report_id, draw));
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

    /// Drops all profiles and pending predictions.
    pub fn purge(&mut self) {
        self.profiles.clear();
        self.pending = PendingPredictions::new(self.spec.outcome);
    }
}

/// The profile of the window of a moment. Only that window and the one before it are kept: neither time nor a clock
/// that was wrong for a while lets profiles pile up.
fn profile_at<'a>(
    profiles: &'a mut BTreeMap<WindowIndex, Profile>,
    spec: &MonitorSpec,
    now_secs: u64,
) -> &'a mut Profile {
    let window = spec.window.index_at(now_secs);
    profiles.retain(|kept, _| *kept == window || kept.checked_add(1) == Some(window));
    profiles.entry(window).or_insert_with(|| Profile::new(spec, window))
}
