//! The one thread that writes: a bounded queue, group commit, and answers that come after the commit.
//!
//! The thread takes all that waits, up to some thousand reports, and commits it in one transaction. While it waits for the disk the next group gathers, so groups
//! grow with the load and nobody waits for a timer.
//!
//! | The database says | Then |
//! | --- | --- |
//! | committed | each upload is told the fate of its reports |
//! | full, or busy beyond the timeout | the group is told to come back; the thread goes on |
//! | anything else, failed fsync included | the group is told to come back, the thread ends, and the server with it: after a failed fsync nothing that this process believes about the file can be trusted, so the next start recovers from the file alone |

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::clock::Clock;
use crate::intake::Entry;
use crate::registry::{Registered, Registry};
use crate::store::{Outcome, StoreError, Upload, close_windows, commit};
use crate::tally::Counters;

/// Most reports of one commit, give or take one upload: some tens of milliseconds of work.
const GROUP_REPORTS: usize = 16_384;

/// How much may wait.
#[derive(Debug, Clone, Copy)]
pub struct QueueLimits {
    /// Uploads.
    pub uploads: usize,
    /// Reports in them.
    pub reports: usize,
}

impl Default for QueueLimits {
    /// Reports: twelve of the largest bodies, about 60 MB in memory, some seconds of work. Uploads: more than a process usually
    /// has connections.
    fn default() -> Self {
        Self { uploads: 4_096, reports: 262_144 }
    }
}

/// Why an upload was not taken in. Sending the same bytes again is safe in both cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotStored {
    /// The queue is full.
    #[error("the queue is full")]
    QueueFull,
    /// The store does not take it.
    #[error("the store cannot take reports at the moment")]
    StoreFailed,
}

/// The way to the writer.
#[derive(Debug, Clone)]
pub struct Queue {
    sender: mpsc::Sender<Message>,
    room: Arc<Semaphore>,
}

/// What the writer works with.
#[derive(Debug)]
pub struct Writer {
    /// Its connection.
    pub connection: Connection,
    /// Decides which windows are open.
    pub clock: Arc<Clock>,
    /// Names the specs whose windows are to be closed.
    pub registry: Arc<Registry>,
    /// What is saved with each commit.
    pub counters: Arc<Counters>,
}

enum Message {
    Upload(Job),
    /// Save counts, close windows.
    Tick,
    Stop,
}

struct Job {
    spec: Arc<Registered>,
    entries: Vec<Entry>,
    answer: oneshot::Sender<Result<Vec<Outcome>, NotStored>>,
    /// Room in the queue; given back when the job is done.
    _room: OwnedSemaphorePermit,
}

impl Queue {
    /// Hands reports over and waits until their fate is durable. One outcome per entry.
    ///
    /// # Errors
    ///
    /// [`NotStored`]; then nothing was counted.
    pub async fn submit(&self, spec: Arc<Registered>, entries: Vec<Entry>) -> Result<Vec<Outcome>, NotStored> {
        let weight = u32::try_from(entries.len()).map_err(|_| NotStored::QueueFull)?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(weight).map_err(|_| NotStored::QueueFull)?;
        let (answer, answered) = oneshot::channel();
        self.sender.try_send(Message::Upload(Job { spec, entries, answer, _room: room })).map_err(
            |error| match error {
                TrySendError::Full(_) => NotStored::QueueFull,
                TrySendError::Closed(_) => NotStored::StoreFailed,
            },
        )?;
        answered.await.unwrap_or(Err(NotStored::StoreFailed))
    }

    /// Asks for counts to be saved and windows to be closed. Does nothing if the queue is full: the writer is busy, and will be asked again.
    pub fn tick(&self) {
        let _ = self.sender.try_send(Message::Tick);
    }

    /// Asks the writer to end after what waits.
    pub async fn stop(&self) {
        let _ = self.sender.send(Message::Stop).await;
    }
}

impl Writer {
    /// Starts the thread. It ends when asked to, or with the error that the store cannot go on after.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn start(self, limits: QueueLimits) -> io::Result<(Queue, JoinHandle<Result<(), StoreError>>)> {
        let (sender, receiver) = mpsc::channel(limits.uploads);
        let thread = thread::Builder::new().name("writer".to_owned()).spawn(move || self.run(receiver))?;
        Ok((Queue { sender, room: Arc::new(Semaphore::new(limits.reports)) }, thread))
    }

    fn run(mut self, mut receiver: mpsc::Receiver<Message>) -> Result<(), StoreError> {
        while let Some(first) = receiver.blocking_recv() {
            let (mut jobs, mut reports, mut tick) = (Vec::new(), 0, false);
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Upload(job) => {
                        reports += job.entries.len();
                        jobs.push(job);
                    }
                    Message::Tick => tick = true,
                    // What waits is still received; after it, `blocking_recv` returns `None`.
                    Message::Stop => receiver.close(),
                }
                next = if reports < GROUP_REPORTS { receiver.try_recv().ok() } else { None };
            }
            if !jobs.is_empty() || tick {
                self.commit(jobs)?;
            }
            if tick {
                tolerate(self.close_windows(&receiver))?;
            }
        }
        self.commit(Vec::new())?;
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Commits a group and answers it; an error is one that the store cannot go on after.
    fn commit(&mut self, jobs: Vec<Job>) -> Result<(), StoreError> {
        let unsaved = self.counters.take_unsaved();
        if jobs.is_empty() && unsaved == Default::default() {
            return Ok(());
        }
        let uploads: Vec<_> = jobs.iter().map(|job| Upload { spec: &job.spec, entries: &job.entries }).collect();
        match commit(&mut self.connection, &uploads, self.clock.now_secs(), unsaved) {
            Ok((outcomes, tally)) => {
                self.counters.count_saved(tally);
                for (job, outcomes) in jobs.into_iter().zip(outcomes) {
                    // An upload whose connection is gone is stored all the same.
                    let _ = job.answer.send(Ok(outcomes));
                }
                Ok(())
            }
            Err(error) => {
                self.counters.give_back(unsaved);
                for job in jobs {
                    let _ = job.answer.send(Err(NotStored::StoreFailed));
                }
                tolerate(Err(error))
            }
        }
    }

    /// Closes windows whose grace is over, and makes room as long as nobody waits.
    fn close_windows(&mut self, receiver: &mpsc::Receiver<Message>) -> Result<(), StoreError> {
        let now = self.clock.now_secs();
        for registered in self.registry.snapshot().specs() {
            let window = registered.spec.window;
            // The first w with now < (w + 1) · length + grace.
            let first_open = window.index_at(now.saturating_sub(window.grace_secs));
            while close_windows(&mut self.connection, registered.row, first_open)? && receiver.is_empty() {}
        }
        Ok(())
    }
}

/// Passes over errors that go away by themselves.
fn tolerate(result: Result<(), StoreError>) -> Result<(), StoreError> {
    let Err(error) = result else { return Ok(()) };
    let code = match &error {
        StoreError::Database(error) => error.sqlite_error_code(),
        _ => None,
    };
    tracing::error!(%error, "the store did not take a group");
    match code {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Ok(()),
        _ => Err(error),
    }
}
