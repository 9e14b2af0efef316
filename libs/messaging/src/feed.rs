//! Reading another service's event log: how gaps are filled, whatever became of the stream (REL-40).

use async_trait::async_trait;

use crate::envelope::Envelope;
use crate::log::LaneHead;

/// Most events in one answer of a feed.
pub const FEED_PAGE: u32 = 256;

/// The log of other services. chassis reads it over gRPC; the simulation (TST-02) from memory.
#[async_trait]
pub trait EventFeed: Send + Sync + 'static {
    /// The heads of all lanes of `service` that have events.
    async fn heads(&self, service: &str) -> Result<Vec<LaneHead>, FeedError>;

    /// Events of a lane from `from_seq`, in order and dense, at most `limit`.
    async fn read(
        &self,
        service: &str,
        lane: &str,
        from_seq: u64,
        limit: u32,
    ) -> Result<Vec<Envelope>, FeedError>;
}

/// The feed did not answer; it will be asked again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event feed: {0}")]
pub struct FeedError(pub String);
