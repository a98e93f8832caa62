//! Which segment the model does worse in, and whether the canary does worse.

use std::collections::{BTreeMap, BTreeSet};

use driftglass::drift::MIN_ANSWERS;
use driftglass::drift::performance::segments::{ArmState, Segment, arms as compare, contrasts};
use driftglass::estimate::Scalar;
use serde::Serialize;

use super::super::arms::{CANARY, STABLE};
use super::super::{Interval, Rules, merged};
use super::confusion::accuracy;
use super::draft::Finish;
use super::{Pair, symbols};
use crate::store::{Stratum, Sums};

/// The accuracy of one segment beside all others.
#[derive(Debug, Serialize)]
pub(crate) struct SegmentFigure {
    pub(crate) question: String,
    pub(crate) segment: String,
    pub(crate) answers: u64,
    pub(crate) accuracy: Option<Interval>,
    /// Accuracy less that of all others.
    pub(crate) difference: Option<Interval>,
    /// `weak` or `strong` (by more than delta), `like` the others, or `inconclusive`.
    pub(crate) state: &'static str,
    /// Whether e-BH names it among the segments that differ at all, at one look.
    pub(crate) selected: bool,
}

/// The accuracy of the canary beside stable.
#[derive(Debug, Serialize)]
pub(crate) struct ArmFigure {
    pub(crate) question: String,
    pub(crate) stable: Interval,
    pub(crate) canary: Interval,
    /// Canary less stable.
    pub(crate) difference: Interval,
    pub(crate) answers_stable: u64,
    pub(crate) answers_canary: u64,
    /// `not worse` (by delta at most), `worse`, or `inconclusive`.
    pub(crate) state: &'static str,
}

/// Accuracy in the pair's last closed span, with the answers with data it rests on.
fn of_strata(
    rules: &Rules<'_>,
    pair: &Pair<'_, '_>,
    strata: &BTreeMap<Stratum, Sums>,
    wanted: impl Fn(&Stratum) -> bool,
) -> Option<(Scalar, f64)> {
    let told = pair.told;
    let first = told.window.saturating_sub(rules.spec.detection.span_windows - 1);
    let sums = strata.iter().filter(|(stratum, _)| wanted(stratum)).map(|(_, sums)| &sums[told.index]);
    let span = merged(sums.flat_map(|sums| sums.range(first..=told.window).map(|(_, sum)| sum)));
    let symbols = symbols(told.question, &span)?;
    let answers = (1.0 - symbols.shares[told.question.no_data()]) * span.reports() as f64;
    Some((accuracy(pair, &symbols.given_data()?)?, answers))
}

/// Each segment beside all others, where there are several.
pub(super) fn segments(
    rules: &Rules<'_>,
    pair: &Pair<'_, '_>,
    strata: &BTreeMap<Stratum, Sums>,
    finish: Finish,
) -> Vec<SegmentFigure> {
    let places: BTreeSet<u16> = strata.keys().map(|stratum| stratum.segment).collect();
    if places.len() < 2 {
        return Vec::new();
    }
    let known: Vec<(u16, Option<(Scalar, f64)>)> = places
        .into_iter()
        .map(|place| (place, of_strata(rules, pair, strata, |stratum| stratum.segment == place)))
        .collect();
    let enough = |found: &Option<(Scalar, f64)>| found.is_some_and(|(_, answers)| answers >= MIN_ANSWERS);
    let compared: Vec<Segment> = known
        .iter()
        .filter(|(_, found)| enough(found))
        .filter_map(|(_, found)| found.map(|(figure, weight)| Segment { figure, weight }))
        .collect();
    let mut found = contrasts(&compared, rules.evidence.budget.e_bh_level(1.0)).unwrap_or_default().into_iter();
    let told = |(place, known): (u16, Option<(Scalar, f64)>)| {
        let contrast = if enough(&known) { found.next() } else { None };
        let state = contrast.map_or("inconclusive", |contrast| {
            let interval = contrast.difference.interval(finish.coverage());
            let delta = pair.told.delta;
            match interval {
                interval if interval.upper < -delta => "weak",
                interval if interval.lower > delta => "strong",
                interval if interval.lower >= -delta && interval.upper <= delta => "like",
                _ => "inconclusive",
            }
        });
        SegmentFigure {
            question: pair.told.question.name.clone(),
            segment: rules.spec.segments.get(usize::from(place)).cloned().unwrap_or_default(),
            answers: known.map_or(0, |(_, answers)| answers.max(0.0).round() as u64),
            accuracy: known.map(|(figure, _)| finish.share(figure)),
            difference: contrast.map(|contrast| finish.number(contrast.difference)),
            state,
            selected: contrast.is_some_and(|contrast| contrast.by_evidence),
        }
    };
    known.into_iter().map(told).collect()
}

/// The canary beside stable in the last closed span.
pub(super) fn arms(
    rules: &Rules<'_>,
    pair: &Pair<'_, '_>,
    strata: &BTreeMap<Stratum, Sums>,
    finish: Finish,
) -> Option<ArmFigure> {
    let of = |arm: u8| of_strata(rules, pair, strata, |stratum| stratum.arm == arm);
    let ((stable, answers_stable), (canary, answers_canary)) = of(STABLE).zip(of(CANARY))?;
    let found = compare(stable, canary, pair.told.delta, finish.coverage());
    Some(ArmFigure {
        question: pair.told.question.name.clone(),
        stable: finish.share(stable),
        canary: finish.share(canary),
        difference: finish.number(found.difference),
        answers_stable: answers_stable.max(0.0).round() as u64,
        answers_canary: answers_canary.max(0.0).round() as u64,
        state: match found.state {
            _ if answers_stable.min(answers_canary) < MIN_ANSWERS => "inconclusive",
            ArmState::NotWorse => "not worse",
            ArmState::Worse => "worse",
            ArmState::Inconclusive => "inconclusive",
        },
    })
}
