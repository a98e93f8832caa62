//! What one run found, beside what is true.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | λ̄ | | mean of λ over the windows of a span, or of the reference, weighted by the reports of the question |
//! | D(t) | `effect` | true effect of the span that ends with window t, in the question's measure |
//! | δ | `delta` | smallest effect that matters |
//!
//! The mean law of the fleet is p̄ + λ (p̄′ − p̄), so D(t) = |λ̄_span − λ̄_reference| · D(p̄, p̄′): exact for the fleet
//! that was drawn, devices and all. A verdict of drift is true when D(t) > δ, one of stability is true when D(t) ≤ δ.
//! An alarm of the e-detector, which asks whether *anything* moved, is false when nothing had moved in any window so
//! far.

use std::collections::BTreeMap;

use driftglass::aggregate::Aggregate;
use driftglass::spec::WindowIndex;
use serde::Serialize;

use super::fleet::{Mean, effect};
use super::run::Fleet;
use crate::store::{Stratum, Sums};
use crate::verdicts::{QuestionVerdicts, SpecVerdicts};

/// What floating point leaves of no effect.
const NOTHING: f64 = 1e-9;

/// Question-windows by truth and verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All.
    pub question_windows: u64,
    /// Of them with a true effect above delta.
    pub above_delta: u64,
    /// Drift was said, and the effect was above delta.
    pub drift_true: u64,
    /// Drift was said, and it was not.
    pub drift_false: u64,
    /// Stability was said, and the effect was at most delta.
    pub stable_true: u64,
    /// Stability was said, and the effect was above.
    pub stable_wrong: u64,
    /// Nothing was concluded.
    pub inconclusive: u64,
    /// There was no reference, or no device with data.
    pub waiting: u64,
    /// Alarms of the e-detector after something had moved.
    pub alarms_true: u64,
    /// Alarms of the e-detector before anything had.
    pub alarms_false: u64,
}

/// A group's last window, by truth and what was said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct GroupCounts {
    /// Questions with an effect above delta since the group's own first windows.
    pub above_delta: u64,
    /// Drift was said of them.
    pub drift_true: u64,
    /// Drift was said of others.
    pub drift_false: u64,
    /// Questions in which the group is unlike all others by more than delta.
    pub unlike_rest: u64,
    /// It was said of them.
    pub differs_true: u64,
    /// It was said of others.
    pub differs_false: u64,
}

/// How long it took, from the first window whose own effect is above delta; 0 is that window itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delay {
    /// Until a true verdict of drift.
    pub(super) verdict: Option<u32>,
    /// Until an alarm of the e-detector.
    pub(super) alarm: Option<u32>,
}

/// One question in one run.
#[derive(Debug, Clone, Default)]
pub(super) struct QuestionTally {
    pub(super) counts: Counts,
    /// None if no window's own effect is above delta.
    pub(super) delay: Option<Delay>,
    /// The largest true effect of a span.
    pub(super) largest: f64,
}

/// One run.
#[derive(Debug)]
pub(super) struct RunTally {
    /// By question; None for those that are not simulated.
    pub(super) questions: Vec<Option<QuestionTally>>,
    /// By segment; empty if there is one.
    pub(super) groups: BTreeMap<u16, GroupCounts>,
}

impl Counts {
    /// Adds those of another run or question.
    pub(super) fn add(&mut self, other: &Self) {
        self.question_windows += other.question_windows;
        self.above_delta += other.above_delta;
        self.drift_true += other.drift_true;
        self.drift_false += other.drift_false;
        self.stable_true += other.stable_true;
        self.stable_wrong += other.stable_wrong;
        self.inconclusive += other.inconclusive;
        self.waiting += other.waiting;
        self.alarms_true += other.alarms_true;
        self.alarms_false += other.alarms_false;
    }
}

impl GroupCounts {
    pub(super) fn add(&mut self, other: &Self) {
        self.above_delta += other.above_delta;
        self.drift_true += other.drift_true;
        self.drift_false += other.drift_false;
        self.unlike_rest += other.unlike_rest;
        self.differs_true += other.differs_true;
        self.differs_false += other.differs_false;
    }
}

impl RunTally {
    /// Compares what was found with what is true. `all` are the sums of all windows, those of the reference too.
    pub(super) fn of(fleet: &Fleet<'_>, all: &Sums, strata: &BTreeMap<Stratum, Sums>, found: &SpecVerdicts) -> Self {
        let question = |question: &QuestionVerdicts| {
            let law = fleet.laws[question.index].as_ref()?;
            let mean = law.mean(0..fleet.settings.fleet, |device| fleet.changes(device));
            Some(QuestionTally::of(fleet, question, &all[question.index], &mean))
        };
        let groups = found.groups.iter().filter_map(|group| {
            let place = fleet.spec.segments.iter().position(|segment| *segment == group.segment)? as u16;
            let sums = strata.get(&Stratum { segment: place, arm: 0 })?;
            let mut counts = GroupCounts::default();
            for question in &group.questions {
                let said = &question.since_start;
                let Some(law) = &fleet.laws[said.index] else { continue };
                let Some(last) = said.told() else { continue };
                let of = |inside: bool| {
                    let members =
                        (0..fleet.settings.fleet).filter(|device| (fleet.segment(*device) == place) == inside);
                    law.mean(members, |device| fleet.changes(device))
                };
                let (own, rest) = (of(true), of(false));
                let sums = &sums[said.index];
                let first = fleet.spec.detection.span_windows as usize;
                let start = in_force(fleet, sums.iter().take(first));
                let span = in_force(fleet, sums.range(last.span_first_window..=last.window));
                let moved = effect(said.ordered, &own.at(span), &own.at(start)) > said.delta;
                let unlike = effect(said.ordered, &own.at(span), &rest.at(span)) > said.delta;
                let differs = question.against_rest.as_ref().is_some_and(|against| against.differs);
                let drift = last.verdict == "drift";
                counts.add(&GroupCounts {
                    above_delta: u64::from(moved),
                    drift_true: u64::from(moved && drift),
                    drift_false: u64::from(!moved && drift),
                    unlike_rest: u64::from(unlike),
                    differs_true: u64::from(unlike && differs),
                    differs_false: u64::from(!unlike && differs),
                });
            }
            Some((place, counts))
        });
        Self { groups: groups.collect(), questions: found.questions.iter().map(question).collect() }
    }
}

impl QuestionTally {
    fn of(fleet: &Fleet<'_>, found: &QuestionVerdicts, sums: &BTreeMap<WindowIndex, Aggregate>, mean: &Mean) -> Self {
        let whole = effect(found.ordered, &mean.before, &mean.after);
        let start = in_force(fleet, sums.iter().filter(|(window, _)| fleet.judged_before(**window) < 0));
        let mut tally = Self::default();
        let (mut moved, mut began) = (false, None);
        let (mut said, mut alarmed) = (None, None);
        for window in found.windows.iter().filter(|window| window.closed) {
            let at = fleet.judged_before(window.window).max(0) as u32;
            let own = (fleet.in_force(window.window) - start).abs() * whole;
            let span = in_force(fleet, sums.range(window.span_first_window..=window.window));
            let true_effect = (span - start).abs() * whole;
            moved |= own > NOTHING;
            if own > found.delta {
                began.get_or_insert(at);
            }
            let above = true_effect > found.delta;
            tally.largest = tally.largest.max(true_effect);
            let counts = &mut tally.counts;
            counts.question_windows += 1;
            counts.above_delta += u64::from(above);
            let cell = match (window.verdict, above) {
                ("drift", true) => &mut counts.drift_true,
                ("drift", false) => &mut counts.drift_false,
                ("stable", false) => &mut counts.stable_true,
                ("stable", true) => &mut counts.stable_wrong,
                ("inconclusive", _) => &mut counts.inconclusive,
                _ => &mut counts.waiting,
            };
            *cell += 1;
            let alarm = window.evidence.as_ref().is_some_and(|evidence| evidence.alarm);
            counts.alarms_true += u64::from(alarm && moved);
            counts.alarms_false += u64::from(alarm && !moved);
            if began.is_some() {
                if above && window.verdict == "drift" {
                    said.get_or_insert(at);
                }
                if alarm {
                    alarmed.get_or_insert(at);
                }
            }
        }
        tally.delay = began.map(|began| Delay {
            verdict: said.map(|said: u32| said - began),
            alarm: alarmed.map(|alarmed: u32| alarmed - began),
        });
        tally
    }
}

/// The mean of λ over windows, weighted by their reports; 0 without reports.
fn in_force<'a>(fleet: &Fleet<'_>, sums: impl Iterator<Item = (&'a WindowIndex, &'a Aggregate)>) -> f64 {
    let (mut weighted, mut reports) = (0.0, 0.0);
    for (window, sum) in sums {
        weighted += sum.reports() as f64 * fleet.in_force(*window);
        reports += sum.reports() as f64;
    }
    if reports > 0.0 { weighted / reports } else { 0.0 }
}
