//! Start and graceful stop.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::clock::Clock;
use crate::http::{self, App};
use crate::keys::AdminToken;
use crate::registry::Registry;
use crate::store::{Store, StoreError, fix_clock_mode, load_tally};
use crate::tally::Counters;
use crate::writer::{Queue, QueueLimits, Writer};

/// How often counts are saved, windows closed and specs looked for.
const TICK: Duration = Duration::from_secs(1);
/// How long open requests may take after the signal to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// Reads of the database that run at once.
const CONCURRENT_READS: usize = 4;

/// What to serve, and how.
#[derive(Debug)]
pub struct Config {
    /// Where the database is.
    pub data_dir: PathBuf,
    /// Where to listen; port 0 stands for any free one.
    pub listen: SocketAddr,
    /// What time it is.
    pub clock: Clock,
    /// How much may wait.
    pub queue: QueueLimits,
}

/// Why the centre does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The system refused a thread, a file or a connection.
    #[error(transparent)]
    System(#[from] io::Error),
    /// The writer panicked.
    #[error("the writer ended unexpectedly")]
    Writer,
}

/// A centre that listens, and answers once it runs.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    app: Arc<App>,
    writer: JoinHandle<Result<(), StoreError>>,
    _lock: File,
}

impl Server {
    /// Opens the store, starts the writer and listens.
    ///
    /// # Errors
    ///
    /// [`ServeError`]; then nothing is left running.
    pub async fn bind(config: Config) -> Result<Self, ServeError> {
        let store = Arc::new(Store::open(&config.data_dir)?);
        let lock = store.lock()?;
        let connection = store.connect()?;
        fix_clock_mode(&connection, config.clock.mode())?;
        let admin_token = AdminToken::of(store.dir())?;
        let listener =
            TcpListener::bind(config.listen).await.map_err(|error| ServeError::Listen(config.listen, error))?;
        let address = listener.local_addr()?;
        let counters = Arc::new(Counters::from_saved(load_tally(&connection)?));
        let registry = Arc::new(Registry::load(Arc::clone(&store))?);
        let clock = Arc::new(config.clock);
        let writer = Writer {
            connection,
            clock: Arc::clone(&clock),
            registry: Arc::clone(&registry),
            counters: Arc::clone(&counters),
        };
        let (queue, writer) = writer.start(config.queue)?;
        let reads = Semaphore::new(CONCURRENT_READS);
        let app = Arc::new(App { store, registry, clock, counters, queue, admin_token, reads });
        Ok(Self { listener, address, app, writer, _lock: lock })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is done, then finishes what was begun: open requests, the queue, the log of the database.
    ///
    /// # Errors
    ///
    /// [`ServeError`] when the store failed on the way.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let (stop_serving, stopping) = watch::channel(false);
        let listener = self.listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection keeps its delay");
            }
        });
        let serve = axum::serve(listener, http::router(Arc::clone(&self.app))).with_graceful_shutdown(told(stopping));
        let serving = tokio::spawn(async move { serve.await });
        let ticking = tokio::spawn(tick(Arc::clone(&self.app)));
        tokio::select! {
            () = stop => {}
            () = ended(&self.writer) => {}
        }
        stop_serving.send_replace(true);
        if timeout(STOP_TIMEOUT, serving).await.is_err() {
            tracing::warn!("some requests did not end in time and are cut off");
        }
        ticking.abort();
        finish(&self.app.queue, self.writer).await
    }
}

async fn told(mut stopping: watch::Receiver<bool>) {
    // The sender outlives the server, so an error means to stop too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Done when the writer has ended, which it does by itself only after an error.
async fn ended(writer: &JoinHandle<Result<(), StoreError>>) {
    while !writer.is_finished() {
        sleep(TICK / 10).await;
    }
}

async fn tick(app: Arc<App>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        app.queue.tick();
        let registry = Arc::clone(&app.registry);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || registry.refresh().map(drop)).await {
            tracing::error!(%error, "cannot look for new specs");
        }
    }
}

async fn finish(queue: &Queue, writer: JoinHandle<Result<(), StoreError>>) -> Result<(), ServeError> {
    queue.stop().await;
    let joined = tokio::task::spawn_blocking(move || writer.join()).await;
    joined.map_err(|_| ServeError::Writer)?.map_err(|_| ServeError::Writer)??;
    Ok(())
}
