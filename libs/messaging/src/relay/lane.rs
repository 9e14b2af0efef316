//! Publishing one lane, in its order: a page of events together, all or none, and where that cannot be, one after the
//! other, the next when the one before is acknowledged. So whatever is lost, no later event is in the stream before an
//! earlier one.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use super::Parts;
use super::reconcile::{self, Known};
use crate::backoff::Backoff;
use crate::broker::{Ack, BrokerError, Dedupe};
use crate::crash;
use crate::envelope::Envelope;
use crate::gate::fixed;
use crate::log::LaneHead;
use crate::store::StoreError;
use crate::telemetry;

/// Events read from the log at once.
const PAGE: u32 = 256;

/// A lane and what is known about it in the stream.
pub(super) struct Lane {
    name: String,
    epoch: u64,
    /// What is known about it in the stream.
    known: Known,
    /// Where the last event was stored; later ones must come after it.
    place: u64,
    /// The connection on which that was last compared; acknowledgements of another one prove nothing.
    connection: u64,
    is_doubtful: bool,
    stopped: Option<String>,
    backoff: Backoff,
    pause: Option<Duration>,
}

/// Why a lane did not get on. It is compared with the stream and tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stream may have lost what it had acknowledged.
    #[error("the stream has changed: {0}")]
    Doubt(&'static str),
    /// A person must act; tried again all the same, with the next comparison.
    #[error("{0}")]
    Stopped(String),
}

impl Lane {
    /// A lane as the database knows it.
    pub(super) fn new(head: &LaneHead, backoff: Backoff) -> Self {
        Self {
            name: head.lane.clone(),
            epoch: head.epoch,
            known: Known { seq: head.published_seq, baseline: None },
            place: 0,
            connection: 0,
            is_doubtful: true,
            stopped: None,
            backoff,
            pause: None,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Last event known to be in the stream.
    pub(super) fn published(&self) -> u64 {
        self.known.seq
    }

    /// Notes that the lane is in the stream up to `seq`, as the broker says.
    fn acknowledged(&mut self, parts: &Parts, seq: u64, ack: Ack) -> Result<(), Trouble> {
        if *parts.with.broker.connection().borrow() != self.connection {
            return Err(Trouble::Doubt("there is a new connection"));
        }
        if ack.duplicate {
            // It was there already, so the count of what is there is not what it seemed.
            self.known.baseline = None;
        } else if ack.place <= self.place {
            return Err(Trouble::Doubt("an event was stored before one that is older"));
        }
        self.place = self.place.max(ack.place);
        self.known.seq = seq;
        published(parts, self);
        Ok(())
    }

    pub(super) fn prepare(&mut self, epoch: u64, is_doubtful: bool) {
        self.epoch = epoch;
        self.is_doubtful |= is_doubtful;
    }
}

/// Publishes a lane until its log ends or something goes wrong.
pub(super) async fn work(parts: Arc<Parts>, mut lane: Lane) -> (Lane, Result<(), Trouble>) {
    wait(&parts, lane.pause.take()).await;
    let result = publish_all(&parts, &mut lane).await;
    match &result {
        Ok(()) => lane.backoff.reset(),
        Err(Trouble::Stopped(reason)) => {
            if lane.stopped.as_ref() != Some(reason) {
                parts.with.metrics.relay_forked(&parts.with.service);
                let service = &parts.with.service;
                tracing::error!(
                    service,
                    lane = lane.name,
                    reason,
                    "a lane is not published until a person acts"
                );
            }
            lane.stopped = Some(reason.clone());
        }
        Err(_) => {
            lane.is_doubtful = true;
            lane.pause = Some(lane.backoff.next_pause());
        }
    }
    parts.with.status.lane(&lane.name, |status| status.stopped.clone_from(&lane.stopped));
    (lane, result)
}

/// Waits before another try, but no longer than until there is a new connection.
async fn wait(parts: &Parts, pause: Option<Duration>) {
    let Some(pause) = pause else { return };
    let mut connection = parts.with.broker.connection();
    tokio::select! {
        biased;
        Ok(()) = connection.changed() => {}
        () = tokio::time::sleep(pause) => {}
    }
}

async fn publish_all(parts: &Parts, lane: &mut Lane) -> Result<(), Trouble> {
    let connection = *parts.with.broker.connection().borrow();
    if lane.is_doubtful || lane.connection != connection {
        let known = reconcile::reconcile(parts, &lane.name, lane.epoch, lane.known).await?;
        let is_rewound = known.seq < lane.known.seq;
        lane.known = known;
        lane.place = 0;
        lane.connection = connection;
        lane.is_doubtful = false;
        lane.stopped = None;
        published(parts, lane);
        if is_rewound {
            crash::point("relay.after_rewind");
        }
    }
    loop {
        let page = parts.with.store.read(&lane.name, lane.known.seq + 1, PAGE).await?;
        let Some(first) = page.first() else { break };
        crash::point("relay.page_read");
        let oldest = first.occurred_at_us;
        parts.with.status.lane(&lane.name, |status| status.oldest_us = Some(oldest));
        if !publish_together(parts, lane, &page).await? {
            publish_each(parts, lane, &page).await?;
        }
        if page.len() < PAGE as usize {
            break;
        }
    }
    parts.with.status.lane(&lane.name, |status| status.oldest_us = None);
    Ok(())
}

fn published(parts: &Parts, lane: &Lane) {
    parts.with.status.lane(&lane.name, |status| {
        status.published = lane.known.seq;
        status.head = status.head.max(lane.known.seq);
    });
    parts.mark(&lane.name, lane.known.seq);
}

/// Publishes a page at once; false if nothing of it was stored because its events must go one by one.
async fn publish_together(parts: &Parts, lane: &mut Lane, page: &[Envelope]) -> Result<bool, Trouble> {
    let Some(last) = page.last().filter(|_| page.len() > 1) else { return Ok(false) };
    crash::point("relay.before_publish");
    let began = Instant::now();
    let stored = parts.with.broker.publish_together(page).instrument(span(page)).await?;
    let Some(ack) = stored else { return Ok(false) };
    crash::point("relay.after_ack");
    parts.with.metrics.published(&parts.with.service, page.len(), began.elapsed());
    lane.acknowledged(parts, last.seq, ack)?;
    Ok(true)
}

/// Publishes a page one by one.
async fn publish_each(parts: &Parts, lane: &mut Lane, page: &[Envelope]) -> Result<(), Trouble> {
    for event in page {
        crash::point("relay.before_publish");
        let began = Instant::now();
        let ack = store(parts, event).instrument(span(std::slice::from_ref(event))).await?;
        crash::point("relay.after_ack");
        parts.with.metrics.published(&parts.with.service, 1, began.elapsed());
        lane.acknowledged(parts, event.seq, ack)?;
    }
    Ok(())
}

/// A span that is linked to the requests the events came from; none if they were not traced.
fn span(events: &[Envelope]) -> Span {
    let mut traced = events.iter().filter(|event| !event.traceparent.is_empty()).peekable();
    let Some(first) = traced.peek() else { return Span::none() };
    let span = tracing::info_span!(
        "publish",
        otel.kind = "producer",
        messaging.system = "nats",
        messaging.operation.name = "publish",
        messaging.message.id = first.event_id,
        messaging.batch.message_count = events.len(),
    );
    for event in traced {
        telemetry::link(&span, &event.traceparent);
    }
    span
}

/// Stores an event. "I had that one before" is checked: a broker can lose an event and keep its id (it forgets ids by
/// time only), and then the event would be lost for good.
async fn store(parts: &Parts, event: &Envelope) -> Result<Ack, Trouble> {
    let broker = &parts.with.broker;
    let ack = broker.publish(event, Dedupe::ById).await?;
    if !ack.duplicate {
        return Ok(ack);
    }
    let found = broker.stored_at_or_after(&event.service, &event.lane, ack.place).await?;
    match found {
        Some(stored) if stored.place == ack.place && stored.hash == fixed(&event.hash) => Ok(ack),
        _ => Ok(broker.publish(event, Dedupe::Off).await?),
    }
}
