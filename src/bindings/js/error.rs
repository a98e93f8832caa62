//! Errors as JavaScript sees them: an `Error` with a stable `code`.

use alloc::{borrow::ToOwned, string::String};

use js_sys::{Error, Reflect};
use wasm_bindgen::JsValue;

use crate::monitor::{AnswerError, UnknownSegment};
use crate::privacy::{EntropyError, LedgerError, StateError};
use crate::sketch::SnapshotError;
use crate::spec::{ModelRefused, SpecError};

/// A thrown error.
pub(super) type Thrown = JsValue;

/// Something with a stable code, and a sentence for people.
pub(super) trait Coded {
    fn code(&self) -> &'static str;
    fn sentence(&self) -> String;
}

/// Turns an error into what JavaScript catches.
pub(super) fn thrown(error: impl Coded) -> Thrown {
    coded(error.code(), &error.sentence())
}

/// An `Error` with a code.
pub(super) fn coded(code: &str, message: &str) -> Thrown {
    let error = Error::new(message);
    // Cannot fail: the object is new and extensible.
    let _set = Reflect::set(&error, &"code".into(), &code.into());
    error.into()
}

impl Coded for SpecError {
    fn code(&self) -> &'static str {
        "invalid-spec"
    }

    fn sentence(&self) -> String {
        Self::sentence(self)
    }
}

impl Coded for UnknownSegment {
    fn code(&self) -> &'static str {
        "unknown-segment"
    }

    fn sentence(&self) -> String {
        Self::SENTENCE.to_owned()
    }
}

impl Coded for StateError {
    fn code(&self) -> &'static str {
        match self {
            Self::OtherApp => "foreign-state",
            _ => "unreadable-state",
        }
    }

    fn sentence(&self) -> String {
        Self::sentence(self).to_owned()
    }
}

impl Coded for EntropyError {
    fn code(&self) -> &'static str {
        "no-entropy"
    }

    fn sentence(&self) -> String {
        Self::SENTENCE.to_owned()
    }
}

impl Coded for SnapshotError {
    fn code(&self) -> &'static str {
        "unreadable-sketches"
    }

    fn sentence(&self) -> String {
        Self::SENTENCE.to_owned()
    }
}

impl Coded for ModelRefused {
    fn code(&self) -> &'static str {
        "model-refused"
    }

    fn sentence(&self) -> String {
        Self::sentence(self)
    }
}

impl Coded for AnswerError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotDue => "not-due",
            Self::Ledger(LedgerError::CapReached { .. }) => "budget-spent",
            Self::Ledger(_) => "ledger-refused",
            Self::Entropy(_) => "no-entropy",
        }
    }

    fn sentence(&self) -> String {
        Self::sentence(self)
    }
}

#[cfg(feature = "onnx")]
impl Coded for crate::infer::InferError {
    fn code(&self) -> &'static str {
        use crate::infer::InferError as E;
        match self {
            E::TooLarge | E::Unreadable | E::UnsupportedInput { .. } | E::Unsupported => "model-unusable",
            E::MissingInput { .. } | E::WrongType { .. } | E::WrongShape { .. } => "input-refused",
            _ => "inference-failed",
        }
    }

    fn sentence(&self) -> String {
        alloc::string::ToString::to_string(self)
    }
}
