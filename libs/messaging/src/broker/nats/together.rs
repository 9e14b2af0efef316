//! Storing events together: an atomic batch of JetStream (nats-server 2.12 or newer), by its headers.
//!
//! One acknowledgement for a page of events instead of one for each: that is what lets a lane catch up quickly without
//! giving up its order. The server keeps the messages aside until the last one comes, and stores all or none. Servers
//! that do not know the headers would store the messages one by one, so these are asked by their version.

use std::error::Error as _;

use async_nats::HeaderMap;
use async_nats::header::{NATS_BATCH_COMMIT, NATS_BATCH_ID, NATS_BATCH_SEQUENCE, NATS_MESSAGE_ID};
use async_nats::jetstream;
use async_nats::jetstream::context::PublishError;
use bytes::Bytes;

use super::{NatsBroker, fault, lost};
use crate::broker::{Ack, BrokerError, wire};
use crate::envelope::Envelope;
use crate::provision;

/// Bytes of a batch: the server keeps it in memory until it is whole.
const MOST_BYTES: usize = 4 * 1024 * 1024;

impl NatsBroker {
    pub(super) async fn store_together(&self, events: &[Envelope]) -> Result<Option<Ack>, BrokerError> {
        self.ready()?;
        let bytes: usize = events.iter().map(|event| event.payload.len()).sum();
        let Some((last, first)) = events.split_last() else { return Ok(None) };
        if bytes > MOST_BYTES || !provision::stores_together(&self.client.server_info().version) {
            return Ok(None);
        }
        // Unique for as long as the server could still hold an unfinished one of this name.
        let inbox = self.client.new_inbox();
        let batch = inbox.rsplit('.').next().unwrap_or(&inbox);
        let mut connection = self.connection.subscribe();
        let publish = async {
            for (number, event) in (1_u64..).zip(first) {
                let headers = headers(event, batch, number)?;
                let sent =
                    self.client.publish_with_headers(wire::subject(event), headers, payload(event)).await;
                sent.map_err(|error| BrokerError::Unavailable(error.to_string()))?;
            }
            let mut headers = headers(last, batch, events.len() as u64)?;
            headers.insert(NATS_BATCH_COMMIT, "1");
            let sent = self.context.publish_with_headers(wire::subject(last), headers, payload(last)).await;
            let sent = sent.map_err(|error| fault::publish(&error))?;
            self.has_left().await;
            match sent.await {
                Ok(ack) => Ok(Some(Ack { place: ack.sequence, duplicate: false })),
                // A definite no: none was stored. One of them may be there already, or the stream may not do this.
                Err(error) if is_answer(&error) => Ok(None),
                Err(error) => Err(fault::publish(&error)),
            }
        };
        tokio::select! {
            biased;
            ack = publish => ack,
            // No answer comes over a connection that is lost.
            Ok(()) = connection.changed() => Err(lost()),
        }
    }
}

fn headers(event: &Envelope, batch: &str, number: u64) -> Result<HeaderMap, BrokerError> {
    let mut headers = wire::headers(event).map_err(BrokerError::Refused)?;
    headers.insert(NATS_MESSAGE_ID, wire::message_id(event).as_str());
    headers.insert(NATS_BATCH_ID, batch);
    headers.insert(NATS_BATCH_SEQUENCE, number.to_string().as_str());
    Ok(headers)
}

fn payload(event: &Envelope) -> Bytes {
    Bytes::from(event.payload.clone())
}

/// True if the server has answered, with an error.
fn is_answer(error: &PublishError) -> bool {
    error.source().is_some_and(|source| source.is::<jetstream::Error>())
}
