//! The questions in each segment and arm, where there are several.
//!
//! Groups differ from one another for good, so a group is not held against the reference of the whole fleet. It is
//! compared twice: with *its own first windows*, which says whether it drifted; and with *all others in the same
//! windows*, which says whether it is unlike them (a weak segment, a canary that behaves otherwise).
//!
//! Where the fleet's reference tells seasons apart, so does the group's: it is expected to keep what its first windows
//! were off from the fleet's seasons by, so that a summer that comes to all is no drift of a segment.
//!
//! The first windows, `span_windows` of them, are a reference like any other: noisy, and known with its covariance.
//! Groups have different devices, so the difference to the others has the sum of the covariances.

use std::collections::BTreeMap;

use driftglass::aggregate::Aggregate;
use driftglass::drift::{Measure, Reference, SpanPart, effect, pooled, wald};
use driftglass::estimate::{Channel, Estimate};
use driftglass::privacy::decoder_of;
use driftglass::spec::{Question, WindowIndex};
use serde::Serialize;

use super::arms::STABLE;
use super::{EffectSize, QuestionVerdicts, Rules, WaldTest, merged};
use crate::store::{Stratum, Sums};

/// The questions in one segment and arm.
#[derive(Debug, Serialize)]
pub(crate) struct GroupVerdicts {
    pub(crate) segment: String,
    pub(crate) arm: &'static str,
    pub(crate) questions: Vec<GroupQuestion>,
}

/// One question in one group.
#[derive(Debug, Serialize)]
pub(crate) struct GroupQuestion {
    /// Against the group's own first windows; of the windows the last closed one alone.
    #[serde(flatten)]
    pub(crate) since_start: QuestionVerdicts,
    /// Against all others in the same span; null while either has too few answers, and where there is one segment.
    pub(crate) against_rest: Option<AgainstRest>,
}

/// How a group differs from all others.
#[derive(Debug, Serialize)]
pub(crate) struct AgainstRest {
    pub(crate) effect: EffectSize,
    pub(crate) wald: Option<WaldTest>,
    /// Whether the whole interval of the effect lies above delta.
    pub(crate) differs: bool,
}

impl Rules<'_> {
    /// One segment and arm; `rest` are the sums of all others, if it is to be held against them, and `fleet` is the
    /// reference of the whole fleet.
    pub(super) fn group(
        &self,
        stratum: Stratum,
        sums: &Sums,
        rest: Option<&Sums>,
        fleet: Option<&Reference>,
    ) -> GroupVerdicts {
        let first = self.spec.detection.span_windows as usize;
        let start = |(question, sums): (&Question, &BTreeMap<WindowIndex, Aggregate>)| {
            let known = pooled(question, &merged(sums.values().take(first))).ok()?;
            let windows = sums.keys().next().zip(sums.keys().take(first).next_back());
            let parts = windows.map(|(first, last)| self.parts(sums, *first, *last).collect::<Vec<SpanPart>>());
            Some((known, parts.unwrap_or_default()))
        };
        let starts = self.spec.questions.iter().zip(sums).map(start);
        let reference = match fleet.filter(|fleet| fleet.tells_seasons()) {
            Some(fleet) => fleet.departing(starts.collect()),
            None => Reference::passing(self.spec.id(), starts.map(|start| Some(start?.0)).collect()),
        };
        let later: Sums =
            sums.iter().map(|sums| sums.iter().skip(first).map(|(at, sum)| (*at, sum.clone())).collect()).collect();
        let one = |(index, mut since_start): (usize, QuestionVerdicts)| {
            let last = since_start.windows.iter().rposition(|window| window.closed);
            since_start.windows = last.map(|last| since_start.windows.swap_remove(last)).into_iter().collect();
            let against_rest = rest.and_then(|rest| self.against_rest(index, &sums[index], &rest[index]));
            GroupQuestion { since_start, against_rest }
        };
        let questions = self.questions(Some(&reference), &later).into_iter().enumerate().map(one).collect();
        let segment = self.spec.segments.get(usize::from(stratum.segment)).cloned().unwrap_or_default();
        GroupVerdicts { segment, arm: if stratum.arm == STABLE { "stable" } else { "canary" }, questions }
    }

    /// The last closed span of a group beside that of all others.
    fn against_rest(
        &self,
        index: usize,
        group: &BTreeMap<WindowIndex, Aggregate>,
        rest: &BTreeMap<WindowIndex, Aggregate>,
    ) -> Option<AgainstRest> {
        let question = &self.spec.questions[index];
        let last = *group.keys().rev().find(|window| !self.spec.window.is_open(**window, self.now_secs))?;
        let cells = |sums| estimate(question, &self.span(sums, last).1);
        let (here, there) = (cells(group)?, cells(rest)?);
        let difference: Vec<f64> = here.shares.iter().zip(&there.shares).map(|(here, there)| here - there).collect();
        let covariance = here.covariance.plus(&there.covariance);
        let ordered = question.ordered(self.spec.metric_of(question));
        let measure = if ordered { Measure::Ks } else { Measure::LInfinity };
        let effect = effect(measure, &difference, &covariance, self.level);
        Some(AgainstRest {
            differs: effect.lower > self.spec.detection.deltas[index],
            effect: EffectSize::of(&effect),
            wald: wald(&difference, &covariance).map(WaldTest::of),
        })
    }
}

/// Shares of the cells among answers with data.
fn estimate(question: &Question, sum: &Aggregate) -> Option<Estimate> {
    let channel = Channel::of(&question.randomizer, question.domain_size)?;
    let randomizer = decoder_of(question);
    let oracle = randomizer.oracle().filter(|_| sum.reports() > 0)?;
    channel.estimate(sum.reports(), &oracle.support(sum.counters()))?.given_data()
}
