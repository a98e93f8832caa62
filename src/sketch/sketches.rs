//! All that a device remembers of its windows.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use core::fmt;

use super::binning::Binning;
use super::pending::PendingPredictions;
use super::profile::{Placed, Profile, outcomes};
use crate::observe::{Observation, Value};
use crate::spec::{MonitorSpec, OutcomeRule, WindowIndex};

/// The profiles of the current window and the one before, predictions that wait for their outcome, and outcomes that
/// wait for their prediction.
///
/// A device may have several: one in its store, and in the memory of each tab what that tab added since it last
/// committed. [`Sketches::merge`] makes one of them. An outcome that is told where its prediction is not known waits
/// until its tab's part is merged with the store's.
pub struct Sketches {
    /// At most two, the older first.
    profiles: Vec<Profile>,
    pending: PendingPredictions,
    told: Vec<Told>,
    rule: OutcomeRule,
}

/// An outcome whose prediction is not known here.
pub(super) struct Told {
    pub(super) key: String,
    pub(super) at_secs: u64,
    /// Where it falls in each metric that is an outcome.
    pub(super) outcomes: Vec<Option<Placed>>,
}

impl Sketches {
    /// Nothing remembered.
    #[must_use]
    pub fn new(rule: OutcomeRule) -> Self {
        Self { profiles: Vec::new(), pending: PendingPredictions::new(rule), told: Vec::new(), rule }
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.profiles.is_empty() && self.pending.is_empty() && self.told.is_empty()
    }

    /// Counts an inference in the window of `now_secs`. With a key, its prediction waits for the outcome.
    pub fn observe(
        &mut self,
        spec: &MonitorSpec,
        binnings: &[Binning],
        seen: &Observation<'_>,
        key: Option<&str>,
        now_secs: u64,
    ) {
        let cells = self.now(spec, now_secs).observe(spec, binnings, seen);
        if let Some(key) = key {
            self.pending.insert(key, now_secs, cells);
        }
    }

    /// Counts an outcome in the window in which it arrives. `false` if no prediction waits here under the key; then
    /// the outcome waits.
    pub fn outcome(
        &mut self,
        spec: &MonitorSpec,
        binnings: &[Binning],
        key: &str,
        value: Value<'_>,
        now_secs: u64,
    ) -> bool {
        let told = Told { key: key.to_owned(), at_secs: now_secs, outcomes: outcomes(spec, binnings, value) };
        self.keep(spec.window.index_at(now_secs));
        let joined = self.join(spec, &told);
        if !joined {
            self.wait(told);
        }
        joined
    }

    /// The profile of a window, if it holds anything.
    #[must_use]
    pub fn profile(&self, window: WindowIndex) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.window() == window)
    }

    /// Predictions that wait for their outcome.
    #[must_use]
    pub fn pending(&self) -> &PendingPredictions {
        &self.pending
    }

    /// Adds what was remembered later than this, under the same spec. Windows that are over for good at `now_secs`, and
    /// predictions beyond their horizon, are forgotten.
    pub fn merge(&mut self, spec: &MonitorSpec, later: Self, now_secs: u64) {
        let current = spec.window.index_at(now_secs);
        self.keep(current);
        // Outcomes first: a prediction that came later under the same key is another one.
        for told in later.told {
            if !self.join(spec, &told) {
                self.wait(told);
            }
        }
        for profile in &later.profiles {
            self.profile_of(spec, profile.window()).merge(profile);
        }
        self.keep(current);
        self.pending.merge(later.pending, now_secs);
    }

    /// Gives up the outcomes that wait; their number.
    pub fn give_up_outcomes(&mut self) -> usize {
        core::mem::take(&mut self.told).len()
    }

    pub(super) fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    pub(super) fn told(&self) -> &[Told] {
        &self.told
    }

    /// From its parts; the profiles at most two, the older first.
    pub(super) fn of(rule: OutcomeRule, profiles: Vec<Profile>, pending: PendingPredictions, told: Vec<Told>) -> Self {
        Self { profiles, pending, told, rule }
    }

    /// Counts an outcome, if its prediction waits here.
    fn join(&mut self, spec: &MonitorSpec, told: &Told) -> bool {
        let Some(predictions) = self.pending.take(&told.key, told.at_secs) else { return false };
        self.profile_of(spec, spec.window.index_at(told.at_secs)).told(spec, &told.outcomes, &predictions);
        true
    }

    fn wait(&mut self, told: Told) {
        if self.told.len() >= self.rule.max_pending {
            self.told.remove(0);
        }
        self.told.push(told);
    }

    /// The profile of the window of a moment; only that one and the one before it are kept.
    fn now(&mut self, spec: &MonitorSpec, now_secs: u64) -> &mut Profile {
        let window = spec.window.index_at(now_secs);
        self.keep(window);
        self.profile_of(spec, window)
    }

    /// Keeps the profiles of a window and the one before it: neither time nor a clock that was wrong for a while lets
    /// profiles pile up.
    fn keep(&mut self, window: WindowIndex) {
        self.profiles.retain(|kept| kept.window() == window || kept.window().checked_add(1) == Some(window));
    }

    fn profile_of(&mut self, spec: &MonitorSpec, window: WindowIndex) -> &mut Profile {
        let place = self.profiles.partition_point(|profile| profile.window() < window);
        if self.profiles.get(place).is_none_or(|profile| profile.window() != window) {
            self.profiles.insert(place, Profile::new(spec, window));
        }
        &mut self.profiles[place]
    }
}

impl fmt::Debug for Sketches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let windows: Vec<WindowIndex> = self.profiles.iter().map(Profile::window).collect();
        f.debug_struct("Sketches").field("windows", &windows).field("pending", &self.pending).finish_non_exhaustive()
    }
}
