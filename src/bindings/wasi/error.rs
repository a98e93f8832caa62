//! Errors as variants of the world.

use alloc::string::String;

use super::wit::exports::driftglass::monitor::types::{Cap, Error, Misfit, Refusal, SpecFault};
use crate::monitor::{AnswerError, UnknownSegment};
use crate::privacy::{EntropyError, LedgerError, StateError};
use crate::sketch::SnapshotError;
use crate::spec::{ModelRefused, SpecError};

impl From<SpecError> for Error {
    fn from(error: SpecError) -> Self {
        Self::InvalidSpec(SpecFault { pointer: error.pointer, rule: error.rule })
    }
}

impl From<UnknownSegment> for Error {
    fn from(_: UnknownSegment) -> Self {
        Self::UnknownSegment
    }
}

impl From<StateError> for Error {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Unreadable => Self::UnreadableState,
            StateError::OtherApp => Self::ForeignState,
        }
    }
}

impl From<SnapshotError> for Error {
    fn from(_: SnapshotError) -> Self {
        Self::UnreadableSketches
    }
}

impl From<EntropyError> for Error {
    fn from(_: EntropyError) -> Self {
        Self::NoEntropy
    }
}

impl From<AnswerError> for Error {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::NotDue => Self::NotDue,
            AnswerError::Ledger(LedgerError::CapReached { cap_micronats, period_secs }) => {
                Self::BudgetSpent(Cap { period_secs, epsilon_micronats: cap_micronats })
            }
            AnswerError::Ledger(LedgerError::TimeWentBack) => Self::TimeWentBack,
            // Fits: a ledger holds at most 16,384 debits.
            AnswerError::Ledger(LedgerError::Full { limit }) => Self::LedgerFull(limit as u32),
            AnswerError::Entropy(error) => error.into(),
        }
    }
}

impl From<ModelRefused> for Error {
    fn from(refused: ModelRefused) -> Self {
        let rule = refused.sentence();
        let misfit = |tensor: String, metric: String| Misfit { tensor, metric, rule };
        Self::ModelRefused(match refused {
            ModelRefused::NotListed => Refusal::NotListed,
            ModelRefused::MissingTensor { tensor, metric, .. } => Refusal::MissingTensor(misfit(tensor, metric)),
            ModelRefused::IndexOutside { tensor, metric, .. } => Refusal::IndexOutside(misfit(tensor, metric)),
            ModelRefused::OtherLength { tensor, metric, .. } => Refusal::OtherLength(misfit(tensor, metric)),
        })
    }
}
