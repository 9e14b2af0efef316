//! Making streams and consumers, and checking what the server made of them.

use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, Stream};
use async_nats::jetstream::{ErrorCode, consumer, context::CreateStreamErrorKind};

use super::{NatsBroker, fault};
use crate::broker::{BrokerError, wire};
use crate::provision;
use crate::store::ProjectionKey;

impl NatsBroker {
    /// Makes or updates the stream of a service, and checks it (REL-02, REL-04).
    ///
    /// # Errors
    /// Refused, with the fields that differ or the server's reason; Unavailable without an answer.
    pub async fn provision_stream(&self, service: &str) -> Result<(), BrokerError> {
        self.ready()?;
        let wanted = self.wanted_stream(service);
        let made = self.context.create_or_update_stream(wanted.clone()).await;
        let info = made.map_err(|error| match error.kind() {
            CreateStreamErrorKind::JetStream(reason) => {
                BrokerError::Refused(format!("stream {} cannot be made: {reason}", wanted.name))
            }
            _ => BrokerError::Unavailable(error.to_string()),
        })?;
        provision::check_echo(&format!("stream {}", wanted.name), &wanted, &info.config)
            .map_err(BrokerError::Refused)
    }

    /// Checks the stream of a service without touching it.
    ///
    /// # Errors
    /// NoStream; Refused, with the fields that differ; Unavailable without an answer.
    pub async fn check_stream(&self, service: &str) -> Result<(), BrokerError> {
        self.ready()?;
        let wanted = self.wanted_stream(service);
        let found = self.context.get_stream(&wanted.name).await.map_err(|error| match error.kind() {
            GetStreamErrorKind::JetStream(reason) if reason.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                BrokerError::NoStream
            }
            _ => BrokerError::Unavailable(error.to_string()),
        })?;
        let what = format!("stream {}", wanted.name);
        provision::check_echo(&what, &wanted, &found.cached_info().config).map_err(BrokerError::Refused)
    }

    fn wanted_stream(&self, service: &str) -> Config {
        provision::stream(service, &self.settings.streams, &self.client.server_info().version)
    }

    /// Makes the durable consumer of another system on the stream of a service, if it is missing, and checks it.
    ///
    /// # Errors
    /// As [`provision_stream`](Self::provision_stream).
    pub async fn provision_reader(&self, service: &str, reader: &str) -> Result<(), BrokerError> {
        self.ready()?;
        let wanted = provision::reader(service, reader);
        let made = self.context.create_consumer_on_stream(wanted.clone(), wire::stream_name(service)).await;
        let made = made.map_err(|error| {
            BrokerError::Refused(format!("the consumer {reader} of {service} cannot be made: {error}"))
        })?;
        let wanted = consumer::IntoConsumerConfig::into_consumer_config(wanted);
        provision::check_echo(&format!("consumer {reader}"), &wanted, &made.cached_info().config)
            .map_err(BrokerError::Refused)
    }

    /// Makes a missing consumer; one that is there is left alone and checked.
    pub(super) async fn make_consumer(&self, key: &ProjectionKey) -> Result<(), BrokerError> {
        let stream = self.stream(&key.source).await?;
        match self.check_consumer(&stream, key).await {
            Err(BrokerError::NoConsumer) => {}
            // The source may have published nothing yet, and then has not made it itself.
            Err(BrokerError::NoStream) if self.settings.makes_streams => {
                self.provision_stream(&key.source).await?;
            }
            other => return other,
        }
        let made = stream.create_consumer(provision::consumer(key)).await;
        made.map_err(|error| BrokerError::Refused(format!("a consumer cannot be made: {error}")))?;
        self.check_consumer(&stream, key).await
    }

    pub(super) async fn check_consumer(
        &self,
        stream: &Stream<()>,
        key: &ProjectionKey,
    ) -> Result<(), BrokerError> {
        let name = wire::consumer_name(key);
        let info = stream.consumer_info(&name).await.map_err(|error| fault::consumer_info(&error))?;
        let wanted = consumer::IntoConsumerConfig::into_consumer_config(provision::consumer(key));
        provision::check_echo(&format!("consumer {name}"), &wanted, &info.config)
            .map_err(BrokerError::Refused)
    }
}

pub(super) fn nanoseconds(at: time::OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos()).unwrap_or_default()
}
