//! A reference from the fleet's own earlier windows: what devices said before is what they are compared with.
//!
//! Reports of closed windows alone: their sums change no more, so the reference can be made again from the same
//! store, and is then the same version. A window counts for the season that holds most of it, half at least; the reports
//! of a season's windows are added up, and [`pooled`] takes the noise of the channel out of the shares and puts it into
//! the covariance. Windows of different seasons are different reports, so the errors of seasons are independent.
//!
//! **Limits.** A window on the border of two seasons is counted for one of them whole, while the span that is
//! compared is divided by time: the shares of a season are blurred by at most the part of its reports that came over
//! the border. A drift that the earlier windows had already is not seen.

use std::collections::BTreeMap;

use driftglass::aggregate::Aggregate;
use driftglass::drift::{NotCovered, SeasonKind, SeasonalReference, pooled};
use driftglass::spec::{Question, WindowIndex};
use serde_json::{Map, json};

use super::{Made, MakeError, Seasons, finish};
use crate::registry::Registered;
use crate::store::Sums;

/// Makes the reference of a spec from its sums of the windows from `first` to `last`, both included.
///
/// # Errors
///
/// [`MakeError`] when a window still takes reports, of which `first_open` is the first, or nothing is covered.
pub fn from_windows(
    registered: &Registered,
    sums: &Sums,
    [first, last]: [WindowIndex; 2],
    first_open: WindowIndex,
    seasons: &Seasons,
) -> Result<Made, MakeError> {
    if first > last || last >= first_open {
        return Err(MakeError::OpenWindows(first, last, first_open));
    }
    let spec = &registered.spec;
    let season_of = |window: WindowIndex| {
        let parts = seasons.calendar.overlap(spec.window.start_secs(window), spec.window.end_secs(window));
        let most = parts.into_iter().find(|(_, part)| *part >= 0.5);
        most.map(|(season, _)| season).ok_or(MakeError::LongWindow(window))
    };
    let mut reports = 0;
    let mut questions = Vec::new();
    for (question, windows) in spec.questions.iter().zip(sums) {
        let mut all: Option<Aggregate> = None;
        let mut of_season: BTreeMap<u16, Option<Aggregate>> = BTreeMap::new();
        for (window, sum) in windows.range(first..=last) {
            reports += sum.reports();
            add(of_season.entry(season_of(*window)?).or_default(), sum);
            add(&mut all, sum);
        }
        questions.push(reference(question, all, of_season, seasons));
    }
    let mut lineage = Map::new();
    lineage.insert("source".to_owned(), json!("windows"));
    lineage.insert("windows".to_owned(), json!([first, last]));
    lineage.insert("reports".to_owned(), json!(reports));
    lineage.insert("covariance".to_owned(), json!("channel"));
    finish(spec, questions, seasons, true, lineage)
}

fn reference(
    question: &Question,
    all: Option<Aggregate>,
    of_season: BTreeMap<u16, Option<Aggregate>>,
    seasons: &Seasons,
) -> Result<SeasonalReference, NotCovered> {
    let whole = pooled(question, &all.unwrap_or_else(|| Aggregate::new(0)));
    if seasons.calendar.kind == SeasonKind::None {
        return Ok(SeasonalReference { seasons: [(0, whole?)].into(), all: None });
    }
    let made = |(season, sum): (u16, Option<Aggregate>)| Some((season, pooled(question, &sum?).ok()?));
    let known: BTreeMap<_, _> = of_season.into_iter().filter_map(made).collect();
    match whole {
        Err(reason) if known.is_empty() => Err(reason),
        whole if known.is_empty() => whole.and(Err(NotCovered::TooFewAnswers)),
        whole => Ok(SeasonalReference { seasons: known, all: whole.ok() }),
    }
}

fn add(total: &mut Option<Aggregate>, sum: &Aggregate) {
    match total {
        // Cannot fail: the store gives all aggregates of a question the counters of its randomizer.
        Some(total) => total.merge(sum).expect("one question"),
        None => *total = Some(sum.clone()),
    }
}
