//! What the current windows are compared with, in which season, and how sure that is.
//!
//! A reference holds, for each question, the shares of its data cells averaged over device-windows, and the covariance
//! of that average, so that the finite sample of the reference enters every test. With a [`Calendar`] it holds one such
//! average for each season, and a span of windows is compared with the mix of the seasons that it lies in.
//!
//! | Symbol | Code | Meaning | Range |
//! | --- | --- | --- | --- |
//! | g_s | [`QuestionReference::shares`] | shares of the data cells in season s; sum to 1 | about \[0, 1\] |
//! | C_s | [`QuestionReference::covariance`] | covariance of the error of g_s | symmetric, ≥ 0 |
//! | n_w | [`SpanPart::reports`] | reports of window w of the span | ≥ 0 |
//! | o_ws | [`Calendar::overlap`] | part of window w that lies in season s | \[0, 1\] |
//! | w_s | [`Reference::weights`] | Σ_w n_w o_ws / Σ_w n_w | (0, 1\], sum 1 |
//!
//! **Mix.** The reports of the span are expected to have the shares g = Σ_s w_s g_s. All windows of a season share one
//! error, that of g_s, so errors are first added by season: the error of g is Σ_s w_s e_s, never a sum over windows,
//! which would average away what they have in common. Its covariance is
//!
//! - Σ_s w_s² C_s if the seasons come from different samples, so that their errors are independent
//!   ([`Reference::independent_seasons`]);
//! - at most Σ_s w_s C_s whatever the dependence, because x ↦ x xᵀ is convex: (Σ w_s e_s)(Σ w_s e_s)ᵀ ≤ Σ w_s e_s e_sᵀ
//!   for Σ w_s = 1 (Jensen). Used when the same devices or years are in several seasons, and when one season falls back
//!   on the average over all.
//!
//! **Which errors are in a window** ([`Reference::expectation`]). A stream of windows needs more than the covariance of each: two
//! windows of one season share an error, and those of different seasons do not. So each error has a name, and a window
//! tells how much of it is in what it is compared with.
//!
//! **Groups.** A segment may lastingly differ from the fleet ([`Reference::departing`]): it is compared with the fleet's season
//! plus what its own first windows were off from the fleet's seasons in those windows, g_t + (h₀ − g₀). The season is
//! taken to move the group as it moves the fleet. Errors of seasons are then in it with w_ts − w_0s, so that in the season
//! of its first windows the fleet's reference cancels, and the error of h₀ is in all windows alike.
//!
//! **Where a reference comes from.** [`RawShares`] averages raw rows of an operator's own file, [`pooled`] the fleet's
//! own earlier reports, of which the noise is then part of C_s. `docs/references.md` has the document.
//!
//! **Cost**: O(seasons of the span × cells²). **Limits.** A season that the reference does not have makes the verdict
//! wait, or is replaced by the average over all seasons if the document says so; the shift between the two then looks
//! like drift. The mix assumes that a window's reports speak of its seconds evenly.

mod document;
mod pooled;
mod sample;
mod season;

use std::collections::BTreeMap;

use serde_json::Value;

pub use document::{Draft, ReferenceVersion};
pub use pooled::{NotCovered, pooled};
pub use sample::{MIN_BLOCKS, RawShares};
pub use season::{Calendar, SeasonKind};

use crate::estimate::Matrix;
use crate::spec::SpecId;

/// The reference of a spec.
#[derive(Debug, Clone)]
pub struct Reference {
    /// The spec whose questions it answers.
    pub spec_id: SpecId,
    /// Hash of its document.
    pub version: ReferenceVersion,
    /// Where it comes from, as its document says; null if it does not.
    pub lineage: Value,
    /// Which seasons it tells apart.
    pub calendar: Calendar,
    /// What stands for a season that a question does not have.
    pub fallback: Fallback,
    /// Whether the errors of different seasons are independent.
    pub independent_seasons: bool,
    /// One per question, in the order of the spec; `None` for a question that it does not cover.
    pub questions: Vec<Option<SeasonalReference>>,
    /// What a group lastingly differs by, one per question; empty for a reference of the whole fleet.
    pub departures: Vec<Option<Departure>>,
}

/// What a group's first windows were off from the fleet's reference by.
#[derive(Debug, Clone)]
pub struct Departure {
    /// The group's first windows.
    start: QuestionReference,
    /// h₀ − g₀.
    shares: Vec<f64>,
    /// w_0s.
    weights: BTreeMap<ErrorSource, f64>,
}

/// An error of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorSource {
    /// That of a season's average.
    Season(u16),
    /// That of the average over all seasons, where it stands for one that is missing.
    AllSeasons,
    /// That of a group's first windows.
    Start,
}

/// What the reports of a span are expected to say, and which errors are in that.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Shares of the data cells; they sum to 1.
    pub shares: Vec<f64>,
    /// The errors in them.
    pub errors: Vec<ReferenceError>,
    /// Whether the errors of different seasons are independent; that of a group's first windows always is.
    pub independent: bool,
}

/// One error in an expectation.
#[derive(Debug, Clone)]
pub struct ReferenceError {
    /// Which; the same one in all spans.
    pub source: ErrorSource,
    /// How much of it is in the expectation.
    pub coefficient: f64,
    /// Its covariance.
    pub covariance: Matrix,
    /// Device-windows with data that were averaged.
    pub device_windows: u64,
}

/// What stands for a season that a question does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing: the verdict waits.
    Wait,
    /// The average over all seasons, if there is one.
    AllSeasons,
}

/// The reference of one question.
#[derive(Debug, Clone, Default)]
pub struct SeasonalReference {
    /// By season; one, number 0, without seasons.
    pub seasons: BTreeMap<u16, QuestionReference>,
    /// The average over all seasons, for [`Fallback::AllSeasons`].
    pub all: Option<QuestionReference>,
}

/// The reference of one question in one season, or in the mix of a span.
#[derive(Debug, Clone)]
pub struct QuestionReference {
    /// Device-windows with data that were averaged; of a mix, the number that would have its noise: 1/Σ(w_s²/n_s).
    pub device_windows: u64,
    /// Shares of the data cells; they sum to 1.
    pub shares: Vec<f64>,
    /// Covariance of the shares.
    pub covariance: Matrix,
}

/// One window of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanPart {
    /// Its first second.
    pub start_secs: u64,
    /// The first second after it.
    pub end_secs: u64,
    /// Its reports, of all that are compared.
    pub reports: u64,
}

impl Reference {
    /// A reference without seasons that is made for one comparison and kept nowhere: without lineage, and with the
    /// version of an empty document.
    #[must_use]
    pub fn passing(spec_id: SpecId, questions: Vec<Option<QuestionReference>>) -> Self {
        let of_all = |known: QuestionReference| SeasonalReference { seasons: [(0, known)].into(), all: None };
        Self {
            spec_id,
            version: ReferenceVersion::of(&crate::spec::Value::Null),
            lineage: Value::Null,
            calendar: Calendar { kind: SeasonKind::None, utc_offset_secs: 0 },
            fallback: Fallback::Wait,
            independent_seasons: true,
            questions: questions.into_iter().map(|known| known.map(of_all)).collect(),
            departures: Vec::new(),
        }
    }

    /// This reference for a group that lastingly differs from the fleet: for each question what the group's first
    /// windows said, and those windows. Questions without are not covered.
    ///
    /// # Panics
    ///
    /// If the spec has not so many questions.
    #[must_use]
    pub fn departing(&self, starts: Vec<Option<(QuestionReference, Vec<SpanPart>)>>) -> Self {
        assert_eq!(starts.len(), self.questions.len(), "one start for each question");
        let departure = |(question, start): (usize, Option<(QuestionReference, Vec<SpanPart>)>)| {
            let (start, parts) = start?;
            let weights = self.coefficients(question, parts)?;
            let fleet = self.mixed(question, &weights)?;
            let shares = start.shares.iter().zip(&fleet).map(|(own, fleet)| own - fleet).collect();
            Some(Departure { start, shares, weights })
        };
        let departures: Vec<_> = starts.into_iter().enumerate().map(departure).collect();
        let covered = self.questions.iter().zip(&departures);
        let questions = covered.map(|(known, departure)| known.clone().filter(|_| departure.is_some())).collect();
        Self { questions, departures, ..self.clone() }
    }

    /// Whether it has more than one season.
    #[must_use]
    pub fn tells_seasons(&self) -> bool {
        self.calendar.kind != SeasonKind::None
    }

    /// The part of a span that each season has: o_ws averaged over the windows by their reports. Sums to 1; empty
    /// without reports.
    #[must_use]
    pub fn weights(&self, parts: impl IntoIterator<Item = SpanPart>) -> BTreeMap<u16, f64> {
        let mut weights = BTreeMap::new();
        let mut reports = 0.0;
        for part in parts.into_iter().filter(|part| part.reports > 0) {
            let n = part.reports as f64;
            reports += n;
            for (season, overlap) in self.calendar.overlap(part.start_secs, part.end_secs) {
                *weights.entry(season).or_insert(0.0) += n * overlap;
            }
        }
        weights.values_mut().for_each(|weight| *weight /= reports);
        weights
    }

    /// What a question's reports of a span are compared with. `None` when the reference does not cover the question,
    /// when it lacks a season of the span without a fallback, and when the span has no reports.
    ///
    /// # Panics
    ///
    /// If the spec has not so many questions.
    #[must_use]
    pub fn for_span(&self, question: usize, parts: impl IntoIterator<Item = SpanPart>) -> Option<QuestionReference> {
        Some(QuestionReference::of(self.expectation(question, parts)?))
    }

    /// The same with the errors that are in it.
    ///
    /// # Panics
    ///
    /// If the spec has not so many questions.
    #[must_use]
    pub fn expectation(&self, question: usize, parts: impl IntoIterator<Item = SpanPart>) -> Option<Expectation> {
        let mut coefficients = self.coefficients(question, parts)?;
        let independent = self.independent_seasons && !coefficients.contains_key(&ErrorSource::AllSeasons);
        let mut shares = self.mixed(question, &coefficients)?;
        let departure = self.departures.get(question).and_then(Option::as_ref);
        if let Some(departure) = departure {
            shares.iter_mut().zip(&departure.shares).for_each(|(share, own)| *share += own);
            for (source, weight) in &departure.weights {
                *coefficients.entry(*source).or_insert(0.0) -= weight;
            }
        }
        let error = |source: ErrorSource, coefficient: f64, of: &QuestionReference| ReferenceError {
            source,
            coefficient,
            covariance: of.covariance.clone(),
            device_windows: of.device_windows,
        };
        let of_seasons = coefficients.iter().filter(|(_, coefficient)| **coefficient != 0.0);
        let mut errors: Vec<ReferenceError> = of_seasons
            .map(|(source, coefficient)| Some(error(*source, *coefficient, self.average(question, *source)?)))
            .collect::<Option<_>>()?;
        errors.extend(departure.map(|departure| error(ErrorSource::Start, 1.0, &departure.start)));
        Some(Expectation { shares, errors, independent })
    }

    /// Seasons that a question has, the average over all among them.
    ///
    /// # Panics
    ///
    /// If the spec has not so many questions.
    #[must_use]
    pub fn averages(&self, question: usize) -> usize {
        self.questions[question].as_ref().map_or(0, |known| known.seasons.len() + usize::from(known.all.is_some()))
    }

    /// Whether the errors of a question's averages are independent: those of seasons are, and the average over all, which
    /// has their reports in it, never stands for one that is missing.
    ///
    /// # Panics
    ///
    /// If the spec has not so many questions.
    #[must_use]
    pub fn has_independent_errors(&self, question: usize) -> bool {
        let falls_back = self.fallback == Fallback::AllSeasons
            && self.questions[question]
                .as_ref()
                .is_some_and(|known| known.all.is_some() && known.seasons.len() < self.calendar.kind.seasons().count());
        self.independent_seasons && !falls_back
    }

    /// The part of a span that each average has. `None` when the question lacks one, or the span has no reports.
    fn coefficients(
        &self,
        question: usize,
        parts: impl IntoIterator<Item = SpanPart>,
    ) -> Option<BTreeMap<ErrorSource, f64>> {
        let known = self.questions[question].as_ref()?;
        let mut coefficients = BTreeMap::new();
        for (season, weight) in self.weights(parts) {
            let source = match known.seasons.contains_key(&season) {
                true => ErrorSource::Season(season),
                false if self.fallback == Fallback::AllSeasons => ErrorSource::AllSeasons,
                false => return None,
            };
            *coefficients.entry(source).or_insert(0.0) += weight;
        }
        (!coefficients.is_empty()).then_some(coefficients)
    }

    fn average(&self, question: usize, source: ErrorSource) -> Option<&QuestionReference> {
        let known = self.questions[question].as_ref()?;
        match source {
            ErrorSource::Season(season) => known.seasons.get(&season),
            ErrorSource::AllSeasons => known.all.as_ref(),
            ErrorSource::Start => None,
        }
    }

    fn mixed(&self, question: usize, coefficients: &BTreeMap<ErrorSource, f64>) -> Option<Vec<f64>> {
        let mut mixed = Vec::new();
        for (source, weight) in coefficients {
            let average = self.average(question, *source)?;
            mixed.resize(average.shares.len(), 0.0);
            mixed.iter_mut().zip(&average.shares).for_each(|(sum, share)| *sum += weight * share);
        }
        Some(mixed)
    }
}

impl QuestionReference {
    /// The shares of an expectation, with the covariance of all errors in it: Σ c² C if they are independent, else at most
    /// Σ|c| · Σ |c| C, by Jensen's inequality as above.
    fn of(expected: Expectation) -> Self {
        let of_seasons = || expected.errors.iter().filter(|error| error.source != ErrorSource::Start);
        let most: f64 = of_seasons().map(|error| error.coefficient.abs()).sum();
        let enters = |error: &ReferenceError| match error.source {
            ErrorSource::Start => 1.0,
            _ if expected.independent => error.coefficient * error.coefficient,
            _ => most * error.coefficient.abs(),
        };
        let sum = |entry: &dyn Fn(&ReferenceError) -> f64| {
            expected.errors.iter().map(|error| enters(error) * entry(error)).sum::<f64>()
        };
        Self {
            device_windows: libm::round(1.0 / sum(&|error| 1.0 / error.device_windows as f64)) as u64,
            covariance: Matrix::symmetric(expected.shares.len(), |row, column| {
                sum(&|error| error.covariance.at(row, column))
            }),
            shares: expected.shares,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;
    /// 2013-10-01 in UTC.
    const OCTOBER: u64 = 1_380_585_600;

    fn of(first: f64, variance: f64, device_windows: u64) -> QuestionReference {
        let covariance = Matrix::from_fn(2, |row, column| if row == column { variance } else { -variance });
        QuestionReference { device_windows, shares: vec![first, 1.0 - first], covariance }
    }

    fn monthly(fallback: Fallback, independent_seasons: bool) -> Reference {
        let seasons = [(10, of(0.2, 0.01, 100)), (11, of(0.6, 0.04, 50))].into();
        let all = Some(of(0.5, 0.25, 400));
        Reference {
            spec_id: SpecId::from_bytes([0; 16]),
            version: ReferenceVersion::of(&crate::spec::Value::Null),
            lineage: Value::Null,
            calendar: Calendar { kind: SeasonKind::Month, utc_offset_secs: 0 },
            fallback,
            independent_seasons,
            questions: vec![Some(SeasonalReference { seasons, all }), None],
            departures: Vec::new(),
        }
    }

    fn part(first_day: u64, days: u64, reports: u64) -> SpanPart {
        let start_secs = OCTOBER + first_day * DAY;
        SpanPart { start_secs, end_secs: start_secs + days * DAY, reports }
    }

    #[track_caller]
    fn check(found: Option<QuestionReference>, first: f64, variance: f64, device_windows: u64) {
        let found = found.expect("a reference");
        assert!((found.shares[0] - first).abs() < 1e-12 && (found.shares[1] - (1.0 - first)).abs() < 1e-12);
        assert!((found.covariance.at(0, 0) - variance).abs() < 1e-12, "{}", found.covariance.at(0, 0));
        assert!((found.covariance.at(0, 1) + variance).abs() < 1e-12);
        assert_eq!(found.device_windows, device_windows);
    }

    /// Four October weeks share one error: four times the windows make it no smaller.
    #[test]
    fn windows_of_one_season_share_its_error() {
        let reference = monthly(Fallback::Wait, true);
        check(reference.for_span(0, (0..4).map(|week| part(7 * week, 7, 100))), 0.2, 0.01, 100);
    }

    /// A week of 300 reports in October, and one of 100 reports with 3 days there and 4 in November: w = (24/28, 4/28).
    #[test]
    fn seasons_mix_by_reports_and_time() {
        let span = || [part(0, 7, 300), part(28, 7, 100)];
        let (a, b) = (24.0 / 28.0, 4.0 / 28.0);
        let reference = monthly(Fallback::Wait, true);
        let weights: Vec<_> = reference.weights(span()).into_iter().collect();
        assert!(weights.len() == 2 && weights[0].0 == 10 && (weights[0].1 - a).abs() < 1e-12, "{weights:?}");
        let effective = 1.0 / (a * a / 100.0 + b * b / 50.0);
        check(reference.for_span(0, span()), a * 0.2 + b * 0.6, a * a * 0.01 + b * b * 0.04, effective.round() as u64);
        let bound = 1.0 / (a / 100.0 + b / 50.0);
        let dependent = monthly(Fallback::Wait, false).for_span(0, span());
        check(dependent, a * 0.2 + b * 0.6, a * 0.01 + b * 0.04, bound.round() as u64);
    }

    #[test]
    fn a_missing_season_waits_or_falls_back() {
        let december = || [part(61, 7, 100)];
        assert!(monthly(Fallback::Wait, true).for_span(0, december()).is_none());
        assert!(!monthly(Fallback::AllSeasons, true).has_independent_errors(0), "ten months fall back");
        assert!(monthly(Fallback::Wait, true).has_independent_errors(0));
        check(monthly(Fallback::AllSeasons, true).for_span(0, december()), 0.5, 0.25, 400);
        // Three days of November, four of December, dependent whatever the document says.
        let (a, b) = (3.0 / 7.0, 4.0 / 7.0);
        let mixed = monthly(Fallback::AllSeasons, true).for_span(0, [part(58, 7, 100)]);
        let devices = 1.0 / (a / 50.0 + b / 400.0);
        check(mixed, a * 0.6 + b * 0.5, a * 0.04 + b * 0.25, devices.round() as u64);
        assert!(monthly(Fallback::AllSeasons, true).for_span(1, december()).is_none(), "a question without reference");
        assert!(monthly(Fallback::AllSeasons, true).for_span(0, []).is_none());
        assert!(monthly(Fallback::AllSeasons, true).for_span(0, [part(0, 7, 0)]).is_none(), "no reports");
    }

    /// A group that had .3 in October where the fleet has .2 is expected to have .7 in November: .6 + .1. Its first
    /// windows' error is in both; in October the fleet's cancels, in November that of both months is in it.
    #[test]
    fn a_group_departs_from_the_fleet_by_what_it_did_at_first() {
        let start = || vec![Some((of(0.3, 0.002, 500), vec![part(0, 7, 40)])), None];
        let group = monthly(Fallback::Wait, true).departing(start());
        check(group.for_span(0, [part(7, 7, 100)]), 0.3, 0.002, 500);
        let devices: f64 = 1.0 / (1.0 / 500.0 + 1.0 / 100.0 + 1.0 / 50.0);
        check(group.for_span(0, [part(35, 7, 100)]), 0.7, 0.002 + 0.01 + 0.04, devices.round() as u64);
        let expected = group.expectation(0, [part(35, 7, 100)]).expect("a reference");
        let errors: Vec<_> = expected.errors.iter().map(|error| (error.source, error.coefficient)).collect();
        let named = [(ErrorSource::Season(10), -1.0), (ErrorSource::Season(11), 1.0), (ErrorSource::Start, 1.0)];
        assert_eq!(errors, named);
        let dependent = monthly(Fallback::Wait, false).departing(start());
        let devices: f64 = 1.0 / (1.0 / 500.0 + 2.0 / 100.0 + 2.0 / 50.0);
        check(dependent.for_span(0, [part(35, 7, 100)]), 0.7, 0.002 + 2.0 * (0.01 + 0.04), devices.round() as u64);
        assert!(group.for_span(0, [part(61, 7, 100)]).is_none(), "December is missing");
        assert!(monthly(Fallback::Wait, true).departing(vec![None, None]).for_span(0, [part(7, 7, 100)]).is_none());
    }

    /// The bound holds for every dependence: variance of a mix of two errors with any correlation is at most the bound.
    #[test]
    fn the_bound_covers_every_correlation() {
        for (weight, a, b) in [(0.5, 1.0, 1.0), (0.9, 2.0, 0.1), (0.1, 0.3, 5.0)] {
            let bound: f64 = weight * a * a + (1.0 - weight) * b * b;
            for correlation in [-1.0, 0.0, 0.5, 1.0] {
                let (x, y) = (weight * a, (1.0 - weight) * b);
                assert!(x * x + y * y + 2.0 * correlation * x * y <= bound + 1e-12);
            }
        }
    }
}
