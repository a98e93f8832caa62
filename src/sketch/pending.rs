//! Predictions that wait for their outcome.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use alloc::collections::VecDeque;
use core::fmt;

use hashbrown::HashMap;

use crate::spec::OutcomeRule;

/// Cells of predictions by key, at most as many as the spec allows; the oldest give way.
#[derive(Clone)]
pub struct PendingPredictions {
    rule: OutcomeRule,
    waiting: HashMap<String, Waiting>,
    order: VecDeque<(u64, String)>,
    sequence: u64,
    expired: u64,
}

#[derive(Clone)]
struct Waiting {
    sequence: u64,
    at_secs: u64,
    cells: Vec<Option<usize>>,
}

impl PendingPredictions {
    /// None waiting.
    #[must_use]
    pub fn new(rule: OutcomeRule) -> Self {
        Self { rule, waiting: HashMap::new(), order: VecDeque::new(), sequence: 0, expired: 0 }
    }

    /// Remembers the cells of a prediction. A later prediction with the same key replaces it.
    pub(super) fn insert(&mut self, key: &str, at_secs: u64, cells: Vec<Option<usize>>) {
        self.sequence += 1;
        self.waiting.insert(key.to_owned(), Waiting { sequence: self.sequence, at_secs, cells });
        self.order.push_back((self.sequence, key.to_owned()));
        while self.waiting.len() > self.rule.max_pending {
            self.drop_oldest();
        }
        if self.order.len() > 2 * self.rule.max_pending {
            let waits = |(sequence, key): &(u64, String)| {
                self.waiting.get(key).is_some_and(|waiting| waiting.sequence == *sequence)
            };
            self.order.retain(waits);
        }
    }

    /// Takes the prediction with this key, if it waits and its horizon is not over.
    pub(crate) fn take(&mut self, key: &str, now_secs: u64) -> Option<Vec<Option<usize>>> {
        let found = self.waiting.remove(key)?;
        if now_secs.saturating_sub(found.at_secs) > self.rule.horizon_secs {
            self.expired += 1;
            return None;
        }
        Some(found.cells)
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

    /// Drops the oldest entry of the order, and its prediction unless that was taken or replaced.
    fn drop_oldest(&mut self) {
        let Some((sequence, key)) = self.order.pop_front() else { return };
        if self.waiting.get(&key).is_some_and(|waiting| waiting.sequence == sequence) {
            self.waiting.remove(&key);
            self.expired += 1;
        }
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
        assert!(pending.is_empty() && pending.order.len() <= 5);
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
}
