//! How well the model does, from private answers: with labels, before labels arrive, and without any.
//!
//! | Module | From | To |
//! | --- | --- | --- |
//! | [`confusion`] | prediction × outcome cells | accuracy, precision, recall, F1, balanced accuracy, coverage |
//! | [`label_free`] | score cells now, score × label cells of the reference | accuracy, precision, recall, ROC AUC |
//! | [`label_shift`] | prediction cells now, prediction × label cells of the reference | shares of the labels now |
//! | [`calibration`] | score × label cells | calibration error, reliability table, drift of the calibration |
//! | [`segments`] | one number or one distribution a segment or arm | which differ, by how much |
//! | [`budget`] | shares of failures | what is left of an error budget |
//!
//! All of them take de-biased shares with their covariance ([`Estimate`](crate::estimate::Estimate)), as a pair
//! question gives them after [`given_data`], and give each figure with a standard error by the delta method (`delta`).
//! A figure whose denominator cannot be told from 0 is [`Refused`], not guessed.
//!
//! **Limits.** A device answers for one event of its window, so a share is one of devices with data, each counting
//! once, and not of events. The delta method is of first order: relative errors of a denominator beyond a third are
//! refused.

pub mod budget;
pub mod calibration;
pub mod confusion;
mod delta;
pub mod label_free;
pub mod label_shift;
mod pairs;
pub mod segments;

pub use pairs::{PairCells, given_data};

/// Why a figure is not given.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The parts do not belong together.
    #[error("{found} cells where {expected} are needed")]
    Shape {
        /// Cells that were given.
        found: usize,
        /// Cells that are needed.
        expected: usize,
    },
    /// What is divided by may be 0: it lies within [`MIN_STANDARD_ERRORS`] of it.
    #[error("a share to divide by lies within {MIN_STANDARD_ERRORS} standard errors of 0")]
    TooFew,
    /// Predictions hardly depend on the label, so that they say little about it.
    #[error("the condition number of predictions given labels is {condition}, the limit {limit}")]
    IllConditioned {
        /// The condition number.
        condition: f64,
        /// The largest that is accepted.
        limit: f64,
    },
    /// The reference is too noisy to be inverted.
    #[error("the noise of the reference is {relative} of its smallest singular value, the limit {limit}")]
    TooNoisy {
        /// Root mean square of the noise over the smallest singular value.
        relative: f64,
        /// The largest that is accepted.
        limit: f64,
    },
    /// A covariance is not positive definite.
    #[error("a covariance is singular")]
    Singular,
    /// A share of outcomes that arrived is too small to weight by.
    #[error("a completeness of {completeness}, the least that is weighted by being {least}")]
    Incomplete {
        /// The share that arrived.
        completeness: f64,
        /// The least that is accepted.
        least: f64,
    },
}

/// How many standard errors what is divided by must lie above 0.
pub const MIN_STANDARD_ERRORS: f64 = 3.0;
