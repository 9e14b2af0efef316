//! What relay and projectors need of a service's database.
//!
//! [`SqlStore`] is the database; the simulation (TST-02) has one in memory. [`Inbox`] is the inside of one transaction
//! of a projection, so that the loop which takes events ([`take`](crate::projector::take)) is the same code in both.

mod inbox;
mod rebuild;
mod sql;

use async_trait::async_trait;

use crate::envelope::Envelope;
use crate::gate::Cursor;
use crate::log::LaneHead;
use crate::projector::Taken;

pub(crate) use inbox::SqlInbox;
pub use rebuild::{Lanes, Rebuilding};
pub use sql::SqlStore;

/// A service's own event log, and the cursors of its projections.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The heads of the service's own lanes.
    async fn heads(&self) -> Result<Vec<LaneHead>, StoreError>;

    /// Events of an own lane from `from_seq`, in order and dense, at most `limit`.
    async fn read(&self, lane: &str, from_seq: u64, limit: u32) -> Result<Vec<Envelope>, StoreError>;

    /// First event of an own lane that happened at or after `since_us`, microseconds of the business clock.
    async fn first_since(&self, lane: &str, since_us: i64) -> Result<Option<u64>, StoreError>;

    /// Notes that own lanes are in the stream up to a sequence number. Never moves a mark back.
    async fn mark_published(&self, marks: Vec<(String, u64)>) -> Result<(), StoreError>;

    /// The cursors of a projection, by lane.
    async fn cursors(&self, projection: &ProjectionKey) -> Result<Vec<(String, Cursor)>, StoreError>;

    /// Takes events of one lane in one transaction: handlers, parked events and cursor, all or nothing.
    async fn take(
        &self,
        projection: &ProjectionKey,
        lane: &str,
        events: Vec<Envelope>,
    ) -> Result<Taken, StoreError>;

    /// Stops a lane of a projection until a person acts.
    async fn stop(&self, projection: &ProjectionKey, lane: &str, reason: &str) -> Result<(), StoreError>;
}

/// One transaction of a projection in one lane.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// The cursor, locked until the end of the transaction.
    async fn cursor(&self) -> Result<Cursor, StoreError>;

    /// Which of the things these events happened to have parked events, as aggregate type and id.
    async fn parked(&self, events: &[Envelope]) -> Result<Vec<(String, String)>, StoreError>;

    /// Lets the handler have an event, in a savepoint.
    async fn handle(&self, event: &Envelope) -> Result<Handled, StoreError>;

    /// Parks an event. `poison` is the reason, or `None` if it waits behind an earlier one (REL-43).
    async fn park(&self, event: &Envelope, poison: Option<&str>) -> Result<(), StoreError>;

    /// Deletes what a rebuild has not written again.
    async fn sweep(&self) -> Result<(), StoreError>;

    /// Saves the cursor.
    async fn save(&self, cursor: &Cursor) -> Result<(), StoreError>;
}

/// What the handler made of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handled {
    /// It took effect.
    Applied,
    /// A person has given it up before the lane was rebuilt.
    Skipped,
    /// It will fail every time; nothing of it is left.
    Poison(String),
}

/// Names a projection, everywhere: two services may give theirs the same name, and each must get every event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProjectionKey {
    /// Service in whose database the projection is.
    pub service: String,
    /// Name of the projection.
    pub projection: String,
    /// Service whose events it reads.
    pub source: String,
}

/// The database did not do it; the same may succeed later. Nothing is half done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("store: {0}")]
pub struct StoreError(pub String);
