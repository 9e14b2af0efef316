//! The one place that writes: many acts share a transaction, and each can be undone by itself (group commit).
//!
//! A request puts its act into a bounded queue and waits. One task owns the database connection and takes whatever has
//! gathered while the previous batch was committing; so a lone command waits for nobody, and under load a hundred share
//! one fsync. Nobody is answered before COMMIT has returned. Since the request never touches the connection, its
//! cancellation cannot leave a transaction open: a command once taken is finished, and its answer is kept for whoever
//! asks again with the same idempotency key.
//!
//! | file | what it does |
//! | --- | --- |
//! | `writer.rs` | what the rest of a service sees |
//! | `writer/task.rs` | the queue, batches, what happens when a batch fails |
//! | `writer/batch.rs` | one batch in one transaction |
//! | `writer/append.rs` | sequence numbers, hashes, the rows written at the end of a batch |
//! | `writer/watermark.rs` | the events by which readers prove that they have missed nothing |

mod append;
mod batch;
mod housekeeping;
mod task;
mod watermark;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kernel::{Clock, Fault, Ids};
use prost::Message;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::audit;
use crate::database::{Database, DatabaseKind, RETRY};
use crate::event::Origin;
use crate::telemetry::{NotRun, WriterMetrics};
use crate::tx::Tx;
pub(crate) use batch::begin;

/// Commands that may wait; one more is refused.
const QUEUE: usize = 1024;

/// One mutating request as the writer sees it. Made by chassis from the request's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Who sent it: idempotency keys of different principals do not meet.
    pub principal: String,
    /// The idempotency key, 16–64 bytes from clients (REL-20).
    pub key: String,
    /// Name of the RPC, for the log.
    pub rpc: &'static str,
    /// SHA-256 of the request, see [`request_hash`]: the same key with another request is refused.
    pub request_hash: [u8; 32],
    /// When nobody waits for the answer any more; the command is then dropped unless it has begun.
    pub deadline: Option<Instant>,
    /// W3C trace context of the request, if it is traced.
    pub traceparent: Option<String>,
    /// Id shared by everything that follows from the same act of a person.
    pub correlation_id: String,
    /// What the audit log says of it, whether it is done or refused; None for what leaves no row (SEC-40).
    pub audit: Option<Arc<audit::Entry>>,
}

/// The hash by which the writer recognises the same request.
pub fn request_hash(request: &[u8]) -> [u8; 32] {
    Sha256::digest(request).into()
}

/// The two clocks: rules go by the business clock, retention and pauses by real time.
#[derive(Clone, Debug)]
pub struct Clocks {
    /// What acts see as now; an operator may set it in demo mode.
    pub business: Arc<dyn Clock>,
    /// Real time.
    pub real: Arc<dyn Clock>,
}

/// Limits of the writer (REL-12). The defaults are right; tests and benchmarks change them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterSettings {
    /// Most acts in one transaction.
    pub max_batch: usize,
    /// A batch is committed when its events and answers have this many bytes.
    pub max_batch_bytes: usize,
    /// A batch is committed when it has been worked on for so long.
    pub max_batch_time: Duration,
    /// An act that takes longer is undone and refused.
    pub max_act_time: Duration,
    /// A lane gets a watermark after this many events,
    pub watermark_events: u64,
    /// or when nothing has been published in it for so long since the last other event.
    pub watermark_quiet: Duration,
    /// How long answers are kept for repeated commands (REL-20).
    pub keep_answers: Duration,
}

impl WriterSettings {
    /// The limits for a kind of database.
    pub fn for_kind(kind: DatabaseKind) -> Self {
        Self {
            max_batch: match kind {
                DatabaseKind::Sqlite => 128,
                DatabaseKind::Postgres => 48,
            },
            max_batch_bytes: 1024 * 1024,
            max_batch_time: Duration::from_millis(25),
            max_act_time: Duration::from_secs(10),
            watermark_events: 1000,
            watermark_quiet: Duration::from_secs(60),
            keep_answers: Duration::from_secs(7 * 24 * 60 * 60),
        }
    }
}

/// Hands acts to the writer's task. Clones share the task and its queue.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Work>,
    wake: Arc<Wake>,
    clocks: Clocks,
    metrics: WriterMetrics,
}

/// Whom the writer wakes after a commit.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    pub(crate) published: Notify,
    pub(crate) jobs: Notify,
}

/// An act with its types taken off: what it answers is bytes, or nothing and a value kept aside.
pub(crate) type Act = Arc<dyn for<'a> Fn(&'a Tx) -> BoxFuture<'a, Result<Vec<u8>, Fault>> + Send + Sync>;

/// One act in the queue.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    /// Present if the answer goes to the command log.
    pub(crate) logged: Option<Logged>,
    pub(crate) origin: Origin,
    pub(crate) deadline: Option<Instant>,
    /// What to do; None for a row of the audit log alone.
    pub(crate) act: Option<Act>,
    /// The row of the audit log, if there is to be one.
    pub(crate) audit: Option<Audited>,
    pub(crate) reply: oneshot::Sender<Result<Vec<u8>, Fault>>,
}

/// A row of the audit log that waits for its outcome.
#[derive(Clone, Debug)]
pub(crate) struct Audited {
    pub(crate) entry: Arc<audit::Entry>,
    /// Of a reading or a denial, which is decided before it comes here; a command's is its answer.
    pub(crate) outcome: Option<audit::Outcome>,
}

/// What identifies a command in the log.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) principal: String,
    pub(crate) key: String,
    pub(crate) request_hash: [u8; 32],
}

impl Writer {
    /// Starts the writer of a database on `tracker`. There must be one per database and process. When `stop` is
    /// cancelled it finishes what is in the queue, refuses the rest and ends.
    ///
    /// It has a thread of its own: every command waits for the statements of those before it, and on the runtime's
    /// threads each of these would wait behind whatever else is ready there.
    pub fn start(
        database: &Database,
        clocks: Clocks,
        ids: Ids,
        settings: WriterSettings,
        tracker: &TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let wake = Arc::new(Wake::default());
        let metrics = WriterMetrics::installed(database.service());
        let writer =
            Self { queue, wake: Arc::clone(&wake), clocks: clocks.clone(), metrics: metrics.clone() };
        let context = task::Context { database: database.clone(), clocks, ids, settings, wake, metrics };
        let running = task::run(context, receiver, stop);
        let runtime = tokio::runtime::Handle::current();
        tracker.spawn_blocking(move || runtime.block_on(running));
        writer
    }

    /// Runs `act` in the next batch's transaction and answers after COMMIT. The answer is stored with the command's
    /// key; the same command again gets the same answer, byte for byte, without running. `act` may run more than once
    /// before that, so it touches nothing but `tx`.
    ///
    /// # Errors
    /// What `act` refused with, in which case it left nothing behind; AlreadyExists `idempotency_key_reused`;
    /// ResourceExhausted when the queue is full; Unavailable when the database is away or the deadline passed:
    /// then the same command may be sent again.
    pub async fn run<I, R, F>(&self, command: &Command, input: I, act: F) -> Result<R, Fault>
    where
        I: Send + Sync + 'static,
        R: Message + Default + 'static,
        F: for<'a> Fn(&'a Tx, &'a I) -> BoxFuture<'a, Result<R, Fault>> + Send + Sync + 'static,
    {
        let shared = Arc::new((act, input));
        let act: Act = Arc::new(move |tx| {
            let shared = Arc::clone(&shared);
            async move { Ok((shared.0)(tx, &shared.1).await?.encode_to_vec()) }.boxed()
        });
        let logged = Logged {
            principal: command.principal.clone(),
            key: command.key.clone(),
            request_hash: command.request_hash,
        };
        let (work, answer) = Work::new(command, Some(logged), act);
        self.offer(work)?;
        let bytes = answer.await.unwrap_or_else(|_| Err(stopping()))?;
        R::decode(bytes.as_slice()).map_err(Fault::internal)
    }

    /// The same without a row in the command log, for commands that must leave no trace of who did what when
    /// (ballots). `act` keeps its own record of what it has done and answers the same when it is run again.
    ///
    /// # Errors
    /// As [`run`](Self::run), but for reused keys, which are the act's business.
    pub async fn run_unlogged<I, R, F>(&self, command: &Command, input: I, act: F) -> Result<R, Fault>
    where
        I: Send + Sync + 'static,
        R: Message + Default + 'static,
        F: for<'a> Fn(&'a Tx, &'a I) -> BoxFuture<'a, Result<R, Fault>> + Send + Sync + 'static,
    {
        let (act, value) = keeping_value(input, act);
        let (work, answer) = Work::new(command, None, act);
        self.offer(work)?;
        answer.await.unwrap_or_else(|_| Err(stopping()))?;
        take_value(&value)
    }

    /// Writes a row of the audit log of its own, and answers after COMMIT: of a reading that is let through, or with
    /// `denied` of a call that the access layer denied, for that fault. Nothing is kept of a deadline: whoever has no
    /// row must not read (SEC-40).
    ///
    /// # Errors
    /// ResourceExhausted when the queue is full; Unavailable when the database is away or the deadline passed.
    pub async fn audit(
        &self,
        entry: Arc<audit::Entry>,
        denied: Option<&Fault>,
        correlation_id: String,
        deadline: Option<Instant>,
    ) -> Result<(), Fault> {
        let outcome = match denied {
            None => audit::Outcome::Admitted,
            Some(fault) => audit::Outcome::Denied(fault.code().to_owned()),
        };
        let (reply, answer) = oneshot::channel();
        let origin = Origin { correlation_id, ..Origin::default() };
        let name = entry.rpc;
        let audit = Some(Audited { entry, outcome: Some(outcome) });
        self.offer(Work { name, logged: None, origin, deadline, act: None, audit, reply })?;
        answer.await.unwrap_or_else(|_| Err(stopping())).map(drop)
    }

    /// Writes of the machinery itself: projector batches, relay marks, jobs. Waits for room in the queue. The event
    /// an act publishes here has `name` as its cause unless it is published within [`Tx::attempt`].
    ///
    /// # Errors
    /// What `act` refused with, or Unavailable.
    pub async fn internal<I, T, F>(&self, name: &'static str, input: I, act: F) -> Result<T, Fault>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'a> Fn(&'a Tx, &'a I) -> BoxFuture<'a, Result<T, Fault>> + Send + Sync + 'static,
    {
        let (act, value) = keeping_value(input, act);
        let (reply, answer) = oneshot::channel();
        let origin = Origin { causation_id: name.to_owned(), ..Origin::default() };
        let work = Work { name, logged: None, origin, deadline: None, act: Some(act), audit: None, reply };
        self.queue.send(work).await.map_err(|_| stopping())?;
        answer.await.unwrap_or_else(|_| Err(stopping()))?;
        take_value(&value)
    }

    /// Completes when something has been published since the last call; for the one relay of the database.
    pub async fn published(&self) {
        self.wake.published.notified().await;
    }

    /// Tells the job worker that the business clock was set.
    pub fn clock_was_set(&self) {
        self.wake.jobs.notify_one();
    }

    /// The clocks the writer goes by.
    pub fn clocks(&self) -> &Clocks {
        &self.clocks
    }

    /// Acts waiting in the queue.
    pub fn queue_depth(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Whether the writer's task is at work and its connection can begin a transaction and end it, for the readiness
    /// check (OBS-10). Writes nothing.
    ///
    /// # Errors
    /// Unavailable, if not.
    pub async fn probe(&self) -> Result<(), Fault> {
        self.internal("probe", (), |_, ()| async { Ok(()) }.boxed()).await
    }

    /// Completes when jobs were scheduled or the business clock was set; for the one job worker of the database.
    pub(crate) async fn jobs_changed(&self) {
        self.wake.jobs.notified().await;
    }

    fn offer(&self, work: Work) -> Result<(), Fault> {
        self.queue.try_send(work).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => {
                self.metrics.rejected(NotRun::QueueFull);
                queue_full()
            }
            mpsc::error::TrySendError::Closed(_) => stopping(),
        })
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("queue_depth", &self.queue_depth()).finish_non_exhaustive()
    }
}

impl Work {
    fn new(
        command: &Command,
        logged: Option<Logged>,
        act: Act,
    ) -> (Self, oneshot::Receiver<Result<Vec<u8>, Fault>>) {
        let (reply, answer) = oneshot::channel();
        // Of an unlogged command not even the events tell which request it was.
        let origin = match logged {
            None => Origin { causation_id: command.rpc.to_owned(), ..Origin::default() },
            Some(_) => Origin {
                causation_id: causation(&command.principal, &command.key),
                correlation_id: command.correlation_id.clone(),
                traceparent: command.traceparent.clone(),
            },
        };
        // What leaves no answer in the command log leaves no row in the audit log either.
        let audit = command.audit.as_ref().filter(|_| logged.is_some());
        let audit = audit.map(|entry| Audited { entry: Arc::clone(entry), outcome: None });
        let (name, deadline) = (command.rpc, command.deadline);
        let work = Self { name, logged, origin, deadline, act: Some(act), audit, reply };
        (work, answer)
    }

    /// Whether a client waits for what this does: names of RPCs are paths.
    fn is_command(&self) -> bool {
        self.act.is_some() && self.name.starts_with('/')
    }

    /// The key under which its answer is stored.
    fn key(&self) -> Option<&str> {
        self.logged.as_ref().map(|logged| logged.key.as_str())
    }

    fn is_expired(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    fn answer(self, answer: Result<Vec<u8>, Fault>) {
        // Nobody may be waiting any more; the answer is in the command log for when they ask again.
        let _ = self.reply.send(answer);
    }
}

/// The id of a command as the cause of events, and in the audit log: the key, hashed, because the log of events must
/// not tell who acted.
pub fn causation(principal: &str, key: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(principal.len().to_be_bytes());
    hasher.update(principal);
    hasher.update(key);
    hasher.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

type Slot<T> = Arc<Mutex<Option<T>>>;

/// For answers that go to nobody but the caller: the act puts its value aside. If it runs twice, the last run counts,
/// and that is the one that was committed.
fn keeping_value<I, T, F>(input: I, act: F) -> (Act, Slot<T>)
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    F: for<'a> Fn(&'a Tx, &'a I) -> BoxFuture<'a, Result<T, Fault>> + Send + Sync + 'static,
{
    let slot: Slot<T> = Arc::new(Mutex::new(None));
    let shared = Arc::new((act, input, Arc::clone(&slot)));
    let act: Act = Arc::new(move |tx| {
        let shared = Arc::clone(&shared);
        async move {
            let (act, input, slot) = &*shared;
            let value = act(tx, input).await?;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
            Ok(Vec::new())
        }
        .boxed()
    });
    (act, slot)
}

fn take_value<T>(slot: &Slot<T>) -> Result<T, Fault> {
    let value = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    value.ok_or_else(|| Fault::internal("the writer answered for an act that it did not run"))
}

fn queue_full() -> Fault {
    Fault::resource_exhausted("messaging.busy", "Too many requests wait to be stored; try again shortly.")
        .with_retry_after(RETRY)
}

fn stopping() -> Fault {
    Fault::unavailable("messaging.stopping", "The service is stopping; send the same request again.")
        .with_retry_after(RETRY)
}

#[cfg(test)]
mod tests {
    use kernel::{SettableClock, Timestamp};

    use super::*;

    /// Without its task: nothing is ever run.
    fn idle() -> Writer {
        let (queue, _) = mpsc::channel(1);
        let clock: Arc<dyn Clock> = Arc::new(SettableClock::stopped_at(Timestamp::from_seconds(1)));
        let clocks = Clocks { business: Arc::clone(&clock), real: clock };
        Writer { queue, wake: Arc::default(), clocks, metrics: WriterMetrics::installed("test") }
    }

    #[test]
    fn the_job_worker_rests_until_the_clock_is_set() {
        let writer = idle();
        let is_woken = || writer.jobs_changed().now_or_never().is_some();
        assert!(!is_woken());
        writer.clock_was_set();
        assert!(is_woken());
        assert!(!is_woken());
    }

    #[tokio::test]
    async fn a_request_to_a_writer_that_has_ended_is_refused() {
        assert_eq!(idle().probe().await.unwrap_err().code(), "messaging.stopping");
    }
}
