//! One knob: how many false alarms a year, if nothing is ever wrong.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | F | `false_alarms_per_year` | what the operator wishes | > 0 |
//! | L | `looks_per_year` | windows that a stream closes in a year | ≥ 1 |
//! | M | `streams` | metric × segment × arm | ≥ 1 |
//! | R | `restarts_per_year` | how often the comparisons are begun anew, as with a new reference | ≥ 1 |
//! | A | [`AlarmBudget::average_run_length`] | L M/F | ≥ 1 |
//! | q | [`AlarmBudget::e_bh_level`] | min(F/R, 0.1) | (0, 0.1\] |
//! | 1/α | [`AlarmBudget::log_e_threshold`] | M R/F | ≥ 1 |
//!
//! There are two modes, for two questions; their numbers are not exchangeable.
//!
//! **Detectors: "tell me when something changes".** Each stream runs an e-detector ([`super::detector`]) with threshold
//! A and begins anew after its alarms. *Guarantee*: the expected number of false alarms of all streams in any year is
//! at most F, whatever the dependence between streams. *Argument*: over T looks, SR less the number of looks is a
//! supermartingale also across restarts, so A · E\[alarms\] ≤ T for a stream; with T = L and M streams, M L/A = F. No
//! guarantee on the share of false ones among the alarms of one look. (The values of a detector are no e-values: their
//! mean grows with t. e-BH must not be given them.)
//!
//! **E-processes with e-BH: "which of all have moved from the reference?"** All e-processes since the reference was set
//! go to e-BH at level q at every look ([`super::selection::e_bh`]). *Guarantees*: at any look, chosen in any way,
//! E\[false share of the rejections\] ≤ q; and if nothing has moved anywhere, the probability that a comparison ever
//! rejects anything, however often one looks, is at most q, hence at most R q ≤ F false incidents a year. *Argument for
//! the second*: e-BH rejects something only if some average of e-values is at least 1/q (its largest j have j e_(j) ≥
//! m/q, so the mean of all m is at least 1/q), and the mean of e-processes over one sequence of looks is an e-process
//! (Ville). The level is capped at 0.1, for the share of false rejections is of interest also when many alarms are
//! allowed.
//!
//! **E-processes one by one** ([`AlarmBudget::log_e_threshold`]): each against 1/α = M R/F. *Guarantee*: at most F
//! streams a year are expected to ever raise a false alarm (Markov's inequality at the supremum, added up).
//!
//! **Does not hold when** the e-values do not: see the limits of each process. A look that is chosen by *other*
//! streams, as in e-BH, also needs that a stream's window is independent of the earlier windows of those, given its own
//! past: a device that answers in many windows for several metrics must be declared in each of their streams.

/// What the operator declares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlarmBudget {
    false_alarms_per_year: f64,
    looks_per_year: f64,
    streams: f64,
}

/// The largest level for e-BH.
pub const MOST_FALSE_DISCOVERIES: f64 = 0.1;

/// What an alarm budget must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AlarmBudgetError {
    /// F.
    #[error("false alarms per year must be a finite number above 0")]
    FalseAlarms,
    /// L.
    #[error("looks per year must be a finite number of at least 1")]
    Looks,
    /// M.
    #[error("there must be at least one stream")]
    Streams,
}

impl AlarmBudget {
    /// F false alarms a year over M streams of L looks a year each.
    ///
    /// # Errors
    ///
    /// [`AlarmBudgetError`] names the number that is out of its range.
    pub fn new(false_alarms_per_year: f64, looks_per_year: f64, streams: u64) -> Result<Self, AlarmBudgetError> {
        if !(false_alarms_per_year > 0.0 && false_alarms_per_year.is_finite()) {
            return Err(AlarmBudgetError::FalseAlarms);
        }
        if !(looks_per_year >= 1.0 && looks_per_year.is_finite()) {
            return Err(AlarmBudgetError::Looks);
        }
        if streams == 0 {
            return Err(AlarmBudgetError::Streams);
        }
        Ok(Self { false_alarms_per_year, looks_per_year, streams: streams as f64 })
    }

    /// A = L M/F, in looks of one stream, and at least 1.
    #[must_use]
    pub fn average_run_length(&self) -> f64 {
        (self.looks_per_year * self.streams / self.false_alarms_per_year).max(1.0)
    }

    /// ln A: an e-detector alarms when its logarithm reaches it.
    #[must_use]
    pub fn log_detector_threshold(&self) -> f64 {
        super::detector::log_threshold(self.average_run_length())
    }

    /// q for e-BH over the e-processes of all streams, begun anew `restarts_per_year` times (at least once counts).
    #[must_use]
    pub fn e_bh_level(&self, restarts_per_year: f64) -> f64 {
        (self.false_alarms_per_year / restarts_per_year.max(1.0)).min(MOST_FALSE_DISCOVERIES)
    }

    /// ln 1/α: one e-process alarms alone when its logarithm reaches it. At least 0.
    #[must_use]
    pub fn log_e_threshold(&self, restarts_per_year: f64) -> f64 {
        libm::log((self.streams * restarts_per_year.max(1.0) / self.false_alarms_per_year).max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 12 false alarms a year, hourly looks, 10 streams: one alarm in 7,300 looks of a stream.
    #[test]
    fn thresholds() {
        let budget = AlarmBudget::new(12.0, 8_760.0, 10).expect("in range");
        assert_eq!(budget.average_run_length(), 7_300.0);
        assert!((libm::exp(budget.log_detector_threshold()) - 7_300.0).abs() < 1e-8);
        assert_eq!(budget.e_bh_level(1.0), 0.1);
        let strict = AlarmBudget::new(0.5, 365.0, 100).expect("in range");
        assert_eq!(strict.e_bh_level(50.0), 0.01);
        assert!((libm::exp(strict.log_e_threshold(2.0)) - 400.0).abs() < 1e-9);
        assert_eq!(AlarmBudget::new(1e9, 1.0, 1).expect("in range").average_run_length(), 1.0);
    }

    #[test]
    fn out_of_range() {
        assert_eq!(AlarmBudget::new(0.0, 365.0, 1), Err(AlarmBudgetError::FalseAlarms));
        assert_eq!(AlarmBudget::new(f64::NAN, 365.0, 1), Err(AlarmBudgetError::FalseAlarms));
        assert_eq!(AlarmBudget::new(1.0, 0.5, 1), Err(AlarmBudgetError::Looks));
        assert_eq!(AlarmBudget::new(1.0, 365.0, 0), Err(AlarmBudgetError::Streams));
    }
}
