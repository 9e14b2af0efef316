//! A round: prepared, open for its days, closed, its ranking published. A ranking is published of enough comparisons by
//! enough sessions only; it is advice to those who decide, and no verdict.

use kernel::{Date, Fault, ForumId, Policies, PolicyKey, RoundId, TenantId};

use super::ranking::Ranking;

/// Fewest ideas of a round.
pub const LEAST_IDEAS: usize = 4;
/// Most ideas of a round, own ones included.
pub const MOST_IDEAS: usize = 60;
/// The longest round, in days.
const MOST_DAYS: i64 = 366;

/// State of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundState {
    /// Its ideas are chosen; nobody but those who prepare it sees it.
    Prepared,
    /// Anybody compares.
    Open,
    /// Nobody compares any more.
    Closed,
    /// Its ranking is public.
    Published,
}

impl RoundState {
    /// Every state.
    pub const ALL: [RoundState; 4] =
        [RoundState::Prepared, RoundState::Open, RoundState::Closed, RoundState::Published];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            RoundState::Prepared => "prepared",
            RoundState::Open => "open",
            RoundState::Closed => "closed",
            RoundState::Published => "published",
        }
    }
}

/// What a round is about and when it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charter {
    /// Whose it is.
    pub tenant: TenantId,
    /// The forum that prepares it; none for the county's own.
    pub forum: Option<ForumId>,
    /// Name, for example "Mielekäs päivä".
    pub title: String,
    /// First day of comparing.
    pub opens_on: Date,
    /// Last day of comparing.
    pub closes_on: Date,
    /// Whether participants may add ideas of their own.
    pub own_ideas: bool,
}

impl Charter {
    /// The charter, if its name and days can be. Invalid `proposals.round` with every field at fault.
    pub fn checked(self) -> Result<Self, Fault> {
        let mut fault = Fault::invalid("proposals.round", "The round cannot be like this; see the fields.");
        if !(3..=120).contains(&self.title.trim().chars().count()) || self.title.chars().any(char::is_control)
        {
            fault = fault.field(
                "title",
                "the name of a round is one line of 3 to 120 characters",
                "send for example \"Mielekäs päivä\"",
            );
        }
        if self.closes_on < self.opens_on || (self.closes_on - self.opens_on).whole_days() >= MOST_DAYS {
            fault = fault.field(
                "closes_on",
                "the last day is the first one or later, and a round takes a year at most",
                "send a day within a year of the first one",
            );
        }
        if fault.fields().is_empty() { Ok(self) } else { Err(fault) }
    }
}

/// What has been compared so far. All of it is kept with each answer, not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Comparisons.
    pub comparisons: u64,
    /// Pairs skipped; no comparisons.
    pub skips: u64,
    /// Sessions that compared at least once.
    pub sessions: u64,
    /// Comparisons made with somebody's help: told in this total only.
    pub assisted: u64,
}

/// A round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Id.
    pub id: RoundId,
    /// What was told when it was prepared.
    pub charter: Charter,
    /// State.
    pub state: RoundState,
    /// True if it was held elsewhere and only its result is here.
    pub imported: bool,
    /// Ideas in it.
    pub ideas: u32,
    /// Of these, own ideas: they joined while others were compared already.
    pub joined_late: u32,
    /// What has been compared.
    pub counts: Counts,
}

/// What happened to a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundEvent {
    /// Comparing began.
    Opened,
    /// An own idea joined it.
    IdeaJoined,
    /// Comparing ended.
    Closed,
    /// Its ranking is public.
    Published,
}

impl Round {
    /// A new round of so many ideas. Invalid `proposals.ideas_of_round` unless there are 4 to 60.
    pub fn prepare(id: RoundId, charter: Charter, ideas: usize) -> Result<Self, Fault> {
        let ideas = check_number(ideas, LEAST_IDEAS)?;
        let (state, counts) = (RoundState::Prepared, Counts::default());
        Ok(Self { id, charter: charter.checked()?, state, imported: false, ideas, joined_late: 0, counts })
    }

    /// A round that was held elsewhere, closed. Invalid `proposals.ideas_of_round` unless it has 2 to 60 ideas.
    pub fn import(id: RoundId, charter: Charter, ideas: usize, counts: Counts) -> Result<Self, Fault> {
        let ideas = check_number(ideas, 2)?;
        let state = RoundState::Closed;
        Ok(Self { id, charter: charter.checked()?, state, imported: true, ideas, joined_late: 0, counts })
    }

    /// Opens it; None if it is open. Conflict `proposals.round_not_yet` before its first day,
    /// `proposals.round_days_over` after its last one, `proposals.round_closed` if it is closed.
    pub fn open(&self, today: Date) -> Result<Option<RoundEvent>, Fault> {
        let Charter { opens_on, closes_on, .. } = &self.charter;
        match self.state {
            RoundState::Open => Ok(None),
            RoundState::Closed | RoundState::Published => Err(closed()),
            RoundState::Prepared if today < *opens_on => Err(Fault::conflict(
                "proposals.round_not_yet",
                format!("The round begins on {opens_on}. Open it on that day."),
            )),
            RoundState::Prepared if today > *closes_on => Err(Fault::conflict(
                "proposals.round_days_over",
                format!("The last day of the round was {closes_on}. Prepare a new one with later days."),
            )),
            RoundState::Prepared => Ok(Some(RoundEvent::Opened)),
        }
    }

    /// Refuses unless ideas can be compared today: Conflict `proposals.round_not_open`.
    pub fn check_open(&self, today: Date) -> Result<(), Fault> {
        if self.state == RoundState::Open && today <= self.charter.closes_on {
            return Ok(());
        }
        Err(Fault::conflict(
            "proposals.round_not_open",
            "Ideas of this round cannot be compared now: it has not begun, or it is over.",
        ))
    }

    /// Refuses unless participants may add ideas: Conflict `proposals.no_own_ideas`.
    pub fn check_own_ideas(&self) -> Result<(), Fault> {
        if self.charter.own_ideas {
            return Ok(());
        }
        Err(Fault::conflict(
            "proposals.no_own_ideas",
            "This round takes no ideas of its participants. Send your idea as a proposal.",
        ))
    }

    /// Lets an own idea in, while it is open. Conflict `proposals.round_not_open`, or `proposals.round_full` when there
    /// are sixty ideas.
    pub fn join(&self, today: Date) -> Result<RoundEvent, Fault> {
        self.check_open(today)?;
        if usize::try_from(self.ideas).is_ok_and(|ideas| ideas < MOST_IDEAS) {
            return Ok(RoundEvent::IdeaJoined);
        }
        Err(Fault::conflict(
            "proposals.round_full",
            format!(
                "The round has {MOST_IDEAS} ideas, and more cannot be compared. Keep the idea for the next round."
            ),
        ))
    }

    /// Closes it; None if it is closed. Conflict `proposals.round_not_open` if it has not begun.
    pub fn close(&self) -> Result<Option<RoundEvent>, Fault> {
        match self.state {
            RoundState::Open => Ok(Some(RoundEvent::Closed)),
            RoundState::Closed | RoundState::Published => Ok(None),
            RoundState::Prepared => Err(Fault::conflict(
                "proposals.round_not_open",
                "The round has not begun, so it cannot be closed.",
            )),
        }
    }

    /// Whether its last day is over while it is open.
    pub fn is_due(&self, today: Date) -> bool {
        self.state == RoundState::Open && today > self.charter.closes_on
    }

    /// Publishes its ranking; None if it is public. Conflict `proposals.round_still_open` before it is closed;
    /// `proposals.too_few_comparisons` or `proposals.too_few_sessions` where so few compared that an order would say
    /// nothing, or say it about single people.
    pub fn publish(&self, policies: &Policies, today: Date) -> Result<Option<RoundEvent>, Fault> {
        match self.state {
            RoundState::Published => return Ok(None),
            RoundState::Closed => {}
            RoundState::Prepared | RoundState::Open => {
                return Err(Fault::conflict(
                    "proposals.round_still_open",
                    "A ranking is published when the round is closed. Close it first.",
                ));
            }
        }
        let Counts { comparisons, sessions, .. } = self.counts;
        let least = policies.on(today, PolicyKey::RankingComparisons);
        if comparisons < u64::from(least) {
            let message = format!(
                "There are {comparisons} comparisons, and a ranking is published from {least}. Take the ideas to a new round."
            );
            return Err(Fault::conflict("proposals.too_few_comparisons", message));
        }
        let least = policies.on(today, PolicyKey::RankingSessions);
        if sessions < u64::from(least) {
            let message = format!(
                "{sessions} sessions compared, and a ranking is published from {least}. Take the ideas to a new round."
            );
            return Err(Fault::conflict("proposals.too_few_sessions", message));
        }
        Ok(Some(RoundEvent::Published))
    }

    /// The round after the event.
    #[must_use]
    pub fn apply(mut self, event: RoundEvent) -> Self {
        match event {
            RoundEvent::Opened => self.state = RoundState::Open,
            RoundEvent::IdeaJoined => {
                self.ideas += 1;
                self.joined_late += 1;
            }
            RoundEvent::Closed => self.state = RoundState::Closed,
            RoundEvent::Published => self.state = RoundState::Published,
        }
        self
    }
}

/// What is published of a round.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// The ranking of all comparisons.
    pub ranking: Ranking,
    /// The order without the heaviest sessions; none where nothing is left without them, or where single sessions are
    /// not known.
    pub sensitivity: Option<Sensitivity>,
    /// Rankings by municipality, where so many compared that they may be told.
    pub places: Vec<PlaceRanking>,
}

/// How the order changes without the sessions that compared most: the heaviest hundredth, one at least.
///
/// Nobody signs in, so one person may compare in several sessions, and a few people with much time could carry the
/// order. If it holds without the heaviest, it does not hang on them. It does not tell one person in many sessions from
/// many people; that is why only the order is told, and why it is advice.
///
/// Ranks only: counts with and without one session would tell how that session answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensitivity {
    /// Sessions left out.
    pub sessions_left_out: u64,
    /// The ranking without them.
    pub ranking: Ranking,
}

/// The ranking of those who said that they are from a municipality.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceRanking {
    /// The municipality, its sessions and comparisons.
    pub place: super::places::Place,
    /// Its ranking.
    pub ranking: Ranking,
}

/// How many sessions the sensitivity leaves out.
pub fn heaviest(sessions: u64) -> u64 {
    (sessions / 100).max(1)
}

fn closed() -> Fault {
    Fault::conflict(
        "proposals.round_closed",
        "The round is closed and cannot be opened again. Prepare a new one.",
    )
}

fn check_number(ideas: usize, least: usize) -> Result<u32, Fault> {
    if (least..=MOST_IDEAS).contains(&ideas)
        && let Ok(ideas) = u32::try_from(ideas)
    {
        return Ok(ideas);
    }
    let message = format!("A round has {least} to {MOST_IDEAS} ideas, this one {ideas}.");
    Err(Fault::invalid("proposals.ideas_of_round", message).field(
        "ideas",
        format!("{least} to {MOST_IDEAS} ideas"),
        "take more or fewer ideas",
    ))
}

#[cfg(test)]
mod tests;
