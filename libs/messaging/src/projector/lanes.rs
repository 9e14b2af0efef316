//! What a projector knows about the lanes of its source, and which of them must be filled from the log.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::Taken;
use crate::backoff::Backoff;
use crate::gate::Cursor;
use crate::relay::Machinery;
use crate::store::{ProjectionKey, StoreError};

/// All lanes of the source that have been heard of.
pub(super) struct Lanes {
    with: Machinery,
    key: ProjectionKey,
    lanes: BTreeMap<String, Lane>,
}

struct Lane {
    cursor: Cursor,
    /// Highest event heard of.
    target: u64,
    /// Whether events before the target must be read from the log.
    is_behind: bool,
    /// Whether they are being read.
    is_filling: bool,
    pause: Duration,
    backoff: Backoff,
    /// Cursor and lag as the last check saw them.
    last_check: Option<u64>,
}

impl Lanes {
    pub(super) fn new(with: Machinery, key: ProjectionKey) -> Self {
        Self { with, key, lanes: BTreeMap::new() }
    }

    /// Reads the cursors from the database. A lane that is being rebuilt is to be filled from the log at once.
    pub(super) async fn load(&mut self) -> Result<(), StoreError> {
        for (name, cursor) in self.with.store.cursors(&self.key).await? {
            let lane = self.lane(&name);
            if let Some(target) = cursor.rebuild_to {
                lane.target = lane.target.max(target);
                lane.is_behind = true;
            }
            lane.cursor = cursor;
            self.report(&name);
        }
        Ok(())
    }

    /// Sequence numbers of all cursors.
    pub(super) fn cursors(&self) -> BTreeMap<String, u64> {
        self.lanes.iter().map(|(name, lane)| (name.clone(), lane.cursor.seq)).collect()
    }

    pub(super) fn cursor(&self, name: &str) -> Cursor {
        self.lanes.get(name).map(|lane| lane.cursor.clone()).unwrap_or_default()
    }

    /// There is an event with this number.
    pub(super) fn heard_of(&mut self, name: &str, seq: u64) {
        let lane = self.lane(name);
        lane.target = lane.target.max(seq);
        self.report(name);
    }

    /// Events before the target are missing and will not come by themselves.
    pub(super) fn behind(&mut self, name: &str) {
        self.lane(name).is_behind = true;
    }

    /// A transaction has ended.
    pub(super) fn took(&mut self, name: &str, taken: Taken) {
        if taken.forked {
            let reason = taken.cursor.stopped.clone().unwrap_or_default();
            self.with.metrics.projection_forked(&self.key);
            self.log_stop(name, &reason);
        }
        let lane = self.lane(name);
        lane.cursor = taken.cursor;
        lane.target = lane.target.max(lane.cursor.seq).max(taken.gap.unwrap_or(0));
        lane.is_behind = (lane.is_behind || taken.gap.is_some()) && lane.cursor.seq < lane.target;
        self.report(name);
    }

    /// A page of the log was read and taken.
    pub(super) fn read(&mut self, name: &str) {
        let lane = self.lane(name);
        lane.is_filling = false;
        lane.pause = Duration::ZERO;
        lane.backoff.reset();
    }

    /// The log has no more events; the target was wrong or the log is not what it was. The next check will tell.
    pub(super) fn filled(&mut self, name: &str) {
        self.read(name);
        let lane = self.lane(name);
        lane.is_behind = false;
        lane.target = lane.cursor.seq;
        self.report(name);
    }

    /// The lane could not be taken or read; it will be tried again after a pause.
    pub(super) fn failed(&mut self, name: &str) {
        let lane = self.lane(name);
        lane.is_behind = true;
        lane.is_filling = false;
        lane.pause = lane.backoff.next_pause();
    }

    /// Whether the lane could not be taken or read the last time.
    pub(super) fn is_failing(&self, name: &str) -> bool {
        self.lanes.get(name).is_some_and(|lane| !lane.pause.is_zero())
    }

    /// The lane was stopped.
    pub(super) fn stopped(&mut self, name: &str, reason: &str) {
        self.log_stop(name, reason);
        let lane = self.lane(name);
        lane.cursor.stopped = Some(reason.to_owned());
        lane.is_filling = false;
        self.report(name);
    }

    /// Lanes to fill now, with the first missing event and the pause before; at most so many at the same time.
    pub(super) fn begin_filling(&mut self, most: usize) -> Vec<(String, u64, Duration)> {
        let filling = self.lanes.values().filter(|lane| lane.is_filling).count();
        let mut chosen = Vec::new();
        let waiting = self
            .lanes
            .iter_mut()
            .filter(|(_, lane)| lane.is_behind && !lane.is_filling && lane.cursor.stopped.is_none());
        for (name, lane) in waiting.take(most.saturating_sub(filling)) {
            lane.is_filling = true;
            chosen.push((name.clone(), lane.cursor.seq + 1, lane.pause));
        }
        chosen
    }

    /// Notes where a check saw the lane; true if it stood at the same place the time before and was behind then too.
    pub(super) fn stands_still(&mut self, name: &str, seq: u64, head: u64) -> bool {
        let lane = self.lane(name);
        let is_lagging = seq < head;
        let stood = is_lagging && lane.last_check == Some(seq);
        lane.last_check = is_lagging.then_some(seq);
        stood
    }

    fn lane(&mut self, name: &str) -> &mut Lane {
        self.lanes.entry(name.to_owned()).or_insert_with(|| Lane {
            cursor: Cursor::default(),
            target: 0,
            is_behind: false,
            is_filling: false,
            pause: Duration::ZERO,
            backoff: self.with.backoff(),
            last_check: None,
        })
    }

    fn report(&self, name: &str) {
        let Some(lane) = self.lanes.get(name) else { return };
        self.with.status.projected(&self.key, name, |status| {
            status.seq = lane.cursor.seq;
            status.target = lane.target.max(lane.cursor.seq);
            status.stopped.clone_from(&lane.cursor.stopped);
            status.rebuild_to = lane.cursor.rebuild_to;
            let is_behind = status.seq < status.target;
            status.behind_since = is_behind.then(|| status.behind_since.unwrap_or_else(Instant::now));
        });
    }

    fn log_stop(&self, name: &str, reason: &str) {
        let (projection, source) = (&self.key.projection, &self.key.source);
        tracing::error!(projection, source, lane = name, reason, "a lane stands still until a person acts");
    }
}
