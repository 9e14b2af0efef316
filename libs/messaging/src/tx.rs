//! The inside of a write: what a command, a handler or any other act of the writer gets to work with.
//!
//! A [`Tx`] is a part of the writer's transaction that can be undone by itself, the business clock, and a place to put
//! events and jobs. There is nothing else on purpose (REL-13): an act that waits for a network would stop every other
//! write.
//!
//! What makes a part undoable is a savepoint, and that is two more statements for each act, of five or so. Nearly all acts
//! succeed, so the writer first runs a batch [`Parts::Joined`], without savepoints; the first refusal spoils the
//! transaction, which then runs again with [`Parts::Apart`].

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::Timestamp;
use sea_orm::{DatabaseTransaction, DbErr, TransactionTrait as _};

use crate::event::{NewEvent, Origin};
use crate::job::NewJob;

/// One act's view of the transaction.
pub struct Tx {
    connection: Arc<DatabaseTransaction>,
    now: Timestamp,
    origin: Arc<Origin>,
    batch: Arc<Batch>,
    outbox: Mutex<Outbox>,
}

/// Whether the acts of a transaction can be undone one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parts {
    /// No: an act that refuses spoils the whole transaction.
    Joined,
    /// Yes: each has a savepoint.
    Apart,
}

/// What all acts of a transaction share.
#[derive(Debug)]
struct Batch {
    parts: Parts,
    savepoints: AtomicU32,
    is_spoilt: AtomicBool,
}

/// What an act wants to happen if it is committed.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) events: Vec<Published>,
    pub(crate) jobs: Vec<Scheduled>,
}

/// An event on its way to the log.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) event: NewEvent,
    pub(crate) origin: Arc<Origin>,
    pub(crate) occurred_at: Timestamp,
}

/// A job on its way to the table.
#[derive(Debug)]
pub(crate) struct Scheduled {
    pub(crate) job: NewJob,
    pub(crate) origin: Arc<Origin>,
}

/// How an act in a savepoint ended. Only [`Attempt::Done`] left anything behind.
#[derive(Debug)]
pub enum Attempt<T, E> {
    /// Its writes, events and jobs are part of the transaction.
    Done(T),
    /// It said no; everything it did was undone.
    Refused(E),
    /// It panicked; everything it did was undone. The text is the panic's, for the log.
    Panicked(String),
}

impl Tx {
    /// The root of a batch: the writer's own view of its transaction.
    pub(crate) fn root(transaction: DatabaseTransaction, now: Timestamp, parts: Parts) -> Self {
        Self {
            connection: Arc::new(transaction),
            now,
            origin: Arc::default(),
            batch: Arc::new(Batch {
                parts,
                savepoints: AtomicU32::default(),
                is_spoilt: AtomicBool::default(),
            }),
            outbox: Mutex::default(),
        }
    }

    /// The connection, for the store's functions. It must not be committed, rolled back or begun on by hand.
    pub fn conn(&self) -> &DatabaseTransaction {
        &self.connection
    }

    /// Now, by the business clock: the same for the whole act, in microseconds.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Publishes an event when the act is committed. Its place in the lane is given at the end of the batch, in the
    /// order of the calls.
    pub fn publish(&self, event: NewEvent) {
        let published = Published { event, origin: Arc::clone(&self.origin), occurred_at: self.now };
        self.outbox().events.push(published);
    }

    /// Schedules a job when the act is committed; a job whose kind and dedupe key exist already is left as it is.
    pub fn schedule(&self, job: NewJob) {
        let scheduled = Scheduled { job, origin: Arc::clone(&self.origin) };
        self.outbox().jobs.push(scheduled);
    }

    /// Runs `act` as a part of its own: all or nothing. What it publishes carries `origin`. A panic is caught.
    ///
    /// # Errors
    /// The part could not be begun or ended: the transaction is lost, and the caller must give up with an error. The
    /// writer may then run the caller again.
    pub async fn attempt<T, E, F>(&self, origin: Origin, act: F) -> Result<Attempt<T, E>, DbErr>
    where
        F: for<'a> FnOnce(&'a Tx) -> BoxFuture<'a, Result<T, E>> + Send,
    {
        self.attempt_at(self.now, origin, act).await
    }

    pub(crate) async fn attempt_at<T, E, F>(
        &self,
        now: Timestamp,
        origin: Origin,
        act: F,
    ) -> Result<Attempt<T, E>, DbErr>
    where
        F: for<'a> FnOnce(&'a Tx) -> BoxFuture<'a, Result<T, E>> + Send,
    {
        let connection = match self.batch.parts {
            Parts::Joined => Arc::clone(&self.connection),
            Parts::Apart => Arc::new(self.begin_savepoint().await?),
        };
        let inner = Tx {
            connection,
            now,
            origin: Arc::new(origin),
            batch: Arc::clone(&self.batch),
            outbox: Mutex::default(),
        };
        crate::crash::point("writer.act_begun");
        // A panic can leave nothing half done that outlives it: the part is undone and `inner` dropped.
        let outcome = AssertUnwindSafe(async { act(&inner).await }).catch_unwind().await;
        let Tx { connection, outbox, .. } = inner;
        match outcome {
            Ok(Ok(done)) => {
                if self.batch.parts == Parts::Apart {
                    owned(connection)?.commit().await?;
                }
                let kept = outbox.into_inner().unwrap_or_else(PoisonError::into_inner);
                let mut outbox = self.outbox();
                outbox.events.extend(kept.events);
                outbox.jobs.extend(kept.jobs);
                Ok(Attempt::Done(done))
            }
            Ok(Err(refusal)) => {
                self.undo(connection).await?;
                Ok(Attempt::Refused(refusal))
            }
            Err(panic) => {
                self.undo(connection).await?;
                Ok(Attempt::Panicked(panic_text(panic.as_ref())))
            }
        }
    }

    /// Undoes a part, or everything if there are none.
    async fn undo(&self, connection: Arc<DatabaseTransaction>) -> Result<(), DbErr> {
        match self.batch.parts {
            Parts::Apart => owned(connection)?.rollback().await,
            Parts::Joined => {
                self.batch.is_spoilt.store(true, Ordering::Relaxed);
                Err(DbErr::Custom("an act of a transaction without savepoints was refused".to_owned()))
            }
        }
    }

    /// A nested `begin` of sea-orm is a savepoint.
    #[expect(clippy::disallowed_methods, reason = "runs in the writer's task, which no request can cancel")]
    async fn begin_savepoint(&self) -> Result<DatabaseTransaction, DbErr> {
        self.batch.savepoints.fetch_add(1, Ordering::Relaxed);
        self.connection.begin().await
    }

    /// Savepoints opened in this transaction so far; PostgreSQL slows down badly beyond 64 (REL-12).
    pub(crate) fn savepoints(&self) -> u32 {
        self.batch.savepoints.load(Ordering::Relaxed)
    }

    /// True if an act was refused that cannot be undone by itself.
    pub(crate) fn is_spoilt(&self) -> bool {
        self.batch.is_spoilt.load(Ordering::Relaxed)
    }

    /// Bytes of event payload published so far.
    pub(crate) fn published_bytes(&self) -> usize {
        self.outbox().events.iter().map(|published| published.event.payload.len()).sum()
    }

    /// Ends the root: gives back the transaction and what is to be published.
    ///
    /// # Errors
    /// If an act has kept the connection, which its type forbids.
    pub(crate) fn into_parts(self) -> Result<(DatabaseTransaction, Outbox), DbErr> {
        let outbox = self.outbox.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok((owned(self.connection)?, outbox))
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx").field("now", &self.now).field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// The transaction, when nobody else holds it any more: acts only borrow it.
fn owned(connection: Arc<DatabaseTransaction>) -> Result<DatabaseTransaction, DbErr> {
    Arc::into_inner(connection).ok_or_else(|| DbErr::Custom("an act has kept its connection".to_owned()))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without text".to_owned())
}
