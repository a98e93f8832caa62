//! How bad it is, in words: what is proven, and how large it is at least.
//!
//! A band follows from the *lower* bound of the effect over delta, the smallest effect that matters, so that it is never
//! larger than what the reports prove.

use serde::Serialize;

use crate::verdicts::WindowVerdict;

/// Lower bounds, in deltas, from which a change is large, and severe.
const LARGE: f64 = 2.0;
const SEVERE: f64 = 4.0;

/// A band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The reports do not say.
    Unknown,
    /// Whatever changed is smaller than what matters.
    None,
    /// Something changed; whether it matters is not known yet.
    Watch,
    /// The change matters: it is larger than delta.
    Moderate,
    /// It is larger than twice delta.
    Large,
    /// It is larger than four times delta.
    Severe,
}

impl Severity {
    /// The band of a verdict.
    #[must_use]
    pub(crate) fn of(window: &WindowVerdict, delta: f64) -> Self {
        let lower = window.effect.as_ref().map_or(0.0, |effect| effect.interval.lower);
        let changed = window.evidence.as_ref().is_some_and(|evidence| evidence.alarm);
        match window.verdict {
            "drift" if lower > SEVERE * delta => Self::Severe,
            "drift" if lower > LARGE * delta => Self::Large,
            "drift" => Self::Moderate,
            "stable" => Self::None,
            _ if changed => Self::Watch,
            _ => Self::Unknown,
        }
    }

    /// What it means for the one who reads.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Unknown => "The reports so far do not say.",
            Self::None => "Whatever changed is smaller than what matters.",
            Self::Watch => "Something changed; whether it matters is not known yet.",
            Self::Moderate => "The change matters.",
            Self::Large => "The change is more than twice what matters.",
            Self::Severe => "The change is more than four times what matters.",
        }
    }
}
