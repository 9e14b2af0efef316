//! The stream: what relay and projectors need of NATS JetStream.
//!
//! [`NatsBroker`] is the real one; the simulation (TST-02) has one that loses, doubles and reorders on purpose. Nothing
//! here is trusted with the truth: a broker may lose what it has acknowledged, and everything is repaired from the log.

mod nats;
pub mod permissions;
pub mod wire;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::envelope::{Envelope, HASH_BYTES};
use crate::store::ProjectionKey;

pub use nats::{NatsBroker, NatsSettings, NatsTls};

/// A broker with one stream for each service and one durable consumer for each projection and source.
#[async_trait]
pub trait Broker: Send + Sync + 'static {
    /// Rises with every new connection. What was acknowledged on an earlier one may be gone.
    fn connection(&self) -> watch::Receiver<u64>;

    /// Stores an event and waits for the acknowledgement. A timeout means *unknown*: the event may still arrive later.
    async fn publish(&self, event: &Envelope, dedupe: Dedupe) -> Result<Ack, BrokerError>;

    /// Stores events of one lane in their order, all or none, and waits for the acknowledgement, which has the place of
    /// the last one. None if they must go one by one: the broker cannot do this, or has one of them already. A timeout
    /// means *unknown*: all of them may still arrive later.
    async fn publish_together(&self, events: &[Envelope]) -> Result<Option<Ack>, BrokerError>;

    /// The first stored event of a lane at or after a place in the stream.
    async fn stored_at_or_after(
        &self,
        service: &str,
        lane: &str,
        place: u64,
    ) -> Result<Option<Stored>, BrokerError>;

    /// Stored events of a lane from a place in the stream on, at most `limit`; empty at the end.
    async fn stored_from(
        &self,
        service: &str,
        lane: &str,
        place: u64,
        limit: usize,
    ) -> Result<Vec<Stored>, BrokerError>;

    /// Beginning, end and number of messages of a lane in the stream.
    async fn extent(&self, service: &str, lane: &str) -> Result<Extent, BrokerError>;

    /// Makes the stream of a service if there is none and this process may make streams.
    async fn ensure_stream(&self, service: &str) -> Result<(), BrokerError>;

    /// Makes the consumer if there is none, and compares its settings with the wanted ones (REL-02).
    async fn ensure_consumer(&self, consumer: &ProjectionKey) -> Result<(), BrokerError>;

    /// State of a consumer and of its stream.
    async fn consumer_state(&self, consumer: &ProjectionKey) -> Result<ConsumerState, BrokerError>;

    /// Deletes a consumer and makes it again, to deliver everything from the first event (REL-41).
    async fn recreate_consumer(&self, consumer: &ProjectionKey) -> Result<(), BrokerError>;

    /// The next messages of a consumer, at most 256; empty if none came for some seconds.
    async fn fetch(&self, consumer: &ProjectionKey) -> Result<Vec<Delivery>, BrokerError>;

    /// Acknowledges a delivery and all before it. Not waited for: a lost acknowledgement leads to a redelivery.
    async fn ack(&self, delivery: &Delivery) -> Result<(), BrokerError>;
}

/// Whether the broker may drop an event as a duplicate by its message id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dedupe {
    /// The usual case.
    ById,
    /// The broker remembers the id but has lost the event; store it again.
    Off,
}

/// The broker has an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Place in the stream.
    pub place: u64,
    /// True if the broker says that it had the event before.
    pub duplicate: bool,
}

/// An event as it lies in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Place in the stream. Places are used again after the broker has lost events.
    pub place: u64,
    /// Epoch of the event.
    pub epoch: u64,
    /// Sequence number in the lane.
    pub seq: u64,
    /// Hash of the event.
    pub hash: [u8; HASH_BYTES],
}

/// An event in the stream, as it is listed for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Place in the stream.
    pub place: u64,
    /// Lane: county code.
    pub lane: String,
    /// Epoch of the event.
    pub epoch: u64,
    /// Sequence number in the lane.
    pub seq: u64,
    /// Its id.
    pub event_id: String,
    /// Full name of its type.
    pub event_type: String,
}

/// How much of a lane lies in the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// The first stored event.
    pub first: Option<Stored>,
    /// The last one.
    pub last: Option<Stored>,
    /// Number of messages, duplicates and all.
    pub messages: u64,
}

/// A message as a consumer gets it.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The event, or why the message is none.
    pub event: Result<Envelope, String>,
    /// How to acknowledge it: the broker's own token.
    pub token: String,
}

/// What is known about a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsumerState {
    /// Last place that was acknowledged with everything before it.
    pub ack_floor: u64,
    /// Messages not yet delivered.
    pub pending: u64,
    /// Last place in the stream.
    pub stream_last: u64,
    /// Tells one stream from another of the same name made later.
    pub stream_created: i64,
}

/// Why the broker did not do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    /// No answer, or no connection. Whether it was done is unknown.
    #[error("no answer from NATS: {0}")]
    Unavailable(String),
    /// There is no such stream.
    #[error("the stream does not exist")]
    NoStream,
    /// There is no such consumer.
    #[error("the consumer does not exist")]
    NoConsumer,
    /// The broker, or our own check of it, says no: wrong settings, an old version, no permission, a full stream.
    #[error("{0}")]
    Refused(String),
}
