//! What the reports of one device compose to, and what a crowd adds. Secondary: the ledger counts by adding up, and
//! nothing is permitted by these figures.
//!
//! Papers and proofs are beside [`driftglass::accounting`]. A figure for several reports takes as many as the cap pays
//! for when each costs the most it can, a remainder counted as one: any mixture of cheaper answers under the same cap
//! composes to no more.
//!
//! **Limit**: what is composed is the claimed ε of an answer. Where that is a loss about one event, so is the figure.

use driftglass::accounting::{Delta, Epsilon, Summary, pair_law, shuffle};
use driftglass::spec::MonitorSpec;

use crate::verdict::Accounting;

/// δ of every figure: with 10^4 devices, one in ten thousand that the figure fails for any of them.
pub const DELTA: f64 = 1e-8;

/// Devices among which a report is shuffled.
pub const CROWD: u32 = 10_000;

/// What a device's answers compose to when they add up to `basic_micronats`. None if no answer is paid for, or an
/// answer costs more than is accounted for ([`Epsilon::MAX`]).
#[must_use]
pub fn accounting(spec: &MonitorSpec, basic_micronats: u64) -> Option<Accounting> {
    let most = spec.questions.iter().map(|question| question.epsilon_micronats).max()?;
    let epsilon = Epsilon::new(most as f64 / 1e6).ok()?;
    let reports = u32::try_from(basic_micronats.div_ceil(most)).ok().filter(|reports| *reports > 0)?;
    let delta = Delta::new(DELTA).ok()?;
    let basic = basic_micronats as f64 / 1e6;
    let renyi = spec
        .questions
        .iter()
        .filter_map(|question| {
            let law = pair_law(&question.randomizer, question.domain_size).ok()?;
            Some((Summary::of(&law, reports, delta).renyi, question.name.clone()))
        })
        .max_by(|one, other| one.0.total_cmp(&other.0));
    Some(Accounting {
        delta: DELTA,
        reports: reports.into(),
        optimal_epsilon: Some(driftglass::accounting::composition::optimal(epsilon, reports, delta).min(basic)),
        renyi_epsilon: renyi.as_ref().map(|(renyi, _)| renyi.min(basic)),
        renyi_question: renyi.map(|(_, question)| question),
        shuffle_upper_epsilon: Some(shuffle::upper(shuffle::Clones::Fmt23, epsilon, CROWD, delta)),
        shuffle_lower_epsilon: Some(shuffle::lower(epsilon, CROWD, delta)),
        shuffle_devices: Some(CROWD.into()),
    })
}
