//! `POST /v1/clock`: moves a simulated clock. The route exists under such a clock alone.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
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
    app.operator(&headers)?;
    let Advance { now_secs } = serde_json::from_slice(&body).map_err(|_| Problem::MalformedRequest)?;
    app.clock.advance(now_secs).map_err(|error| match error {
        ClockError::Backwards => Problem::ClockBackwards,
        ClockError::TooLate => Problem::MalformedRequest,
        ClockError::NotSimulated => Problem::NotFound,
    })?;
    app.queue.tick();
    Ok(Json(ClockState::of(&app.clock)))
}
