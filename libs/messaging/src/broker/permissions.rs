//! What each user of NATS needs, and so may do (REL-04): the requests of this crate, as subjects.
//!
//! Only `provision` makes, changes or empties streams. A service publishes its own events, looks into its own stream,
//! and runs its own consumers on the streams it reads, by their names. Another system is in an account of its own, where
//! nothing but its own consumers' messages can be asked for: a user of the same account could have an answer sent to any
//! subject of it, even one that a stream keeps.
//!
//! What permissions cannot say: a service that may make a consumer may have it push what it reads to any subject of the
//! account. Such messages break the chain of hashes and are no events to anybody, but they take up room.

use crate::broker::wire;
use crate::store::ProjectionKey;

/// Subjects that a user may publish to and listen on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Requests, acknowledgements, events.
    pub publish: Vec<String>,
    /// Answers, events.
    pub subscribe: Vec<String>,
}

impl Permissions {
    /// A user who may do what each of these may.
    #[must_use]
    pub fn together<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut together = Self::default();
        for one in all {
            together.publish.extend(one.publish.iter().cloned());
            together.subscribe.extend(one.subscribe.iter().cloned());
        }
        together.publish.sort();
        together.publish.dedup();
        together.subscribe.sort();
        together.subscribe.dedup();
        together
    }
}

/// A service that runs these consumers; others' are passed over.
#[must_use]
pub fn service(name: &str, consumers: &[ProjectionKey]) -> Permissions {
    let own = wire::stream_name(name);
    let mut publish = vec![
        wire::service_subject(name),
        api("INFO"),
        api(&format!("STREAM.INFO.{own}")),
        api(&format!("STREAM.MSG.GET.{own}")),
        // The consumer of a page of stored events lives for that page and is named by the server.
        api(&format!("CONSUMER.CREATE.{own}")),
        api(&format!("CONSUMER.MSG.NEXT.{own}.*")),
        api(&format!("CONSUMER.DELETE.{own}.*")),
    ];
    for key in consumers.iter().filter(|key| key.service == name) {
        let (stream, consumer) = (wire::stream_name(&key.source), wire::consumer_name(key));
        publish.push(api(&format!("STREAM.INFO.{stream}")));
        publish.push(api(&format!(
            "CONSUMER.CREATE.{stream}.{consumer}.{}",
            wire::service_subject(&key.source)
        )));
        publish.push(api(&format!("CONSUMER.DELETE.{stream}.{consumer}")));
        publish.extend(requests(&stream, &consumer));
        publish.extend(acknowledgements(&stream, &consumer));
    }
    Permissions { publish, subscribe: vec![answers(name)] }
}

/// Whoever makes streams and the consumers of other systems, and whoever restores: that reads streams and empties them.
#[must_use]
pub fn provision(name: &str) -> Permissions {
    let publish = [
        "INFO",
        "STREAM.>",
        "CONSUMER.CREATE.>",
        "CONSUMER.INFO.>",
        "CONSUMER.MSG.NEXT.>",
        "CONSUMER.DELETE.>",
    ];
    Permissions {
        publish: publish.iter().map(|subject| api(subject)).collect(),
        subscribe: vec![answers(name)],
    }
}

/// Another system, which reads the events of these services by a durable consumer of its name on each stream, or as
/// they come.
#[must_use]
pub fn reader<'a>(name: &str, services: impl IntoIterator<Item = &'a str>) -> Permissions {
    let mut publish = Vec::new();
    for service in services {
        let stream = wire::stream_name(service);
        publish.extend(requests(&stream, name));
        publish.extend(acknowledgements(&stream, name));
    }
    Permissions { publish, subscribe: vec![EVENTS.to_owned(), answers(name)] }
}

/// Subject of all events.
pub const EVENTS: &str = "evt.v1.>";

/// What is asked of a consumer: how it is, and its messages.
fn requests(stream: &str, consumer: &str) -> [String; 2] {
    [
        api(&format!("CONSUMER.INFO.{stream}.{consumer}")),
        api(&format!("CONSUMER.MSG.NEXT.{stream}.{consumer}")),
    ]
}

/// A consumer's acknowledgements, in the short form and in the one with domain and account.
fn acknowledgements(stream: &str, consumer: &str) -> [String; 2] {
    [format!("$JS.ACK.{stream}.{consumer}.>"), format!("$JS.ACK.*.*.{stream}.{consumer}.>")]
}

fn api(request: &str) -> String {
    format!("$JS.API.{request}")
}

fn answers(user: &str) -> String {
    format!("{}.>", wire::inbox(user))
}
