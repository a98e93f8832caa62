//! `POST /v1/clock`: moves a simulated clock. The route exists under such a clock alone.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use serde::Deserialize;

use super::{App, Problem};
use crate::clock::ClockError;
use crate::verdicts::ClockState;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    now_secs: u64,
}

pub(super) async fn advance(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<ClockState>, Problem> {
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or("");
    if !app.admin_token.as_ref().is_some_and(|token| token.admits(given)) {
        return Err(Problem::Unauthorized);
    }
    let Advance { now_secs } = serde_json::from_slice(&body).map_err(|_| Problem::MalformedRequest)?;
    app.clock.advance(now_secs).map_err(|error| match error {
        ClockError::Backwards => Problem::ClockBackwards,
        ClockError::TooLate => Problem::MalformedRequest,
        ClockError::NotSimulated => Problem::NotFound,
    })?;
    app.queue.tick();
    Ok(Json(ClockState::of(&app.clock)))
}
