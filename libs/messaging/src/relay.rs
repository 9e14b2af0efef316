//! From the log to the stream: every event of every own lane, in order, until NATS says that it has it.
//!
//! One task serves all lanes of a database. It looks at the heads when the writer says that something was published,
//! and once a second in case another copy did it; that is one query for the whole database, never one for each county.
//! A lane with something to do gets a future of its own: read a page, publish it, wait for the acknowledgement, go on.
//! Lanes wait for nobody but themselves.
//!
//! What is acknowledged can still be lost, so each lane is compared with the stream (see `relay/reconcile.rs`) at the start,
//! after every new connection, after every doubt and every five minutes. NATS being away never fails a write.
//!
//! | file | what it does |
//! | --- | --- |
//! | `relay.rs` | wakes lanes, remembers what is published |
//! | `relay/lane.rs` | publishes one lane |
//! | `relay/reconcile.rs` | finds out what of a lane is in the stream |

mod lane;
mod reconcile;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kernel::{Clock, Ids};
use tokio::sync::Notify;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::broker::Broker;
use crate::crash;
use crate::log::LaneHead;
use crate::status::Status;
use crate::store::Store;
use crate::telemetry::Metrics;
use lane::Lane;

/// Pause after a first failure.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Completes when something was published since the last call.
pub type Wake = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// Times of the relay. The defaults are right; tests change them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelaySettings {
    /// How often the heads are looked at without being woken.
    pub look_every: Duration,
    /// How long the relay waits after a look before it lets itself be woken again. What is published meanwhile goes
    /// together: a page costs the database, the broker and every reader about as much as one event.
    pub gather: Duration,
    /// How often all lanes are compared with the stream.
    pub reconcile_every: Duration,
    /// How long marks of published events are gathered before they are written.
    pub mark_after: Duration,
    /// Age from which an event need not be in the stream: its `max_age`.
    pub max_age: Duration,
}

impl Default for RelaySettings {
    fn default() -> Self {
        Self {
            look_every: Duration::from_secs(1),
            gather: Duration::from_millis(50),
            reconcile_every: Duration::from_secs(5 * 60),
            mark_after: Duration::from_millis(250),
            max_age: crate::provision::MAX_AGE,
        }
    }
}

/// The relay of one service.
pub struct Relay {
    parts: Arc<Parts>,
    wake: Wake,
}

/// What relay and projectors of a service work with.
#[derive(Clone)]
pub struct Machinery {
    /// Name of the service.
    pub service: String,
    /// Its database.
    pub store: Arc<dyn Store>,
    /// The stream.
    pub broker: Arc<dyn Broker>,
    /// The business clock, by which events are dated.
    pub clock: Arc<dyn Clock>,
    /// Randomness, which keeps those who failed together from coming back together.
    pub ids: Ids,
    /// Where they say how it goes.
    pub status: Arc<Status>,
    /// What they measure.
    pub metrics: Metrics,
}

impl Machinery {
    /// Pauses between tries.
    pub(crate) fn backoff(&self) -> Backoff {
        Backoff::new(FIRST_PAUSE, LONGEST_PAUSE, &self.ids)
    }
}

impl fmt::Debug for Machinery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machinery").field("service", &self.service).finish_non_exhaustive()
    }
}

/// What all lanes share.
struct Parts {
    with: Machinery,
    settings: RelaySettings,
    marks: Mutex<BTreeMap<String, u64>>,
    marked: Notify,
}

impl Parts {
    /// Notes that a lane is in the stream up to `seq`; written to the database a little later.
    fn mark(&self, lane: &str, seq: u64) {
        self.lock_marks().insert(lane.to_owned(), seq);
        self.marked.notify_one();
    }

    fn lock_marks(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Relay {
    /// A relay that has not started.
    pub fn new(with: Machinery, settings: RelaySettings, wake: Wake) -> Self {
        let parts = Parts { with, settings, marks: Mutex::default(), marked: Notify::new() };
        Self { parts: Arc::new(parts), wake }
    }

    /// Runs until stopped; then the publishing in flight is left alone, because doing it again does no harm.
    pub async fn run(self, stop: CancellationToken) {
        let parts = Arc::clone(&self.parts);
        tokio::join!(self.run_lanes(stop.clone()), write_marks(Arc::clone(&parts), stop));
        // Another copy may go on: what was known here is of the past.
        parts.with.status.forget_lanes();
    }

    async fn run_lanes(self, stop: CancellationToken) {
        let Self { parts, wake } = self;
        let mut connection = parts.with.broker.connection();
        let mut look = ticks(parts.settings.look_every);
        let mut reconcile = ticks(parts.settings.reconcile_every);
        let mut lanes = Lanes::new(Arc::clone(&parts));
        let mut gathered = Instant::now();
        loop {
            let rested = async {
                tokio::time::sleep_until(gathered).await;
                wake().await;
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Some((lane, result)) = lanes.busy.next(), if !lanes.busy.is_empty() => lanes.finished(lane, result),
                Ok(()) = connection.changed() => lanes.reconcile_all(),
                _ = reconcile.tick() => lanes.reconcile_all(),
                () = rested => {
                    lanes.look().await;
                    gathered = Instant::now() + parts.settings.gather;
                }
                _ = look.tick() => lanes.look().await,
            }
        }
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("service", &self.parts.with.service).finish_non_exhaustive()
    }
}

type LaneFuture = BoxFuture<'static, (Lane, Result<(), lane::Trouble>)>;

/// All lanes: those that rest and those that publish.
struct Lanes {
    parts: Arc<Parts>,
    heads: BTreeMap<String, LaneHead>,
    resting: BTreeMap<String, Lane>,
    busy: FuturesUnordered<LaneFuture>,
    /// Lanes to be compared with the stream before anything else.
    doubtful: BTreeSet<String>,
}

impl Lanes {
    fn new(parts: Arc<Parts>) -> Self {
        Self {
            parts,
            heads: BTreeMap::new(),
            resting: BTreeMap::new(),
            busy: FuturesUnordered::new(),
            doubtful: BTreeSet::new(),
        }
    }

    /// Reads the heads of all lanes and starts those with something to do.
    async fn look(&mut self) {
        let heads = match self.parts.with.store.heads().await {
            Ok(heads) => heads,
            Err(error) => {
                if self.parts.with.status.trouble("relay", Some(error.to_string())) {
                    tracing::warn!(service = self.parts.with.service, %error, "the relay cannot read its heads");
                }
                return;
            }
        };
        let now = self.parts.with.clock.now().as_micros();
        for head in heads.into_iter().filter(|head| head.seq > 0) {
            let name = head.lane.clone();
            let is_new = self.heads.insert(name.clone(), head.clone()).is_none();
            self.parts.with.status.lane(&name, |status| {
                status.head = head.seq;
                if is_new {
                    // What the database notes may lag behind the stream; comparing them tells, but needs NATS.
                    status.published = status.published.max(head.published_seq);
                }
                if status.head > status.published {
                    // Until the event itself is read: its age is at least how long it was seen to wait.
                    status.oldest_us.get_or_insert(now);
                }
            });
            if is_new {
                self.resting.insert(name.clone(), Lane::new(&head, self.parts.with.backoff()));
                self.doubtful.insert(name.clone());
            }
            self.start(&name);
        }
    }

    fn reconcile_all(&mut self) {
        self.doubtful.extend(self.heads.keys().cloned());
        let resting: Vec<String> = self.resting.keys().cloned().collect();
        for name in resting {
            self.start(&name);
        }
    }

    /// Starts a resting lane if it has something to do.
    fn start(&mut self, name: &str) {
        let (Some(head), Some(lane)) = (self.heads.get(name), self.resting.get(name)) else { return };
        let is_doubtful = self.doubtful.contains(name);
        if !is_doubtful && (lane.is_stopped() || lane.published() >= head.seq) {
            return;
        }
        if let Some(mut lane) = self.resting.remove(name) {
            self.doubtful.remove(name);
            lane.prepare(head.epoch, is_doubtful);
            self.busy.push(Box::pin(lane::work(Arc::clone(&self.parts), lane)));
        }
    }

    fn finished(&mut self, lane: Lane, result: Result<(), lane::Trouble>) {
        let name = lane.name().to_owned();
        let who = format!("relay of lane {name}");
        match result {
            Ok(()) => {
                self.parts.with.status.trouble("relay", None);
                self.parts.with.status.trouble(&who, None);
            }
            Err(trouble) => {
                // Said once, not at every try.
                if self.parts.with.status.trouble(&who, Some(trouble.to_string())) {
                    tracing::warn!(service = self.parts.with.service, lane = name, %trouble, "the relay tries again");
                }
                if !lane.is_stopped() {
                    self.doubtful.insert(name.clone());
                }
            }
        }
        self.resting.insert(name.clone(), lane);
        self.start(&name);
    }
}

/// Writes the marks of all lanes together, a little after the first of them; once more at the end.
async fn write_marks(parts: Arc<Parts>, stop: CancellationToken) {
    while stop.run_until_cancelled(parts.marked.notified()).await.is_some() {
        stop.run_until_cancelled(tokio::time::sleep(parts.settings.mark_after)).await;
        write_gathered(&parts).await;
    }
    write_gathered(&parts).await;
}

async fn write_gathered(parts: &Parts) {
    let marks: Vec<(String, u64)> = std::mem::take(&mut *parts.lock_marks()).into_iter().collect();
    if marks.is_empty() {
        return;
    }
    crash::point("relay.before_mark");
    // A mark that is not written is found again by comparing with the stream.
    if let Err(error) = parts.with.store.mark_published(marks).await {
        tracing::debug!(service = parts.with.service, %error, "marks of published events were not written");
    }
    crash::point("relay.after_mark");
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
