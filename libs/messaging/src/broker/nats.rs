//! NATS JetStream as a [`Broker`].
//!
//! Made to be there before the server is: it connects in the background, and while there is no connection everything
//! fails at once instead of waiting in the client's buffer, from where it would be sent long after it was given up.

mod fault;
mod manage;
mod together;
mod walk;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::stream::Stream;
use async_nats::jetstream::{self, Context, context::ContextBuilder};
use async_nats::{Client, ConnectOptions, Event};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use super::{Ack, Broker, BrokerError, ConsumerState, Dedupe, Delivery, Extent, Stored, wire};
use crate::crash;
use crate::envelope::Envelope;
use crate::provision::{self, Profile, StreamSettings};
use crate::store::ProjectionKey;

/// How long the server has to answer a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Messages of one pull request.
const FETCH: usize = 256;
/// How long a pull request lasts.
const EXPIRES: Duration = Duration::from_secs(5);
/// How often the server shows that it still has the request.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// Longest pause between tries to connect.
const LONGEST_RECONNECT: Duration = Duration::from_secs(2);

/// How to reach NATS and what to expect there.
#[derive(Clone, Debug)]
pub struct NatsSettings {
    /// `nats://host:port` or `tls://host:port`, several with commas between them.
    pub url: String,
    /// Name of this process in the server's lists.
    pub name: String,
    /// A credentials file's content, if the server asks for one.
    pub credentials: Option<String>,
    /// What a server with TLS is shown, and how it is known.
    pub tls: Option<NatsTls>,
    /// What the subjects of answers begin with; permissions keep others from listening there (REL-04).
    pub inbox: String,
    /// How strict to be.
    pub profile: Profile,
    /// Whether this process makes streams that are missing: in embedded mode and for `provision` only.
    pub makes_streams: bool,
    /// How to make them.
    pub streams: StreamSettings,
}

/// Certificates for NATS, in PEM. They are read again for each new connection, so that new files need no restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatsTls {
    /// The authorities that may have signed the servers' certificates.
    pub ca: PathBuf,
    /// The own certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl NatsSettings {
    /// How the client connects: as whom, over TLS if an address says so, and to no other servers than those named.
    ///
    /// # Errors
    /// Refused, if the credentials make no sense.
    pub fn options(&self) -> Result<ConnectOptions, BrokerError> {
        let mut options = match &self.credentials {
            Some(credentials) => {
                ConnectOptions::with_credentials(credentials).map_err(|error| refused(&error))?
            }
            None => ConnectOptions::new(),
        };
        if let Some(tls) = &self.tls {
            options = options
                .add_root_certificates(tls.ca.clone())
                .add_client_certificate(tls.certificate.clone(), tls.key.clone());
        }
        // A server could name others that are reached in plain text, or by names that are in no certificate.
        Ok(options.name(&self.name).custom_inbox_prefix(&self.inbox).ignore_discovered_servers())
    }

    /// The addresses, one by one.
    pub fn servers(&self) -> Vec<&str> {
        self.url.split(',').map(str::trim).collect()
    }

    /// A server for development that this process has to itself.
    pub fn embedded(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            name: "osallisuus".to_owned(),
            credentials: None,
            tls: None,
            inbox: wire::inbox("osallisuus"),
            profile: Profile::Development,
            makes_streams: true,
            streams: StreamSettings::default(),
        }
    }
}

/// A connection to NATS, shared by everything in a process.
#[derive(Debug)]
pub struct NatsBroker {
    client: Client,
    context: Context,
    settings: NatsSettings,
    connection: watch::Sender<u64>,
    /// The connection on which the server's version was found good.
    checked: watch::Sender<Option<u64>>,
    /// Services whose streams do not store events together, and the connection on which that was found.
    one_by_one: Mutex<BTreeMap<String, u64>>,
    subscriptions: Mutex<BTreeMap<ProjectionKey, Arc<Mutex<Option<Subscription>>>>>,
}

/// Messages of a consumer on their way.
struct Subscription {
    messages: pull::Stream,
    connection: u64,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl NatsBroker {
    /// Begins to connect and returns at once; the server need not be there.
    ///
    /// # Errors
    /// If the address or the credentials make no sense.
    pub async fn connect(settings: NatsSettings) -> Result<Self, BrokerError> {
        let connection = watch::Sender::new(0);
        let counter = connection.clone();
        let options = settings
            .options()?
            .retry_on_initial_connect()
            .max_reconnects(None)
            .request_timeout(Some(REQUEST_TIMEOUT))
            .reconnect_delay_callback(reconnect_delay)
            .event_callback(move |event| {
                note(&counter, &event);
                async {}
            });
        let client = options.connect(settings.servers()).await.map_err(|error| refused(&error))?;
        let context =
            ContextBuilder::new().timeout(REQUEST_TIMEOUT).ack_timeout(REQUEST_TIMEOUT).build(client.clone());
        Ok(Self {
            client,
            context,
            settings,
            connection,
            checked: watch::Sender::new(None),
            one_by_one: Mutex::default(),
            subscriptions: Mutex::default(),
        })
    }

    /// Whether there is a connection to a server that is new enough.
    ///
    /// # Errors
    /// Unavailable without a connection; Refused if the server or the set-up breaks the profile.
    pub fn ready(&self) -> Result<(), BrokerError> {
        if self.client.connection_state() != State::Connected {
            return Err(BrokerError::Unavailable("not connected".to_owned()));
        }
        let connection = *self.connection.borrow();
        if *self.checked.borrow() == Some(connection) {
            return Ok(());
        }
        let version = self.client.server_info().version;
        provision::check_profile(&version, self.settings.profile, &self.settings.streams)
            .map_err(BrokerError::Refused)?;
        self.checked.send_replace(Some(connection));
        Ok(())
    }

    /// Ends the connection.
    pub async fn close(&self) {
        // Nothing is waited for: whatever was not acknowledged is done again.
        let _ = self.client.drain().await;
    }

    async fn stream(&self, service: &str) -> Result<Stream<()>, BrokerError> {
        self.ready()?;
        let name = wire::stream_name(service);
        self.context.get_stream_no_info(name).await.map_err(|error| BrokerError::Refused(error.to_string()))
    }

    /// What was published last is on its way: a process that is to die here has sent it, unless the connection is lost.
    async fn has_left(&self) {
        if crash::is_planned("relay.after_publish") {
            let _ = self.client.flush().await;
        }
        crash::point("relay.after_publish");
    }

    /// The subscription of a consumer, for this caller alone.
    async fn subscription(&self, key: &ProjectionKey) -> OwnedMutexGuard<Option<Subscription>> {
        let slot = Arc::clone(self.subscriptions.lock().await.entry(key.clone()).or_default());
        slot.lock_owned().await
    }

    async fn subscribe(&self, key: &ProjectionKey) -> Result<Subscription, BrokerError> {
        let connection = *self.connection.borrow();
        let stream = self.stream(&key.source).await?;
        // Only one that is set up as wanted: with other settings, events could be lost.
        self.check_consumer(&stream, key).await?;
        let consumer: jetstream::consumer::Consumer<pull::Config> =
            stream.get_consumer(&wire::consumer_name(key)).await.map_err(|error| fault::boxed(&*error))?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(FETCH)
            .expires(EXPIRES)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(|error| BrokerError::Unavailable(error.to_string()))?;
        Ok(Subscription { messages, connection })
    }
}

#[async_trait]
impl Broker for NatsBroker {
    fn connection(&self) -> watch::Receiver<u64> {
        self.connection.subscribe()
    }

    async fn publish(&self, event: &Envelope, dedupe: Dedupe) -> Result<Ack, BrokerError> {
        self.ready()?;
        let mut headers = wire::headers(event).map_err(BrokerError::Refused)?;
        if dedupe == Dedupe::ById {
            headers.insert(async_nats::header::NATS_MESSAGE_ID, wire::message_id(event).as_str());
        }
        let payload = Bytes::from(event.payload.clone());
        let publish = async {
            let sent = self.context.publish_with_headers(wire::subject(event), headers, payload).await?;
            self.has_left().await;
            sent.await
        };
        let mut connection = self.connection.subscribe();
        let ack = tokio::select! {
            biased;
            ack = publish => ack.map_err(|error| fault::publish(&error))?,
            // No answer comes over a connection that is lost.
            Ok(()) = connection.changed() => return Err(lost()),
        };
        Ok(Ack { place: ack.sequence, duplicate: ack.duplicate })
    }

    async fn publish_together(&self, events: &[Envelope]) -> Result<Option<Ack>, BrokerError> {
        self.store_together(events).await
    }

    async fn stored_at_or_after(
        &self,
        service: &str,
        lane: &str,
        place: u64,
    ) -> Result<Option<Stored>, BrokerError> {
        let stream = self.stream(service).await?;
        let mut place = place.max(1);
        loop {
            let found =
                stream.get_first_raw_message_by_subject(wire::lane_subject(service, lane), place).await;
            let Some(message) = fault::none_if_absent(found)? else { return Ok(None) };
            // A message that somebody else put into the lane is no event and is passed over.
            match wire::stored(&message.headers, message.sequence) {
                Ok(stored) => return Ok(Some(stored)),
                Err(_) => place = message.sequence + 1,
            }
        }
    }

    async fn stored_from(
        &self,
        service: &str,
        lane: &str,
        place: u64,
        limit: usize,
    ) -> Result<Vec<Stored>, BrokerError> {
        self.walk(service, lane, place, limit).await
    }

    async fn extent(&self, service: &str, lane: &str) -> Result<Extent, BrokerError> {
        let subject = wire::lane_subject(service, lane);
        let stream = self.stream(service).await?;
        let last = stream.get_last_raw_message_by_subject(&subject).await;
        let last = fault::none_if_absent(last)?;
        let Some(last) = last.and_then(|message| wire::stored(&message.headers, message.sequence).ok())
        else {
            return Ok(Extent::default());
        };
        let first = self.stored_at_or_after(service, lane, 0).await?;
        let unavailable = |error: &dyn std::fmt::Display| BrokerError::Unavailable(error.to_string());
        let mut counts = stream.info_with_subjects(&subject).await.map_err(|error| unavailable(&error))?;
        let mut messages = 0;
        while let Some(count) = counts.next().await {
            messages += count.map_err(|error| unavailable(&error))?.1 as u64;
        }
        Ok(Extent { first, last: Some(last), messages })
    }

    async fn ensure_stream(&self, service: &str) -> Result<(), BrokerError> {
        if !self.settings.makes_streams {
            return Err(BrokerError::NoStream);
        }
        self.provision_stream(service).await
    }

    async fn ensure_consumer(&self, consumer: &ProjectionKey) -> Result<(), BrokerError> {
        self.make_consumer(consumer).await
    }

    async fn consumer_state(&self, consumer: &ProjectionKey) -> Result<ConsumerState, BrokerError> {
        let stream = self.stream(&consumer.source).await?;
        let info = stream.consumer_info(wire::consumer_name(consumer)).await;
        let info = info.map_err(|error| fault::consumer_info(&error))?;
        let found = stream.get_info().await.map_err(|error| BrokerError::Unavailable(error.to_string()))?;
        Ok(ConsumerState {
            ack_floor: info.ack_floor.stream_sequence,
            pending: info.num_pending,
            stream_last: found.state.last_sequence,
            stream_created: manage::nanoseconds(found.created),
        })
    }

    async fn recreate_consumer(&self, consumer: &ProjectionKey) -> Result<(), BrokerError> {
        let stream = self.stream(&consumer.source).await?;
        // Whether it was there does not matter.
        let _ = stream.delete_consumer(&wire::consumer_name(consumer)).await;
        self.make_consumer(consumer).await
    }

    async fn fetch(&self, key: &ProjectionKey) -> Result<Vec<Delivery>, BrokerError> {
        let mut slot = self.subscription(key).await;
        let mut connection = self.connection.subscribe();
        if slot
            .as_ref()
            .is_some_and(|subscription| subscription.connection != *connection.borrow_and_update())
        {
            *slot = None;
        }
        if slot.is_none() {
            *slot = Some(self.subscribe(key).await?);
        }
        let Some(subscription) = slot.as_mut() else { return Ok(Vec::new()) };
        let first = tokio::select! {
            biased;
            Ok(()) = connection.changed() => return Err(lost()),
            first = tokio::time::timeout(EXPIRES, subscription.messages.next()) => first,
        };
        let mut next = match first {
            Err(_) => return Ok(Vec::new()),
            Ok(next) => next,
        };
        let mut deliveries = Vec::new();
        loop {
            match next {
                Some(Ok(message)) => deliveries.push(delivery(&message)),
                // Given out first; the next call subscribes anew.
                Some(Err(_)) | None if !deliveries.is_empty() => {
                    *slot = None;
                    return Ok(deliveries);
                }
                Some(Err(error)) => {
                    *slot = None;
                    return Err(fault::messages(&error));
                }
                None => {
                    *slot = None;
                    return Err(BrokerError::Unavailable("the messages ended".to_owned()));
                }
            }
            if deliveries.len() >= FETCH {
                return Ok(deliveries);
            }
            match subscription.messages.next().now_or_never() {
                Some(ready) => next = ready,
                None => return Ok(deliveries),
            }
        }
    }

    async fn ack(&self, delivery: &Delivery) -> Result<(), BrokerError> {
        let sent = self.client.publish(delivery.token.clone(), Bytes::from_static(b"+ACK")).await;
        if crash::is_planned("projector.after_ack") {
            let _ = self.client.flush().await;
        }
        sent.map_err(|error| BrokerError::Unavailable(error.to_string()))
    }
}

fn refused(error: &dyn std::fmt::Display) -> BrokerError {
    BrokerError::Refused(format!("cannot use NATS: {error}"))
}

fn lost() -> BrokerError {
    BrokerError::Unavailable("the connection was lost".to_owned())
}

fn delivery(message: &jetstream::Message) -> Delivery {
    Delivery {
        event: wire::envelope(message.headers.as_ref(), &message.payload),
        token: message.reply.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

/// Counts connections, lost ones too: what is acknowledged between a loss and the next connection proves nothing.
fn note(connection: &watch::Sender<u64>, event: &Event) {
    match event {
        Event::Connected | Event::Disconnected => {
            connection.send_modify(|count| *count += 1);
            tracing::info!(%event, "NATS");
        }
        Event::ServerError(_) | Event::ClientError(_) | Event::SlowConsumer(_) => {
            tracing::warn!(%event, "NATS");
        }
        Event::LameDuckMode | Event::Draining | Event::Closed => tracing::info!(%event, "NATS"),
    }
}

/// At once, then with pauses that grow to two seconds.
fn reconnect_delay(tries: usize) -> Duration {
    let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or(u32::MAX).min(6);
    if tries <= 1 {
        Duration::ZERO
    } else {
        (Duration::from_millis(50) * 2_u32.pow(doublings)).min(LONGEST_RECONNECT)
    }
}
