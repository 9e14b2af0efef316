//! What the client's many errors mean for relay and projectors.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::pull::{MessagesError, MessagesErrorKind};
use async_nats::jetstream::context::{
    ConsumerInfoError, ConsumerInfoErrorKind, PublishError, PublishErrorKind,
};
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{ConsumerError, ConsumerErrorKind, RawMessageError, RawMessageErrorKind};

use crate::broker::BrokerError;

pub(super) fn publish(error: &PublishError) -> BrokerError {
    match error.kind() {
        PublishErrorKind::StreamNotFound => BrokerError::NoStream,
        PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe | PublishErrorKind::MaxAckPending => {
            BrokerError::Unavailable(error.to_string())
        }
        _ => BrokerError::Refused(format!("NATS does not store an event: {error}")),
    }
}

pub(super) fn none_if_absent(
    found: Result<StreamMessage, RawMessageError>,
) -> Result<Option<StreamMessage>, BrokerError> {
    let error = match found {
        Ok(message) => return Ok(Some(message)),
        Err(error) => error,
    };
    match error.kind() {
        RawMessageErrorKind::NoMessageFound => Ok(None),
        RawMessageErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {
            Err(BrokerError::NoStream)
        }
        RawMessageErrorKind::JetStream(error) if error.error_code() == ErrorCode::NO_MESSAGE_FOUND => {
            Ok(None)
        }
        _ => Err(BrokerError::Unavailable(error.to_string())),
    }
}

pub(super) fn consumer_info(error: &ConsumerInfoError) -> BrokerError {
    match error.kind() {
        ConsumerInfoErrorKind::NotFound => BrokerError::NoConsumer,
        ConsumerInfoErrorKind::StreamNotFound => BrokerError::NoStream,
        _ => BrokerError::Unavailable(error.to_string()),
    }
}

pub(super) fn consumer(error: &ConsumerError) -> BrokerError {
    match error.kind() {
        ConsumerErrorKind::JetStream(reason) if reason.error_code() == ErrorCode::STREAM_NOT_FOUND => {
            BrokerError::NoStream
        }
        _ => BrokerError::Unavailable(error.to_string()),
    }
}

pub(super) fn messages(error: &MessagesError) -> BrokerError {
    match error.kind() {
        MessagesErrorKind::ConsumerDeleted => BrokerError::NoConsumer,
        _ => BrokerError::Unavailable(error.to_string()),
    }
}

pub(super) fn boxed(error: &(dyn std::error::Error + Send + Sync + 'static)) -> BrokerError {
    BrokerError::Unavailable(error.to_string())
}
