//! Reading other services' logs over gRPC, with the service's own identity (REL-40).

use std::sync::Arc;
use std::time::Duration;

use kernel::Fault;
use messaging::Envelope;
use messaging::feed::{EventFeed, FeedError};
use messaging::log::LaneHead;
use proto::messaging::event_feed_service_client::EventFeedServiceClient;
use proto::messaging::{GetHeadRequest, ReadEventsRequest};

use crate::identity::Identity;
use crate::peers::Peers;
use crate::status::fault;

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);
/// Largest answer: a page ends after 1 MiB of payload, and its last event and all headers come on top.
const LARGEST: usize = 8 * 1024 * 1024;

/// The feeds of the other services, as one of them reads them.
#[derive(Clone, Debug)]
pub(crate) struct GrpcFeed {
    identity: Identity,
    peers: Arc<Peers>,
}

impl GrpcFeed {
    pub(crate) fn new(identity: Identity, peers: Arc<Peers>) -> Self {
        Self { identity, peers }
    }
}

#[tonic::async_trait]
impl EventFeed for GrpcFeed {
    async fn heads(&self, service: &str) -> Result<Vec<LaneHead>, FeedError> {
        let message = GetHeadRequest { service: service.to_owned(), lane: String::new() };
        let request = self.identity.request(service, message, CALL).await.map_err(failed)?;
        let channel = self.peers.channel(service).map_err(failed)?;
        let answer = EventFeedServiceClient::new(channel).get_head(request).await;
        Ok(answer.map_err(|status| failed(fault(&status)))?.into_inner().heads)
    }

    async fn read(
        &self,
        service: &str,
        lane: &str,
        from_seq: u64,
        limit: u32,
    ) -> Result<Vec<Envelope>, FeedError> {
        let message =
            ReadEventsRequest { service: service.to_owned(), lane: lane.to_owned(), from_seq, limit };
        let request = self.identity.request(service, message, CALL).await.map_err(failed)?;
        let channel = self.peers.channel(service).map_err(failed)?;
        let mut client = EventFeedServiceClient::new(channel).max_decoding_message_size(LARGEST);
        let answer = client.read_events(request).await;
        Ok(answer.map_err(|status| failed(fault(&status)))?.into_inner().events)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn failed(fault: Fault) -> FeedError {
    match fault.internal_text() {
        Some(text) => FeedError(format!("{fault} ({text})")),
        None => FeedError(fault.to_string()),
    }
}
