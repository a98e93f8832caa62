//! The budget book of one app on one device.
//!
//! Losses add up in pure ε (basic composition; Dwork and Roth, "The algorithmic foundations of differential privacy", 2014,
//! Theorem 3.16), counted in integer millionths of a nat. A cap holds in *every* span of its period, not in calendar blocks: a debit is allowed
//! only if, with it, the debits that began within one period before it stay within the cap. The book is kept per app, so that a new spec
//! never resets a budget, and its time never runs backwards, so that setting a clock back buys nothing.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use super::permit::Permit;
use crate::spec::{Cap, MAX_CAP_PERIOD_SECS, Part, sentence};

/// One debit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// Start of the window that was answered, in Unix seconds.
    pub at_secs: u64,
    /// What it cost, in millionths of ε.
    pub epsilon_micronats: u64,
}

/// All debits that a cap can still see, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    charges: Vec<Charge>,
}

/// A debit that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
#[non_exhaustive]
pub enum LedgerError {
    /// The debit would exceed a cap.
    CapReached {
        /// The cap, in millionths of ε.
        cap_micronats: u64,
        /// Its period in seconds.
        period_secs: u64,
    },
    /// The debit is older than the newest in the book.
    TimeWentBack,
    /// The book holds as many debits as it can.
    Full {
        /// Most debits it holds.
        limit: usize,
    },
}

impl LedgerError {
    /// The error for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::CapReached { cap_micronats, period_secs } => sentence(&[
                Part::Text("the privacy budget of "),
                Part::Number(*cap_micronats),
                Part::Text(" millionths of ε in "),
                Part::Number(*period_secs),
                Part::Text(" s does not allow another answer now"),
            ]),
            Self::TimeWentBack => "a debit may not be older than the newest in the ledger".to_owned(),
            Self::Full { limit } => {
                sentence(&[Part::Text("the ledger holds at most "), Part::Number(*limit as u64), Part::Text(" debits")])
            }
        }
    }
}

impl Ledger {
    /// Most debits a ledger holds.
    pub const MAX_CHARGES: usize = 16_384;

    /// Debits one answer.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] when a cap, the order of time or the size of the book forbids it; then nothing was debited.
    pub fn spend(&mut self, charge: Charge, caps: &[Cap]) -> Result<Permit, LedgerError> {
        if self.charges.last().is_some_and(|newest| charge.at_secs < newest.at_secs) {
            return Err(LedgerError::TimeWentBack);
        }
        for cap in caps {
            let spent = self.spent_within(cap.period_secs, charge.at_secs);
            if spent.saturating_add(charge.epsilon_micronats) > cap.epsilon_micronats {
                return Err(LedgerError::CapReached {
                    cap_micronats: cap.epsilon_micronats,
                    period_secs: cap.period_secs,
                });
            }
        }
        self.charges.retain(|earlier| in_period(earlier, MAX_CAP_PERIOD_SECS, charge.at_secs));
        if self.charges.len() >= Self::MAX_CHARGES {
            return Err(LedgerError::Full { limit: Self::MAX_CHARGES });
        }
        self.charges.push(charge);
        Ok(Permit::after_debit())
    }

    /// What was spent in the period that ends at a moment, in millionths of ε.
    #[must_use]
    pub fn spent_within(&self, period_secs: u64, now_secs: u64) -> u64 {
        let recent = self.charges.iter().filter(|charge| in_period(charge, period_secs, now_secs));
        recent.fold(0, |sum, charge| sum.saturating_add(charge.epsilon_micronats))
    }

    /// The most that was ever spent in a period, in millionths of ε.
    #[must_use]
    pub fn most_spent_within(&self, period_secs: u64) -> u64 {
        self.charges.iter().map(|charge| self.spent_within(period_secs, charge.at_secs)).max().unwrap_or(0)
    }

    /// The debits, oldest first.
    #[must_use]
    pub fn charges(&self) -> &[Charge] {
        &self.charges
    }

    /// A book with these debits, or `None` if they are out of order or too many.
    pub(super) fn from_charges(charges: Vec<Charge>) -> Option<Self> {
        let ordered = charges.windows(2).all(|pair| pair[0].at_secs <= pair[1].at_secs);
        (ordered && charges.len() <= Self::MAX_CHARGES).then_some(Self { charges })
    }
}

fn in_period(charge: &Charge, period_secs: u64, now_secs: u64) -> bool {
    charge.at_secs <= now_secs && charge.at_secs.saturating_add(period_secs) > now_secs
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPS: [Cap; 2] =
        [Cap { period_secs: 100, epsilon_micronats: 3 }, Cap { period_secs: 1_000, epsilon_micronats: 4 }];

    fn spend(ledger: &mut Ledger, at_secs: u64) -> Result<(), LedgerError> {
        ledger.spend(Charge { at_secs, epsilon_micronats: 1 }, &CAPS).map(|_permit| ())
    }

    #[test]
    fn a_cap_holds_in_every_span_of_its_period() {
        let mut ledger = Ledger::default();
        for at_secs in [50, 60, 140] {
            assert_eq!(spend(&mut ledger, at_secs), Ok(()));
        }
        let reached = |cap_micronats, period_secs| Err(LedgerError::CapReached { cap_micronats, period_secs });
        assert_eq!(spend(&mut ledger, 149), reached(3, 100), "the debit at 50 still counts");
        assert_eq!(spend(&mut ledger, 150), Ok(()), "and no longer at 150");
        assert_eq!(spend(&mut ledger, 900), reached(4, 1_000), "the longer cap holds as well");
        assert_eq!(ledger.spent_within(1_000, 900), 4, "a refusal debits nothing");
    }

    #[test]
    fn setting_the_clock_back_buys_nothing() {
        let mut ledger = Ledger::default();
        assert_eq!(spend(&mut ledger, 500), Ok(()));
        assert_eq!(spend(&mut ledger, 499), Err(LedgerError::TimeWentBack));
    }

    #[test]
    fn debits_that_no_spec_can_see_are_forgotten() {
        let mut ledger = Ledger::default();
        for at_secs in [0, 2_000, MAX_CAP_PERIOD_SECS + 1] {
            assert_eq!(spend(&mut ledger, at_secs), Ok(()));
        }
        assert_eq!(ledger.charges().len(), 2);
    }

    #[test]
    fn a_spec_with_shorter_caps_does_not_make_the_ledger_forget() {
        let mut ledger = Ledger::default();
        assert_eq!(spend(&mut ledger, 0), Ok(()));
        let short = [Cap { period_secs: 1, epsilon_micronats: 1 }];
        let charge = Charge { at_secs: 500, epsilon_micronats: 1 };
        assert_eq!(ledger.spend(charge, &short).map(|_permit| ()), Ok(()));
        assert_eq!((ledger.spent_within(1_000, 600), ledger.most_spent_within(1_000)), (2, 2));
        assert_eq!(ledger.most_spent_within(100), 1);
    }
}
