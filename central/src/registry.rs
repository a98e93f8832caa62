//! The registered specs, as ingestion and reading need them.
//!
//! `driftglass spec add` writes to the store beside a running server. The server keeps what it read under the store's generation number, and reads again when
//! the number has grown: every second, at each read, and when a key is unknown.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use driftglass::drift::Reference;
use driftglass::privacy::{Decoder, decoder_of};
use driftglass::spec::{MonitorSpec, SpecError, SpecId};
use serde_json::value::RawValue;

use crate::store::{SpecRow, Store, StoreError, generation, list_specs};

/// A registered spec, read.
#[derive(Debug)]
pub struct Registered {
    /// Its number in the store.
    pub row: i64,
    /// Its ingest key.
    pub ingest_key: String,
    /// When it was first registered.
    pub registered_at_secs: u64,
    /// The spec.
    pub spec: MonitorSpec,
    /// Its text, as registered.
    pub document: Box<RawValue>,
    /// One per question.
    pub randomizers: Vec<Box<dyn Decoder>>,
    /// The reference, if there is one.
    pub reference: Option<Reference>,
    /// Its text, as registered.
    pub reference_document: Option<String>,
}

/// What was registered at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    generation: i64,
    specs: Vec<Arc<Registered>>,
    by_key: HashMap<String, Arc<Registered>>,
    by_id: HashMap<SpecId, Arc<Registered>>,
}

/// Registered specs that follow the store.
#[derive(Debug)]
pub struct Registry {
    store: Arc<Store>,
    current: RwLock<Arc<Snapshot>>,
}

impl Registry {
    /// Reads what is registered.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn load(store: Arc<Store>) -> Result<Self, StoreError> {
        let registry = Self { store, current: RwLock::default() };
        registry.refresh()?;
        Ok(registry)
    }

    /// What was registered when the store was last read.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        // A thread that panicked here left a whole snapshot behind.
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is registered now. Reads one number, and the specs only if it has grown. Blocks.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn refresh(&self) -> Result<Arc<Snapshot>, StoreError> {
        let known = self.snapshot().generation;
        let read = |connection: &mut rusqlite::Connection| {
            let snapshot = connection.transaction()?;
            let generation = generation(&snapshot)?;
            if generation == known {
                return Ok(None);
            }
            Ok(Some((generation, list_specs(&snapshot)?)))
        };
        if let Some((generation, rows)) = self.store.read(read)? {
            let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
            if generation > current.generation {
                *current = Arc::new(Snapshot::of(generation, rows));
            }
        }
        Ok(self.snapshot())
    }
}

impl Snapshot {
    fn of(generation: i64, rows: Vec<SpecRow>) -> Self {
        let mut snapshot = Self { generation, ..Self::default() };
        for row in rows {
            let number = row.row;
            match Registered::read(row) {
                Ok(registered) => snapshot.insert(Arc::new(registered)),
                Err(error) => tracing::error!(row = number, %error, "a stored spec cannot be read and is left out"),
            }
        }
        snapshot
    }

    fn insert(&mut self, registered: Arc<Registered>) {
        self.by_key.insert(registered.ingest_key.clone(), Arc::clone(&registered));
        self.by_id.insert(registered.spec.id(), Arc::clone(&registered));
        self.specs.push(registered);
    }

    /// All, in the order of registration.
    #[must_use]
    pub fn specs(&self) -> &[Arc<Registered>] {
        &self.specs
    }

    /// The spec that an ingest key belongs to.
    #[must_use]
    pub fn by_key(&self, key: &str) -> Option<&Arc<Registered>> {
        self.by_key.get(key)
    }

    /// The spec with an id.
    #[must_use]
    pub fn by_id(&self, id: SpecId) -> Option<&Arc<Registered>> {
        self.by_id.get(&id)
    }
}

impl Registered {
    /// A spec that is registered nowhere, for one judgement: row 0, no key, the document `null`.
    #[must_use]
    pub fn passing(spec: MonitorSpec, reference: Option<Reference>) -> Self {
        Self {
            row: 0,
            ingest_key: String::new(),
            registered_at_secs: 0,
            document: RawValue::NULL.to_owned(),
            randomizers: spec.questions.iter().map(decoder_of).collect(),
            spec,
            reference,
            reference_document: None,
        }
    }

    fn read(row: SpecRow) -> Result<Self, Unreadable> {
        let spec = MonitorSpec::parse(&row.document)?;
        let reference = row.reference.as_deref().map(|text| Reference::parse(text, &spec)).transpose()?;
        Ok(Self {
            row: row.row,
            ingest_key: row.ingest_key,
            registered_at_secs: row.registered_at_secs,
            document: RawValue::from_string(row.document)?,
            randomizers: spec.questions.iter().map(decoder_of).collect(),
            spec,
            reference,
            reference_document: row.reference,
        })
    }
}

#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error(transparent)]
    Rule(#[from] SpecError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}
