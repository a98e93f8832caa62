//! Versions of references: list, read, and make one from the fleet's own closed windows (operators alone).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use driftglass::drift::{Calendar, Fallback, SeasonKind};
use driftglass::spec::WindowIndex;
use serde::{Deserialize, Serialize};

use super::{App, Problem};
use crate::reference::from_windows::from_windows;
use crate::reference::{MakeError, Seasons, VersionSummary};
use crate::store::{StoreError, add_reference, first_open_window, list_references, reference_document, strata, total};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    windows: [WindowIndex; 2],
    #[serde(default)]
    season: WantedSeason,
    #[serde(default, rename = "use")]
    put_to_use: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WantedSeason {
    kind: String,
    utc_offset_secs: i32,
    fallback: String,
}

impl Default for WantedSeason {
    fn default() -> Self {
        Self { kind: SeasonKind::None.name().to_owned(), utc_offset_secs: 0, fallback: "wait".to_owned() }
    }
}

impl WantedSeason {
    fn read(&self) -> Option<Seasons> {
        let (_, kind) = SeasonKind::NAMED.into_iter().find(|(name, _)| *name == self.kind)?;
        let fallback = match self.fallback.as_str() {
            "wait" => Fallback::Wait,
            "all-seasons" => Fallback::AllSeasons,
            _ => return None,
        };
        let within = self.utc_offset_secs.unsigned_abs() <= Calendar::MAX_OFFSET_SECS.unsigned_abs();
        within.then_some(Seasons { calendar: Calendar { kind, utc_offset_secs: self.utc_offset_secs }, fallback })
    }
}

#[derive(Serialize)]
pub(super) struct MadeVersion {
    version: String,
    added: bool,
    not_covered: BTreeMap<String, String>,
    missing_seasons: BTreeMap<String, Vec<u16>>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Vec<VersionSummary>>, Problem> {
    let id = app.spec(&id).await?.spec.id();
    let rows = app.blocking(move |app| app.store.read(|connection| list_references(connection, id))).await?;
    Ok(Json(rows.into_iter().map(VersionSummary::of).collect()))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path((id, version)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let id = app.spec(&id).await?.spec.id();
    let read = move |app: &App| match app.store.read(|connection| reference_document(connection, id, Some(&version))) {
        Err(StoreError::UnknownReference) => Ok(None),
        found => found.map(Some),
    };
    let document = app.blocking(read).await?.ok_or(Problem::UnknownReference)?;
    Ok(([(CONTENT_TYPE, "application/json")], document))
}

pub(super) async fn make(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<MadeVersion>), Problem> {
    app.operator(&headers)?;
    let registered = app.spec(&id).await?;
    let wanted: Wanted = serde_json::from_slice(&body).map_err(|_| Problem::MalformedRequest)?;
    let seasons = wanted.season.read().ok_or(Problem::MalformedRequest)?;
    let now_secs = app.clock.now_secs();
    let work = move |app: &App| {
        let id = registered.spec.id();
        let (open, strata) =
            app.store.read(|connection| Ok((first_open_window(connection, id)?, strata(connection, &registered)?)))?;
        let made = match from_windows(&registered, &total(&registered, strata.values()), wanted.windows, open, &seasons)
        {
            Ok(made) => made,
            Err(MakeError::Store(error)) => return Err(error),
            Err(error) => return Ok(Err(error)),
        };
        let (version, added) =
            add_reference(&mut app.store.connect()?, id, &made.document, wanted.put_to_use, now_secs)?;
        Ok(Ok(MadeVersion {
            version: version.to_string(),
            added,
            not_covered: made.not_covered.into_iter().map(|(name, reason)| (name, reason.to_string())).collect(),
            missing_seasons: made.missing_seasons.into_iter().collect(),
        }))
    };
    match app.blocking(work).await? {
        Ok(made) if made.added => Ok((StatusCode::CREATED, Json(made))),
        Ok(made) => Ok((StatusCode::OK, Json(made))),
        Err(MakeError::Nothing(_)) => Err(Problem::NothingCovered),
        Err(_) => Err(Problem::OpenWindows),
    }
}
