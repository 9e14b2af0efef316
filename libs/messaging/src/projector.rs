//! From the stream into a projection: each event of each lane of the source, exactly once and in order.
//!
//! One task serves a projection. Several things go on side by side in it, each a future that ends with a `Step`: the
//! next messages are awaited, the log of the source is read for lanes that are behind, heads are compared. Whatever
//! brings events, they go through the same gate in the same transaction as the cursor ([`take`]).
//!
//! **A gap in one lane never holds up another, nor the acknowledgements.** The lane is noted as behind and filled from
//! the source's log, with growing pauses while the source is away; all others go on, and messages are acknowledged,
//! because the log can always give them again. So a message that was lost, or acknowledged by somebody else, or never
//! delivered because the consumer died silently, costs time and nothing more.
//!
//! | file | what it does |
//! | --- | --- |
//! | `projector.rs` | the task and its steps |
//! | `projector/lanes.rs` | what is known about each lane, and which must be filled |
//! | `projector/check.rs` | comparing with the source's heads and looking after the consumer (REL-41, REL-42) |
//! | `projector/take.rs` | the inside of a transaction |

mod check;
mod lanes;
mod take;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::{BoxFuture, join_all};
use futures::stream::FuturesUnordered;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::broker::{BrokerError, Delivery};
use crate::crash;
use crate::envelope::{self, Envelope};
use crate::feed::{EventFeed, FEED_PAGE, FeedError};
use crate::log::LaneHead;
use crate::relay::Machinery;
use crate::store::{ProjectionKey, StoreError};
use lanes::Lanes;

pub use take::{Taken, WATERMARK, take};

/// Events taken in one transaction; below the number of savepoints that PostgreSQL bears (REL-12), and little enough
/// that a request in the same queue does not notice.
const CHUNK: usize = 40;
/// How long the source has to answer.
const FEED_TIMEOUT: Duration = Duration::from_secs(10);
/// Lanes that are filled at the same time; bounds memory to as many pages.
const MOST_FILLING: usize = 8;
/// Tries of a batch in which no lane can be taken, before its lanes are left to be filled from the log.
const TRIES: u32 = 5;
/// How long a first connection may take before its absence is called trouble.
const FIRST_CONNECTION: Duration = Duration::from_secs(2);

/// Times of a projector. The defaults are right; tests change them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectorSettings {
    /// How often cursors are compared with heads and the consumer with the stream (REL-41, REL-42).
    pub check_every: Duration,
}

impl Default for ProjectorSettings {
    fn default() -> Self {
        Self { check_every: Duration::from_secs(60) }
    }
}

/// The projector of one projection.
pub struct Projector {
    with: Machinery,
    feed: Arc<dyn EventFeed>,
    key: ProjectionKey,
    settings: ProjectorSettings,
    lanes: Lanes,
    work: FuturesUnordered<BoxFuture<'static, Step>>,
    checking: bool,
    idle: bool,
    suspicions: u32,
    stream_created: Option<i64>,
    fetching: Backoff,
}

/// Something that has ended.
enum Step {
    Fetched(Result<Vec<Delivery>, BrokerError>),
    Read { lane: String, events: Result<Vec<Envelope>, FeedError> },
    Checked(Box<Check>),
}

/// What a check has found.
struct Check {
    /// Cursors as they were before the heads were asked for.
    before: BTreeMap<String, u64>,
    heads: Result<Vec<LaneHead>, FeedError>,
    consumer: Result<crate::broker::ConsumerState, BrokerError>,
}

impl Projector {
    /// A projector that has not started.
    pub fn new(
        with: Machinery,
        feed: Arc<dyn EventFeed>,
        key: ProjectionKey,
        settings: ProjectorSettings,
    ) -> Self {
        let fetching = with.backoff();
        let lanes = Lanes::new(with.clone(), key.clone());
        Self {
            with,
            feed,
            key,
            settings,
            lanes,
            work: FuturesUnordered::new(),
            checking: false,
            idle: false,
            suspicions: 0,
            stream_created: None,
            fetching,
        }
    }

    /// Runs until stopped; the transaction under way is finished by the writer in any case.
    pub async fn run(mut self, stop: CancellationToken) {
        if stop.run_until_cancelled(self.load()).await.is_none() {
            return;
        }
        let mut connection = self.with.broker.connection();
        let mut moved = self.with.status.moved_cursors();
        let mut check = tokio::time::interval(self.settings.check_every);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // At the start of a process the connection is on its way; that is no trouble yet.
        let is_connected = *connection.borrow() > 0;
        self.fetch((!is_connected).then_some(FIRST_CONNECTION));
        loop {
            let step = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Ok(()) = connection.changed() => None,
                Ok(()) = moved.changed() => None,
                _ = check.tick() => None,
                Some(step) = self.work.next(), if !self.work.is_empty() => Some(step),
            };
            match step {
                None => self.start_check(),
                Some(Step::Fetched(Ok(deliveries))) => self.deliver(deliveries, &stop).await,
                Some(Step::Fetched(Err(error))) => self.fetch_failed(&error).await,
                Some(Step::Read { lane, events }) => self.fill(&lane, events).await,
                Some(Step::Checked(found)) => self.checked(*found).await,
            }
        }
    }

    /// Reads the cursors; nothing can be done without them.
    async fn load(&mut self) {
        let mut backoff = self.with.backoff();
        while let Err(error) = self.lanes.load().await {
            self.trouble(Some(error.to_string()));
            tokio::time::sleep(backoff.next_pause()).await;
        }
    }

    /// Awaits the next messages, after a pause if there is one.
    fn fetch(&mut self, pause: Option<Duration>) {
        let broker = Arc::clone(&self.with.broker);
        let key = self.key.clone();
        self.work.push(Box::pin(async move {
            if let Some(pause) = pause {
                let mut connection = broker.connection();
                tokio::select! {
                    biased;
                    Ok(()) = connection.changed() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
            Step::Fetched(broker.fetch(&key).await)
        }));
    }

    async fn fetch_failed(&mut self, error: &BrokerError) {
        let mut trouble = Some(error.to_string());
        if matches!(error, BrokerError::NoConsumer | BrokerError::NoStream) {
            match self.with.broker.ensure_consumer(&self.key).await {
                // It was not there and is now: a first start, or mended.
                Ok(()) => {
                    self.start_check();
                    trouble = None;
                }
                Err(error) => trouble = Some(error.to_string()),
            }
        }
        self.trouble(trouble);
        let pause = self.fetching.next_pause();
        self.fetch(Some(pause));
    }

    /// Takes delivered events and acknowledges them.
    async fn deliver(&mut self, deliveries: Vec<Delivery>, stop: &CancellationToken) {
        self.fetching.reset();
        self.trouble(None);
        self.idle = deliveries.is_empty();
        let Some(last) = deliveries.last().cloned() else {
            return self.fetch(None);
        };
        crash::point("projector.fetched");
        self.suspicions = 0;
        let mut left = self.sort_by_lane(deliveries);
        let mut backoff = self.with.backoff();
        for _ in 0..TRIES {
            let tried = left.len();
            left = self.take_lanes(left).await;
            if left.len() < tried || left.keys().all(|lane| self.lanes.is_failing(lane)) {
                break;
            }
            // Not one lane could be taken: it is the database. Nothing is acknowledged meanwhile.
            if stop.run_until_cancelled(tokio::time::sleep(backoff.next_pause())).await.is_none() {
                return;
            }
        }
        for (lane, events) in left {
            self.lanes.heard_of(&lane, events.last().map_or(0, |event| event.seq));
            self.lanes.failed(&lane);
        }
        self.fill_lanes();
        if let Err(error) = self.with.broker.ack(&last).await {
            tracing::debug!(projection = self.key.projection, %error, "an acknowledgement was lost");
        }
        crash::point("projector.after_ack");
        self.fetch(None);
    }

    /// Readable events by lane. A message that cannot be read, or was changed, is as good as lost: the lane will show a
    /// gap, and the log has the event.
    fn sort_by_lane(&self, deliveries: Vec<Delivery>) -> BTreeMap<String, Vec<Envelope>> {
        let mut by_lane: BTreeMap<String, Vec<Envelope>> = BTreeMap::new();
        for delivery in deliveries {
            match delivery.event {
                Ok(event) if event.service == self.key.source && envelope::is_intact(&event) => {
                    by_lane.entry(event.lane.clone()).or_default().push(event);
                }
                Ok(_) => self.unreadable("its hash or service is wrong"),
                Err(reason) => self.unreadable(&reason),
            }
        }
        by_lane
    }

    fn unreadable(&self, reason: &str) {
        self.with.metrics.unreadable(&self.key);
        tracing::error!(
            projection = self.key.projection,
            source = self.key.source,
            reason,
            "unreadable message"
        );
    }

    /// Takes events of several lanes side by side and returns what could not be taken.
    async fn take_lanes(
        &mut self,
        by_lane: BTreeMap<String, Vec<Envelope>>,
    ) -> BTreeMap<String, Vec<Envelope>> {
        let attempts = by_lane.into_iter().map(|(lane, events)| {
            let with = self.with.clone();
            let key = self.key.clone();
            async move {
                let result = take_in_chunks(&with, &key, &lane, &events).await;
                (lane, events, result)
            }
        });
        let mut left = BTreeMap::new();
        for (lane, events, (taken, result)) in join_all(attempts).await {
            for taken in taken {
                self.lanes.took(&lane, taken);
            }
            if let Err(error) = result {
                self.trouble(Some(error.to_string()));
                left.insert(lane, events);
            }
        }
        left
    }

    /// Starts reading the log for lanes that are behind.
    fn fill_lanes(&mut self) {
        for (lane, from_seq, pause) in self.lanes.begin_filling(MOST_FILLING) {
            let feed = Arc::clone(&self.feed);
            let source = self.key.source.clone();
            self.work.push(Box::pin(async move {
                tokio::time::sleep(pause).await;
                crash::point("projector.gap_requested");
                let read = feed.read(&source, &lane, from_seq, FEED_PAGE);
                let events = tokio::time::timeout(FEED_TIMEOUT, read).await;
                let events = events.unwrap_or_else(|_| Err(FeedError("no answer in time".into())));
                Step::Read { lane, events }
            }));
        }
    }

    /// Takes events that were read from the log (REL-40).
    async fn fill(&mut self, lane: &str, events: Result<Vec<Envelope>, FeedError>) {
        match events {
            Ok(events) if events.is_empty() => self.lanes.filled(lane),
            Ok(events) if !events.iter().all(envelope::is_intact) => {
                self.stop(lane, "the log of the source holds an event that does not match its hash").await;
            }
            Ok(events) => {
                let (taken, result) = take_in_chunks(&self.with, &self.key, lane, &events).await;
                crash::point("projector.gap_applied");
                let repaired = taken.iter().map(|taken| taken.taken).sum();
                self.with.metrics.repaired(&self.key, repaired);
                for taken in taken {
                    self.lanes.took(lane, taken);
                }
                match result {
                    Ok(()) => self.lanes.read(lane),
                    Err(error) => {
                        self.trouble(Some(error.to_string()));
                        self.lanes.failed(lane);
                    }
                }
            }
            Err(error) => {
                tracing::debug!(projection = self.key.projection, lane, %error, "the log of the source cannot be read");
                self.lanes.failed(lane);
            }
        }
        self.fill_lanes();
    }

    /// Stops a lane until a person acts.
    async fn stop(&mut self, lane: &str, reason: &str) {
        if let Err(error) = self.with.store.stop(&self.key, lane, reason).await {
            self.trouble(Some(error.to_string()));
            return self.lanes.failed(lane);
        }
        self.lanes.stopped(lane, reason);
    }

    fn trouble(&self, what: Option<String>) {
        let who = format!("projection {} of {}", self.key.projection, self.key.source);
        if self.with.status.trouble(&who, what.clone())
            && let Some(what) = what
        {
            tracing::warn!(
                projection = self.key.projection,
                source = self.key.source,
                what,
                "a projection waits"
            );
        }
    }
}

/// Takes events of a lane, a limited number in each transaction, up to the first that fails.
async fn take_in_chunks(
    with: &Machinery,
    key: &ProjectionKey,
    lane: &str,
    events: &[Envelope],
) -> (Vec<Taken>, Result<(), StoreError>) {
    let mut all = Vec::new();
    for chunk in events.chunks(CHUNK) {
        let began = Instant::now();
        match with.store.take(key, lane, chunk.to_vec()).await {
            Ok(taken) => {
                crash::point("projector.after_commit");
                with.metrics.took(key, &taken, began.elapsed().as_secs_f64());
                tell_delays(with, key, lane, chunk, &taken);
                all.push(taken);
            }
            Err(error) => return (all, Err(error)),
        }
    }
    (all, Ok(()))
}

/// Measures how long after they happened the events were taken, those before the cursor that were new.
fn tell_delays(with: &Machinery, key: &ProjectionKey, lane: &str, events: &[Envelope], taken: &Taken) {
    if taken.rebuilding {
        return;
    }
    let now = with.clock.now().as_micros();
    let new = usize::try_from(taken.taken).unwrap_or(usize::MAX);
    for event in events.iter().rev().filter(|event| event.seq <= taken.cursor.seq).take(new) {
        let age = now.saturating_sub(event.occurred_at_us).max(0);
        with.metrics.delayed(key, lane, Duration::from_micros(age.unsigned_abs()).as_secs_f64());
    }
}

impl fmt::Debug for Projector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Projector").field("key", &self.key).finish_non_exhaustive()
    }
}
