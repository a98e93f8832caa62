//! `POST /v1/reports`: read, check, hand over, answer after the commit.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{App, Problem};
use crate::intake::{Checked, MAX_BODY_BYTES, Refusal, check};
use crate::registry::Registered;
use crate::store::Outcome;
use crate::tally::Tally;
use crate::writer::NotStored;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes above the limit that are read and thrown away, so that a client that is still sending sees the answer.
const DRAINED_BYTES: usize = 8 * MAX_BODY_BYTES;
/// Bodies above this are checked on a thread of their own: some hundred reports, below a millisecond.
const SMALL_BODY_BYTES: usize = 1 << 15;

#[derive(Deserialize)]
pub(super) struct Parameters {
    #[serde(default)]
    key: String,
}

/// What became of the reports of an upload.
#[derive(Debug, Default, Serialize)]
pub(super) struct Receipt {
    accepted: u64,
    duplicate: u64,
    late: u64,
    early: u64,
    rejected: u64,
    problems: Vec<Count>,
}

#[derive(Debug, Serialize)]
struct Count {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    reports: u64,
    #[serde(skip)]
    problem: Problem,
}

pub(super) async fn upload(
    State(app): State<Arc<App>>,
    parameters: Result<Query<Parameters>, axum::extract::rejection::QueryRejection>,
    body: Body,
) -> Response {
    let key = parameters.map(|Query(parameters)| parameters.key).unwrap_or_default();
    // The body is read whatever the key: a client that is still sending would not see the answer.
    let body = timeout(BODY_TIMEOUT, read(body)).await;
    let spec = match spec_of(&app, key).await {
        Ok(spec) => spec,
        Err(problem) => {
            let unknown_key = u64::from(problem == Problem::UnknownKey);
            app.counters.count(Tally { unknown_key, ..Tally::default() });
            return problem.with(Receipt::default());
        }
    };
    match body {
        Ok(Ok(body)) => take(&app, spec, body).await.unwrap_or_else(|problem| problem.with(Receipt::default())),
        Ok(Err(TooLarge)) => {
            app.counters.count(Tally { oversized: 1, ..Tally::default() });
            Problem::BodyTooLarge.with(Receipt::default())
        }
        Err(_) => Problem::SlowBody.with(Receipt::default()),
    }
}

struct TooLarge;

/// Reads a body up to the limit. One that breaks off is as long as it is: its framing shows the break.
async fn read(mut body: Body) -> Result<Bytes, TooLarge> {
    let (mut bytes, mut seen) = (Vec::new(), 0);
    while let Some(Ok(frame)) = body.frame().await {
        let Some(data) = frame.data_ref() else { continue };
        seen += data.len();
        if seen <= MAX_BODY_BYTES {
            bytes.extend_from_slice(data);
        } else if seen > DRAINED_BYTES {
            break;
        }
    }
    if seen <= MAX_BODY_BYTES { Ok(bytes.into()) } else { Err(TooLarge) }
}

async fn spec_of(app: &Arc<App>, key: String) -> Result<Arc<Registered>, Problem> {
    if let Some(spec) = app.registry.snapshot().by_key(&key) {
        return Ok(Arc::clone(spec));
    }
    let snapshot = app.blocking(|app| app.registry.refresh()).await?;
    snapshot.by_key(&key).cloned().ok_or(Problem::UnknownKey)
}

async fn take(app: &Arc<App>, spec: Arc<Registered>, body: Bytes) -> Result<Response, Problem> {
    let now = app.clock.now_secs();
    let checked = if body.len() <= SMALL_BODY_BYTES {
        check(&spec, &body, now)
    } else {
        let spec = Arc::clone(&spec);
        // Cannot fail: checking does not panic, and the runtime outlives its requests.
        tokio::task::spawn_blocking(move || check(&spec, &body, now)).await.expect("a check that ends")
    };
    let Ok(Checked { refusals, entries }) = checked else {
        app.counters.count(Tally { malformed: 1, ..Tally::default() });
        let mut receipt = Receipt::default();
        receipt.add(Problem::MalformedReport);
        return Ok(receipt.response());
    };
    let outcomes = if entries.is_empty() {
        Vec::new()
    } else {
        app.queue.submit(spec, entries).await.map_err(|error| match error {
            NotStored::QueueFull => Problem::Overloaded,
            NotStored::StoreFailed => Problem::StoreFailed,
        })?
    };
    app.counters.count(tally_of(&refusals));
    Ok(Receipt::of(&refusals, outcomes).response())
}

impl Receipt {
    fn of(refusals: &[Option<Refusal>], outcomes: Vec<Outcome>) -> Self {
        let mut receipt = Self::default();
        let mut outcomes = outcomes.into_iter();
        for refusal in refusals {
            let problem = match refusal {
                Some(refusal) => problem_of(*refusal),
                None => match outcomes.next() {
                    Some(Outcome::Duplicate) => Problem::DuplicateReport,
                    Some(Outcome::Late) => Problem::LateWindow,
                    Some(Outcome::Accepted) | None => {
                        receipt.accepted += 1;
                        continue;
                    }
                },
            };
            receipt.add(problem);
        }
        receipt
    }

    fn add(&mut self, problem: Problem) {
        *match problem {
            Problem::DuplicateReport => &mut self.duplicate,
            Problem::LateWindow => &mut self.late,
            Problem::EarlyWindow => &mut self.early,
            _ => &mut self.rejected,
        } += 1;
        match self.problems.iter_mut().find(|count| count.problem == problem) {
            Some(count) => count.reports += 1,
            None => self.problems.push(Count { kind: problem.kind(), title: problem.title(), reports: 1, problem }),
        }
    }

    fn response(self) -> Response {
        match self.problems.first() {
            Some(first) if self.accepted == 0 => first.problem.with(self),
            _ => (StatusCode::ACCEPTED, Json(self)).into_response(),
        }
    }
}

fn problem_of(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Malformed => Problem::MalformedReport,
        Refusal::UnsupportedVersion => Problem::UnsupportedVersion,
        Refusal::ForeignSpec => Problem::ForeignSpec,
        Refusal::UnknownQuestion => Problem::UnknownQuestion,
        Refusal::Late => Problem::LateWindow,
        Refusal::Early => Problem::EarlyWindow,
    }
}

fn tally_of(refusals: &[Option<Refusal>]) -> Tally {
    let mut tally = Tally::default();
    for refusal in refusals.iter().flatten() {
        *match refusal {
            Refusal::Malformed | Refusal::UnsupportedVersion => &mut tally.malformed,
            Refusal::ForeignSpec => &mut tally.foreign,
            Refusal::UnknownQuestion => &mut tally.unknown_question,
            Refusal::Late => &mut tally.late,
            Refusal::Early => &mut tally.early,
        } += 1;
    }
    tally
}
