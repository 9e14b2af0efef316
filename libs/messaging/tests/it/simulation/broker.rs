//! A broker that drops, doubles, delays, reorders, forgets and dies, as the dice say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use messaging::broker::{
    Ack, Broker, BrokerError, ConsumerState, Dedupe, Delivery, Extent, Stored, wire::message_id,
};
use messaging::envelope::Envelope;
use messaging::store::ProjectionKey;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::Dice;

const TIMEOUT: Duration = Duration::from_secs(5);
const ACK_WAIT: Duration = Duration::from_secs(30);
const DUPLICATE_WINDOW: Duration = Duration::from_secs(600);
const MOST_FETCHED: usize = 16;
/// Small, so that walks take several pages.
const SMALL_PAGE: usize = 8;

/// How likely a single message meets trouble.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chances {
    /// A publishing is lost on its way.
    pub(super) lost: f64,
    /// It is stored, but its acknowledgement is lost.
    pub(super) ack_lost: f64,
    /// It times out and is stored some time later.
    pub(super) late: f64,
    /// A delivery is lost, and comes again after a while.
    pub(super) undelivered: f64,
    /// A message is delivered twice.
    pub(super) doubled: f64,
    /// Two messages of a delivery change places.
    pub(super) swapped: f64,
    /// A consumer's acknowledgement is lost.
    pub(super) consumer_ack_lost: f64,
    /// A question is not answered.
    pub(super) unanswered: f64,
}

pub(super) struct FaultyBroker {
    shared: Arc<Shared>,
    /// One for each listener: a common one wakes its listeners in random order.
    connections: Mutex<Vec<watch::Sender<u64>>>,
    connection: AtomicU64,
    /// Nobody is told about new connections.
    silent: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Notify,
    dice: Dice,
}

#[derive(Default)]
struct State {
    down: bool,
    /// How often the relay compared a lane.
    comparisons: u64,
    /// How often the relay published what the stream had.
    repeated: u64,
    chances: Chances,
    streams_made: i64,
    stream: Option<Stream>,
    consumer: Option<Consumer>,
}

#[derive(Default)]
struct Stream {
    created: i64,
    messages: Vec<(u64, Envelope)>,
    last: u64,
    ids: BTreeMap<String, (u64, Instant)>,
}

#[derive(Default)]
struct Consumer {
    delivered: u64,
    ack_floor: u64,
    last_delivery: Option<Instant>,
    dead: bool,
}

impl FaultyBroker {
    pub(super) fn new(dice: Dice, silent: bool) -> Self {
        let shared = Shared { state: Mutex::default(), changed: Notify::new(), dice };
        Self {
            shared: Arc::new(shared),
            connections: Mutex::default(),
            connection: AtomicU64::new(1),
            silent,
        }
    }

    pub(super) fn set_chances(&self, chances: Chances) {
        self.shared.lock().chances = chances;
    }

    pub(super) fn down(&self, down: bool) {
        self.shared.lock().down = down;
        self.reconnect();
        self.shared.changed.notify_waiters();
    }

    fn reconnect(&self) {
        if self.silent {
            return;
        }
        let count = self.connection.fetch_add(1, Relaxed) + 1;
        for listener in self.connections.lock().unwrap().iter() {
            listener.send_replace(count);
        }
    }

    /// Restarts with an older copy of the stream; what the consumer knows goes back too, or does not.
    pub(super) fn roll_back(&self, messages: usize, consumer_too: bool, ids_too: bool) {
        let mut state = self.shared.lock();
        let State { stream: Some(stream), consumer, .. } = &mut *state else { return };
        let kept = stream.messages.len().saturating_sub(messages);
        stream.messages.truncate(kept);
        stream.last = stream.messages.last().map_or(0, |(place, _)| *place);
        let last = stream.last;
        if ids_too {
            stream.ids.retain(|_, (place, _)| *place <= last);
        }
        if let Some(consumer) = consumer.as_mut().filter(|_| consumer_too) {
            consumer.delivered = consumer.delivered.min(last);
            consumer.ack_floor = consumer.ack_floor.min(last);
        }
        drop(state);
        self.reconnect();
    }

    pub(super) fn delete_stream(&self) {
        let mut state = self.shared.lock();
        state.stream = None;
        state.consumer = None;
    }

    pub(super) fn delete_consumer(&self) {
        self.shared.lock().consumer = None;
    }

    /// The consumer stops delivering and says nothing.
    pub(super) fn kill_consumer(&self) {
        if let Some(consumer) = &mut self.shared.lock().consumer {
            consumer.dead = true;
        }
    }

    /// Somebody else acknowledges everything for the consumer.
    pub(super) fn acknowledge_all(&self) {
        let mut state = self.shared.lock();
        let last = state.stream.as_ref().map_or(0, |stream| stream.last);
        if let Some(consumer) = &mut state.consumer {
            consumer.delivered = last;
            consumer.ack_floor = last;
        }
    }

    /// Numbers and hashes of what the stream holds of a lane.
    pub(super) fn held(&self, lane: &str) -> BTreeSet<(u64, Vec<u8>)> {
        self.stored(lane).into_iter().map(|event| (event.seq, event.hash)).collect()
    }

    /// What the stream holds of a lane, in its order.
    pub(super) fn stored(&self, lane: &str) -> Vec<Envelope> {
        let state = self.shared.lock();
        let messages = state.stream.as_ref().map(|stream| stream.messages.as_slice()).unwrap_or_default();
        messages.iter().filter(|(_, event)| event.lane == lane).map(|(_, event)| event.clone()).collect()
    }

    /// How often a lane was compared with the stream.
    pub(super) fn comparisons(&self) -> u64 {
        self.shared.lock().comparisons
    }

    /// How often the relay published an event that the stream had.
    pub(super) fn repeated(&self) -> u64 {
        self.shared.lock().repeated
    }

    async fn ask(&self) -> Result<(), BrokerError> {
        let (down, unanswered) = {
            let state = self.shared.lock();
            (state.down, state.chances.unanswered)
        };
        if down {
            return Err(BrokerError::Unavailable("simulated".into()));
        }
        if self.shared.dice.chance(unanswered) {
            tokio::time::sleep(TIMEOUT).await;
            return Err(BrokerError::Unavailable("simulated".into()));
        }
        tokio::time::sleep(Duration::from_micros(self.shared.dice.below(500))).await;
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn store(&self, event: &Envelope, dedupe: Dedupe) -> Result<Ack, BrokerError> {
        let now = Instant::now();
        let mut state = self.lock();
        let State { stream, repeated, .. } = &mut *state;
        let stream = stream.as_mut().ok_or(BrokerError::NoStream)?;
        if dedupe == Dedupe::ById {
            let id = message_id(event);
            if let Some((place, _)) =
                stream.ids.get(&id).filter(|(_, at)| now.duration_since(*at) < DUPLICATE_WINDOW)
            {
                *repeated += 1;
                return Ok(Ack { place: *place, duplicate: true });
            }
            stream.ids.insert(id, (stream.last + 1, now));
        }
        stream.last += 1;
        let place = stream.last;
        stream.messages.push((place, event.clone()));
        drop(state);
        self.changed.notify_waiters();
        Ok(Ack { place, duplicate: false })
    }

    /// All, or none if one of them is known.
    fn store_all(&self, events: &[Envelope]) -> Result<Option<Ack>, BrokerError> {
        {
            let state = self.lock();
            let stream = state.stream.as_ref().ok_or(BrokerError::NoStream)?;
            let now = Instant::now();
            let is_known = |event: &Envelope| {
                let known = stream.ids.get(&message_id(event));
                known.is_some_and(|(_, at)| now.duration_since(*at) < DUPLICATE_WINDOW)
            };
            if events.iter().any(is_known) {
                return Ok(None);
            }
        }
        let mut last = None;
        for event in events {
            last = Some(self.store(event, Dedupe::ById)?);
        }
        Ok(last)
    }

    /// Messages to deliver now, or `None` if there are none.
    fn next_deliveries(&self) -> Result<Option<Vec<Delivery>>, BrokerError> {
        let mut state = self.lock();
        if state.down {
            return Err(BrokerError::Unavailable("simulated".into()));
        }
        let chances = state.chances;
        let State { stream, consumer, .. } = &mut *state;
        let consumer = consumer.as_mut().ok_or(BrokerError::NoConsumer)?;
        let stream = stream.as_ref().ok_or(BrokerError::NoStream)?;
        let waited_long = consumer.last_delivery.is_some_and(|at| at.elapsed() >= ACK_WAIT);
        if waited_long && consumer.ack_floor < consumer.delivered {
            consumer.delivered = consumer.ack_floor;
        }
        let start = stream.messages.partition_point(|(place, _)| *place <= consumer.delivered);
        let waiting = stream.messages.iter().skip(start).take(MOST_FETCHED);
        let mut deliveries = Vec::new();
        let mut delivered = consumer.delivered;
        for (place, event) in waiting {
            delivered = *place;
            if !self.dice.chance(chances.undelivered) {
                let copies = if self.dice.chance(chances.doubled) { 2 } else { 1 };
                let delivery = Delivery { event: Ok(event.clone()), token: place.to_string() };
                deliveries.extend(std::iter::repeat_n(delivery, copies));
            }
        }
        if consumer.dead || delivered == consumer.delivered {
            return Ok(None);
        }
        consumer.delivered = delivered;
        consumer.last_delivery = Some(Instant::now());
        if deliveries.len() > 1 && self.dice.chance(chances.swapped) {
            let one = self.dice.index(deliveries.len());
            let other = self.dice.index(deliveries.len());
            deliveries.swap(one, other);
        }
        Ok(Some(deliveries))
    }
}

#[async_trait]
impl Broker for FaultyBroker {
    fn connection(&self) -> watch::Receiver<u64> {
        let sender = watch::Sender::new(self.connection.load(Relaxed));
        let receiver = sender.subscribe();
        let mut connections = self.connections.lock().unwrap();
        connections.retain(|listener| !listener.is_closed());
        connections.push(sender);
        receiver
    }

    async fn publish(&self, event: &Envelope, dedupe: Dedupe) -> Result<Ack, BrokerError> {
        self.ask().await?;
        let chances = self.shared.lock().chances;
        let timeout = || BrokerError::Unavailable("simulated".into());
        if self.shared.dice.chance(chances.lost) {
            tokio::time::sleep(TIMEOUT).await;
            return Err(timeout());
        }
        if self.shared.dice.chance(chances.late) {
            let (shared, event) = (Arc::clone(&self.shared), event.clone());
            let delay = Duration::from_millis(self.shared.dice.below(60_000));
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                // Where it was to be stored may be gone by then.
                let _ = shared.store(&event, dedupe);
            });
            tokio::time::sleep(TIMEOUT).await;
            return Err(timeout());
        }
        let ack = self.shared.store(event, dedupe)?;
        if self.shared.dice.chance(chances.ack_lost) {
            tokio::time::sleep(TIMEOUT).await;
            return Err(timeout());
        }
        Ok(ack)
    }

    async fn publish_together(&self, events: &[Envelope]) -> Result<Option<Ack>, BrokerError> {
        self.ask().await?;
        let chances = self.shared.lock().chances;
        let timeout = || BrokerError::Unavailable("simulated".into());
        if self.shared.dice.chance(chances.lost) {
            tokio::time::sleep(TIMEOUT).await;
            return Err(timeout());
        }
        if self.shared.dice.chance(chances.late) {
            let (shared, events) = (Arc::clone(&self.shared), events.to_vec());
            let delay = Duration::from_millis(self.shared.dice.below(60_000));
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                let _ = shared.store_all(&events);
            });
            tokio::time::sleep(TIMEOUT).await;
            return Err(timeout());
        }
        // A stream of an older server.
        if self.shared.dice.chance(0.2) {
            return Ok(None);
        }
        let ack = self.shared.store_all(events)?;
        if self.shared.dice.chance(chances.ack_lost) {
            tokio::time::sleep(TIMEOUT).await;
            return Err(timeout());
        }
        Ok(ack)
    }

    async fn stored_at_or_after(
        &self,
        _: &str,
        lane: &str,
        place: u64,
    ) -> Result<Option<Stored>, BrokerError> {
        self.ask().await?;
        let state = self.shared.lock();
        let stream = state.stream.as_ref().ok_or(BrokerError::NoStream)?;
        let start = stream.messages.partition_point(|(at, _)| *at < place);
        Ok(stream.messages[start..].iter().find(|(_, event)| event.lane == lane).map(stored))
    }

    async fn stored_from(
        &self,
        _: &str,
        lane: &str,
        place: u64,
        limit: usize,
    ) -> Result<Vec<Stored>, BrokerError> {
        self.ask().await?;
        let state = self.shared.lock();
        let stream = state.stream.as_ref().ok_or(BrokerError::NoStream)?;
        let start = stream.messages.partition_point(|(at, _)| *at < place);
        let of_lane = stream.messages[start..].iter().filter(|(_, event)| event.lane == lane);
        Ok(of_lane.take(limit.min(SMALL_PAGE)).map(stored).collect())
    }

    async fn extent(&self, _: &str, lane: &str) -> Result<Extent, BrokerError> {
        self.ask().await?;
        let mut state = self.shared.lock();
        state.comparisons += 1;
        let stream = state.stream.as_ref().ok_or(BrokerError::NoStream)?;
        let of_lane: Vec<Stored> =
            stream.messages.iter().filter(|(_, event)| event.lane == lane).map(stored).collect();
        let (first, last) = (of_lane.first().copied(), of_lane.last().copied());
        Ok(Extent { first, last, messages: of_lane.len() as u64 })
    }

    async fn ensure_stream(&self, _: &str) -> Result<(), BrokerError> {
        self.ask().await?;
        let mut state = self.shared.lock();
        if state.stream.is_none() {
            state.streams_made += 1;
            state.stream = Some(Stream { created: state.streams_made, ..Stream::default() });
        }
        Ok(())
    }

    async fn ensure_consumer(&self, _: &ProjectionKey) -> Result<(), BrokerError> {
        self.ask().await?;
        let mut state = self.shared.lock();
        if state.stream.is_none() {
            return Err(BrokerError::NoStream);
        }
        state.consumer.get_or_insert_default();
        Ok(())
    }

    async fn consumer_state(&self, _: &ProjectionKey) -> Result<ConsumerState, BrokerError> {
        self.ask().await?;
        let state = self.shared.lock();
        let stream = state.stream.as_ref().ok_or(BrokerError::NoStream)?;
        let consumer = state.consumer.as_ref().ok_or(BrokerError::NoConsumer)?;
        let pending = stream.messages.iter().filter(|(place, _)| *place > consumer.delivered).count();
        Ok(ConsumerState {
            ack_floor: consumer.ack_floor,
            pending: pending as u64,
            stream_last: stream.last,
            stream_created: stream.created,
        })
    }

    async fn recreate_consumer(&self, consumer: &ProjectionKey) -> Result<(), BrokerError> {
        self.ask().await?;
        self.shared.lock().consumer = None;
        self.ensure_consumer(consumer).await
    }

    async fn fetch(&self, _: &ProjectionKey) -> Result<Vec<Delivery>, BrokerError> {
        self.ask().await?;
        let end = Instant::now() + TIMEOUT;
        loop {
            let changed = self.shared.changed.notified();
            if let Some(deliveries) = self.shared.next_deliveries()? {
                return Ok(deliveries);
            }
            if tokio::time::timeout_at(end, changed).await.is_err() {
                return Ok(Vec::new());
            }
        }
    }

    async fn ack(&self, delivery: &Delivery) -> Result<(), BrokerError> {
        let mut state = self.shared.lock();
        if state.down || self.shared.dice.chance(state.chances.consumer_ack_lost) {
            return Ok(());
        }
        if let Some(consumer) = &mut state.consumer {
            consumer.ack_floor = consumer.ack_floor.max(delivery.token.parse().unwrap());
        }
        Ok(())
    }
}

fn stored((place, event): &(u64, Envelope)) -> Stored {
    let hash = event.hash.as_slice().try_into().unwrap();
    Stored { place: *place, epoch: event.epoch, seq: event.seq, hash }
}
