//! Stores in memory that fail before and after committing, and the log that is read from one of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use messaging::envelope::{self, Envelope, NO_HASH};
use messaging::feed::{EventFeed, FeedError};
use messaging::gate::Cursor;
use messaging::log::LaneHead;
use messaging::projector::{Taken, take};
use messaging::store::{Handled, Inbox, ProjectionKey, Store, StoreError};

use super::Dice;

/// Aggregates with this id cannot be projected from their second event on.
pub(super) const POISONED: &str = "poisoned";

/// A service's database: its own log, and what it has made of another's.
pub(super) struct MemoryStore {
    state: Mutex<State>,
    dice: Dice,
    /// With the gate off, whatever comes is applied: the mistake that the simulation must find.
    gate: bool,
}

#[derive(Clone, Default)]
struct State {
    epoch: u64,
    log: BTreeMap<String, Vec<Envelope>>,
    published: BTreeMap<String, u64>,
    inbox: BTreeMap<String, Lane>,
    failing: f64,
}

/// A lane of the other service.
#[derive(Clone, Default)]
pub(super) struct Lane {
    pub(super) cursor: Cursor,
    /// Sequence numbers in the order in which they took effect.
    pub(super) applied: Vec<u64>,
    /// Sequence numbers and aggregates of parked events.
    pub(super) parked: Vec<(u64, String)>,
}

impl MemoryStore {
    pub(super) fn new(dice: Dice, gate: bool) -> Self {
        let state = State { epoch: 1, ..State::default() };
        Self { state: Mutex::new(state), dice, gate }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Commits an event, as the writer would.
    pub(super) fn append(&self, lane: &str, aggregate: &str, now_us: i64) {
        let mut state = self.lock();
        let epoch = state.epoch;
        let log = state.log.entry(lane.to_owned()).or_default();
        let seq = log.len() as u64 + 1;
        let mut event = Envelope {
            service: "forums".into(),
            lane: lane.into(),
            epoch,
            seq,
            event_id: format!("{lane}-{epoch}-{seq}"),
            event_type: if Self::is_watermark(seq) {
                messaging::projector::WATERMARK
            } else {
                "x.v1.Happened"
            }
            .into(),
            schema_version: 1,
            aggregate_type: "thing".into(),
            aggregate_id: aggregate.into(),
            occurred_at_us: now_us,
            prev_hash: log.last().map_or(NO_HASH.to_vec(), |last| last.hash.clone()),
            ..Envelope::default()
        };
        event.hash = envelope::hash(&event).to_vec();
        log.push(event);
    }

    /// Goes back to an older backup of the log; what was published stays published elsewhere.
    pub(super) fn restore(&self, lane: &str, seq: usize) {
        let mut state = self.lock();
        state.log.get_mut(lane).unwrap().truncate(seq);
        let published = state.published.entry(lane.to_owned()).or_default();
        *published = (*published).min(seq as u64);
    }

    /// What an operator does after a restore: the log as it is counts from now on.
    pub(super) fn begin_epoch(&self) {
        self.lock().epoch += 1;
    }

    /// How likely reads and writes fail from now on.
    pub(super) fn fail(&self, chance: f64) {
        self.lock().failing = chance;
    }

    /// Number and hash of the last event of an own lane.
    pub(super) fn head(&self, lane: &str) -> (u64, Vec<u8>) {
        let state = self.lock();
        state
            .log
            .get(lane)
            .and_then(|log| log.last())
            .map(|last| (last.seq, last.hash.clone()))
            .unwrap_or_default()
    }

    /// Number and hash of an event.
    pub(super) fn event(&self, lane: &str, seq: u64) -> (u64, Vec<u8>) {
        (seq, self.lock().log[lane][position(seq)].hash.clone())
    }

    /// Number and hash of the last event taken.
    pub(super) fn cursor(&self, lane: &str) -> (u64, Vec<u8>) {
        let state = self.lock();
        state.inbox.get(lane).map(|lane| (lane.cursor.seq, lane.cursor.hash.to_vec())).unwrap_or_default()
    }

    pub(super) fn is_watermark(seq: u64) -> bool {
        seq.is_multiple_of(11)
    }

    pub(super) fn lanes(&self) -> Vec<String> {
        self.lock().log.keys().cloned().collect()
    }

    pub(super) fn inbox(&self, lane: &str) -> Lane {
        self.lock().inbox.get(lane).cloned().unwrap_or_default()
    }

    fn maybe_fail(&self) -> Result<(), StoreError> {
        let chance = self.lock().failing;
        if self.dice.chance(chance) { Err(StoreError("simulated".into())) } else { Ok(()) }
    }

    fn page(&self, lane: &str, from_seq: u64, limit: u32) -> Vec<Envelope> {
        let state = self.lock();
        let log = state.log.get(lane).map(Vec::as_slice).unwrap_or_default();
        log.iter().skip(position(from_seq)).take(limit as usize).cloned().collect()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn heads(&self) -> Result<Vec<LaneHead>, StoreError> {
        self.maybe_fail()?;
        let state = self.lock();
        let head = |(lane, log): (&String, &Vec<Envelope>)| LaneHead {
            lane: lane.clone(),
            epoch: state.epoch,
            seq: log.len() as u64,
            hash: log.last().map(|last| last.hash.clone()).unwrap_or_default(),
            published_seq: state.published.get(lane).copied().unwrap_or(0),
        };
        Ok(state.log.iter().map(head).collect())
    }

    async fn read(&self, lane: &str, from_seq: u64, limit: u32) -> Result<Vec<Envelope>, StoreError> {
        self.maybe_fail()?;
        Ok(self.page(lane, from_seq, limit))
    }

    async fn first_since(&self, lane: &str, since_us: i64) -> Result<Option<u64>, StoreError> {
        self.maybe_fail()?;
        let state = self.lock();
        let log = state.log.get(lane).map(Vec::as_slice).unwrap_or_default();
        Ok(log.iter().find(|event| event.occurred_at_us >= since_us).map(|event| event.seq))
    }

    async fn mark_published(&self, marks: Vec<(String, u64)>) -> Result<(), StoreError> {
        self.maybe_fail()?;
        for (lane, seq) in marks {
            let mut state = self.lock();
            let published = state.published.entry(lane).or_default();
            *published = (*published).max(seq);
        }
        self.maybe_fail()
    }

    async fn cursors(&self, _: &ProjectionKey) -> Result<Vec<(String, Cursor)>, StoreError> {
        self.maybe_fail()?;
        Ok(self.lock().inbox.iter().map(|(name, lane)| (name.clone(), lane.cursor.clone())).collect())
    }

    async fn take(&self, _: &ProjectionKey, lane: &str, events: Vec<Envelope>) -> Result<Taken, StoreError> {
        self.maybe_fail()?;
        let inbox = MemoryInbox { lane: Mutex::new(self.inbox(lane)), store: self };
        let taken =
            if self.gate { take(&inbox, &events).await? } else { take_blindly(&inbox, &events).await? };
        self.maybe_fail()?;
        self.lock().inbox.insert(lane.to_owned(), inbox.lane.into_inner().unwrap());
        // Committed, but the one who asked may not learn of it.
        self.maybe_fail()?;
        Ok(taken)
    }

    async fn stop(&self, _: &ProjectionKey, lane: &str, reason: &str) -> Result<(), StoreError> {
        self.maybe_fail()?;
        self.lock().inbox.entry(lane.to_owned()).or_default().cursor.stopped = Some(reason.to_owned());
        Ok(())
    }
}

async fn take_blindly(inbox: &MemoryInbox<'_>, events: &[Envelope]) -> Result<Taken, StoreError> {
    let mut cursor = inbox.cursor().await?;
    for event in events {
        inbox.handle(event).await?;
        cursor.advance(event);
    }
    inbox.save(&cursor).await?;
    Ok(Taken { cursor, taken: events.len() as u64, ..Taken::default() })
}

fn position(seq: u64) -> usize {
    usize::try_from(seq.saturating_sub(1)).unwrap()
}

/// A transaction: a copy of the lane that replaces the lane when it is committed.
struct MemoryInbox<'a> {
    lane: Mutex<Lane>,
    store: &'a MemoryStore,
}

#[async_trait]
impl Inbox for MemoryInbox<'_> {
    async fn cursor(&self) -> Result<Cursor, StoreError> {
        Ok(self.lane.lock().unwrap().cursor.clone())
    }

    async fn parked(&self, _: &[Envelope]) -> Result<Vec<(String, String)>, StoreError> {
        let lane = self.lane.lock().unwrap();
        Ok(lane.parked.iter().map(|(_, aggregate)| ("thing".to_owned(), aggregate.clone())).collect())
    }

    async fn handle(&self, event: &Envelope) -> Result<Handled, StoreError> {
        self.store.maybe_fail()?;
        let mut lane = self.lane.lock().unwrap();
        if event.aggregate_id == POISONED && event.seq > 5 {
            return Ok(Handled::Poison("simulated".into()));
        }
        lane.applied.push(event.seq);
        Ok(Handled::Applied)
    }

    async fn park(&self, event: &Envelope, _: Option<&str>) -> Result<(), StoreError> {
        self.lane.lock().unwrap().parked.push((event.seq, event.aggregate_id.clone()));
        Ok(())
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn save(&self, cursor: &Cursor) -> Result<(), StoreError> {
        self.lane.lock().unwrap().cursor = cursor.clone();
        Ok(())
    }
}

/// The log of the source, when it answers.
pub(super) struct MemoryFeed {
    store: Arc<MemoryStore>,
    away: Mutex<bool>,
}

impl MemoryFeed {
    pub(super) fn of(store: Arc<MemoryStore>) -> Self {
        Self { store, away: Mutex::new(false) }
    }

    pub(super) fn away(&self, away: bool) {
        *self.away.lock().unwrap() = away;
    }

    fn answer(&self) -> Result<(), FeedError> {
        if *self.away.lock().unwrap() { Err(FeedError("simulated".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl EventFeed for MemoryFeed {
    async fn heads(&self, _: &str) -> Result<Vec<LaneHead>, FeedError> {
        self.answer()?;
        self.store.heads().await.map_err(|error| FeedError(error.to_string()))
    }

    async fn read(&self, _: &str, lane: &str, from_seq: u64, limit: u32) -> Result<Vec<Envelope>, FeedError> {
        self.answer()?;
        self.store.read(lane, from_seq, limit).await.map_err(|error| FeedError(error.to_string()))
    }
}
