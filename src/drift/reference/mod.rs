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
        }
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
        let known = self.questions[question].as_ref()?;
        let mut mix: Vec<(f64, &QuestionReference)> = Vec::new();
        let mut replaced = 0.0;
        for (season, weight) in self.weights(parts) {
            match known.seasons.get(&season) {
                Some(of_season) => mix.push((weight, of_season)),
                None if self.fallback == Fallback::AllSeasons => replaced += weight,
                None => return None,
            }
        }
        if replaced > 0.0 {
            mix.push((replaced, known.all.as_ref()?));
        }
        QuestionReference::mix(&mix, self.independent_seasons && replaced == 0.0)
    }
}

impl QuestionReference {
    /// The mix of references by weights that sum to 1; `None` of none.
    fn mix(parts: &[(f64, &Self)], independent: bool) -> Option<Self> {
        let [(_, first), others @ ..] = parts else { return None };
        if others.is_empty() {
            return Some((*first).clone());
        }
        let sum = |entry: &dyn Fn(f64, &Self) -> f64| parts.iter().map(|(weight, part)| entry(*weight, part)).sum();
        let cells = first.shares.len();
        let enters = |weight: f64| if independent { weight * weight } else { weight };
        let spread: f64 = sum(&|weight, part| enters(weight) / part.device_windows as f64);
        Some(Self {
            device_windows: libm::round(1.0 / spread) as u64,
            shares: (0..cells).map(|cell| sum(&|weight, part| weight * part.shares[cell])).collect(),
            covariance: Matrix::symmetric(cells, |row, column| {
                sum(&|weight, part| enters(weight) * part.covariance.at(row, column))
            }),
        })
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
