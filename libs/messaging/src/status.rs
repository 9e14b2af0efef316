//! What relay and projectors are doing, for operators, for back-pressure and for tests that wait.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;

use crate::store::ProjectionKey;

/// Unpublished events from which mutating requests are refused (REL-30).
pub const MOST_UNPUBLISHED: u64 = 1_000_000;

/// Shared state of a service's pipeline. Small: one entry for each lane, and one for each lane of each projection.
#[derive(Debug)]
pub struct Status {
    state: Mutex<State>,
    changed: watch::Sender<()>,
    cursors: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    lanes: BTreeMap<String, LaneStatus>,
    projections: BTreeMap<(ProjectionKey, String), ProjectedLane>,
    troubles: BTreeMap<String, String>,
}

/// An own lane on its way to the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneStatus {
    /// Last sequence number in the log.
    pub head: u64,
    /// Last sequence number in the stream.
    pub published: u64,
    /// When the first unpublished event happened, microseconds of the business clock; `None` if there is none.
    pub oldest_us: Option<i64>,
    /// Why the lane is not published until a person acts.
    pub stopped: Option<String>,
}

/// A lane of another service as a projection sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectedLane {
    /// Last sequence number taken.
    pub seq: u64,
    /// Highest sequence number heard of.
    pub target: u64,
    /// Why the lane stands still until a person acts.
    pub stopped: Option<String>,
    /// The event at which a rebuild under way is done.
    pub rebuild_to: Option<u64>,
    /// Since when events have been heard of that are not taken; `None` while there are none.
    pub behind_since: Option<Instant>,
}

impl Default for Status {
    fn default() -> Self {
        Self { state: Mutex::default(), changed: watch::Sender::new(()), cursors: watch::Sender::new(()) }
    }
}

impl Status {
    /// Own lanes, by county code.
    pub fn lanes(&self) -> BTreeMap<String, LaneStatus> {
        self.lock().lanes.clone()
    }

    /// Lanes of other services, by projection and county code.
    pub fn projections(&self) -> BTreeMap<(ProjectionKey, String), ProjectedLane> {
        self.lock().projections.clone()
    }

    /// What does not work right now, by who found out: relay, a projection. Empty if all is well. None of it makes the
    /// service unready (OBS-10): writes go on, the rest is repaired.
    pub fn troubles(&self) -> BTreeMap<String, String> {
        self.lock().troubles.clone()
    }

    /// Events in the log that are not in the stream yet.
    pub fn unpublished(&self) -> u64 {
        self.lock().lanes.values().map(|lane| lane.head.saturating_sub(lane.published)).sum()
    }

    /// Whether so much is unpublished that mutating requests must be refused (REL-30).
    pub fn is_overfull(&self) -> bool {
        self.unpublished() >= MOST_UNPUBLISHED
    }

    /// Changes whenever anything here does; for waiting.
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Tells the projectors of this process that somebody else has moved cursors.
    pub(crate) fn cursors_were_moved(&self) {
        self.cursors.send_replace(());
    }

    /// Changes when somebody else has moved cursors.
    pub(crate) fn moved_cursors(&self) -> watch::Receiver<()> {
        self.cursors.subscribe()
    }

    pub(crate) fn lane(&self, lane: &str, change: impl FnOnce(&mut LaneStatus)) {
        change(self.lock().lanes.entry(lane.to_owned()).or_default());
        self.changed.send_replace(());
    }

    pub(crate) fn projected(&self, key: &ProjectionKey, lane: &str, change: impl FnOnce(&mut ProjectedLane)) {
        change(self.lock().projections.entry((key.clone(), lane.to_owned())).or_default());
        self.changed.send_replace(());
    }

    /// The relay has ended here.
    pub(crate) fn forget_lanes(&self) {
        self.lock().lanes.clear();
        self.changed.send_replace(());
    }

    /// The projector has ended here.
    pub(crate) fn forget_projection(&self, key: &ProjectionKey) {
        self.lock().projections.retain(|(of, _), _| of != key);
        self.changed.send_replace(());
    }

    /// Notes or clears a trouble; true if that is news.
    pub(crate) fn trouble(&self, who: &str, what: Option<String>) -> bool {
        let news = {
            let troubles = &mut self.lock().troubles;
            match what {
                Some(what) if troubles.get(who) == Some(&what) => false,
                Some(what) => {
                    troubles.insert(who.to_owned(), what);
                    true
                }
                None => troubles.remove(who).is_some(),
            }
        };
        if news {
            self.changed.send_replace(());
        }
        news
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
