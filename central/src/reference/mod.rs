//! Making references and keeping their versions: `driftglass reference …`, `docs/references.md`.
//!
//! | Module | Idea |
//! | --- | --- |
//! | [`from_file`] | from raw rows that an operator owns, a training file for example |
//! | [`from_windows`] | from the fleet's own earlier windows |
//! | [`command`] | the command line |

pub mod command;
pub mod from_file;
pub mod from_windows;

use driftglass::drift::{Calendar, Draft, Fallback, NotCovered, SeasonalReference};
use driftglass::spec::{MonitorSpec, WindowIndex};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::store::{ReferenceRow, StoreError};

/// How a reference tells seasons apart.
#[derive(Debug, Clone, Copy)]
pub struct Seasons {
    /// Which seasons.
    pub calendar: Calendar,
    /// What stands for a season that it lacks.
    pub fallback: Fallback,
}

impl Seasons {
    /// One season for all times.
    #[must_use]
    pub const fn none() -> Self {
        Self { calendar: Calendar::none(), fallback: Fallback::Wait }
    }

    fn lineage(&self) -> String {
        format!("{} at UTC{:+} s", self.calendar.kind.name(), self.calendar.utc_offset_secs)
    }
}

/// A reference that was made.
#[derive(Debug)]
pub struct Made {
    /// Its document.
    pub document: String,
    /// Questions that it does not cover, each with the reason.
    pub not_covered: Vec<(String, NotCovered)>,
    /// Questions of which it lacks seasons, each with these.
    pub missing_seasons: Vec<(String, Vec<u16>)>,
}

/// A version in a list.
#[derive(Debug, Serialize)]
pub struct VersionSummary {
    pub(crate) version: String,
    pub(crate) created_at_secs: u64,
    pub(crate) in_use: bool,
    in_use_since_secs: Option<u64>,
    parent: Option<String>,
    pub(crate) lineage: Value,
}

impl VersionSummary {
    /// What a list says about a version.
    #[must_use]
    pub fn of(row: ReferenceRow) -> Self {
        let document: Value = serde_json::from_str(&row.document).unwrap_or_default();
        Self {
            version: row.version,
            created_at_secs: row.created_at_secs,
            in_use: row.in_use_since_secs.is_some(),
            in_use_since_secs: row.in_use_since_secs,
            parent: row.parent,
            lineage: document.get("lineage").cloned().unwrap_or_default(),
        }
    }
}

/// Why no reference is made. Names columns, metrics and limits, never a value of a row.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeError {
    /// The file cannot be read as CSV.
    #[error("line {0}: not CSV in UTF-8 with as many fields as the header")]
    Csv(u64),
    /// The file cannot be read.
    #[error("cannot read the file: {0}")]
    Read(#[source] std::io::Error),
    /// No such column.
    #[error("the file has no column \"{0}\"")]
    NoColumn(String),
    /// No such metric.
    #[error("the spec has no metric \"{0}\"")]
    NoMetric(String),
    /// A time that is none.
    #[error("line {0}: the time must be Unix seconds, an integer from 0 to 2^53 − 1")]
    Time(u64),
    /// Seasons without times.
    #[error("seasons need the column of times (--time)")]
    SeasonWithoutTime,
    /// Windows that still take reports, or that end before they begin.
    #[error("windows {0}..{1}: only closed windows in order; the first that still takes reports is {2}")]
    OpenWindows(WindowIndex, WindowIndex, WindowIndex),
    /// Windows that no season holds most of.
    #[error("window {0} lies in no season by half at least: windows are too long to tell these seasons apart")]
    LongWindow(WindowIndex),
    /// No question is covered.
    #[error("no question is covered: {0}")]
    Nothing(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Puts the covered questions into a document, and what is not covered beside it and into its lineage.
fn finish(
    spec: &MonitorSpec,
    questions: Vec<Result<SeasonalReference, NotCovered>>,
    seasons: &Seasons,
    independent_seasons: bool,
    lineage: Map<String, Value>,
) -> Result<Made, MakeError> {
    let named = || spec.questions.iter().map(|question| question.name.clone()).zip(&questions);
    let not_covered: Vec<(String, NotCovered)> =
        named().filter_map(|(name, made)| made.as_ref().err().map(|reason| (name, *reason))).collect();
    let missing = |known: &SeasonalReference| {
        let lacks = |season: &u16| !known.seasons.contains_key(season);
        seasons.calendar.kind.seasons().filter(lacks).collect::<Vec<u16>>()
    };
    let missing_seasons: Vec<(String, Vec<u16>)> = named()
        .filter_map(|(name, made)| Some((name, missing(made.as_ref().ok()?))))
        .filter(|(_, missing)| !missing.is_empty())
        .collect();
    if not_covered.len() == questions.len() {
        let reasons: Vec<String> = not_covered.iter().map(|(name, reason)| format!("{name}: {reason}")).collect();
        return Err(MakeError::Nothing(reasons.join("; ")));
    }
    let mut lineage = lineage;
    lineage.insert("seasons".to_owned(), json!(seasons.lineage()));
    lineage.insert("driftglass".to_owned(), json!(env!("CARGO_PKG_VERSION")));
    let reasons: Map<String, Value> =
        not_covered.iter().map(|(name, reason)| (name.clone(), json!(reason.to_string()))).collect();
    lineage.insert("not_covered".to_owned(), Value::Object(reasons));
    let draft = Draft {
        lineage: Value::Object(lineage),
        calendar: seasons.calendar,
        fallback: seasons.fallback,
        independent_seasons,
        questions: questions.into_iter().map(Result::ok).collect(),
    };
    Ok(Made { document: draft.document(spec), not_covered, missing_seasons })
}
