//! The canary beside stable, question by question: evidence over all windows of its run, and a verdict that holds
//! however often one looks.
//!
//! Segments and windows are compared one by one ([`Arms`] of the core has the argument), so that neither a population
//! that drifts under both arms nor a canary that grows looks like a difference. Everything is replayed from the sums of
//! closed windows: the same sums give the same verdicts.
//!
//! | Symbol | Code | Meaning |
//! | --- | --- | --- |
//! | r | `run` | number of the canary's run: a run ends when the canary has been silent for more than a span |
//! | α | `alpha` | error probability of the bounds of one question over all windows of run r: the budget of its stream / (r (r + 1)) |
//!
//! Σ 1/(r (r + 1)) = 1, so all runs of a question together err with at most the budget of one stream, however many
//! there are. When a run ends follows from who reports, never from the answers.
//!
//! | Question | Compared by |
//! | --- | --- |
//! | has shares, whatever its mechanism | e-process and bounds at all windows together |
//! | mean, count of events, anchored bit | interval or test of the last span, at the level of all spans |
//! | open vocabulary | nothing: no figure has a distance yet |

use std::collections::BTreeMap;

use driftglass::aggregate::Aggregate;
use driftglass::drift::sequential::stream::DEFAULT_CORRELATION;
use driftglass::drift::sequential::{ArmEffect, ArmRepetition, ArmSettings, ArmSums, Arms};
use driftglass::drift::{MIN_ANSWERS, Measure};
use driftglass::estimate::Channel;
use driftglass::privacy::decoder_of;
use driftglass::spec::{Question, WindowIndex};
use serde::Serialize;

use super::{Rules, merged};
use crate::evidence::Bounds;
use crate::figure::Figure;
use crate::store::{Stratum, Sums};

/// Stable and canary, as in the bytes of a report.
pub(crate) const STABLE: u8 = 0;
pub(crate) const CANARY: u8 = 1;

/// The canary's last run beside stable.
#[derive(Debug, Serialize)]
pub(crate) struct ArmVerdicts {
    /// Number of the run, from 1.
    pub(crate) run: u32,
    pub(crate) first_window: WindowIndex,
    pub(crate) last_window: WindowIndex,
    /// Error probability of each question's bounds over all windows of the run.
    pub(crate) alpha: f64,
    pub(crate) questions: Vec<ArmQuestion>,
}

/// One question in both arms.
#[derive(Debug, Serialize)]
pub(crate) struct ArmQuestion {
    pub(crate) index: usize,
    pub(crate) name: String,
    /// `e-process`, `interval`, or `none`.
    pub(crate) method: &'static str,
    /// `differs`, `alike`, `inconclusive` or `waiting`.
    pub(crate) verdict: &'static str,
    /// ln of the odds that the arms answer unlike each other.
    pub(crate) log_e: Option<f64>,
    pub(crate) reports: OfArms,
    /// Answers with data, estimated.
    pub(crate) answers: Option<OfArms>,
    pub(crate) effect: Option<ArmSize>,
    /// Canary less stable, cell by cell.
    pub(crate) difference: Option<Vec<f64>>,
    /// Reports of the canary that would decide at the present estimate, if any number would.
    pub(crate) canary_reports_needed: Option<u64>,
    /// Of questions without shares: `now` is the canary, `before` stable, in the last span.
    pub(crate) figure: Option<Figure>,
    pub(crate) windows: Vec<ArmWindow>,
}

/// The same after each closed window of the run.
#[derive(Debug, Serialize)]
pub(crate) struct ArmWindow {
    pub(crate) window: WindowIndex,
    pub(crate) reports: OfArms,
    pub(crate) log_e: Option<f64>,
    pub(crate) effect: Option<Bounds>,
    pub(crate) verdict: &'static str,
}

/// A number for each arm.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct OfArms {
    pub(crate) stable: u64,
    pub(crate) canary: u64,
}

/// The effect with its bounds at all windows of the run.
#[derive(Debug, Serialize)]
pub(crate) struct ArmSize {
    pub(crate) measure: &'static str,
    /// The largest difference seen, noise and all.
    pub(crate) largest: f64,
    #[serde(flatten)]
    pub(crate) bounds: Bounds,
}

impl Rules<'_> {
    /// The last run of the canary; none if none has a closed window.
    pub(super) fn arms(&self, strata: &BTreeMap<Stratum, Sums>) -> Option<ArmVerdicts> {
        let closed = |window: &WindowIndex| !self.spec.window.is_open(*window, self.now_secs);
        let reported: Vec<WindowIndex> = devices(strata, CANARY).into_keys().map(|(window, _)| window).collect();
        let (run, first, last) = last_run(reported.into_iter().filter(closed), self.spec.detection.span_windows)?;
        let alpha = self.stream_alpha / (f64::from(run) * f64::from(run + 1));
        let seen = Seen { strata, first, last, devices: [STABLE, CANARY].map(|arm| devices(strata, arm)) };
        let questions = (0..self.spec.questions.len()).map(|index| self.arm_question(index, &seen, alpha)).collect();
        Some(ArmVerdicts { run, first_window: first, last_window: last, alpha, questions })
    }

    fn arm_question(&self, index: usize, seen: &Seen<'_>, alpha: f64) -> ArmQuestion {
        let question = &self.spec.questions[index];
        let empty = ArmQuestion {
            index,
            name: question.name.clone(),
            method: "none",
            verdict: "waiting",
            log_e: None,
            reports: seen.reports(index, seen.first..=seen.last),
            answers: None,
            effect: None,
            difference: None,
            canary_reports_needed: None,
            figure: None,
            windows: Vec::new(),
        };
        if question.has_shares() {
            self.by_evidence(empty, question, seen, alpha)
        } else {
            self.by_interval(empty, question, seen)
        }
    }

    fn by_evidence(&self, empty: ArmQuestion, question: &Question, seen: &Seen<'_>, alpha: f64) -> ArmQuestion {
        let delta = self.spec.detection.deltas[empty.index];
        let ordered = question.ordered(self.spec.metric_of(question));
        let measure = if ordered { Measure::Ks } else { Measure::LInfinity };
        let repetition = match question.epoch_windows() {
            Some(_) => ArmRepetition::Memoized,
            None => ArmRepetition::Fresh(DEFAULT_CORRELATION),
        };
        let settings = ArmSettings { measure, repetition, alpha };
        let segments = self.spec.segments.len();
        let channel = Channel::of(&question.randomizer, question.domain_size);
        let randomizer = decoder_of(question);
        let Some((mut arms, oracle)) =
            channel.and_then(|channel| Arms::new(&channel, segments, settings)).zip(randomizer.oracle())
        else {
            return empty;
        };
        let nothing = vec![0; question.domain_size];
        let mut windows = Vec::new();
        let mut last = None;
        for window in seen.first..=seen.last {
            let support = |segment: u16, arm: u8| {
                let sum = seen.sum(empty.index, window, segment, arm);
                sum.map_or_else(|| (0, nothing.clone()), |sum| (sum.reports(), oracle.support(sum.counters())))
            };
            // A spec has at most 64 segments.
            let counts: Vec<[(u64, Vec<u64>); 2]> =
                (0..segments as u16).map(|segment| [STABLE, CANARY].map(|arm| support(segment, arm))).collect();
            let of = |segment: usize, arm: usize| {
                let (reports, support) = &counts[segment][arm];
                let devices = seen.devices[arm].get(&(window, segment as u16)).copied().unwrap_or(0);
                ArmSums { reports: *reports, support, devices }
            };
            let sums: Vec<[ArmSums<'_>; 2]> = (0..segments).map(|segment| [0, 1].map(|arm| of(segment, arm))).collect();
            let Ok(step) = arms.look(u64::from(window), &sums) else { break };
            windows.push(ArmWindow {
                window,
                reports: seen.reports(empty.index, window..=window),
                log_e: Some(step.log_e).filter(|log| log.is_finite()),
                effect: step.effect.as_ref().map(bounds),
                verdict: step.effect.as_ref().map_or("waiting", |effect| verdict(effect, delta)),
            });
            last = Some(step);
        }
        let Some(step) = last else { return empty };
        let effect = step.effect.as_ref();
        let verdict = effect.map_or("waiting", |effect| verdict(effect, delta));
        let [_, canary] = arms.reports();
        let needed = |growth: f64| (growth * canary as f64).ceil() as u64;
        ArmQuestion {
            method: "e-process",
            verdict,
            log_e: Some(step.log_e).filter(|log| log.is_finite()),
            answers: effect.map(|effect| {
                let [stable, canary] = effect.answers.map(|answers| answers.max(0.0).round() as u64);
                OfArms { stable, canary }
            }),
            effect: effect.map(|effect| ArmSize {
                measure: if ordered { "ks" } else { "l_infinity" },
                largest: effect.bounds.largest,
                bounds: bounds(effect),
            }),
            difference: effect.map(|effect| effect.difference.clone()),
            canary_reports_needed: (verdict == "inconclusive")
                .then(|| arms.growth_needed(delta).map(|growth| needed(growth.max(least_growth(effect)))))
                .flatten(),
            windows,
            ..empty
        }
    }

    fn by_interval(&self, empty: ArmQuestion, question: &Question, seen: &Seen<'_>) -> ArmQuestion {
        let first = seen.first.max(seen.last.saturating_sub(self.spec.detection.span_windows - 1));
        let [stable, canary] = [STABLE, CANARY].map(|arm| {
            let sums = seen.strata.iter().filter(|(stratum, _)| stratum.arm == arm).map(|(_, sums)| &sums[empty.index]);
            merged(sums.flat_map(|sums| sums.range(first..=seen.last).map(|(_, sum)| sum)))
        });
        let figure = Figure::of(question, self.spec.metric_of(question), &canary, &stable, self.level);
        let Some(figure) = figure else { return empty };
        let verdict = match figure.verdict(self.level, self.spec.detection.deltas[empty.index]) {
            "drift" => "differs",
            "stable" => "alike",
            other => other,
        };
        ArmQuestion { method: "interval", verdict, figure: Some(figure), ..empty }
    }
}

/// All sums, with the windows that are compared and the devices that take part in them.
struct Seen<'a> {
    strata: &'a BTreeMap<Stratum, Sums>,
    first: WindowIndex,
    last: WindowIndex,
    /// Stable and canary.
    devices: [BTreeMap<(WindowIndex, u16), u64>; 2],
}

impl Seen<'_> {
    fn sum(&self, index: usize, window: WindowIndex, segment: u16, arm: u8) -> Option<&Aggregate> {
        self.strata.get(&Stratum { segment, arm })?[index].get(&window)
    }

    fn reports(&self, index: usize, windows: std::ops::RangeInclusive<WindowIndex>) -> OfArms {
        let of = |arm: u8| {
            let strata = self.strata.iter().filter(|(stratum, _)| stratum.arm == arm);
            strata.flat_map(|(_, sums)| sums[index].range(windows.clone())).map(|(_, sum)| sum.reports()).sum()
        };
        OfArms { stable: of(STABLE), canary: of(CANARY) }
    }
}

/// Reports about all questions by window and segment: as many devices at least, for a device sends one a window at most.
fn devices(strata: &BTreeMap<Stratum, Sums>, arm: u8) -> BTreeMap<(WindowIndex, u16), u64> {
    let mut devices = BTreeMap::new();
    for (stratum, sums) in strata.iter().filter(|(stratum, _)| stratum.arm == arm) {
        for (window, sum) in sums.iter().flatten().filter(|(_, sum)| sum.reports() > 0) {
            *devices.entry((*window, stratum.segment)).or_insert(0) += sum.reports();
        }
    }
    devices
}

/// The number of the last run among windows in order, and its first and last window. Windows at most `gap` apart belong
/// to one run.
fn last_run(windows: impl Iterator<Item = WindowIndex>, gap: u32) -> Option<(u32, WindowIndex, WindowIndex)> {
    let mut run: Option<(u32, WindowIndex, WindowIndex)> = None;
    for window in windows {
        run = Some(match run {
            Some((number, first, last)) if window - last <= gap => (number, first, window),
            Some((number, ..)) => (number + 1, window, window),
            None => (1, window, window),
        });
    }
    run
}

fn bounds(effect: &ArmEffect) -> Bounds {
    Bounds { lower: effect.bounds.lower, upper: effect.bounds.upper }
}

/// How many times as many reports give both arms the answers that anything is concluded from.
fn least_growth(effect: Option<&ArmEffect>) -> f64 {
    let fewest = effect.map_or(f64::INFINITY, |effect| effect.answers[0].min(effect.answers[1]));
    (MIN_ANSWERS / fewest.max(1.0)).max(1.0)
}

fn verdict(effect: &ArmEffect, delta: f64) -> &'static str {
    match effect.bounds {
        _ if effect.answers.iter().any(|answers| *answers < MIN_ANSWERS) => "inconclusive",
        bounds if bounds.lower > delta => "differs",
        bounds if bounds.upper <= delta => "alike",
        _ => "inconclusive",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(windows: &[WindowIndex], expected: Option<(u32, WindowIndex, WindowIndex)>) {
        assert_eq!(last_run(windows.iter().copied(), 4), expected, "{windows:?}");
    }

    #[test]
    fn a_run_ends_when_the_canary_is_silent_for_more_than_a_span() {
        check(&[], None);
        check(&[7], Some((1, 7, 7)));
        check(&[7, 8, 12, 13], Some((1, 7, 13)));
        check(&[7, 8, 13, 14], Some((2, 13, 14)));
        check(&[1, 9, 20, 24], Some((3, 20, 24)));
    }
}
