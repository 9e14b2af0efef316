//! What was lost: the events that the streams hold beyond the end of a backup.

use std::collections::{BTreeMap, VecDeque};

use chassis::Config;
use chassis::config::NatsAddress;
use chassis::nats_child::NatsChild;
use kernel::Ids;
use messaging::broker::{BrokerError, Listed, NatsBroker};
use messaging::log::LaneHead;
use serde::Serialize;

use super::list::List;
use crate::command::provision::{connect, refused};
use crate::exit::{Exit, Failure};
use crate::screen::table;

/// Events asked for at once.
const PAGE: usize = 4096;
/// Events that are shown; the file has all.
const SHOWN: usize = 100;
/// Events of a lane that are remembered, to know those again that its stream holds twice.
const REMEMBERED: usize = 4096;

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

/// How much of a lane is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct LostLane {
    /// Service that published in it.
    pub(super) service: &'static str,
    /// Lane: county code.
    pub(super) lane: String,
    /// How many events.
    pub(super) events: u64,
    /// The lowest sequence number of them.
    pub(super) first: u64,
    /// The highest.
    pub(super) last: u64,
}

/// What the streams say of a loss.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Loss {
    /// Lanes with events that the backup does not have.
    pub(super) lost_lanes: Vec<LostLane>,
    /// The first of those events.
    pub(super) lost: Vec<Lost>,
    /// Lanes of which nothing is known.
    pub(super) unknown: Vec<Unknown>,
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

    /// Lists the events of a service that come after these ends, and adds them to the loss. Gives the highest epoch of
    /// all events of the stream; 0 without any.
    pub(super) async fn beyond(
        &self,
        service: &'static str,
        ends: &[LaneHead],
        list: &mut List,
        loss: &mut Loss,
    ) -> Result<u64, Failure> {
        let (mut listing, mut place) = (Listing::new(service, ends), 0);
        loop {
            let page = match self.broker.list(service, place, PAGE).await {
                Err(BrokerError::NoStream) => Vec::new(),
                page => page.map_err(refused)?,
            };
            let Some(last) = page.last() else { break };
            place = last.place + 1;
            for event in page {
                if let Some(lost) = listing.take(event) {
                    list.add(&lost)?;
                    if loss.lost.len() < SHOWN {
                        loss.lost.push(lost);
                    }
                }
            }
        }
        let highest = listing.highest_epoch;
        let (lanes, unknown) = listing.end();
        for lane in &unknown {
            list.add(lane)?;
        }
        loss.lost_lanes.extend(lanes);
        loss.unknown.extend(unknown);
        Ok(highest)
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

/// Compares what a stream holds with the ends of a backup. Keeps little, however long the stream is.
struct Listing<'a> {
    service: &'static str,
    ends: BTreeMap<&'a str, &'a LaneHead>,
    lanes: BTreeMap<String, Seen>,
    highest_epoch: u64,
}

/// What was seen of a lane.
#[derive(Default)]
struct Seen {
    /// The highest sequence number.
    end: u64,
    /// The furthest place in the log that is lost: epoch and sequence number.
    furthest: (u64, u64),
    /// How many are lost, and the lowest and highest sequence number of them.
    lost: (u64, u64, u64),
    /// Ids of those that were listed last.
    recent: VecDeque<String>,
}

impl<'a> Listing<'a> {
    fn new(service: &'static str, ends: &'a [LaneHead]) -> Self {
        let ends = ends.iter().map(|end| (end.lane.as_str(), end)).collect();
        Self { service, ends, lanes: BTreeMap::new(), highest_epoch: 0 }
    }

    /// The event, if it is lost and was not listed yet.
    fn take(&mut self, event: Listed) -> Option<Lost> {
        self.highest_epoch = self.highest_epoch.max(event.epoch);
        let seen = self.lanes.entry(event.lane.clone()).or_default();
        seen.end = event.seq.max(seen.end);
        // An epoch that began after the backup has other events under the same numbers.
        let end = self.ends.get(event.lane.as_str());
        if end.is_some_and(|end| event.seq <= end.seq && event.epoch <= end.epoch) {
            return None;
        }
        // The stream may hold an event twice.
        let place = (event.epoch, event.seq);
        if place <= seen.furthest && seen.recent.contains(&event.event_id) {
            return None;
        }
        seen.furthest = seen.furthest.max(place);
        if seen.recent.len() == REMEMBERED {
            seen.recent.pop_front();
        }
        seen.recent.push_back(event.event_id.clone());
        let (events, first, last) = seen.lost;
        seen.lost = match events {
            0 => (1, event.seq, event.seq),
            _ => (events + 1, first.min(event.seq), last.max(event.seq)),
        };
        let (service, lane, seq, epoch) = (self.service, event.lane, event.seq, event.epoch);
        Some(Lost { service, lane, seq, epoch, event_type: event.event_type, event_id: event.event_id })
    }

    fn end(self) -> (Vec<LostLane>, Vec<Unknown>) {
        let service = self.service;
        let unknown = self.ends.values().filter_map(|end| {
            let stream_end = self.lanes.get(&end.lane).map(|seen| seen.end).unwrap_or_default();
            (self.lanes.is_empty() || stream_end < end.seq).then(|| Unknown {
                service,
                lane: end.lane.clone(),
                stream_end,
                backup_end: end.seq,
            })
        });
        let unknown = unknown.collect();
        let lost = self.lanes.into_iter().filter(|(_, seen)| seen.lost.0 > 0).map(|(lane, seen)| {
            let (events, first, last) = seen.lost;
            LostLane { service, lane, events, first, last }
        });
        (lost.collect(), unknown)
    }
}

/// A loss for people.
pub(super) fn text(loss: &Loss) -> String {
    let mut parts = Vec::new();
    if !loss.lost.is_empty() {
        parts.push(format!("Lost, because they came after the backup:\n{}", events(loss)));
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

/// Lost events for people: the range of each lane, and the first events.
fn events(loss: &Loss) -> String {
    let lanes = loss.lost_lanes.iter().map(|one| {
        let LostLane { service, lane, events, first, last } = one;
        format!("  {service}, lane {lane}: {events} events, from event {first} to {last}")
    });
    let rows = loss.lost.iter().map(|event| {
        let service = event.service.to_owned();
        [service, event.lane.clone(), event.seq.to_string(), event.event_type.clone(), event.event_id.clone()]
    });
    let events = table(["Service", "Lane", "Event", "Type", "Id"], rows, &[2]);
    let all: u64 = loss.lost_lanes.iter().map(|lane| lane.events).sum();
    let shown = loss.lost.len() as u64;
    let rest = if all > shown { format!("\n… and {} more", all - shown) } else { String::new() };
    format!("{}\n\n{events}{rest}", lanes.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(lane: &str, epoch: u64, seq: u64) -> Listed {
        let (lane, event_type) = (lane.to_owned(), "SeatFilled".to_owned());
        Listed { place: seq, lane, epoch, seq, event_id: format!("{epoch}-{seq}"), event_type }
    }

    fn beyond(events: impl IntoIterator<Item = Listed>) -> Loss {
        let end = |lane: &str, seq| LaneHead { lane: lane.to_owned(), epoch: 3, seq, ..LaneHead::default() };
        let ends = [end("19", 7), end("21", 0)];
        let mut listing = Listing::new("forums", &ends);
        let lost = events.into_iter().filter_map(|event| listing.take(event)).collect();
        let (lost_lanes, unknown) = listing.end();
        Loss { lost_lanes, lost, unknown }
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
        assert_eq!(lost, [("19", 3, 8), ("19", 4, 7), ("21", 3, 1), ("04", 3, 1)]);
        let lanes = loss.lost_lanes.iter().map(|one| (one.lane.as_str(), one.events, one.first, one.last));
        assert_eq!(lanes.collect::<Vec<_>>(), [("04", 1, 1, 1), ("19", 2, 7, 8), ("21", 1, 1, 1)]);
        assert_eq!(loss.unknown, []);
    }

    #[test]
    fn however_much_is_lost_little_is_kept_and_shown() {
        let ends: [LaneHead; 0] = [];
        let mut listing = Listing::new("forums", &ends);
        let all = 3 * REMEMBERED as u64;
        let lost = (1..=all).filter_map(|seq| listing.take(listed("19", 1, seq))).take(SHOWN);
        let lost: Vec<Lost> = lost.collect();
        (SHOWN as u64 + 1..=all).for_each(|seq| drop(listing.take(listed("19", 1, seq))));
        assert_eq!(listing.lanes["19"].recent.len(), REMEMBERED);
        let (lost_lanes, unknown) = listing.end();
        let text = text(&Loss { lost_lanes, lost, unknown });
        assert!(text.contains("12288 events, from event 1 to 12288"), "{text}");
        assert!(text.contains("… and 12188 more") && text.lines().count() < SHOWN + 20, "{text}");
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
