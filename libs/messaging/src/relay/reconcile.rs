//! Finding out what of a lane is in the stream, without trusting what was acknowledged.
//!
//! The stream can lose its newest events (an unsynced disk, a restored copy) or all of them, and get an event twice and
//! late; after a loss a publishing that was under way can still slip in behind the hole. So looking at the last stored
//! event is not enough. The first comparison walks through the whole lane in the stream and checks every event against
//! the log. Later ones only count: if the lane still ends with the last event that was published, begins where it
//! began, and holds as many messages as then plus those published since, nothing is missing. Anything else leads to
//! another walk.

use std::collections::BTreeSet;

use super::Parts;
use super::lane::Trouble;
use crate::broker::{BrokerError, Extent, Stored};
use crate::crash;
use crate::envelope::Envelope;
use crate::gate::fixed;

/// Events of the log read at once while walking.
const PAGE: u32 = 256;
/// Stored events read at once while walking.
const STORED_PAGE: usize = 4096;
/// Stored events behind a hole that are remembered; those after them are published again and dropped as duplicates.
const MOST_BEYOND: usize = 100_000;

/// What is known about a lane in the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Last event that is in the stream, with all before it.
    pub(super) seq: u64,
    /// How the lane looked when it was last found whole; `None` leads to a walk.
    pub(super) baseline: Option<Baseline>,
}

/// What does not change while a whole lane grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Baseline {
    /// The first stored event; moves only when events grow too old for the stream.
    first: u64,
    /// Messages beyond one for each event: duplicates.
    surplus: u64,
}

/// Compares a lane with the stream. Publishing goes on after the event in the answer.
pub(super) async fn reconcile(parts: &Parts, lane: &str, epoch: u64, known: Known) -> Result<Known, Trouble> {
    let extent = match parts.with.broker.extent(&parts.with.service, lane).await {
        // A stream that is gone is made again, if this process may, and is empty then.
        Err(BrokerError::NoStream) => {
            parts.with.broker.ensure_stream(&parts.with.service).await?;
            Extent::default()
        }
        extent => extent?,
    };
    crash::point("relay.reconcile_read");
    let mut walk = Walk { parts, lane, epoch, page: Vec::new(), beyond: BTreeSet::new(), whole: 0 };
    if walk.is_unchanged(&extent, known).await? {
        return Ok(known);
    }
    // What should still be there begins with `first`; older events the stream has rightly dropped.
    let first = walk.first_wanted().await?.min(known.seq + 1);
    walk.whole = first - 1;
    walk.walk().await?;
    let whole = walk.whole;
    if whole < known.seq {
        crash::point("relay.before_rewind");
        let (service, lost) = (&parts.with.service, known.seq - whole);
        parts.with.metrics.rewound(service, lost);
        tracing::warn!(service, lane, lost, "the stream lost acknowledged events; they are published again");
    }
    let baseline = baseline(&extent).filter(|_| extent.last.is_none_or(|last| last.seq == whole));
    Ok(Known { seq: whole, baseline })
}

fn baseline(extent: &Extent) -> Option<Baseline> {
    let (first, last) = (extent.first?.seq, extent.last?.seq);
    let events = (last + 1).checked_sub(first)?;
    Some(Baseline { first, surplus: extent.messages.checked_sub(events)? })
}

/// A walk through the stored events of a lane.
struct Walk<'a> {
    parts: &'a Parts,
    lane: &'a str,
    /// Epoch of the log now. Stored events of an earlier epoch that contradict the log were given up with a restore.
    epoch: u64,
    /// A piece of the log.
    page: Vec<Envelope>,
    /// Stored events that lie behind a hole.
    beyond: BTreeSet<u64>,
    /// The last event before the first hole.
    whole: u64,
}

impl Walk<'_> {
    /// Whether the lane is as it was when it was found whole, plus what was published since.
    async fn is_unchanged(&mut self, extent: &Extent, known: Known) -> Result<bool, Trouble> {
        let (Some(last), Some(before), Some(now)) = (extent.last, known.baseline, baseline(extent)) else {
            return Ok(false);
        };
        if last.seq != known.seq || now.surplus != before.surplus {
            return Ok(false);
        }
        if now.first != before.first && now.first > self.first_wanted().await? {
            return Ok(false);
        }
        self.is_of_this_log(&last).await
    }

    async fn walk(&mut self) -> Result<(), Trouble> {
        let mut from = 0;
        loop {
            let broker = &self.parts.with.broker;
            let page = broker.stored_from(&self.parts.with.service, self.lane, from, STORED_PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            from = last.place + 1;
            for stored in page {
                if self.is_of_this_log(&stored).await? {
                    self.pass(stored.seq);
                }
            }
        }
    }

    fn pass(&mut self, seq: u64) {
        if seq == self.whole + 1 {
            self.whole = seq;
            while self.beyond.remove(&(self.whole + 1)) {
                self.whole += 1;
            }
        } else if seq > self.whole && self.beyond.len() < MOST_BEYOND {
            self.beyond.insert(seq);
        }
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
        let first = self.page.first().map_or(u64::MAX, |event| event.seq);
        let last = self.page.last().map_or(0, |event| event.seq);
        if seq < first || seq > last {
            self.page = self.parts.with.store.read(self.lane, seq, PAGE).await?;
        }
        Ok(self.page.iter().find(|event| event.seq == seq).map(|event| fixed(&event.hash)))
    }

    /// The first event that is young enough to be in the stream.
    async fn first_wanted(&self) -> Result<u64, Trouble> {
        let max_age = i64::try_from(self.parts.settings.max_age.as_micros()).unwrap_or(i64::MAX);
        let since = self.parts.with.clock.now().as_micros().saturating_sub(max_age);
        Ok(self.parts.with.store.first_since(self.lane, since).await?.unwrap_or(u64::MAX))
    }
}
