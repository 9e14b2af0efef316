//! What was lost: the events that the streams hold beyond the end of a backup.

use std::collections::BTreeMap;

use chassis::Config;
use chassis::config::NatsAddress;
use chassis::nats_child::NatsChild;
use kernel::Ids;
use messaging::broker::{BrokerError, NatsBroker};
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

/// What a stream holds beyond a backup.
pub(super) struct Beyond {
    pub(super) lost: Vec<Lost>,
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
        let ends: BTreeMap<&str, u64> = ends.iter().map(|end| (end.lane.as_str(), end.seq)).collect();
        let (mut lost, mut highest_epoch, mut place) = (Vec::new(), 0, 0);
        loop {
            let page = match self.broker.list(service, place, PAGE).await {
                Err(BrokerError::NoStream) => Vec::new(),
                page => page.map_err(refused)?,
            };
            let Some(last) = page.last() else { break };
            place = last.place + 1;
            for event in page {
                highest_epoch = highest_epoch.max(event.epoch);
                if event.seq > ends.get(event.lane.as_str()).copied().unwrap_or_default() {
                    lost.push(Lost {
                        service,
                        lane: event.lane,
                        seq: event.seq,
                        epoch: event.epoch,
                        event_type: event.event_type,
                        event_id: event.event_id,
                    });
                }
            }
        }
        // The stream may hold an event twice.
        lost.sort();
        lost.dedup();
        Ok(Beyond { lost, highest_epoch })
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

/// Lost events for people: the range of each lane, and each event.
pub(super) fn text(lost: &[Lost]) -> String {
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
