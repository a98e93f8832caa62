//! Mergeable sums of reports for one (spec, window, question, segment, arm).
//!
//! Integers only; [`Aggregate::merge`] is commutative and associative, with the empty aggregate as identity, so any split of the reports over
//! nodes and any order give the same sums.

use crate::privacy::{Coin, Decoder, MalformedPayload, Payload};

/// How many reports there are, and the counters of the question's randomizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    reports: u64,
    counters: Vec<u64>,
}

/// Two aggregates with different numbers of counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("only aggregates of one question can be added")]
pub struct CounterMismatch;

impl Aggregate {
    /// The empty aggregate with this many counters.
    #[must_use]
    pub fn new(counters: usize) -> Self {
        Self { reports: 0, counters: vec![0; counters] }
    }

    /// The aggregate with these sums.
    #[must_use]
    pub fn from_sums(reports: u64, counters: Vec<u64>) -> Self {
        Self { reports, counters }
    }

    /// Adds one report of a question, of which the randomizer and the report's id are given too.
    ///
    /// # Errors
    ///
    /// [`MalformedPayload`] when the payload is no output of the randomizer; then nothing is added.
    ///
    /// # Panics
    ///
    /// If the aggregate has not the counters of this randomizer.
    pub fn accumulate(
        &mut self,
        randomizer: &dyn Decoder,
        payload: &Payload,
        coin: &Coin,
    ) -> Result<(), MalformedPayload> {
        randomizer.accumulate(payload, coin, &mut self.counters)?;
        self.reports += 1;
        Ok(())
    }

    /// Adds all reports of another aggregate.
    ///
    /// # Errors
    ///
    /// [`CounterMismatch`] when they have different numbers of counters.
    pub fn merge(&mut self, other: &Self) -> Result<(), CounterMismatch> {
        if self.counters.len() != other.counters.len() {
            return Err(CounterMismatch);
        }
        self.reports += other.reports;
        for (sum, more) in self.counters.iter_mut().zip(&other.counters) {
            *sum += more;
        }
        Ok(())
    }

    /// Number of reports.
    #[must_use]
    pub fn reports(&self) -> u64 {
        self.reports
    }

    /// The counters, as the randomizer defines them.
    #[must_use]
    pub fn counters(&self) -> &[u64] {
        &self.counters
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::privacy::SubsetSelection;
    use crate::spec::Weights;

    fn pairs() -> SubsetSelection {
        SubsetSelection::new(6, 2, Weights { of_true: 3, of_false: 1 })
    }

    fn folded(ranks: &[u8]) -> Aggregate {
        let mut sum = Aggregate::new(6);
        let payload = |rank: &u8| Payload::from_bytes(&[*rank]).expect("one byte");
        ranks.iter().for_each(|rank| sum.accumulate(&pairs(), &payload(rank), &[0; 16]).expect("a pair"));
        sum
    }

    proptest! {
        #[test]
        fn any_split_and_order_give_the_same_sums(
            mut ranks in prop::collection::vec(0_u8..15, 0..40),
            split in 0_usize..40,
        ) {
            let whole = folded(&ranks);
            prop_assert_eq!(whole.counters().iter().sum::<u64>(), 2 * whole.reports());
            ranks.reverse();
            let (left, right) = ranks.split_at(split.min(ranks.len()));
            let (mut left, right) = (folded(left), folded(right));
            let mut swapped = right.clone();
            swapped.merge(&left).expect("one question");
            left.merge(&right).expect("one question");
            prop_assert_eq!(&left, &whole);
            prop_assert_eq!(&swapped, &whole);
        }
    }

    #[test]
    fn what_does_not_fit_is_not_added() {
        let mut sum = Aggregate::new(6);
        let malformed = Payload::from_bytes(&[15]).expect("one byte");
        assert_eq!(sum.accumulate(&pairs(), &malformed, &[0; 16]), Err(MalformedPayload));
        assert_eq!(sum.merge(&Aggregate::new(4)), Err(CounterMismatch));
        assert_eq!(sum, Aggregate::new(6));
    }
}
