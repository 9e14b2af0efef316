//! Streams and consumers: what they must look like, making them, and checking that the server has understood.
//!
//! Servers ignore settings they do not know, without a word. So after a stream or a consumer was made or found, what
//! the server says about it is compared with what was wanted, field by field, and any difference is an error (REL-02).
//! Streams are made by `osallisuus provision`, or at start in embedded mode; consumers by the services themselves.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use serde::Serialize;
use serde_json::Value;

use crate::broker::wire;
use crate::store::ProjectionKey;

/// How long events stay in a stream; the log keeps them for ever.
pub const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long the server recognises an event by its id.
pub const DUPLICATE_WINDOW: Duration = Duration::from_secs(10 * 60);
/// Largest event, headers included, bytes.
pub const MAX_MESSAGE_BYTES: i32 = 256 * 1024;
/// Messages a consumer may have out at once.
const MAX_ACK_PENDING: i64 = 1024;
/// When an unacknowledged message is delivered again.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// Oldest nats-server that keeps the promises relied on.
const OLDEST: Version = Version(2, 10, 0);
/// Oldest nats-server in production.
const OLDEST_IN_PRODUCTION: Version = Version(2, 14, 0);
/// Oldest nats-server that stores messages with ids all or none; 2.12.0 refuses the ids.
const TOGETHER: Version = Version(2, 14, 0);
/// Fewest replicas in production.
const REPLICAS_IN_PRODUCTION: usize = 3;

/// How strict the set-up of NATS is looked at (REL-03).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// nats-server 2.10 or newer.
    #[default]
    Development,
    /// nats-server 2.14 or newer, streams with three replicas.
    Production,
    /// As production, but one server only: what it loses is repaired from the logs.
    ProductionSingleNode,
}

/// What may differ from one deployment to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSettings {
    /// Copies of each stream on different servers: 1 or 3.
    pub replicas: usize,
    /// Most bytes of each stream; a full stream holds the relay up and loses nothing. -1 for no limit.
    pub max_bytes: i64,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self { replicas: 1, max_bytes: -1 }
    }
}

/// A version of nats-server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u64, u64, u64);

impl Version {
    /// Reads "2.15.1" or "2.15.1-RC.2".
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(['.', '-', '+']).map(str::parse);
        match (numbers.next()?, numbers.next()?, numbers.next()?) {
            (Ok(major), Ok(minor), Ok(patch)) => Some(Self(major, minor, patch)),
            _ => None,
        }
    }
}

/// Checks the server and the settings against the profile.
///
/// # Errors
/// A sentence that says what is wrong and what to do.
pub fn check_profile(version: &str, profile: Profile, streams: &StreamSettings) -> Result<(), String> {
    let oldest = match profile {
        Profile::Development => OLDEST,
        Profile::Production | Profile::ProductionSingleNode => OLDEST_IN_PRODUCTION,
    };
    if Version::parse(version).is_none_or(|version| version < oldest) {
        let Version(major, minor, _) = oldest;
        return Err(format!(
            "nats-server {version} is too old: it ignores settings that no event may be without; run {major}.{minor} or newer"
        ));
    }
    if profile == Profile::Production && streams.replicas < REPLICAS_IN_PRODUCTION {
        return Err(format!(
            "streams with {} replica(s) lose events with one server; set nats.replicas to 3, or state the single node",
            streams.replicas
        ));
    }
    Ok(())
}

/// Whether a server of this version stores several messages all or none.
pub fn stores_together(version: &str) -> bool {
    Version::parse(version).is_some_and(|version| version >= TOGETHER)
}

/// The stream of a service on a server of this version.
pub fn stream(service: &str, settings: &StreamSettings, version: &str) -> Config {
    Config {
        name: wire::stream_name(service),
        subjects: vec![wire::service_subject(service)],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        num_replicas: settings.replicas,
        discard: DiscardPolicy::New,
        max_age: MAX_AGE,
        max_bytes: settings.max_bytes,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        max_message_size: MAX_MESSAGE_BYTES,
        duplicate_window: DUPLICATE_WINDOW,
        deny_delete: true,
        allow_direct: true,
        allow_atomic_publish: stores_together(version),
        ..Config::default()
    }
}

/// The durable consumer of a projection, over all lanes of its source.
pub fn consumer(key: &ProjectionKey) -> pull::Config {
    pull::Config {
        durable_name: Some(wire::consumer_name(key)),
        filter_subject: wire::service_subject(&key.source),
        ack_policy: AckPolicy::All,
        max_ack_pending: MAX_ACK_PENDING,
        ack_wait: ACK_WAIT,
        // Giving up is our decision, made in our database.
        max_deliver: -1,
        deliver_policy: DeliverPolicy::All,
        ..pull::Config::default()
    }
}

/// The durable consumer of another system, over all lanes of a service.
pub fn reader(service: &str, reader: &str) -> pull::Config {
    pull::Config {
        durable_name: Some(reader.to_owned()),
        filter_subject: wire::service_subject(service),
        ack_policy: AckPolicy::Explicit,
        max_ack_pending: MAX_ACK_PENDING,
        ack_wait: ACK_WAIT,
        max_deliver: -1,
        deliver_policy: DeliverPolicy::All,
        ..pull::Config::default()
    }
}

/// Compares what the server says with what was wanted. Fields that were not wanted are the server's own business.
///
/// # Errors
/// Names every field that differs, with both values.
pub fn check_echo(what: &str, wanted: &impl Serialize, found: &impl Serialize) -> Result<(), String> {
    let json = |value: serde_json::Result<Value>| value.map_err(|error| format!("{what}: {error}"));
    let (wanted, found) = (json(serde_json::to_value(wanted))?, json(serde_json::to_value(found))?);
    let fields = wanted.as_object().into_iter().flatten();
    let differs = |(name, value): (&String, &Value)| {
        let has = found.get(name).unwrap_or(&Value::Null);
        (has != value && !value.is_null()).then(|| format!("{name} is {has}, must be {value}"))
    };
    let differences: Vec<String> = fields.filter_map(differs).collect();
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!("{what} is not set up as wanted: {}; run osallisuus provision", differences.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rel_03_servers_and_streams_are_held_to_the_profile() {
        let single = StreamSettings::default();
        let cluster = StreamSettings { replicas: 3, ..StreamSettings::default() };
        assert!(check_profile("2.9.10", Profile::Development, &single).unwrap_err().contains("2.9.10"));
        assert!(check_profile("", Profile::Development, &single).is_err());
        assert!(check_profile("2.10.0", Profile::Development, &single).is_ok());
        assert!(check_profile("2.12.3", Profile::Production, &cluster).is_err());
        assert!(check_profile("2.15.1", Profile::Production, &single).unwrap_err().contains("replica"));
        assert!(check_profile("2.15.1", Profile::Production, &cluster).is_ok());
        assert!(check_profile("2.14.0-RC.1", Profile::ProductionSingleNode, &single).is_ok());
    }

    #[test]
    fn rel_02_every_field_that_differs_is_named() {
        let wanted = stream("forums", &StreamSettings::default(), "2.15.1");
        assert!(wanted.allow_atomic_publish);
        assert!(!stream("forums", &StreamSettings::default(), "2.12.0").allow_atomic_publish);
        let found = Config { deny_delete: false, max_age: Duration::from_secs(1), ..wanted.clone() };
        let error = check_echo("stream EVT_FORUMS", &wanted, &found).unwrap_err();
        assert!(error.contains("deny_delete is null, must be true"), "{error}");
        assert!(error.contains("max_age"), "{error}");
        assert!(!error.contains("duplicate_window"), "{error}");
        assert_eq!(check_echo("stream", &wanted, &wanted), Ok(()));
    }
}
