//! The published events as a stranger sees them: read from NATS with an ordinary client, understood with the published
//! contracts and nothing of our code.

use std::collections::BTreeMap;

use async_nats::jetstream;
use futures::TryStreamExt as _;
use prost_reflect::{DescriptorPool, DynamicMessage, Value};

/// One message of a stream.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) stream: String,
    pub(crate) subject: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) payload: Vec<u8>,
}

impl Message {
    /// A header's value; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    /// The payload, by the contract that `ce-type` names.
    pub(crate) fn body(&self) -> DynamicMessage {
        let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts");
        let kind = self.header("ce-type");
        let kind = pool.get_message_by_name(kind).unwrap_or_else(|| panic!("no contract describes {kind:?}"));
        DynamicMessage::decode(kind, self.payload.as_slice()).expect("the payload follows its contract")
    }

    /// Last part of the event's type, for example "SeatFilled".
    pub(crate) fn kind(&self) -> &str {
        self.header("ce-type").rsplit('.').next().unwrap_or_default()
    }

    /// A number in the payload.
    pub(crate) fn number(&self, field: &str) -> u64 {
        let value = self.body().get_field_by_name(field).map(|value| value.into_owned());
        match value {
            Some(Value::U32(number)) => number.into(),
            Some(Value::U64(number)) => number,
            other => panic!("{field} of {} is {other:?}", self.kind()),
        }
    }

    /// Bytes in the payload.
    pub(crate) fn bytes(&self, field: &str) -> Vec<u8> {
        let value = self.body().get_field_by_name(field).map(|value| value.into_owned());
        match value {
            Some(Value::Bytes(bytes)) => bytes.to_vec(),
            other => panic!("{field} of {} is {other:?}", self.kind()),
        }
    }

    /// A text in the payload.
    pub(crate) fn text(&self, field: &str) -> String {
        let value = self.body().get_field_by_name(field).map(|value| value.into_owned());
        match value {
            Some(Value::String(text)) => text,
            other => panic!("{field} of {} is {other:?}", self.kind()),
        }
    }
}

/// Every message of every stream, oldest first, as often as it is there.
pub(crate) async fn all(url: &str) -> Vec<Message> {
    seen_by(async_nats::connect(url).await.expect("NATS answers")).await
}

/// The same as somebody sees it who has come in already.
pub(crate) async fn seen_by(client: async_nats::Client) -> Vec<Message> {
    let jetstream = jetstream::new(client);
    let mut streams: Vec<String> = jetstream.stream_names().try_collect().await.expect("streams");
    streams.sort();
    let mut messages = Vec::new();
    for name in streams {
        let mut stream = jetstream.get_stream(&name).await.expect("a stream");
        let state = stream.info().await.expect("its state").state.clone();
        // An empty stream says that its first message is number 0, which there never is.
        for sequence in state.first_sequence.max(1)..=state.last_sequence {
            let message = stream.get_raw_message(sequence).await.expect("a message");
            let headers = message
                .headers
                .iter()
                .flat_map(|(name, values)| values.iter().map(|value| (name.to_string(), value.to_string())));
            // In any order on the wire; sorted here so that equal messages are equal.
            let mut headers: Vec<(String, String)> = headers.collect();
            headers.sort();
            messages.push(Message {
                stream: name.clone(),
                subject: message.subject.to_string(),
                headers,
                payload: message.payload.to_vec(),
            });
        }
    }
    messages
}

/// What is left when repeated deliveries are dropped, by lane ("<service>.<county>"), in order; panics if a lane is not
/// dense from 1, because then a reader has missed something.
pub(crate) fn lanes(messages: &[Message]) -> BTreeMap<String, Vec<Message>> {
    let mut lanes: BTreeMap<String, BTreeMap<u64, Message>> = BTreeMap::new();
    for message in messages {
        let words: Vec<&str> = message.subject.split('.').collect();
        let ["evt", "v1", service, county, ..] = words[..] else { panic!("a subject {}", message.subject) };
        let seq = message.header("Ev-Seq").parse().expect("Ev-Seq is a number");
        lanes.entry(format!("{service}.{county}")).or_default().insert(seq, message.clone());
    }
    let dense = |(lane, events): (String, BTreeMap<u64, Message>)| {
        let numbers: Vec<u64> = events.keys().copied().collect();
        assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "lane {lane} has events {numbers:?}");
        (lane, events.into_values().collect())
    };
    lanes.into_iter().map(dense).collect()
}
