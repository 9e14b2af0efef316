//! Storing events together: an atomic batch of JetStream (nats-server 2.14 or newer; 2.12.0 has them, but not
//! with ids), by its headers.
//!
//! One acknowledgement for a page of events instead of one for each: that is what lets a lane catch up quickly without
//! giving up its order. The server keeps the messages aside until the last one comes, and stores all or none. Servers
//! that do not know the headers would store the messages one by one, so these are asked by their version.

use std::error::Error as _;

use async_nats::HeaderMap;
use async_nats::header::{NATS_BATCH_COMMIT, NATS_BATCH_ID, NATS_BATCH_SEQUENCE, NATS_MESSAGE_ID};
use async_nats::jetstream::context::PublishError;
use async_nats::jetstream::{self, ErrorCode};
use bytes::Bytes;

use super::{NatsBroker, REQUEST_TIMEOUT, fault, lost};
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
        let (service, connection) = (last.service.as_str(), *self.connection.borrow());
        if self.one_by_one.lock().await.get(service) == Some(&connection) {
            return Ok(None);
        }
        // Unique for as long as the server could still hold an unfinished one of this name.
        let inbox = self.client.new_inbox();
        let batch = inbox.rsplit('.').next().unwrap_or(&inbox);
        let named = (1_u64..).zip(events).map(|(number, event)| headers(event, batch, number));
        // One that cannot be sent must not hold up those before it.
        let Ok(mut named) = named.collect::<Result<Vec<HeaderMap>, String>>() else { return Ok(None) };
        let Some(mut commit) = named.pop() else { return Ok(None) };
        commit.insert(NATS_BATCH_COMMIT, "1");
        let mut changed = self.connection.subscribe();
        let publish = async {
            let send = async {
                for (event, headers) in first.iter().zip(named) {
                    self.client.publish_with_headers(wire::subject(event), headers, payload(event)).await?;
                }
                Ok::<(), async_nats::PublishError>(())
            };
            // A client that is stuck has a full queue and would wait for as long as its server is.
            let sent = tokio::time::timeout(REQUEST_TIMEOUT, send).await;
            sent.map_err(|_| BrokerError::Unavailable("not sent in time".to_owned()))?
                .map_err(|error| BrokerError::Unavailable(error.to_string()))?;
            let sent = self.context.publish_with_headers(wire::subject(last), commit, payload(last)).await;
            let sent = sent.map_err(|error| fault::publish(&error))?;
            self.has_left().await;
            match sent.await {
                Ok(ack) => Ok(Some(Ack { place: ack.sequence, duplicate: false })),
                // A definite no: none was stored. One of them may be there already, or the stream may not do this.
                Err(error) => match answer(&error) {
                    Some(code) => {
                        if code == ErrorCode::ATOMIC_PUBLISH_DISABLED {
                            self.cannot_together(service, connection).await;
                        }
                        Ok(None)
                    }
                    None => Err(fault::publish(&error)),
                },
            }
        };
        tokio::select! {
            biased;
            ack = publish => ack,
            // No answer comes over a connection that is lost.
            Ok(()) = changed.changed() => Err(lost()),
        }
    }

    /// The stream was made by an older version. Whoever may make streams mends it; others do not try again on this
    /// connection.
    async fn cannot_together(&self, service: &str, connection: u64) {
        if self.settings.makes_streams && self.provision_stream(service).await.is_ok() {
            return;
        }
        tracing::warn!(service, "events are stored one by one until `osallisuus provision` has been run");
        self.one_by_one.lock().await.insert(service.to_owned(), connection);
    }
}

fn headers(event: &Envelope, batch: &str, number: u64) -> Result<HeaderMap, String> {
    let mut headers = wire::headers(event)?;
    headers.insert(NATS_MESSAGE_ID, wire::message_id(event).as_str());
    headers.insert(NATS_BATCH_ID, batch);
    headers.insert(NATS_BATCH_SEQUENCE, number.to_string().as_str());
    Ok(headers)
}

fn payload(event: &Envelope) -> Bytes {
    Bytes::from(event.payload.clone())
}

/// What the server has answered, if it has.
fn answer(error: &PublishError) -> Option<ErrorCode> {
    Some(error.source()?.downcast_ref::<jetstream::Error>()?.error_code())
}
