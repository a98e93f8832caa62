//! Routes. `docs/http-api.md` is the contract.
//!
//! Any origin may post reports: the request is a simple one without credentials, and an ingest key only adds. All other routes are for pages of the same
//! origin.

use std::sync::Arc;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method};
use axum::routing::{get, post};
use tokio::sync::Semaphore;
use tower_http::cors::{Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::clock::Clock;
use crate::keys::AdminToken;
use crate::registry::Registry;
use crate::store::Store;
use crate::tally::Counters;
use crate::writer::Queue;

mod clock;
mod pages;
mod problem;
mod read;
mod references;
mod reports;

pub use problem::Problem;
pub use read::SpecSummary;

/// What requests work with.
#[derive(Debug)]
pub struct App {
    /// The database.
    pub store: Arc<Store>,
    /// The registered specs.
    pub registry: Arc<Registry>,
    /// What time it is.
    pub clock: Arc<Clock>,
    /// How many reports met which fate.
    pub counters: Arc<Counters>,
    /// The way to the writer.
    pub queue: Queue,
    /// Who may make references and move a simulated clock.
    pub admin_token: AdminToken,
    /// Reads of the database that may run at once.
    pub reads: Semaphore,
}

/// All routes.
pub fn router(app: Arc<App>) -> Router {
    // Pages of other origins see when to come back only if they are told that they may.
    let any_origin = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::POST])
        .allow_headers([CONTENT_TYPE])
        .expose_headers([RETRY_AFTER]);
    // Inside the layer, so that it sees preflights, which are of a method without a route.
    let uploads = Router::new()
        .route("/v1/reports", post(reports::upload))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(any_origin);
    let mut api = Router::new()
        .route("/healthz", get(read::health))
        .route("/v1/status", get(read::status))
        .route("/v1/specs", get(read::specs))
        .route("/v1/specs/{spec_id}", get(read::spec))
        .route("/v1/specs/{spec_id}/reference", get(read::reference))
        .route("/v1/specs/{spec_id}/references", get(references::list).post(references::make))
        .route("/v1/specs/{spec_id}/references/{version}", get(references::show))
        .route("/v1/specs/{spec_id}/verdicts", get(read::verdicts))
        .route("/v1/specs/{spec_id}/causes", get(read::causes))
        .route("/v1/specs/{spec_id}/performance", get(read::performance))
        .merge(uploads);
    if matches!(*app.clock, Clock::Simulated(_)) {
        api = api.route("/v1/clock", post(clock::advance));
    }
    api.fallback(pages::serve)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(SetResponseHeaderLayer::overriding(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .with_state(app)
}

async fn method_not_allowed() -> Problem {
    Problem::MethodNotAllowed
}
