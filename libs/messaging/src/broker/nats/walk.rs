//! Reading the places of many stored events at once, by a consumer that lives for one page.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, pull};
use futures::StreamExt as _;

use super::{NatsBroker, REQUEST_TIMEOUT, fault};
use crate::broker::{BrokerError, Listed, Stored, wire};

/// When the server clears away the consumer of a page that was not finished.
const ABANDONED: Duration = Duration::from_secs(30);

impl NatsBroker {
    /// Stored events of a lane from `place` on, headers only.
    pub(super) async fn walk(
        &self,
        service: &str,
        lane: &str,
        place: u64,
        limit: usize,
    ) -> Result<Vec<Stored>, BrokerError> {
        let subject = wire::lane_subject(service, lane);
        let page =
            self.page(service, subject, place, limit, |headers, place| wire::stored(headers, place).ok());
        page.await
    }

    /// What a stream holds from `place` on, at most `limit` events: for people who want to know what a log has lost.
    ///
    /// # Errors
    /// NoStream; Unavailable without an answer.
    pub async fn list(&self, service: &str, place: u64, limit: usize) -> Result<Vec<Listed>, BrokerError> {
        let subject = wire::service_subject(service);
        self.page(service, subject, place, limit, |headers, place| wire::listed(headers, place).ok()).await
    }

    /// Empties the stream of a service, so that it is filled again from the log alone. Consumers stay.
    ///
    /// # Errors
    /// NoStream; Refused without the permission; Unavailable without an answer.
    pub async fn empty_stream(&self, service: &str) -> Result<(), BrokerError> {
        let stream = self.stream(service).await?;
        stream.get_info().await.map_err(|_| BrokerError::NoStream)?;
        stream.purge().await.map_err(|error| BrokerError::Refused(error.to_string()))?;
        Ok(())
    }

    async fn page<T>(
        &self,
        service: &str,
        subject: String,
        place: u64,
        limit: usize,
        read: impl Fn(&HeaderMap, u64) -> Option<T>,
    ) -> Result<Vec<T>, BrokerError> {
        let stream = self.stream(service).await?;
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: place.max(1) },
            ack_policy: AckPolicy::None,
            filter_subject: subject,
            headers_only: true,
            memory_storage: true,
            num_replicas: 1,
            inactive_threshold: ABANDONED,
            ..pull::Config::default()
        };
        let made: Result<Consumer<pull::Config>, _> = stream.create_consumer(config).await;
        let consumer = made.map_err(|error| fault::consumer(&error))?;
        let pending = usize::try_from(consumer.cached_info().num_pending).unwrap_or(usize::MAX);
        let mut page = Vec::new();
        if pending > 0 {
            let batch =
                consumer.batch().max_messages(pending.min(limit)).expires(REQUEST_TIMEOUT).messages().await;
            let mut messages = batch.map_err(|error| BrokerError::Unavailable(error.to_string()))?;
            while let Some(message) = messages.next().await {
                let message = message.map_err(|error| BrokerError::Unavailable(error.to_string()))?;
                let place = message.info().map_err(|error| fault::boxed(&*error))?.stream_sequence;
                // A message that somebody else put into the lane is no event and is passed over.
                page.extend(message.headers.as_ref().and_then(|headers| read(headers, place)));
            }
            if page.is_empty() {
                return Err(BrokerError::Unavailable("stored events were not delivered".to_owned()));
            }
        }
        // The server clears it away by itself if this fails.
        let _ = stream.delete_consumer(&consumer.cached_info().name).await;
        Ok(page)
    }
}
