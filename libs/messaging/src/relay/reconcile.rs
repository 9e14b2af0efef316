//! Finding out what of a lane is in the stream, without trusting what was acknowledged.
//!
//! The stream can lose its newest events (an unsynced disk, a restored copy), lose everything, or get an event twice
//! and late; after a loss a publishing that was under way can still slip in behind the hole. So it is not enough to
//! look at the last stored event. The comparison starts at the last event known to be stored, checks that it is still
//! there, and walks from it to the end of the stream, comparing each event with the log. Nearly always that is two
//! requests. If the known event is gone, the whole lane is walked.

use std::collections::BTreeMap;

use super::Parts;
use super::lane::Trouble;
use crate::broker::{BrokerError, Stored};
use crate::envelope::Envelope;
use crate::gate::fixed;

/// Events of the log read at once while walking.
const PAGE: u32 = 256;

/// Stored events behind a hole that are remembered; those after them are published again and dropped as duplicates.
const MOST_BEYOND: usize = 100_000;

/// An event in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its sequence number in the lane; 0 for none.
    pub(super) seq: u64,
    /// Its place in the stream, if it has been seen there.
    pub(super) place: Option<u64>,
}

/// Up to which event the lane is in the stream without a hole. Publishing goes on after it.
pub(super) async fn reconcile(parts: &Parts, lane: &str, epoch: u64, known: Place) -> Result<Place, Trouble> {
    let mut walk = Walk { parts, lane, epoch, page: Vec::new(), beyond: BTreeMap::new(), whole: known };
    if known.seq == 0 {
        return walk.to_the_end(0).await;
    }
    if let Some(place) = walk.find(known).await? {
        walk.whole.place = Some(place);
        return walk.to_the_end(place + 1).await;
    }
    // Gone: lost, or so old that the stream has rightly dropped it. What should still be there begins at `first`.
    let first = walk.first_wanted().await?.min(known.seq + 1);
    walk.whole = Place { seq: first - 1, place: None };
    let whole = walk.to_the_end(0).await?;
    if whole.seq < known.seq {
        let lost = known.seq - whole.seq;
        let service = &parts.with.service;
        parts.with.metrics.rewound(service, lost);
        tracing::warn!(service, lane, lost, "the stream lost acknowledged events; they are published again");
    }
    Ok(whole)
}

/// A walk through the stored events of a lane.
struct Walk<'a> {
    parts: &'a Parts,
    lane: &'a str,
    /// Epoch of the log now. Stored events of an earlier epoch that contradict the log were given up with a restore.
    epoch: u64,
    /// A piece of the log.
    page: Vec<Envelope>,
    /// Places of stored events that lie behind a hole.
    beyond: BTreeMap<u64, u64>,
    /// The last event before the first hole.
    whole: Place,
}

impl Walk<'_> {
    /// The place of a known event in the stream, or `None` if it is not there.
    async fn find(&mut self, known: Place) -> Result<Option<u64>, Trouble> {
        let Some(hash) = self.log_hash(known.seq).await? else {
            return Ok(None);
        };
        let from = match known.place {
            Some(place) => place,
            None => self.search(known.seq).await?,
        };
        let found = self.stored(from).await?;
        let is_it =
            |stored: &Stored| stored.hash == hash && known.place.is_none_or(|place| place == stored.place);
        Ok(found.filter(is_it).map(|stored| stored.place))
    }

    /// Where an event with this number should be, as the stream is in order but for late duplicates.
    async fn search(&self, seq: u64) -> Result<u64, Trouble> {
        let last = self.parts.with.broker.last_stored(&self.parts.with.service, self.lane).await;
        let last = no_stream_is_none(self.parts, last).await?;
        let (mut low, mut high) = (0, last.map_or(0, |stored| stored.place));
        while low < high {
            let middle = low + (high - low) / 2;
            match self.stored(middle).await? {
                Some(stored) if stored.seq < seq => low = stored.place + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// Walks from a place to the end and returns the last event before the first hole.
    async fn to_the_end(&mut self, mut from: u64) -> Result<Place, Trouble> {
        while let Some(stored) = self.stored(from).await? {
            from = stored.place + 1;
            if !self.is_of_this_log(&stored).await? {
                continue;
            }
            if stored.seq == self.whole.seq + 1 {
                self.whole = Place { seq: stored.seq, place: Some(stored.place) };
                while let Some(place) = self.beyond.remove(&(self.whole.seq + 1)) {
                    self.whole = Place { seq: self.whole.seq + 1, place: Some(place) };
                }
            } else if stored.seq > self.whole.seq && self.beyond.len() < MOST_BEYOND {
                self.beyond.insert(stored.seq, stored.place);
            }
        }
        Ok(self.whole)
    }

    /// False for an event that was given up; trouble for one that contradicts the log.
    async fn is_of_this_log(&mut self, stored: &Stored) -> Result<bool, Trouble> {
        let contradiction = match self.log_hash(stored.seq).await? {
            Some(hash) if hash == stored.hash => return Ok(true),
            Some(_) => format!("the stream holds another event {} than the log", stored.seq),
            None => format!("the stream holds event {}, which is beyond the end of the log", stored.seq),
        };
        if stored.epoch < self.epoch {
            return Ok(false);
        }
        Err(Trouble::Stopped(format!(
            "{contradiction}; the database is older than the stream or is not its source: if it was restored from a \
             backup, a new epoch must be begun"
        )))
    }

    async fn log_hash(&mut self, seq: u64) -> Result<Option<[u8; 32]>, Trouble> {
        let is_in_page = |page: &[Envelope]| {
            page.first().is_some_and(|first| first.seq <= seq)
                && page.last().is_some_and(|last| last.seq >= seq)
        };
        if !is_in_page(&self.page) {
            self.page = self.parts.with.store.read(self.lane, seq, PAGE).await?;
        }
        Ok(self.page.iter().find(|event| event.seq == seq).map(|event| fixed(&event.hash)))
    }

    async fn stored(&self, from: u64) -> Result<Option<Stored>, Trouble> {
        let found =
            self.parts.with.broker.stored_at_or_after(&self.parts.with.service, self.lane, from).await;
        no_stream_is_none(self.parts, found).await
    }

    /// The first event that is young enough to be in the stream.
    async fn first_wanted(&self) -> Result<u64, Trouble> {
        let max_age = i64::try_from(self.parts.settings.max_age.as_micros()).unwrap_or(i64::MAX);
        let since = self.parts.with.clock.now().as_micros().saturating_sub(max_age);
        Ok(self.parts.with.store.first_since(self.lane, since).await?.unwrap_or(u64::MAX))
    }
}

/// A stream that is gone is made again, if this process may, and is empty then.
async fn no_stream_is_none(
    parts: &Parts,
    found: Result<Option<Stored>, BrokerError>,
) -> Result<Option<Stored>, Trouble> {
    match found {
        Err(BrokerError::NoStream) => {
            parts.with.broker.ensure_stream(&parts.with.service).await?;
            Ok(None)
        }
        other => Ok(other?),
    }
}
