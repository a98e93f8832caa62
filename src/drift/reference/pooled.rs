//! A reference from the fleet's own earlier reports: their de-biased shares, and the noise of the channel with them.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | n | reports of the sum | reports of the earlier windows together |
//! | ĝ | `shares` | de-biased shares of the cells among devices with data ([`Estimate::given_data`]) |
//! | C | `covariance` | covariance of ĝ: sampling of devices and noise of the channel, by the delta method |
//!
//! The reference is as noisy as the windows it is compared with: with as many reports, the variance of a difference is
//! twice that of the current side alone. Shares are not clipped, for that would bias them, so some may lie outside
//! \[0, 1\].
//!
//! **Limits.** The reports count as independent. Where an answer is memoized a device repeats its noise, and the
//! windows of an epoch do not average it away: such questions are not covered. Devices that differ from one another
//! and answer in both the earlier and the current windows make the difference vary less than C says: an error on the
//! safe side. What was wrong in the earlier windows already is part of the reference.
//!
//! [`Estimate::given_data`]: crate::estimate::Estimate::given_data

use super::QuestionReference;
use crate::aggregate::Aggregate;
use crate::drift::MIN_ANSWERS;
use crate::estimate::Channel;
use crate::privacy::decoder_of;
use crate::spec::Question;

/// Why a question gets no reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotCovered {
    /// Its answers are not shares of cells.
    #[error("its answers are no shares of cells")]
    NoShares,
    /// Its answers are memoized.
    #[error("its answers are memoized: a device's noise repeats, and windows do not average it away")]
    Memoized,
    /// Too few answers with data.
    #[error("fewer than {} answers with data", MIN_ANSWERS)]
    TooFewAnswers,
    /// Too few units to see how these vary.
    #[error("fewer than {0} independent units (rows, devices or blocks) with data")]
    TooFewUnits(u64),
    /// No column of the file was given for its metric.
    #[error("no column is mapped to its metric")]
    NoColumn,
}

/// The reference that the reports of earlier windows make, all in one sum.
///
/// # Errors
///
/// [`NotCovered`] says why they make none.
pub fn pooled(question: &Question, reports: &Aggregate) -> Result<QuestionReference, NotCovered> {
    if !question.has_shares() {
        return Err(NotCovered::NoShares);
    }
    if question.epoch_windows().is_some() {
        return Err(NotCovered::Memoized);
    }
    if reports.reports() == 0 {
        return Err(NotCovered::TooFewAnswers);
    }
    let channel = Channel::of(&question.randomizer, question.domain_size).ok_or(NotCovered::NoShares)?;
    let randomizer = decoder_of(question);
    let oracle = randomizer.oracle().ok_or(NotCovered::NoShares)?;
    let symbols =
        channel.estimate(reports.reports(), &oracle.support(reports.counters())).ok_or(NotCovered::TooFewAnswers)?;
    let answers = (1.0 - symbols.shares[question.no_data()]) * reports.reports() as f64;
    let cells = symbols.given_data().filter(|_| answers >= MIN_ANSWERS).ok_or(NotCovered::TooFewAnswers)?;
    // A document holds variances of at most 1 and shares in [-1, 2]: beyond, the noise leaves nothing to compare with.
    let tells = |cell: usize| cells.covariance.at(cell, cell) <= 1.0 && libm::fabs(cells.shares[cell] - 0.5) <= 1.5;
    if !(0..cells.shares.len()).all(tells) {
        return Err(NotCovered::TooFewAnswers);
    }
    // Fits: a u32 of device-windows is the document's limit.
    let device_windows = (libm::round(answers) as u64).min(u64::from(u32::MAX));
    Ok(QuestionReference { device_windows, shares: cells.shares, covariance: cells.covariance })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::MonitorSpec;

    fn spec() -> MonitorSpec {
        MonitorSpec::parse(include_str!("../../../pkg-config.json")).expect("the shipped spec")
    }

    /// Counts of a k-ary question are its reports: n·(q + (p − q) f) supports of each symbol give f back, and the
    /// covariance is that of the channel.
    #[test]
    fn earlier_reports_give_shares_and_the_noise_of_the_channel() {
        let spec = spec();
        let question = spec.questions.iter().find(|question| question.domain_size == 3).expect("a binary question");
        let channel = Channel::of(&question.randomizer, 3).expect("a frequency oracle");
        let counters: Vec<u64> = [500_000, 300_000, 200_000].to_vec();
        let reports = Aggregate::from_sums(1_000_000, counters.clone());
        let found = pooled(question, &reports).expect("enough");
        let expected = channel.estimate(1_000_000, &counters).and_then(|all| all.given_data()).expect("an estimate");
        assert_eq!((&found.shares, &found.covariance), (&expected.shares, &expected.covariance));
        assert!((found.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_does_not_tell_is_not_covered() {
        let mut question = spec().questions[0].clone();
        let of = |question: &Question, each: u64| {
            let counters = vec![each; question.domain_size];
            pooled(question, &Aggregate::from_sums(each * question.domain_size as u64, counters)).map(drop)
        };
        assert_eq!(of(&question, 10_000), Ok(()));
        assert_eq!(of(&question, 20), Err(NotCovered::TooFewAnswers));
        assert_eq!(of(&question, 0), Err(NotCovered::TooFewAnswers));
        question.kind = crate::spec::QuestionKind::Mean;
        assert_eq!(of(&question, 10_000), Err(NotCovered::NoShares));
    }
}
