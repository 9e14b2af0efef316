//! An event as a NATS message: subject, headers, payload, and names of streams and consumers.
//!
//! The headers are CloudEvents in binary mode (`ce-…`) for any subscriber, and `Ev-…` for the place in the lane.
//! Together with the payload they hold the whole envelope, so a receiver can check its hash.

use async_nats::HeaderMap;
use async_nats::header::HeaderValue;
use bytes::Bytes;
use kernel::Timestamp;

use super::{Listed, Stored};
use crate::envelope::{Envelope, HASH_BYTES};
use crate::store::ProjectionKey;

const EVENT_ID: &str = "ce-id";
const EVENT_TYPE: &str = "ce-type";
const SEQ: &str = "Ev-Seq";
const EPOCH: &str = "Ev-Epoch";
const PREV_HASH: &str = "Ev-Prev-Hash";
const HASH: &str = "Ev-Hash";
const SERVICE: &str = "Ev-Service";
const LANE: &str = "ce-leadtenant";
const CO_TENANTS: &str = "ce-cotenants";
const SCHEMA_VERSION: &str = "ce-schemaversion";
const AGGREGATE_TYPE: &str = "ce-aggregatetype";
const AGGREGATE_ID: &str = "ce-aggregateid";
const CAUSATION_ID: &str = "ce-causationid";
const CORRELATION_ID: &str = "ce-correlationid";
const OCCURRED_AT: &str = "Ev-Occurred-At-Us";
const TRACEPARENT: &str = "traceparent";

/// Name of the stream of a service.
pub fn stream_name(service: &str) -> String {
    format!("EVT_{}", service.to_uppercase())
}

/// Subject of everything that a service publishes.
pub fn service_subject(service: &str) -> String {
    format!("evt.v1.{service}.>")
}

/// Subject of everything in one lane.
pub fn lane_subject(service: &str, lane: &str) -> String {
    format!("evt.v1.{service}.{lane}.>")
}

/// What the subjects of answers to a user of NATS begin with: nobody else may listen there.
pub fn inbox(user: &str) -> String {
    format!("_INBOX_{user}")
}

/// Subject of an event: `evt.v1.<service>.<county>.<aggregate>.<event in snake case>`.
pub fn subject(event: &Envelope) -> String {
    let name = event.event_type.rsplit('.').next().unwrap_or_default();
    format!("evt.v1.{}.{}.{}.{}", event.service, event.lane, event.aggregate_type, snake_case(name))
}

/// Name of the durable consumer of a projection.
pub fn consumer_name(key: &ProjectionKey) -> String {
    format!("{}_{}_{}", key.service, key.projection, key.source)
}

/// What the broker recognises a repeated event by: `<service>/<lane>/<epoch>/<seq>`.
pub fn message_id(event: &Envelope) -> String {
    format!("{}/{}/{}/{}", event.service, event.lane, event.epoch, event.seq)
}

/// The headers of an event.
///
/// # Errors
/// If a text cannot be a header (line breaks); the text names the field.
pub fn headers(event: &Envelope) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: String| {
        let value = value.parse::<HeaderValue>().map_err(|_| format!("{name} cannot be a header"))?;
        headers.insert(name, value);
        Ok::<(), String>(())
    };
    put("ce-specversion", "1.0".to_owned())?;
    put("content-type", "application/protobuf".to_owned())?;
    put("ce-source", format!("/osallisuus/{}/{}", event.service, event.lane))?;
    put("ce-subject", format!("{}/{}", event.aggregate_type, event.aggregate_id))?;
    put("ce-time", Timestamp::from_micros(event.occurred_at_us).to_string())?;
    put(EVENT_ID, event.event_id.clone())?;
    put(EVENT_TYPE, event.event_type.clone())?;
    put(SERVICE, event.service.clone())?;
    put(LANE, event.lane.clone())?;
    put(CO_TENANTS, event.co_tenants.join(","))?;
    put(SCHEMA_VERSION, event.schema_version.to_string())?;
    put(AGGREGATE_TYPE, event.aggregate_type.clone())?;
    put(AGGREGATE_ID, event.aggregate_id.clone())?;
    put(CAUSATION_ID, event.causation_id.clone())?;
    put(CORRELATION_ID, event.correlation_id.clone())?;
    put(OCCURRED_AT, event.occurred_at_us.to_string())?;
    put(SEQ, event.seq.to_string())?;
    put(EPOCH, event.epoch.to_string())?;
    put(PREV_HASH, to_hex(&event.prev_hash))?;
    put(HASH, to_hex(&event.hash))?;
    if !event.traceparent.is_empty() {
        put(TRACEPARENT, event.traceparent.clone())?;
    }
    Ok(headers)
}

/// The envelope of a message, without a check of its hash.
///
/// # Errors
/// If a header is missing or malformed; the text names it.
pub fn envelope(headers: Option<&HeaderMap>, payload: &Bytes) -> Result<Envelope, String> {
    let headers = headers.ok_or("the message has no headers")?;
    let text = |name: &'static str| get(headers, name).map(str::to_owned);
    Ok(Envelope {
        service: text(SERVICE)?,
        lane: text(LANE)?,
        epoch: number(headers, EPOCH)?,
        seq: number(headers, SEQ)?,
        event_id: text(EVENT_ID)?,
        event_type: text(EVENT_TYPE)?,
        schema_version: number(headers, SCHEMA_VERSION)?,
        aggregate_type: text(AGGREGATE_TYPE)?,
        aggregate_id: text(AGGREGATE_ID)?,
        occurred_at_us: number(headers, OCCURRED_AT)?,
        causation_id: text(CAUSATION_ID)?,
        correlation_id: text(CORRELATION_ID)?,
        traceparent: text(TRACEPARENT).unwrap_or_default(),
        co_tenants: get(headers, CO_TENANTS)?
            .split(',')
            .filter(|code| !code.is_empty())
            .map(str::to_owned)
            .collect(),
        payload: payload.to_vec(),
        prev_hash: hash(headers, PREV_HASH)?.to_vec(),
        hash: hash(headers, HASH)?.to_vec(),
    })
}

/// Place in the lane of a stored message.
///
/// # Errors
/// As [`envelope`].
pub fn stored(headers: &HeaderMap, place: u64) -> Result<Stored, String> {
    Ok(Stored {
        place,
        epoch: number(headers, EPOCH)?,
        seq: number(headers, SEQ)?,
        hash: hash(headers, HASH)?,
    })
}

/// What a stored message says of itself.
///
/// # Errors
/// As [`envelope`].
pub fn listed(headers: &HeaderMap, place: u64) -> Result<Listed, String> {
    Ok(Listed {
        place,
        lane: get(headers, LANE)?.to_owned(),
        epoch: number(headers, EPOCH)?,
        seq: number(headers, SEQ)?,
        event_id: get(headers, EVENT_ID)?.to_owned(),
        event_type: get(headers, EVENT_TYPE)?.to_owned(),
    })
}

fn get<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, String> {
    headers.get(name).map(HeaderValue::as_str).ok_or_else(|| format!("header {name} is missing"))
}

fn number<T: std::str::FromStr>(headers: &HeaderMap, name: &'static str) -> Result<T, String> {
    get(headers, name)?.parse().map_err(|_| format!("header {name} is not a number"))
}

fn hash(headers: &HeaderMap, name: &'static str) -> Result<[u8; HASH_BYTES], String> {
    let text = get(headers, name)?.as_bytes();
    let malformed = || format!("header {name} is not a hash");
    if text.len() != HASH_BYTES * 2 {
        return Err(malformed());
    }
    let mut hash = [0; HASH_BYTES];
    for (byte, digits) in hash.iter_mut().zip(text.chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).map_err(|_| malformed())?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| malformed())?;
    }
    Ok(hash)
}

/// Bytes as people and headers write them.
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).collect()
}

/// "SeatFilled" as "seat_filled".
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for (position, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && position > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope;

    fn event() -> Envelope {
        let mut event = Envelope {
            service: "forums".into(),
            lane: "19".into(),
            epoch: 2,
            seq: 17,
            event_id: "0190b2a4-0000-7000-8000-000000000001".into(),
            event_type: "osallisuus.forums.v1.SeatFilled".into(),
            schema_version: 1,
            aggregate_type: "election".into(),
            aggregate_id: "e1".into(),
            occurred_at_us: 1_750_000_000_123_456,
            causation_id: "cause".into(),
            correlation_id: "act".into(),
            traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into(),
            co_tenants: vec!["21".into(), "17".into()],
            payload: vec![1, 2, 3],
            prev_hash: vec![7; 32],
            hash: Vec::new(),
        };
        event.hash = envelope::hash(&event).to_vec();
        event
    }

    #[test]
    fn the_message_holds_the_whole_envelope() {
        let sent = event();
        let headers = headers(&sent).unwrap();
        let received = super::envelope(Some(&headers), &Bytes::from(sent.payload.clone())).unwrap();
        assert_eq!(received, sent);
        assert!(envelope::is_intact(&received));
    }

    #[test]
    fn an_event_without_trace_and_co_tenants_survives_too() {
        let mut sent = event();
        sent.traceparent.clear();
        sent.co_tenants.clear();
        sent.hash = envelope::hash(&sent).to_vec();
        let received =
            super::envelope(Some(&headers(&sent).unwrap()), &Bytes::from(sent.payload.clone())).unwrap();
        assert_eq!(received, sent);
    }

    #[test]
    fn names_are_as_published() {
        assert_eq!(subject(&event()), "evt.v1.forums.19.election.seat_filled");
        assert_eq!(message_id(&event()), "forums/19/2/17");
        assert_eq!(stream_name("forums"), "EVT_FORUMS");
    }

    #[test]
    fn a_damaged_header_is_named() {
        let mut headers = headers(&event()).unwrap();
        headers.insert(HASH, "12");
        assert_eq!(
            super::envelope(Some(&headers), &Bytes::new()),
            Err("header Ev-Hash is not a hash".into())
        );
        assert!(super::envelope(None, &Bytes::new()).is_err());
    }

    #[test]
    fn a_text_that_cannot_be_a_header_is_refused() {
        let broken = Envelope { aggregate_id: "a\nNats-Msg-Id: x".into(), ..event() };
        assert!(headers(&broken).is_err());
    }
}
