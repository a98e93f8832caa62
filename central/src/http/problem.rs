//! Errors as problem documents (RFC 9457).
//!
//! Each says what rule was broken and what the limit is, never what was sent.

use axum::http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use driftglass::report::FORMAT_VERSION;
use serde::Serialize;

use super::reports::Receipt;
use crate::intake::MAX_BODY_BYTES;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// Not the canonical bytes of a report, or a body that is no list of them.
    MalformedReport,
    /// A format version that the centre does not speak.
    UnsupportedVersion,
    /// No such ingest key.
    UnknownKey,
    /// A spec that the key does not belong to.
    ForeignSpec,
    /// A question or segment that the spec does not have.
    UnknownQuestion,
    /// The window's grace is over.
    LateWindow,
    /// The window has not begun.
    EarlyWindow,
    /// The report id is known in this window.
    DuplicateReport,
    /// A body above the limit.
    BodyTooLarge,
    /// The body did not arrive in time.
    SlowBody,
    /// The queue is full.
    Overloaded,
    /// The store takes nothing, or cannot be read.
    StoreFailed,
    /// No such spec.
    UnknownSpec,
    /// The spec has no reference.
    NoReference,
    /// No such version of the spec's reference.
    UnknownReference,
    /// Windows that still take reports cannot be a reference.
    OpenWindows,
    /// No question can have a reference from these windows.
    NothingCovered,
    /// Nothing at this path.
    NotFound,
    /// The path does not take this method.
    MethodNotAllowed,
    /// No admin token.
    Unauthorized,
    /// A body that is not what the route takes.
    MalformedRequest,
    /// A clock moves forward only.
    ClockBackwards,
}

/// Type, status, title, detail.
type Text = (&'static str, StatusCode, &'static str, &'static str);

impl Problem {
    #[rustfmt::skip]
    const fn text(self) -> Text {
        use StatusCode as S;
        match self {
            Self::MalformedReport => ("malformed-report", S::BAD_REQUEST, "Malformed report", "A body is a list of reports, each preceded by its length as two bytes; a report is in the canonical form of docs/report-format.md."),
            Self::UnsupportedVersion => ("unsupported-version", S::BAD_REQUEST, "Unsupported format version", "The report has a format version that this centre does not speak."),
            Self::UnknownKey => ("unknown-key", S::UNAUTHORIZED, "Unknown ingest key", "The query names the ingest key: /v1/reports?key=…"),
            Self::ForeignSpec => ("foreign-spec", S::UNPROCESSABLE_ENTITY, "Foreign spec", "The report was made under a spec that the ingest key does not belong to."),
            Self::UnknownQuestion => ("unknown-question", S::UNPROCESSABLE_ENTITY, "Unknown question", "The report names a question or segment that the spec does not have."),
            Self::LateWindow => ("late-window", S::UNPROCESSABLE_ENTITY, "Late report", "The window takes no more reports: its grace is over."),
            Self::EarlyWindow => ("early-window", S::UNPROCESSABLE_ENTITY, "Early report", "The window has not begun by the centre's clock."),
            Self::DuplicateReport => ("duplicate-report", S::CONFLICT, "Duplicate report", "The report id is known in this window; nothing was counted twice."),
            Self::BodyTooLarge => ("body-too-large", S::PAYLOAD_TOO_LARGE, "Body too large", "Send the reports in smaller bodies."),
            Self::SlowBody => ("slow-body", S::REQUEST_TIMEOUT, "Slow body", "The body did not arrive in time. Send it again."),
            Self::Overloaded => ("overloaded", S::SERVICE_UNAVAILABLE, "Overloaded", "The queue is full. Send the same bytes again after a while."),
            Self::StoreFailed => ("store-failed", S::SERVICE_UNAVAILABLE, "Store failed", "The database cannot be used at the moment. Try again after a while."),
            Self::UnknownSpec => ("unknown-spec", S::NOT_FOUND, "Unknown spec", "No spec with this id is registered."),
            Self::NoReference => ("no-reference", S::NOT_FOUND, "No reference", "The spec is registered without a reference."),
            Self::UnknownReference => ("unknown-reference", S::NOT_FOUND, "Unknown reference", "The spec has no version of a reference that begins with these digits alone; at least 8."),
            Self::OpenWindows => ("open-windows", S::CONFLICT, "Open windows", "A reference is made from closed windows in order, each of which lies in one season by half at least."),
            Self::NothingCovered => ("nothing-covered", S::UNPROCESSABLE_ENTITY, "Nothing covered", "No question has a reference in these windows: too few answers, or no shares of cells."),
            Self::NotFound => ("not-found", S::NOT_FOUND, "Not found", "There is nothing at this path."),
            Self::MethodNotAllowed => ("method-not-allowed", S::METHOD_NOT_ALLOWED, "Method not allowed", "This path does not take this method."),
            Self::Unauthorized => ("unauthorized", S::UNAUTHORIZED, "Unauthorized", "Send the token of the data directory as Authorization: Bearer …"),
            Self::MalformedRequest => ("malformed-request", S::BAD_REQUEST, "Malformed request", "The body is not the JSON object that docs/http-api.md gives for this route."),
            Self::ClockBackwards => ("clock-backwards", S::CONFLICT, "Clock backwards", "The simulated clock moves forward, never back."),
        }
    }

    /// Its type, as a reference that is relative to the centre.
    pub(super) fn kind(self) -> String {
        format!("/problems/{}", self.text().0)
    }

    /// One line for people.
    pub(super) fn title(self) -> &'static str {
        self.text().2
    }

    /// The answer to an upload, with its counts.
    pub(super) fn with(self, receipt: Receipt) -> Response {
        self.response(Some(receipt))
    }

    fn response(self, receipt: Option<Receipt>) -> Response {
        let (_, status, title, detail) = self.text();
        let document = Document {
            kind: self.kind(),
            title,
            status: status.as_u16(),
            detail,
            supported: (self == Self::UnsupportedVersion).then_some([FORMAT_VERSION]),
            max_body_bytes: (self == Self::BodyTooLarge).then_some(MAX_BODY_BYTES),
            receipt,
        };
        let mut response = (status, axum::Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some((name, value)) = self.header() {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    fn header(self) -> Option<(HeaderName, &'static str)> {
        match self {
            // A group takes well below a second; a full queue some seconds.
            Self::Overloaded => Some((RETRY_AFTER, "5")),
            Self::StoreFailed => Some((RETRY_AFTER, "30")),
            Self::Unauthorized => Some((WWW_AUTHENTICATE, "Bearer")),
            _ => None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.response(None)
    }
}

#[derive(Serialize)]
struct Document {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    supported: Option<[u8; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_body_bytes: Option<usize>,
    #[serde(flatten)]
    receipt: Option<Receipt>,
}
