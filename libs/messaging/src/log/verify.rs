//! Whether a log is whole: every lane dense from its first event, every hash right and linked to the one before, epochs
//! never falling, watermarks telling the truth, and the head where the last event is.
//!
//! [`LaneCheck`] is the check itself, without any I/O: give it the events of a lane in order, from whatever holds them,
//! and then the head. [`verify`] does so with a service's database, whether the service runs or not, a page at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use prost::Message as _;
use proto::messaging::Watermark;
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use serde::Serialize;

use super::{LaneHead, PAGE, event_head, event_log, events_on, head};
use crate::broker::wire::to_hex;
use crate::database::Database;
use crate::envelope::{Envelope, HASH_BYTES, NO_HASH, is_intact};
use crate::projector::WATERMARK;

/// How a log is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakKind {
    /// An event of another service or lane.
    Foreign,
    /// An event is missing before this one.
    Missing,
    /// A sequence number again, or a lower one.
    Repeated,
    /// The event does not match its own hash: somebody has changed it.
    Altered,
    /// The event does not name the one before it as such.
    Unlinked,
    /// The epoch is lower than that of the event before, or none.
    Epoch,
    /// A watermark tells other counts, another place or another hash than the events before it.
    Watermark,
    /// The head names another end than the last event, or is missing.
    Head,
}

/// The first place at which a lane is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("lane {lane}, event {seq}: {text}")]
pub struct Broken {
    /// Lane: county code.
    pub lane: String,
    /// Sequence number at which it shows.
    pub seq: u64,
    /// In which way.
    pub kind: BreakKind,
    /// The same in a sentence, without content.
    pub text: String,
}

/// A lane that is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WholeLane {
    /// Lane: county code.
    pub lane: String,
    /// Number of events, which is the sequence number of the last one.
    pub events: u64,
    /// Epoch of the head.
    pub epoch: u64,
    /// Hash of the last event, in hexadecimal digits; empty for an empty lane.
    pub hash: String,
}

/// What a check of a log found, lane by lane in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Lanes that are whole.
    pub whole: Vec<WholeLane>,
    /// For each other lane, the first place at which it is broken.
    pub broken: Vec<Broken>,
}

impl Verdict {
    /// Whether every lane is whole.
    pub fn is_whole(&self) -> bool {
        self.broken.is_empty()
    }
}

/// Checks the events of one lane as they are handed in, in order from the first. Keeps a place, a hash and the number
/// of events of each type, however long the lane is.
#[derive(Clone)]
pub struct LaneCheck {
    service: String,
    lane: String,
    epoch: u64,
    seq: u64,
    hash: [u8; HASH_BYTES],
    counts: BTreeMap<String, u64>,
    watermark: u64,
}

impl fmt::Debug for LaneCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneCheck").field("lane", &self.lane).field("seq", &self.seq).finish_non_exhaustive()
    }
}

impl LaneCheck {
    /// A check that has seen nothing yet.
    pub fn new(service: impl Into<String>, lane: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            lane: lane.into(),
            epoch: 0,
            seq: 0,
            hash: NO_HASH,
            counts: BTreeMap::new(),
            watermark: 0,
        }
    }

    /// Sequence number of the last event handed in; 0 before the first.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// How many events of each type there were, by full name.
    pub fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }

    /// Sequence number of the last watermark; 0 if there was none.
    pub fn watermark(&self) -> u64 {
        self.watermark
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// The lane is broken here. What follows cannot be judged any more.
    pub fn take(&mut self, event: &Envelope) -> Result<(), Broken> {
        let next = self.seq + 1;
        if event.service != self.service || event.lane != self.lane {
            let text = format!("it says that it is of {}, lane {}", event.service, event.lane);
            return Err(self.broken(event.seq, BreakKind::Foreign, text));
        }
        if event.seq > next {
            let missing = event.seq - next;
            let text = format!("{missing} missing, the next one is event {}", event.seq);
            return Err(self.broken(next, BreakKind::Missing, text));
        }
        if event.seq < next {
            let text = format!("it comes after event {}", self.seq);
            return Err(self.broken(event.seq, BreakKind::Repeated, text));
        }
        if !is_intact(event) {
            let text = "it does not match its hash: it was changed after it was written";
            return Err(self.broken(next, BreakKind::Altered, text));
        }
        if event.prev_hash != self.hash {
            let text = "it names another event than the one before it: one of them was replaced";
            return Err(self.broken(next, BreakKind::Unlinked, text));
        }
        if event.epoch == 0 || event.epoch < self.epoch {
            let text = format!("its epoch {} follows epoch {}", event.epoch, self.epoch);
            return Err(self.broken(next, BreakKind::Epoch, text));
        }
        if event.event_type == WATERMARK {
            self.check_watermark(event)?;
            self.watermark = next;
        }
        *self.counts.entry(event.event_type.clone()).or_default() += 1;
        self.epoch = event.epoch;
        self.seq = next;
        self.hash = crate::gate::fixed(&event.hash);
        Ok(())
    }

    /// Compares the end with the head, when all events up to it were taken.
    ///
    /// # Errors
    /// The head says something else.
    pub fn finish(&self, head: &LaneHead) -> Result<WholeLane, Broken> {
        let text = if head.lane != self.lane {
            format!("the head is of lane {}", head.lane)
        } else if head.seq != self.seq {
            format!("the log ends here, the head says event {}", head.seq)
        } else if head.seq > 0 && head.hash != self.hash {
            "the head has another hash than the last event".to_owned()
        } else if head.epoch < self.epoch {
            format!("the head is of epoch {}, the last event of epoch {}", head.epoch, self.epoch)
        } else if head.published_seq > self.seq {
            format!("event {} is marked as published and does not exist", head.published_seq)
        } else {
            return Ok(WholeLane {
                lane: self.lane.clone(),
                events: self.seq,
                epoch: head.epoch,
                hash: if self.seq == 0 { String::new() } else { to_hex(&self.hash) },
            });
        };
        Err(self.broken(self.seq, BreakKind::Head, text))
    }

    fn check_watermark(&self, event: &Envelope) -> Result<(), Broken> {
        let wrong = |text: String| self.broken(event.seq, BreakKind::Watermark, text);
        let told = Watermark::decode(event.payload.as_slice())
            .map_err(|error| wrong(format!("the watermark cannot be read: {error}")))?;
        if told.seq != self.seq || told.hash != self.hash {
            return Err(wrong(format!("the watermark is for event {} or another hash", told.seq)));
        }
        let counts: BTreeMap<&str, u64> =
            told.counts.iter().map(|one| (one.event_type.as_str(), one.count)).collect();
        let names: BTreeSet<&str> =
            counts.keys().copied().chain(self.counts.keys().map(String::as_str)).collect();
        let count = |name: &str| self.counts.get(name).copied().unwrap_or_default();
        let differs = |name: &&str| counts.get(name).copied().unwrap_or_default() != count(name);
        match names.into_iter().find(differs) {
            None => Ok(()),
            Some(name) => {
                let told = counts.get(name).copied().unwrap_or_default();
                Err(wrong(format!("the watermark counts {told} of {name}, there are {}", count(name))))
            }
        }
    }

    fn broken(&self, seq: u64, kind: BreakKind, text: impl Into<String>) -> Broken {
        Broken { lane: self.lane.clone(), seq, kind, text: text.into() }
    }
}

/// Checks a service's whole log. The service may run and write meanwhile: each lane is checked up to where its head is
/// when its last event has been read. `progress` hears how many events were checked, after each page.
///
/// # Errors
/// If the database is away. What is broken is in the verdict.
pub async fn verify(database: &Database, progress: impl FnMut(u64)) -> Result<Verdict, DbErr> {
    verify_on(database.read(), database.service(), progress).await
}

/// The same with what this connection sees.
pub(crate) async fn verify_on(
    connection: &impl ConnectionTrait,
    service: &str,
    mut progress: impl FnMut(u64),
) -> Result<Verdict, DbErr> {
    let mut verdict = Verdict::default();
    for lane in lanes(connection).await? {
        match verify_lane(connection, service, &lane, &mut progress).await? {
            Ok(whole) => verdict.whole.push(whole),
            Err(broken) => verdict.broken.push(broken),
        }
    }
    Ok(verdict)
}

async fn verify_lane(
    connection: &impl ConnectionTrait,
    service: &str,
    lane: &str,
    progress: &mut impl FnMut(u64),
) -> Result<Result<WholeLane, Broken>, DbErr> {
    let mut check = LaneCheck::new(service, lane);
    // Events and head are written together. So a head that is read after the last event is that event's or a later
    // one's, and events that came in between are read up to it.
    let mut end: Option<event_head::Model> = None;
    loop {
        let page = events_on(connection, service, lane, check.seq() + 1, PAGE).await?;
        let limit = end.as_ref().map_or(u64::MAX, last_seq);
        let mut taken = 0;
        for event in page.iter().filter(|event| event.seq <= limit) {
            if let Err(broken) = check.take(event) {
                return Ok(Err(broken));
            }
            taken += 1;
        }
        progress(taken);
        if taken > 0 && check.seq() < limit {
            continue;
        }
        match end {
            Some(row) => return Ok(finish(&check, row)),
            None => end = event_head::Entity::find_by_id(lane).one(connection).await?,
        }
        if end.is_none() {
            return Ok(Err(check.broken(check.seq(), BreakKind::Head, "the lane has no head")));
        }
        if end.as_ref().is_some_and(|row| last_seq(row) <= check.seq())
            && let Some(row) = end.take()
        {
            return Ok(finish(&check, row));
        }
    }
}

fn last_seq(row: &event_head::Model) -> u64 {
    (row.next_seq - 1).cast_unsigned()
}

fn finish(check: &LaneCheck, row: event_head::Model) -> Result<WholeLane, Broken> {
    if row.watermark_seq.cast_unsigned() != check.watermark() {
        let text = format!(
            "the head names event {} as the last watermark, it is event {}",
            row.watermark_seq,
            check.watermark()
        );
        return Err(check.broken(check.seq(), BreakKind::Head, text));
    }
    check.finish(&head(row))
}

/// Every lane that has a head or an event, found by steps through the index.
async fn lanes(connection: &impl ConnectionTrait) -> Result<BTreeSet<String>, DbErr> {
    let heads: Vec<String> = event_head::Entity::find()
        .select_only()
        .column(event_head::Column::Lane)
        .into_tuple()
        .all(connection)
        .await?;
    let mut lanes: BTreeSet<String> = heads.into_iter().collect();
    let mut after = String::new();
    loop {
        let next: Option<String> = event_log::Entity::find()
            .select_only()
            .column(event_log::Column::Lane)
            .filter(sea_orm::ColumnTrait::gt(&event_log::Column::Lane, after.as_str()))
            .order_by_asc(event_log::Column::Lane)
            .limit(1)
            .into_tuple()
            .one(connection)
            .await?;
        let Some(lane) = next else { return Ok(lanes) };
        after.clone_from(&lane);
        lanes.insert(lane);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::hash;
    use proto::messaging::TypeCount;

    /// A lane of five events: three facts, a watermark, a fact of a later epoch.
    fn lane() -> Vec<Envelope> {
        let mut events: Vec<Envelope> = (1..=5)
            .map(|seq| Envelope {
                service: "forums".into(),
                lane: "19".into(),
                epoch: if seq == 5 { 7 } else { 1 },
                seq,
                event_id: format!("e{seq}"),
                event_type: if seq == 4 { WATERMARK.into() } else { "x.v1.Fact".into() },
                ..Envelope::default()
            })
            .collect();
        link(&mut events);
        events
    }

    /// Gives events right hashes, and the watermark what is true of those before it.
    fn link(events: &mut [Envelope]) {
        let (mut last, mut facts) = (NO_HASH.to_vec(), 0);
        for event in events {
            event.prev_hash.clone_from(&last);
            if event.event_type == WATERMARK && event.payload.is_empty() {
                let counts = vec![TypeCount { event_type: "x.v1.Fact".into(), count: facts }];
                let told = Watermark { seq: event.seq - 1, hash: last.clone(), counts };
                event.payload = told.encode_to_vec();
            }
            facts += u64::from(event.event_type != WATERMARK);
            event.hash = hash(event).to_vec();
            last.clone_from(&event.hash);
        }
    }

    fn check(events: &[Envelope]) -> Result<LaneCheck, Broken> {
        let mut check = LaneCheck::new("forums", "19");
        events.iter().try_for_each(|event| check.take(event))?;
        Ok(check)
    }

    fn head_of(events: &[Envelope]) -> LaneHead {
        let last = events.last().unwrap();
        let (epoch, seq, hash) = (last.epoch, last.seq, last.hash.clone());
        LaneHead { lane: "19".into(), epoch, seq, hash, published_seq: 0 }
    }

    #[test]
    fn a_whole_lane_is_whole() {
        let events = lane();
        let check = check(&events).unwrap();
        let whole = check.finish(&head_of(&events)).unwrap();
        assert_eq!((whole.events, whole.epoch, whole.hash), (5, 7, to_hex(&events[4].hash)));
        assert_eq!((check.watermark(), check.counts()["x.v1.Fact"]), (4, 4));
    }

    #[test]
    fn an_empty_lane_is_whole() {
        let head = LaneHead { lane: "19".into(), epoch: 3, ..LaneHead::default() };
        assert_eq!(check(&[]).unwrap().finish(&head).unwrap().hash, "");
    }

    #[test]
    fn every_break_is_found_at_its_place() {
        type Doctor = fn(&mut Vec<Envelope>);
        let doctored: [(Doctor, u64, BreakKind); 9] = [
            (|events| drop(events.remove(2)), 3, BreakKind::Missing),
            (|events| drop(events.remove(0)), 1, BreakKind::Missing),
            (|events| events.insert(2, events[1].clone()), 2, BreakKind::Repeated),
            (|events| events[2].aggregate_id = "other".into(), 3, BreakKind::Altered),
            // Altered with a hash to match: the link from the next one tells.
            (
                |events| {
                    events[1].aggregate_id = "other".into();
                    events[1].hash = hash(&events[1]).to_vec();
                },
                3,
                BreakKind::Unlinked,
            ),
            (|events| events[3].lane = "21".into(), 4, BreakKind::Foreign),
            (
                |events| {
                    events[1].epoch = 9;
                    link(events);
                },
                3,
                BreakKind::Epoch,
            ),
            // A type that was changed with the whole chain made to match: the watermark's counts tell.
            (
                |events| {
                    events[1].event_type = "x.v1.Other".into();
                    let watermark = events[3].payload.clone();
                    link(events);
                    let mut told = Watermark::decode(watermark.as_slice()).unwrap();
                    told.hash = events[2].hash.clone();
                    events[3].payload = told.encode_to_vec();
                    link(events);
                },
                4,
                BreakKind::Watermark,
            ),
            (
                |events| {
                    events[3].payload = Watermark { seq: 1, ..Watermark::default() }.encode_to_vec();
                    link(events);
                },
                4,
                BreakKind::Watermark,
            ),
        ];
        for (number, (doctor, seq, kind)) in doctored.into_iter().enumerate() {
            let mut events = lane();
            doctor(&mut events);
            let broken = check(&events).expect_err(&format!("break {number} went unnoticed"));
            assert_eq!((broken.seq, broken.kind), (seq, kind), "break {number}: {broken}");
        }
    }

    #[test]
    fn a_head_that_says_something_else_is_a_break() {
        let events = lane();
        let check = check(&events).unwrap();
        let doctored: [fn(&mut LaneHead); 5] = [
            |head| head.seq = 6,
            |head| head.seq = 4,
            |head| head.hash[0] ^= 1,
            |head| head.epoch = 1,
            |head| head.published_seq = 6,
        ];
        for (number, doctor) in doctored.into_iter().enumerate() {
            let mut head = head_of(&events);
            doctor(&mut head);
            let broken = check.finish(&head).expect_err(&format!("change {number} went unnoticed"));
            assert_eq!((broken.seq, broken.kind), (5, BreakKind::Head));
        }
    }
}
