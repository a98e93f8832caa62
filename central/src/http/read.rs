//! What can be read: status, specs, references, verdicts.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::response::IntoResponse;
use driftglass::spec::SpecId;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{App, Problem};
use crate::registry::{Registered, Snapshot};
use crate::store::{StoreError, strata, total};
use crate::tally::Tally;
use crate::verdicts::{self, Causes, ClockState, Performance, SpecVerdicts};

#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
}

#[derive(Serialize)]
pub(super) struct Status {
    version: &'static str,
    clock: ClockState,
    specs: usize,
    counters: Tally,
}

/// A registered spec in a list.
#[derive(Debug, Serialize)]
pub struct SpecSummary {
    spec_id: String,
    app: String,
    description: String,
    registered_at_secs: u64,
    ingest_key: String,
    has_reference: bool,
}

#[derive(Serialize)]
pub(super) struct SpecDetail {
    #[serde(flatten)]
    summary: SpecSummary,
    document: Box<RawValue>,
}

impl SpecSummary {
    /// What a list says about a spec.
    #[must_use]
    pub fn of(registered: &Registered) -> Self {
        Self {
            spec_id: registered.spec.id().to_string(),
            app: registered.spec.app.clone(),
            description: registered.spec.description.clone(),
            registered_at_secs: registered.registered_at_secs,
            ingest_key: registered.ingest_key.clone(),
            has_reference: registered.reference.is_some(),
        }
    }
}

impl App {
    /// Runs what blocks on the database; at most a few at once.
    pub(super) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        // Cannot fail: the semaphore is never closed.
        let _turn = self.reads.acquire().await.expect("an open semaphore");
        let app = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&app)).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => {
                tracing::error!(%error, "the store cannot be read");
                Err(Problem::StoreFailed)
            }
            Err(error) => {
                tracing::error!(%error, "a read did not end");
                Err(Problem::StoreFailed)
            }
        }
    }

    /// Lets through who sends the admin token.
    pub(super) fn operator(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or("");
        if self.admin_token.admits(given) { Ok(()) } else { Err(Problem::Unauthorized) }
    }

    async fn registered(self: &Arc<Self>) -> Result<Arc<Snapshot>, Problem> {
        self.blocking(|app| app.registry.refresh()).await
    }

    pub(super) async fn spec(self: &Arc<Self>, id: &str) -> Result<Arc<Registered>, Problem> {
        let id = SpecId::from_hex(id).ok_or(Problem::UnknownSpec)?;
        self.registered().await?.by_id(id).cloned().ok_or(Problem::UnknownSpec)
    }
}

pub(super) async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

pub(super) async fn status(State(app): State<Arc<App>>) -> Result<Json<Status>, Problem> {
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        clock: ClockState::of(&app.clock),
        specs: app.registered().await?.specs().len(),
        counters: app.counters.total(),
    }))
}

pub(super) async fn specs(State(app): State<Arc<App>>) -> Result<Json<Vec<SpecSummary>>, Problem> {
    Ok(Json(app.registered().await?.specs().iter().map(|spec| SpecSummary::of(spec)).collect()))
}

pub(super) async fn spec(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<SpecDetail>, Problem> {
    let spec = app.spec(&id).await?;
    Ok(Json(SpecDetail { summary: SpecSummary::of(&spec), document: spec.document.clone() }))
}

pub(super) async fn reference(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let document = app.spec(&id).await?.reference_document.clone().ok_or(Problem::NoReference)?;
    Ok(([(CONTENT_TYPE, "application/json")], document))
}

pub(super) async fn verdicts(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<SpecVerdicts>, Problem> {
    let spec = app.spec(&id).await?;
    let judge = move |app: &App| {
        let strata = app.store.read(|connection| strata(connection, &spec))?;
        Ok(verdicts::verdicts(&spec, &total(&spec, strata.values()), &strata, &app.clock))
    };
    Ok(Json(app.blocking(judge).await?))
}

pub(super) async fn causes(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<Causes>, Problem> {
    let spec = app.spec(&id).await?;
    let look = move |app: &App| {
        let strata = app.store.read(|connection| strata(connection, &spec))?;
        Ok(verdicts::causes(&spec, &total(&spec, strata.values()), &app.clock))
    };
    Ok(Json(app.blocking(look).await?))
}

pub(super) async fn performance(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Performance>, Problem> {
    let spec = app.spec(&id).await?;
    let look = move |app: &App| {
        let strata = app.store.read(|connection| strata(connection, &spec))?;
        Ok(verdicts::performance(&spec, &strata, &app.clock))
    };
    Ok(Json(app.blocking(look).await?))
}
