//! Every point at which the matrix lets a process die, and what it takes to get there.

use testkit::system::Store;

/// What must happen so that a process passes a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The load passes it; it counts from when clients are at work.
    Load,
    /// It is passed seldom, or by the start of a process: passages count from there.
    Start,
    /// A process that starts and finds its streams empty passes it.
    EmptyStreams,
    /// A projector passes it whose messages another client of NATS takes away.
    Thief,
    /// A projector passes it that meets an event it cannot take.
    Poison,
    /// The announcement of an election passes it.
    Announcement,
    /// The count passes it.
    Count,
}

/// A point, as `messaging::crash::point` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Its name.
    pub name: &'static str,
    /// How it is reached.
    pub way: Way,
    /// How often it is passed at least, once its way is gone; later passages are not tried.
    pub passages: u32,
    /// On which databases it is passed.
    pub only_on: Option<Store>,
    /// Whether the process stands still there until it is killed, see [`messaging::crash::hold`].
    pub is_held: bool,
}

/// Often enough for any random passage.
const OFTEN: u32 = 24;

const fn point(name: &'static str, way: Way, passages: u32) -> Point {
    Point { name, way, passages, only_on: None, is_held: false }
}

/// All of them. A test compares this list with the source.
pub const POINTS: &[Point] = &[
    point("writer.recv", Way::Load, OFTEN),
    point("writer.begun", Way::Load, OFTEN),
    point("writer.act_begun", Way::Load, OFTEN),
    point("writer.after_apply", Way::Load, OFTEN),
    point("writer.head_locked", Way::Load, OFTEN),
    point("writer.before_log_insert", Way::Load, OFTEN),
    point("writer.before_commit", Way::Load, OFTEN),
    point("writer.after_commit", Way::Load, OFTEN),
    Point { is_held: true, ..point("writer.after_first_reply", Way::Load, OFTEN) },
    // Of relay and projector of each service.
    Point { only_on: Some(Store::Postgres), ..point("relay.lease_taken", Way::Start, 4) },
    // Of two lanes of each service.
    point("relay.reconcile_read", Way::Start, 4),
    point("relay.before_rewind", Way::EmptyStreams, 3),
    point("relay.after_rewind", Way::EmptyStreams, 3),
    point("relay.page_read", Way::Load, OFTEN),
    point("relay.before_publish", Way::Load, OFTEN),
    point("relay.after_publish", Way::Load, OFTEN),
    point("relay.after_ack", Way::Load, OFTEN),
    // Four times a second in each service.
    point("relay.before_mark", Way::Load, 6),
    point("relay.after_mark", Way::Load, 6),
    point("projector.fetched", Way::Load, OFTEN),
    point("projector.begun", Way::Load, OFTEN),
    point("projector.gate_passed", Way::Load, OFTEN),
    point("projector.after_handler", Way::Load, OFTEN),
    point("projector.before_park", Way::Poison, 3),
    point("projector.before_commit", Way::Load, OFTEN),
    point("projector.after_commit", Way::Load, OFTEN),
    point("projector.after_ack", Way::Load, OFTEN),
    point("projector.gap_requested", Way::Thief, 3),
    point("projector.gap_applied", Way::Thief, 3),
    point("ballot.roll_frozen", Way::Announcement, 1),
    point("ballot.roll_taken", Way::Announcement, 1),
    // Seven people vote on paper.
    point("ballot.voucher_signed", Way::Start, 6),
    point("ballot.paper_before_commit", Way::Start, 6),
    point("ballot.sealed", Way::Load, OFTEN),
    point("ballot.cast_before_commit", Way::Load, OFTEN),
    point("ballot.cast_after_commit", Way::Load, OFTEN),
    point("ballot.opened", Way::Count, 1),
    point("ballot.tallied", Way::Count, 1),
    point("ballot.tally_after_commit", Way::Count, 1),
];

/// Points of commands that an operator runs by hand, which the matrix does not: each dies at all of its own in
/// `operations::killed`.
pub const COMMANDS: &[&str] = &[
    "backup.cut",
    "backup.copied",
    "backup.before_complete",
    "new_epoch.begun",
    "restore.staged",
    "restore.marked",
    "restore.log_folded",
    "restore.before_rename",
    "restore.before_commit",
    "restore.put_back",
    "restore.stream_emptied",
    "restore.finished",
];

impl Point {
    /// Whether it is passed on this database.
    #[must_use]
    pub fn is_passed_on(&self, store: Store) -> bool {
        self.only_on.is_none_or(|only| only == store)
    }

    /// What of it is not tried because it does not happen, and why.
    #[must_use]
    pub fn left_out(&self) -> Option<String> {
        let what = match self.way {
            _ if self.only_on.is_some() => {
                "on SQLite: leases are taken where several copies may share a database"
            }
            Way::Announcement if self.passages == 1 => {
                "later passages: an election is announced once, and its roll frozen and taken once"
            }
            Way::Count if self.passages == 1 => "later passages: an election is counted once",
            _ => return None,
        };
        Some(format!("{}, {what}", self.name))
    }
}
