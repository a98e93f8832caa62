//! Predictions that wait for their outcome.

use alloc::{borrow::ToOwned, boxed::Box, string::String, vec::Vec};

use core::fmt;

use super::label::fingerprint;
use crate::spec::OutcomeRule;

/// Cells of predictions by key, at most as many as the spec allows; the oldest give way.
///
/// The oldest stands first. A key is looked for by its fingerprint, one after the other: a spec has at most 4,096
/// predictions wait, which is 32 kB to look through.
#[derive(Clone)]
pub struct PendingPredictions {
    rule: OutcomeRule,
    waiting: Vec<(u32, Box<Waiting>)>,
    expired: u64,
}

/// One prediction.
#[derive(Clone)]
pub(super) struct Waiting {
    pub(super) key: String,
    pub(super) at_secs: u64,
    /// The cell of each metric.
    pub(super) cells: Vec<Option<usize>>,
}

impl PendingPredictions {
    /// None waiting.
    #[must_use]
    pub fn new(rule: OutcomeRule) -> Self {
        Self { rule, waiting: Vec::new(), expired: 0 }
    }

    /// Remembers the cells of a prediction. A later prediction with the same key replaces it.
    pub(super) fn insert(&mut self, key: &str, at_secs: u64, cells: Vec<Option<usize>>) {
        self.add(Box::new(Waiting { key: key.to_owned(), at_secs, cells }));
    }

    fn add(&mut self, waiting: Box<Waiting>) {
        if let Some(place) = self.find(&waiting.key) {
            self.waiting.remove(place);
        } else if self.waiting.len() >= self.rule.max_pending {
            self.waiting.remove(0);
            self.expired += 1;
        }
        self.waiting.push((fingerprint(&waiting.key), waiting));
    }

    /// Takes the prediction with this key, if it waits and its horizon is not over.
    pub(super) fn take(&mut self, key: &str, now_secs: u64) -> Option<Vec<Option<usize>>> {
        let place = self.find(key)?;
        let (_, found) = self.waiting.remove(place);
        if self.is_over(&found, now_secs) {
            self.expired += 1;
            return None;
        }
        Some(found.cells)
    }

    /// Adds predictions that came later than these, and forgets those whose horizon is over twice: an outcome that was
    /// told in time may be merged late.
    pub(super) fn merge(&mut self, later: Self, now_secs: u64) {
        self.expired += later.expired;
        later.waiting.into_iter().for_each(|(_, waiting)| self.add(waiting));
        let rule = self.rule;
        self.waiting.retain(|(_, waiting)| now_secs.saturating_sub(waiting.at_secs) <= 2 * rule.horizon_secs);
    }

    /// Those that wait, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.iter().map(|(_, waiting)| &**waiting)
    }

    /// Number of predictions that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Predictions that were given up: too old or too many.
    #[must_use]
    pub fn expired(&self) -> u64 {
        self.expired
    }

    fn find(&self, key: &str) -> Option<usize> {
        let wanted = fingerprint(key);
        self.waiting.iter().position(|(mark, waiting)| *mark == wanted && waiting.key == key)
    }

    fn is_over(&self, waiting: &Waiting, now_secs: u64) -> bool {
        now_secs.saturating_sub(waiting.at_secs) > self.rule.horizon_secs
    }
}

impl fmt::Debug for PendingPredictions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PendingPredictions({} waiting)", self.waiting.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending() -> PendingPredictions {
        PendingPredictions::new(OutcomeRule { horizon_secs: 100, max_pending: 2 })
    }

    #[test]
    fn an_outcome_takes_its_prediction_once() {
        let mut pending = pending();
        pending.insert("a", 0, vec![Some(1)]);
        assert_eq!(pending.take("a", 100), Some(vec![Some(1)]));
        assert_eq!(pending.take("a", 100), None);
        assert_eq!(pending.expired(), 0);
    }

    #[test]
    fn the_horizon_ends_the_wait() {
        let mut pending = pending();
        pending.insert("a", 0, vec![]);
        assert_eq!(pending.take("a", 101), None);
        assert_eq!(pending.expired(), 1);
    }

    #[test]
    fn the_oldest_gives_way() {
        let mut pending = pending();
        for key in ["a", "b", "c"] {
            pending.insert(key, 0, vec![]);
        }
        assert_eq!((pending.len(), pending.expired()), (2, 1));
        assert!(pending.take("a", 1).is_none() && pending.take("b", 1).is_some());
    }

    #[test]
    fn state_stays_bounded_when_outcomes_arrive() {
        let mut pending = pending();
        for round in 0..1_000 {
            pending.insert(&round.to_string(), 0, vec![]);
            pending.take(&round.to_string(), 0);
        }
        assert!(pending.is_empty());
        assert_eq!(pending.expired(), 0);
    }

    #[test]
    fn a_slow_outcome_is_not_dropped_for_quick_ones() {
        let mut pending = pending();
        pending.insert("slow", 0, vec![]);
        for round in 0..100 {
            pending.insert(&round.to_string(), 0, vec![]);
            pending.take(&round.to_string(), 0);
        }
        assert!(pending.take("slow", 50).is_some());
    }

    #[test]
    fn a_replaced_prediction_is_not_dropped_for_its_elder() {
        let mut pending = pending();
        pending.insert("a", 0, vec![Some(0)]);
        pending.insert("b", 0, vec![Some(0)]);
        pending.insert("a", 5, vec![Some(1)]);
        pending.insert("c", 6, vec![Some(0)]);
        assert_eq!(pending.take("a", 7), Some(vec![Some(1)]));
        assert!(pending.take("b", 7).is_none());
    }

    #[test]
    fn predictions_that_came_later_replace_and_displace() {
        let (mut stored, mut later) = (pending(), pending());
        stored.insert("a", 0, vec![Some(0)]);
        stored.insert("b", 1, vec![Some(0)]);
        later.insert("b", 2, vec![Some(1)]);
        later.insert("c", 3, vec![Some(1)]);
        stored.merge(later, 50);
        assert_eq!(stored.iter().map(|waiting| waiting.key.as_str()).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(stored.take("b", 50), Some(vec![Some(1)]));
        stored.merge(pending(), 203);
        assert_eq!(stored.len(), 1);
        stored.merge(pending(), 204);
        assert!(stored.is_empty(), "its horizon is over twice");
    }
}
