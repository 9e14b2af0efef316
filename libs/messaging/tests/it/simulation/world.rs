//! One history: a source with a relay (or two), a broker, a projector, and what befalls them.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock as _, Ids, SettableClock, Timestamp};
use messaging::projector::{Projector, ProjectorSettings};
use messaging::relay::{Machinery, Relay, RelaySettings, Wake};
use messaging::status::Status;
use messaging::store::ProjectionKey;
use messaging::telemetry::Metrics;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Dice;
use super::broker::{Chances, FaultyBroker};
use super::store::{MemoryFeed, MemoryStore, POISONED};

const LANES: [&str; 3] = ["17", "19", "21"];
/// Things that happen in one history.
const ACTS: u32 = 40;
/// How long a healed world may take to come right; then it never does.
const PATIENCE: Duration = Duration::from_secs(3 * 60 * 60);
/// How often the world is looked at.
const LOOK: Duration = Duration::from_secs(20);
/// Longer than a late publishing can take.
const LATE: Duration = Duration::from_secs(70);
/// 2026-01-01.
const START_US: i64 = 1_767_225_600_000_000;

/// A safety that is switched off, to prove that the simulation sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    Nothing,
    /// Events are applied as they come.
    Gate,
    /// The log of the source can never be read.
    Repair,
    /// The relay believes what was acknowledged.
    Reconcile,
}

/// Runs the history of a seed.
pub(super) fn run(seed: u64, broken: Broken) -> Result<(), String> {
    paused().block_on(async { World::new(seed, broken).live().await })
}

/// What one history leaves in the stream, as bytes to compare.
pub(super) fn trace(seed: u64) -> Vec<u8> {
    paused().block_on(async {
        let mut world = World::new(seed, Broken::Nothing);
        world.live().await.unwrap();
        let places = LANES.iter().flat_map(|lane| world.broker.stored(lane));
        places.flat_map(|event| format!("{}/{} ", event.lane, event.seq).into_bytes()).collect()
    })
}

pub(super) fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

pub(super) struct World {
    dice: Dice,
    broken: Broken,
    clock: Arc<SettableClock>,
    pub(super) source: Arc<MemoryStore>,
    pub(super) sink: Arc<MemoryStore>,
    pub(super) broker: Arc<FaultyBroker>,
    pub(super) feed: Arc<MemoryFeed>,
    wake: Arc<Notify>,
    relays: Vec<JoinHandle<()>>,
    projector: Option<JoinHandle<()>>,
    /// Of the relay and of the projector started last.
    pub(super) status: Arc<Status>,
}

impl World {
    pub(super) fn new(seed: u64, broken: Broken) -> Self {
        let dice = Dice::seeded(seed);
        let source = Arc::new(MemoryStore::new(dice.clone(), true));
        Self {
            broken,
            clock: Arc::new(SettableClock::stopped_at(Timestamp::from_micros(START_US))),
            sink: Arc::new(MemoryStore::new(dice.clone(), broken != Broken::Gate)),
            broker: Arc::new(FaultyBroker::new(dice.clone(), broken == Broken::Reconcile)),
            feed: Arc::new(MemoryFeed::of(Arc::clone(&source))),
            source,
            dice,
            wake: Arc::default(),
            relays: Vec::new(),
            projector: None,
            status: Arc::default(),
        }
    }

    async fn live(&mut self) -> Result<(), String> {
        self.start_relay();
        self.start_projector();
        self.broker.set_chances(self.chances());
        for _ in 0..ACTS {
            tokio::time::sleep(Duration::from_millis(self.dice.below(3_000))).await;
            self.act();
        }
        self.heal();
        self.comes_right().await
    }

    fn chances(&self) -> Chances {
        let up_to = |most: f64| most * self.dice.below(100) as f64 / 100.0;
        Chances {
            lost: up_to(0.1),
            ack_lost: up_to(0.1),
            late: up_to(0.1),
            undelivered: up_to(0.2),
            doubled: up_to(0.2),
            swapped: up_to(0.5),
            consumer_ack_lost: up_to(0.5),
            unanswered: up_to(0.05),
        }
    }

    /// One thing happens; more than half of the time events are written.
    fn act(&mut self) {
        match self.dice.below(40) {
            0 => self.broker.down(true),
            1 | 2 => self.broker.down(false),
            3 | 4 => {
                let (messages, consumer_too, ids_too) =
                    (self.dice.index(12), self.dice.chance(0.5), self.dice.chance(0.7));
                self.broker.roll_back(messages, consumer_too, ids_too);
            }
            5 => self.broker.delete_stream(),
            6 => self.broker.delete_consumer(),
            7 => self.broker.kill_consumer(),
            8 | 9 => self.broker.acknowledge_all(),
            10 => self.feed.away(true),
            11 | 12 => self.feed_is_back(),
            13 => self.source.fail(0.3),
            14 => self.sink.fail(0.3),
            15 => self.source.fail(0.0),
            16 => self.sink.fail(0.0),
            // Two relays that both believe they lead (TST-09).
            17 if self.relays.len() < 2 => self.start_relay(),
            18 => self.crash_relays(),
            19 => self.crash_projector(),
            20 => self.clock_jumps(),
            _ => self.write_events(),
        }
        // A relay runs until it is crashed: one that has ended has panicked, and in a process that would end it.
        assert!(self.relays.iter().all(|relay| !relay.is_finished()), "a relay has ended by itself");
        if self.relays.is_empty() && self.dice.chance(0.5) {
            self.start_relay();
        }
        if self.projector.is_none() && self.dice.chance(0.5) {
            self.start_projector();
        }
    }

    /// All faults end; what they have left behind stays.
    fn heal(&mut self) {
        self.broker.set_chances(Chances::default());
        self.broker.down(false);
        self.feed_is_back();
        self.source.fail(0.0);
        self.sink.fail(0.0);
        if self.relays.is_empty() {
            self.start_relay();
        }
        if self.projector.is_none() {
            self.start_projector();
        }
        // Quiet lanes must heal without a new event too.
        if self.dice.chance(0.5) {
            self.write_events();
        }
    }

    fn feed_is_back(&self) {
        self.feed.away(self.broken == Broken::Repair);
    }

    pub(super) fn write_events(&self) {
        for _ in 0..=self.dice.below(5) {
            let lane = LANES[self.dice.index(LANES.len())];
            let thing =
                if self.dice.chance(0.03) { POISONED.to_owned() } else { format!("t{}", self.dice.below(4)) };
            self.source.append(lane, &thing, self.clock.now().as_micros());
        }
        self.wake.notify_one();
    }

    /// TST-11. Within what the stream keeps: jumps beyond that let events expire, and then the stream need not hold them.
    fn clock_jumps(&self) {
        let hours = i64::try_from(self.dice.below(48)).unwrap() - 24;
        let jumped = self.clock.now().as_micros() + hours * 3_600_000_000;
        self.clock.set(Timestamp::from_micros(jumped.max(START_US))).unwrap();
    }

    fn machinery(&self, service: &str, store: &Arc<MemoryStore>) -> Machinery {
        Machinery {
            service: service.into(),
            store: Arc::clone(store) as _,
            broker: Arc::clone(&self.broker) as _,
            clock: Arc::clone(&self.clock) as _,
            ids: Ids::seeded(self.dice.below(u64::MAX), Arc::clone(&self.clock) as _),
            status: Arc::clone(&self.status),
            metrics: Metrics::installed(),
        }
    }

    pub(super) fn start_relay(&mut self) {
        let wake = Arc::clone(&self.wake);
        let wake: Wake = Arc::new(move || {
            let wake = Arc::clone(&wake);
            Box::pin(async move { wake.notified().await })
        });
        let mut settings = RelaySettings { look_every: Duration::from_secs(20), ..RelaySettings::default() };
        if self.broken == Broken::Reconcile {
            settings.reconcile_every = Duration::from_secs(1_000_000);
        }
        let relay = Relay::new(self.machinery("forums", &self.source), settings, wake);
        self.relays.push(tokio::spawn(relay.run(CancellationToken::new())));
    }

    pub(super) fn crash_relays(&mut self) {
        for relay in self.relays.drain(..) {
            relay.abort();
        }
    }

    pub(super) fn start_projector(&mut self) {
        let key = ProjectionKey { service: "sink".into(), projection: "sim".into(), source: "forums".into() };
        let feed = Arc::clone(&self.feed) as _;
        let with = self.machinery("membership", &self.sink);
        let projector = Projector::new(with, feed, key, ProjectorSettings::default());
        self.projector = Some(tokio::spawn(projector.run(CancellationToken::new())));
    }

    pub(super) fn crash_projector(&mut self) {
        if let Some(projector) = self.projector.take() {
            projector.abort();
        }
    }

    /// Waits until all is right, and stays so.
    pub(super) async fn comes_right(&self) -> Result<(), String> {
        for wait in [PATIENCE, LATE] {
            if wait == LATE {
                tokio::time::sleep(LATE).await;
            }
            let right = tokio::time::timeout(wait, async {
                while self.unsettled().is_some() {
                    self.violation()?;
                    tokio::time::sleep(LOOK).await;
                }
                self.violation()
            });
            match right.await {
                Ok(result) => result?,
                Err(_) => return Err(self.unsettled().unwrap_or_default()),
            }
        }
        Ok(())
    }

    /// What can never come right any more.
    fn violation(&self) -> Result<(), String> {
        for lane in self.source.lanes() {
            let inbox = self.sink.inbox(&lane);
            if let Some(pair) = inbox.applied.windows(2).find(|pair| pair[0] >= pair[1]) {
                return Err(format!("lane {lane}: event {} was applied after event {}", pair[1], pair[0]));
            }
            if let Some(reason) = &inbox.cursor.stopped {
                return Err(format!("lane {lane} stopped: {reason}"));
            }
            if let Some((seq, thing)) = inbox.parked.iter().find(|(_, thing)| thing != POISONED) {
                return Err(format!("lane {lane}: event {seq} of {thing} is parked without being poison"));
            }
        }
        let stopped =
            self.status.lanes().into_iter().find_map(|(lane, status)| Some((lane, status.stopped?)));
        stopped.map_or(Ok(()), |(lane, reason)| Err(format!("the relay of lane {lane} stopped: {reason}")))
    }

    /// What is not right yet.
    pub(super) fn unsettled(&self) -> Option<String> {
        self.source.lanes().iter().find_map(|lane| self.unsettled_lane(lane))
    }

    fn unsettled_lane(&self, lane: &str) -> Option<String> {
        let head = self.source.head(lane);
        let cursor = self.sink.cursor(lane);
        if cursor != head {
            return Some(format!("lane {lane}: the cursor is at {}, the head at {}", cursor.0, head.0));
        }
        let stored = self.broker.held(lane);
        let missing = (1..=head.0).find(|seq| !stored.contains(&self.source.event(lane, *seq)));
        if let Some(missing) = missing {
            let held: Vec<u64> = stored.iter().map(|(seq, _)| *seq).collect();
            let head = head.0;
            return Some(format!(
                "lane {lane}: event {missing} of {head} is not in the stream, which holds {held:?}"
            ));
        }
        let inbox = self.sink.inbox(lane);
        let mut taken = inbox.applied.clone();
        taken.extend(inbox.parked.iter().map(|(seq, _)| *seq));
        taken.sort_unstable();
        let wanted: Vec<u64> = (1..=head.0).filter(|seq| !MemoryStore::is_watermark(*seq)).collect();
        (taken != wanted)
            .then(|| format!("lane {lane}: applied or parked are {taken:?}, written were {wanted:?}"))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.crash_relays();
        self.crash_projector();
    }
}
