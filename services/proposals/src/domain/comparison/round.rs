//! A round: prepared, open for its days, closed, its ranking published. A ranking is published of enough comparisons by
//! enough sessions only; it is advice to those who decide, and no verdict.

use kernel::{Date, Fault, ForumId, MunicipalityCode, Policies, PolicyKey, RoundId, TenantId};

use super::ranking::Ranking;

/// Fewest ideas of a round.
pub const LEAST_IDEAS: usize = 4;
/// Most ideas of a round, own ones included.
pub const MOST_IDEAS: usize = 60;
/// The longest round, in days.
const MOST_DAYS: i64 = 366;
/// The longest round with proposals, in days: while they are compared nothing else becomes of them.
const MOST_DAYS_WITH_PROPOSALS: i64 = 92;
/// Days after its last one that the visits of a round are kept if its ranking is not published before.
const VISITS_KEPT_DAYS: i32 = 30;

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

    /// Refuses a round of proposals that is too long for them: Invalid `proposals.round`.
    pub fn check_for_proposals(&self) -> Result<(), Fault> {
        if (self.closes_on - self.opens_on).whole_days() < MOST_DAYS_WITH_PROPOSALS {
            return Ok(());
        }
        let message = "Proposals cannot wait so long; see the field.";
        Err(Fault::invalid("proposals.round", message).field(
            "closes_on",
            format!("a round with proposals takes {MOST_DAYS_WITH_PROPOSALS} days at most"),
            "send an earlier day, or leave the proposals out",
        ))
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
    /// Ideas that are or were in it: the number of the last one.
    pub ideas: u32,
    /// Of these, taken out of it.
    pub removed: u32,
    /// Of these, own ideas: they joined while others were compared already.
    pub joined_late: u32,
    /// What has been compared.
    pub counts: Counts,
    /// True once its visits are deleted, or are being deleted.
    pub visits_forgotten: bool,
}

/// What happened to a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundEvent {
    /// Comparing began.
    Opened,
    /// An own idea joined it.
    IdeaJoined,
    /// An idea was taken out of it.
    IdeaRemoved,
    /// Comparing ended.
    Closed,
    /// Its ranking is public.
    Published,
    /// Its visits are deleted.
    VisitsForgotten,
}

impl Round {
    /// A new round of so many ideas. Invalid `proposals.ideas_of_round` unless there are 4 to 60.
    pub fn prepare(id: RoundId, charter: Charter, ideas: usize) -> Result<Self, Fault> {
        let ideas = check_number(ideas, LEAST_IDEAS)?;
        Ok(Self::new(id, charter.checked()?, RoundState::Prepared, ideas))
    }

    /// A round that was held elsewhere, closed. Invalid `proposals.ideas_of_round` unless it has 2 to 60 ideas;
    /// `proposals.round` if its last day lies ahead.
    pub fn import(
        id: RoundId,
        charter: Charter,
        ideas: usize,
        counts: Counts,
        today: Date,
    ) -> Result<Self, Fault> {
        let ideas = check_number(ideas, 2)?;
        let charter = charter.checked()?;
        if charter.closes_on > today {
            let message = "A result is taken in when its round is over; see the field.";
            return Err(Fault::invalid("proposals.round", message).field(
                "closed_on",
                "the last day of a round that is over is today or before",
                "send the day on which it ended",
            ));
        }
        let round = Self::new(id, charter, RoundState::Closed, ideas);
        Ok(Self { imported: true, counts, ..round })
    }

    fn new(id: RoundId, charter: Charter, state: RoundState, ideas: u32) -> Self {
        Self {
            id,
            charter,
            state,
            imported: false,
            ideas,
            removed: 0,
            joined_late: 0,
            counts: Counts::default(),
            visits_forgotten: false,
        }
    }

    /// The prepared round with another charter and so many ideas, as [`Round::prepare`] has it. Conflict
    /// `proposals.round_not_prepared` once it has opened.
    pub fn correct(&self, charter: Charter, ideas: usize) -> Result<Self, Fault> {
        self.check_prepared()?;
        Self::prepare(self.id, charter, ideas)
    }

    /// Refuses unless it is prepared and not open yet: Conflict `proposals.round_not_prepared`.
    pub fn check_prepared(&self) -> Result<(), Fault> {
        if self.state == RoundState::Prepared {
            return Ok(());
        }
        Err(Fault::conflict(
            "proposals.round_not_prepared",
            "The round has opened, so it is what it is. A single idea can be taken out of it (RemoveIdea).",
        ))
    }

    /// Ideas in it now.
    pub fn ideas_in_it(&self) -> u32 {
        self.ideas.saturating_sub(self.removed)
    }

    /// Whether its visits are needed no more on this day: its ranking is public, or it closed long ago and nobody has
    /// published one.
    pub fn visits_are_over(&self, today: Date) -> bool {
        match self.state {
            RoundState::Published => true,
            RoundState::Closed => today > self.visits_kept_until(),
            RoundState::Prepared | RoundState::Open => false,
        }
    }

    /// The last day on which the visits of a closed round are kept without a published ranking.
    pub fn visits_kept_until(&self) -> Date {
        kernel::deadline::add_days(self.charter.closes_on, VISITS_KEPT_DAYS)
    }

    /// Opens it; None if it is open. Conflict `proposals.too_few_ideas` if fewer than four are left in it,
    /// `proposals.round_not_yet` before its first day,
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
            RoundState::Prepared
                if usize::try_from(self.ideas_in_it()).is_ok_and(|left| left < LEAST_IDEAS) =>
            {
                Err(Fault::conflict(
                    "proposals.too_few_ideas",
                    format!(
                        "Ideas were taken out of the round, and fewer than {LEAST_IDEAS} are left. Correct it with others."
                    ),
                ))
            }
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
        if usize::try_from(self.ideas_in_it()).is_ok_and(|ideas| ideas < MOST_IDEAS) {
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
            RoundEvent::IdeaRemoved => self.removed += 1,
            RoundEvent::Closed => self.state = RoundState::Closed,
            RoundEvent::Published => self.state = RoundState::Published,
            RoundEvent::VisitsForgotten => self.visits_forgotten = true,
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

/// How the order changes without the sessions that compared most: the heaviest hundredth, and as many as a count of
/// people needs at least.
///
/// Nobody signs in, so one person may compare in several sessions, and a few people with much time could carry the
/// order. If it holds without the heaviest, it does not hang on them. It does not tell one person in many sessions from
/// many people; that is why only the order is told, and why it is advice.
///
/// No order and no counts: what differs with and without few sessions would tell how they answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sensitivity {
    /// Sessions left out.
    pub sessions_left_out: u64,
    /// Ideas that have another place without them.
    pub ideas_moved: u32,
}

/// The ranking of those who said that they are from a municipality.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceRanking {
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// Its ranking, of which ranks and groups are kept and told only.
    pub ranking: Ranking,
}

/// How many sessions the sensitivity leaves out; none where so few compared that those left out, or those left, could be
/// seen through it. `small_cell` is what a count of people needs.
pub fn heaviest(sessions: u64, small_cell: u64) -> Option<u64> {
    let left_out = (sessions / 100).max(small_cell);
    (sessions >= left_out + small_cell).then_some(left_out)
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
