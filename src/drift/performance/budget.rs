//! Error budgets: how much of what may fail has failed.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | s | `failing` | share that fails: slower than a threshold, or ended in an error |
//! | o | `objective` | share that may fail, in (0, 1) |
//! | s/o | `burn_rate` | 1: the budget is used up at the end of the period; 2: at half of it |
//!
//! The terms are those of "The Site Reliability Workbook" (Beyer et al., 2018, chapter 5). The share comes from private
//! answers: cells of a latency above an edge, the cell "failed" of a metric of errors, or a threshold bit. The state
//! follows from the interval alone, so that noise neither burns a budget nor hides that it burns. It errs with
//! probability at most 1 − coverage for a window named in advance; with m windows looked at, let each have the coverage
//! 1 − α/m.
//!
//! **Limits.** Device-level: the share is of devices' drawn events, so a device with ten thousand slow requests weighs
//! as much as one with ten.

use super::Refused;
use super::delta::Smooth;
use crate::estimate::{Estimate, Interval, Scalar};

/// What is known of a budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// Share that fails.
    pub failing: Scalar,
    /// The interval of that share, cut to \[0, 1\].
    pub interval: Interval,
    /// s/o with its standard error.
    pub burn_rate: Scalar,
    /// What follows.
    pub state: State,
}

/// Whether an objective is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The interval lies at or below the objective.
    Kept,
    /// It lies above.
    Burning,
    /// It contains the objective.
    Unknown,
}

/// The budget of the objective that at most the share `objective` falls into the cells that `fails` names, from the
/// shares of the cells among devices with data.
///
/// # Errors
///
/// [`Refused::TooFew`] when there are no cells.
///
/// # Panics
///
/// If the objective or the coverage is not in (0, 1).
pub fn budget(
    cells: &Estimate,
    fails: impl Fn(usize) -> bool,
    objective: f64,
    coverage: f64,
) -> Result<Budget, Refused> {
    assert!(objective > 0.0 && objective < 1.0, "an objective strictly between 0 and 1");
    if cells.shares.is_empty() {
        return Err(Refused::TooFew);
    }
    let sum = Smooth::sum(cells, (0..cells.shares.len()).filter(|cell| fails(*cell)));
    let failing = sum.scalar(&cells.covariance);
    let wide = failing.interval(coverage);
    let interval = Interval { lower: wide.lower.clamp(0.0, 1.0), upper: wide.upper.clamp(0.0, 1.0) };
    let state = match interval {
        Interval { upper, .. } if upper <= objective => State::Kept,
        Interval { lower, .. } if lower > objective => State::Burning,
        _ => State::Unknown,
    };
    let burn_rate = Scalar { value: failing.value / objective, standard_error: failing.standard_error / objective };
    Ok(Budget { failing, interval, burn_rate, state })
}

#[cfg(test)]
mod tests {
    use super::super::PairCells;
    use super::*;

    fn check(counts: &[u64], objective: f64, expected: State) {
        let cells = PairCells::of_counts(counts, counts.len(), 1).expect("a table");
        let found = budget(cells.joint(), |cell| cell > 1, objective, 0.95).expect("cells");
        assert_eq!(found.state, expected, "{found:?}");
        let n: u64 = counts.iter().sum();
        let share = counts[2..].iter().sum::<u64>() as f64 / n as f64;
        assert!((found.failing.value - share).abs() < 1e-15);
        assert!((found.failing.standard_error - (share * (1.0 - share) / n as f64).sqrt()).abs() < 1e-12);
        assert!((found.burn_rate.value - share / objective).abs() < 1e-12);
    }

    #[test]
    fn the_interval_decides() {
        check(&[500, 460, 30, 10], 0.06, State::Kept);
        check(&[500, 460, 30, 10], 0.02, State::Burning);
        check(&[500, 460, 30, 10], 0.04, State::Unknown);
    }
}
