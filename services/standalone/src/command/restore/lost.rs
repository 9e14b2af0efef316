//! What was lost: the events that the streams hold beyond the end of a backup.

use std::collections::BTreeMap;

use chassis::Config;
use chassis::config::NatsAddress;
use chassis::nats_child::NatsChild;
use kernel::Ids;
use messaging::broker::{BrokerError, Listed, NatsBroker};
use serde::Serialize;

use crate::backup::LaneEnd;
use crate::command::provision::{connect, refused};
use crate::exit::{Exit, Failure};
use crate::screen::table;

/// Events asked for at once.
const PAGE: usize = 4096;

/// An event that the backup does not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Lost {
    /// Service that published it.
    pub(super) service: &'static str,
    /// Lane: county code.
    pub(super) lane: String,
    /// Sequence number in the lane.
    pub(super) seq: u64,
    /// Epoch of the log that is lost.
    pub(super) epoch: u64,
    /// Full name of its type.
    pub(super) event_type: String,
    /// Its id.
    pub(super) event_id: String,
}

/// A lane of which its stream cannot tell what was lost, because it does not even reach to the end of the backup.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Unknown {
    /// Service that publishes in it.
    pub(super) service: &'static str,
    /// Lane: county code.
    pub(super) lane: String,
    /// Last event that the stream holds; 0 without any.
    pub(super) stream_end: u64,
    /// Last event of the backup.
    pub(super) backup_end: u64,
}

/// What the streams say of a loss.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Loss {
    /// Events that the backup does not have.
    pub(super) lost: Vec<Lost>,
    /// Lanes of which nothing is known.
    pub(super) unknown: Vec<Unknown>,
}

/// What a stream holds beyond a backup.
pub(super) struct Beyond {
    pub(super) loss: Loss,
    /// The highest epoch of all events of the stream; 0 without any.
    pub(super) highest_epoch: u64,
}

/// The streams, with the embedded nats-server if there is one.
pub(super) struct Streams {
    broker: NatsBroker,
    child: Option<NatsChild>,
}

impl Streams {
    /// Connects to NATS, which is started if it is embedded.
    ///
    /// # Errors
    /// [`Exit::Unreachable`] without an answer.
    pub(super) async fn connect(config: &Config) -> Result<Self, Failure> {
        let (url, child) = match &config.nats.address {
            NatsAddress::Url(url) => (url.clone(), None),
            NatsAddress::Embedded => {
                let child = NatsChild::start(&config.nats, &Ids::system()).await;
                let child =
                    child.map_err(|why| Failure::new(Exit::Unreachable, format!("nats-server: {why}")))?;
                (child.url().to_owned(), Some(child))
            }
        };
        match connect(config, &url, "osallisuus restore").await {
            Ok(broker) => Ok(Self { broker, child }),
            Err(failure) => {
                if let Some(child) = child {
                    child.stop().await;
                }
                Err(failure.details(["To go on without NATS: --without-streams".to_owned()]))
            }
        }
    }

    /// The events of a service that come after these ends.
    pub(super) async fn beyond(&self, service: &'static str, ends: &[LaneEnd]) -> Result<Beyond, Failure> {
        let (mut listing, mut place) = (Listing::new(service, ends), 0);
        loop {
            let page = match self.broker.list(service, place, PAGE).await {
                Err(BrokerError::NoStream) => Vec::new(),
                page => page.map_err(refused)?,
            };
            let Some(last) = page.last() else { return Ok(listing.beyond()) };
            place = last.place + 1;
            page.into_iter().for_each(|event| listing.take(event));
        }
    }

    /// Empties the stream of a service: it is filled again from the log.
    pub(super) async fn empty(&self, service: &str) -> Result<(), Failure> {
        match self.broker.empty_stream(service).await {
            Ok(()) | Err(BrokerError::NoStream) => Ok(()),
            Err(error) => Err(refused(error)),
        }
    }

    pub(super) async fn close(self) {
        self.broker.close().await;
        if let Some(child) = self.child {
            child.stop().await;
        }
    }
}

/// Compares what a stream holds with the ends of a backup.
struct Listing<'a> {
    service: &'static str,
    ends: BTreeMap<&'a str, &'a LaneEnd>,
    stream_ends: BTreeMap<String, u64>,
    highest_epoch: u64,
    lost: Vec<Lost>,
}

impl<'a> Listing<'a> {
    fn new(service: &'static str, ends: &'a [LaneEnd]) -> Self {
        let ends = ends.iter().map(|end| (end.lane.as_str(), end)).collect();
        Self { service, ends, stream_ends: BTreeMap::new(), highest_epoch: 0, lost: Vec::new() }
    }

    fn take(&mut self, event: Listed) {
        self.highest_epoch = self.highest_epoch.max(event.epoch);
        let stream_end = self.stream_ends.entry(event.lane.clone()).or_default();
        *stream_end = event.seq.max(*stream_end);
        // An epoch that began after the backup has other events under the same numbers.
        let is_kept = self
            .ends
            .get(event.lane.as_str())
            .is_some_and(|end| event.seq <= end.seq && event.epoch <= end.epoch);
        if !is_kept {
            self.lost.push(Lost {
                service: self.service,
                lane: event.lane,
                seq: event.seq,
                epoch: event.epoch,
                event_type: event.event_type,
                event_id: event.event_id,
            });
        }
    }

    fn beyond(mut self) -> Beyond {
        // The stream may hold an event twice.
        self.lost.sort();
        self.lost.dedup();
        let is_empty = self.stream_ends.is_empty();
        let unknown = self.ends.values().filter_map(|end| {
            let stream_end = self.stream_ends.get(&end.lane).copied().unwrap_or_default();
            (is_empty || stream_end < end.seq).then(|| Unknown {
                service: self.service,
                lane: end.lane.clone(),
                stream_end,
                backup_end: end.seq,
            })
        });
        let unknown = unknown.collect();
        Beyond { loss: Loss { lost: self.lost, unknown }, highest_epoch: self.highest_epoch }
    }
}

/// A loss for people.
pub(super) fn text(loss: &Loss) -> String {
    let mut parts = Vec::new();
    if !loss.lost.is_empty() {
        parts.push(format!("Lost, because they came after the backup:\n{}", events(&loss.lost)));
    }
    if !loss.unknown.is_empty() {
        let lanes = loss.unknown.iter().map(|lane| {
            let (service, code) = (lane.service, &lane.lane);
            let (stream, backup) = (lane.stream_end, lane.backup_end);
            format!(
                "  {service}, lane {code}: the stream ends at event {stream}, the backup at event {backup}"
            )
        });
        let lanes = lanes.collect::<Vec<_>>().join("\n");
        parts.push(format!(
            "What was lost of these lanes is not known, their streams hold too little:\n{lanes}"
        ));
    }
    if parts.is_empty() {
        parts.push("The streams hold nothing beyond the backup.".to_owned());
    }
    parts.join("\n\n")
}

/// Lost events for people: the range of each lane, and each event.
fn events(lost: &[Lost]) -> String {
    let mut ranges: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
    for event in lost {
        let range = ranges.entry((event.service, &event.lane)).or_insert((event.seq, event.seq));
        range.1 = event.seq;
    }
    let ranges = ranges.into_iter().map(|((service, lane), (first, last))| {
        let events =
            if first == last { format!("event {first}") } else { format!("events {first} to {last}") };
        format!("  {service}, lane {lane}: {events}")
    });
    let rows = lost.iter().map(|event| {
        let service = event.service.to_owned();
        [service, event.lane.clone(), event.seq.to_string(), event.event_type.clone(), event.event_id.clone()]
    });
    let events = table(["Service", "Lane", "Event", "Type", "Id"], rows, &[2]);
    format!("{}\n\n{events}", ranges.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(lane: &str, epoch: u64, seq: u64) -> Listed {
        let (lane, event_type) = (lane.to_owned(), "SeatFilled".to_owned());
        Listed { place: seq, lane, epoch, seq, event_id: format!("{epoch}-{seq}"), event_type }
    }

    fn beyond(events: impl IntoIterator<Item = Listed>) -> Loss {
        let end = |lane: &str, seq| LaneEnd { lane: lane.to_owned(), epoch: 3, seq, hash: String::new() };
        let ends = [end("19", 7), end("21", 0)];
        let mut listing = Listing::new("forums", &ends);
        events.into_iter().for_each(|event| listing.take(event));
        listing.beyond().loss
    }

    #[test]
    fn what_is_beyond_the_backup_is_lost_also_under_a_number_that_it_has() {
        let loss = beyond([
            listed("19", 2, 6),
            listed("19", 3, 7),
            listed("19", 3, 8),
            listed("19", 4, 7),
            listed("19", 3, 8),
            listed("21", 3, 1),
            listed("04", 3, 1),
        ]);
        let lost: Vec<_> = loss.lost.iter().map(|one| (one.lane.as_str(), one.epoch, one.seq)).collect();
        assert_eq!(lost, [("04", 3, 1), ("19", 4, 7), ("19", 3, 8), ("21", 3, 1)]);
        assert_eq!(loss.unknown, []);
    }

    #[test]
    fn a_stream_that_does_not_reach_to_the_end_of_the_backup_does_not_say_that_nothing_is_lost() {
        let lanes = |loss: &Loss| -> Vec<(String, u64)> {
            loss.unknown.iter().map(|one| (one.lane.clone(), one.stream_end)).collect()
        };
        assert_eq!(lanes(&beyond([])), [("19".to_owned(), 0), ("21".to_owned(), 0)]);
        let short = beyond([listed("19", 3, 6)]);
        assert_eq!((lanes(&short), short.lost.as_slice()), (vec![("19".to_owned(), 6)], [].as_slice()));
        assert!(!text(&short).contains("nothing"));
        assert_eq!(beyond([listed("19", 3, 7)]), Loss::default());
    }
}
