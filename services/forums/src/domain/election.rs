//! An election of a forum's members, municipality by municipality (S1.38): its steps, and when each may be taken.
//!
//! ```text
//! Announced ─▶ NominationsClosed ─▶ Voting ─▶ Counting ─▶ (TieByLot) ─▶ Counted ─▶ Confirmed
//!                     └── nowhere more candidates than seats (F6) ───────▲
//! ```
//!
//! Any step before confirmation may be followed by annulment. Days are days in Finland by the business clock; what is
//! open on a day is open until that day ends.

mod apply;
mod constituency;
mod counting;
mod schedule;
#[cfg(test)]
mod tests;

use kernel::{Date, ElectionId, Fault, ForumId, MunicipalityCode, Subject};

pub use self::constituency::{ConfirmedResult, Constituency};
pub use self::schedule::Schedule;
use crate::domain::forum::{Forum, ForumState, SeatQuota};
use crate::domain::lots::WitnessNumber;
use crate::domain::sealed::BoardPublicKey;
use crate::domain::seat::Seat;
use crate::domain::tally::Tally;

/// How far an election has come. That nominations are open is a matter of the day, see [`Election::nominating`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Announced; nominations open and close by their days.
    Announced,
    /// Candidates are final.
    NominationsClosed,
    /// Ballots can be cast.
    Voting,
    /// Boxes are closed and wait for the count.
    Counting,
    /// Counted; a tie at the last seat waits for lots.
    TieByLot,
    /// Counted; the result waits for confirmation.
    Counted,
    /// Confirmed.
    Confirmed,
    /// Annulled.
    Annulled,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Phase; 8] = [
        Phase::Announced,
        Phase::NominationsClosed,
        Phase::Voting,
        Phase::Counting,
        Phase::TieByLot,
        Phase::Counted,
        Phase::Confirmed,
        Phase::Annulled,
    ];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Announced => "announced",
            Phase::NominationsClosed => "nominations_closed",
            Phase::Voting => "voting",
            Phase::Counting => "counting",
            Phase::TieByLot => "tie_by_lot",
            Phase::Counted => "counted",
            Phase::Confirmed => "confirmed",
            Phase::Annulled => "annulled",
        }
    }

    /// Whether nothing follows.
    pub fn is_over(self) -> bool {
        matches!(self, Phase::Confirmed | Phase::Annulled)
    }
}

/// An election.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Election {
    /// Id.
    pub id: ElectionId,
    /// The forum.
    pub forum: ForumId,
    /// Whether it fills seats left empty by another one.
    pub supplementary: bool,
    /// How far it has come.
    pub phase: Phase,
    /// Its days.
    pub schedule: Schedule,
    /// Public key of the election board.
    pub board_key: BoardPublicKey,
    /// Commitment to the seed of the lots.
    pub lots_commitment: String,
    /// Hash of the frozen roll; none until it has arrived.
    pub roll_hash: Option<[u8; 32]>,
    /// Municipalities that elect, by code.
    pub constituencies: Vec<Constituency>,
    /// Seats of the forum filled when the result was confirmed.
    pub forum_seats_filled: Option<u32>,
}

/// What is told of an election when it is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Its days.
    pub schedule: Schedule,
    /// Public key of the election board.
    pub board_key: BoardPublicKey,
    /// Commitment to the seed of the lots.
    pub lots_commitment: String,
    /// Whether only the seats that are empty now are filled.
    pub supplementary: bool,
}

/// What happened to an election.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ElectionEvent {
    /// It was announced.
    Announced,
    /// Its roll arrived: hash and exact number of people by municipality.
    RollArrived {
        /// Hash of the roll.
        hash: [u8; 32],
        /// People by municipality.
        counts: Vec<(MunicipalityCode, u32)>,
    },
    /// Candidates are final.
    NominationsClosed,
    /// Voting began.
    VotingOpened,
    /// Voting ended; ballots by contested municipality, paper included.
    VotingClosed(Vec<(MunicipalityCode, u32)>),
    /// The boxes were counted; figures by contested municipality.
    Counted(Vec<(MunicipalityCode, CountedFigures)>),
    /// A witness gave a number.
    Witnessed {
        /// The municipality.
        municipality: MunicipalityCode,
        /// The number.
        number: WitnessNumber,
        /// By whom; never published.
        witness: Subject,
    },
    /// Lots were drawn.
    LotsDrawn(MunicipalityCode),
    /// The result was confirmed.
    Confirmed {
        /// By municipality.
        results: Vec<(MunicipalityCode, ConfirmedResult)>,
        /// Seats of the forum filled now.
        forum_seats_filled: u32,
    },
    /// It was annulled.
    Annulled,
}

/// What the count of one municipality found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedFigures {
    /// Ballots cast.
    pub ballots: u32,
    /// Blank ones.
    pub blank: u32,
    /// Invalid ones.
    pub invalid: u32,
    /// Seats left for the tied, if there is a tie at the last seat.
    pub tie_seats_left: Option<u32>,
}

/// What is laid before the count for one municipality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountInput {
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// Ballots opened and valid.
    pub opened: u32,
    /// Voters marked online.
    pub online_marks: u32,
    /// Ballots in the reconciled paper batches.
    pub paper: u32,
    /// Voters to whom paper was handed.
    pub paper_marks: u32,
    /// Everything added up.
    pub tally: Tally,
}

/// The local policy that a confirmation goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfirmationPolicy {
    /// Days within which vacant seats are put to a supplementary election (F6).
    pub supplementary_days: u32,
    /// Fewest ballots with which approvals are public (F7).
    pub tally_threshold: u32,
}

/// The seats an election fills: the whole plan, or those that are empty now.
///
/// Conflict `forums.no_seat_plan`, `forums.already_elected` or `forums.no_vacant_seats`.
pub fn seats_to_fill(forum: &Forum, seats: &[Seat], supplementary: bool) -> Result<Vec<SeatQuota>, Fault> {
    if forum.state != ForumState::Active {
        return Err(Fault::conflict(
            "forums.no_seat_plan",
            "The forum has no approved seat plan. Approve one first.",
        ));
    }
    if !supplementary {
        if seats.iter().any(|seat| !seat.is_empty()) {
            return Err(Fault::conflict(
                "forums.already_elected",
                "Members hold seats of this forum. Announce a supplementary election to fill the empty ones.",
            ));
        }
        return Ok(forum.plan.clone());
    }
    let empty_in = |municipality| {
        let empty = seats.iter().filter(|seat| seat.municipality == municipality && seat.is_empty()).count();
        u32::try_from(empty).unwrap_or(u32::MAX)
    };
    let quotas = forum.plan.iter().map(|quota| SeatQuota { seats: empty_in(quota.municipality), ..*quota });
    let quotas: Vec<SeatQuota> = quotas.filter(|quota| quota.seats > 0).collect();
    if quotas.is_empty() {
        return Err(Fault::conflict(
            "forums.no_vacant_seats",
            "All seats are filled; there is nothing to elect.",
        ));
    }
    Ok(quotas)
}

impl Election {
    /// Announces an election of these seats. Invalid `forums.election_dates` with every day at fault.
    pub fn announce(
        id: ElectionId,
        forum: ForumId,
        announcement: Announcement,
        quotas: &[SeatQuota],
        today: Date,
    ) -> Result<Self, Fault> {
        announcement.schedule.check(today)?;
        Ok(Self {
            id,
            forum,
            supplementary: announcement.supplementary,
            phase: Phase::Announced,
            schedule: announcement.schedule,
            board_key: announcement.board_key,
            lots_commitment: announcement.lots_commitment,
            roll_hash: None,
            constituencies: quotas.iter().copied().map(Constituency::new).collect(),
            forum_seats_filled: None,
        })
    }

    /// Whether candidates can be nominated, accept and step back today.
    pub fn nominating(&self, today: Date) -> bool {
        self.phase == Phase::Announced && self.schedule.is_nomination_day(today)
    }

    /// Refuses unless [`nominating`](Self::nominating): Conflict `forums.nominations_not_open`.
    pub fn check_nominating(&self, today: Date) -> Result<(), Fault> {
        if self.nominating(today) {
            return Ok(());
        }
        let Schedule { nomination_opens_on, nomination_closes_on, .. } = self.schedule;
        let message = format!(
            "Nominations of this election are open from {nomination_opens_on} to {nomination_closes_on}."
        );
        Err(Fault::conflict("forums.nominations_not_open", message))
    }

    /// Whether the candidates are final and have their numbers. Until somebody closes nominations they are not, even
    /// after the last day.
    pub fn candidates_final(&self) -> bool {
        self.phase != Phase::Announced
    }

    /// Refuses until there are ballot papers: Conflict `forums.no_ballot_paper`.
    pub fn check_paper(&self) -> Result<(), Fault> {
        if self.candidates_final() {
            return Ok(());
        }
        Err(Fault::conflict(
            "forums.no_ballot_paper",
            "There is a ballot paper when nominations have closed. Come back after their last day.",
        ))
    }

    /// The municipality in this election; NotFound `forums.municipality_does_not_elect`.
    pub fn constituency(&self, municipality: MunicipalityCode) -> Result<&Constituency, Fault> {
        self.constituencies.iter().find(|one| one.municipality == municipality).ok_or_else(|| {
            let message = format!("Municipality {municipality} does not elect in this election.");
            Fault::not_found("forums.municipality_does_not_elect", message).field(
                "municipality",
                "the municipality elects in this election",
                "send one of the election's municipalities",
            )
        })
    }

    /// Municipalities where there is voting.
    pub fn contested(&self) -> impl Iterator<Item = &Constituency> {
        self.constituencies.iter().filter(|one| !one.uncontested)
    }

    /// The roll of membership has arrived. Taken once, and never after voting began: a roll is frozen.
    pub fn take_roll(&self, hash: [u8; 32], counts: Vec<(MunicipalityCode, u32)>) -> Option<ElectionEvent> {
        let before_voting = self.phase < Phase::Voting;
        (self.roll_hash.is_none() && before_voting).then_some(ElectionEvent::RollArrived { hash, counts })
    }

    /// Makes the candidates final. Conflict `forums.wrong_step`, or `forums.nominations_still_open` until the last
    /// day has ended.
    pub fn close_nominations(&self, today: Date) -> Result<ElectionEvent, Fault> {
        self.expect(Phase::Announced, "nominations are closed once, after their last day")?;
        let last = self.schedule.nomination_closes_on;
        if today <= last {
            let message = format!("Nominations are open until the end of {last}. Close them on a later day.");
            return Err(Fault::conflict("forums.nominations_still_open", message));
        }
        Ok(ElectionEvent::NominationsClosed)
    }

    /// Opens voting. Conflict `forums.wrong_step`, `forums.roll_missing` or `forums.voting_not_open`.
    pub fn open_voting(&self, today: Date) -> Result<ElectionEvent, Fault> {
        self.expect(Phase::NominationsClosed, "voting is opened once, after nominations have closed")?;
        let rolls_known = self.contested().all(|one| one.eligible.is_some());
        if self.roll_hash.is_none() || !rolls_known {
            return Err(Fault::conflict(
                "forums.roll_missing",
                "The frozen roll of this election has not arrived yet. Wait a moment and try again; if it stays away, ask the operator about the events of membership.",
            ));
        }
        self.check_voting_day(today)?;
        Ok(ElectionEvent::VotingOpened)
    }

    /// The municipality in which a ballot can be cast or handed out today. Conflict `forums.wrong_step`,
    /// `forums.voting_not_open` or `forums.uncontested`.
    pub fn check_voting(&self, municipality: MunicipalityCode, today: Date) -> Result<&Constituency, Fault> {
        self.expect(Phase::Voting, "ballots are taken while voting is open")?;
        self.check_voting_day(today)?;
        self.check_contested(municipality)
    }

    /// The municipality, where there is voting: Conflict `forums.uncontested` where there is not (F6).
    pub fn check_contested(&self, municipality: MunicipalityCode) -> Result<&Constituency, Fault> {
        let constituency = self.constituency(municipality)?;
        if constituency.uncontested {
            let message = format!(
                "There are no more candidates than seats in {municipality}: nobody needs to vote (F6)."
            );
            return Err(Fault::conflict("forums.uncontested", message));
        }
        Ok(constituency)
    }

    fn check_voting_day(&self, today: Date) -> Result<(), Fault> {
        let Schedule { voting_opens_on, voting_closes_on, .. } = self.schedule;
        if self.schedule.is_voting_day(today) {
            return Ok(());
        }
        let message =
            format!("Voting in this election is open from {voting_opens_on} to {voting_closes_on}.");
        Err(Fault::conflict("forums.voting_not_open", message))
    }

    /// Whether [`close_voting`](Self::close_voting) has been done before: closing twice is done already.
    pub fn voting_closed(&self) -> bool {
        matches!(self.phase, Phase::Counting | Phase::TieByLot | Phase::Counted | Phase::Confirmed)
    }

    /// Closes the boxes. Conflict `forums.wrong_step`, or `forums.voting_days_left` until the last day has ended:
    /// everybody has the whole time.
    pub fn close_voting(
        &self,
        today: Date,
        ballots: Vec<(MunicipalityCode, u32)>,
    ) -> Result<ElectionEvent, Fault> {
        self.expect(Phase::Voting, "voting is closed after it was opened")?;
        let last = self.schedule.voting_closes_on;
        if today <= last {
            let message = format!("Voting is open until the end of {last}. Close it on a later day.");
            return Err(Fault::conflict("forums.voting_days_left", message));
        }
        Ok(ElectionEvent::VotingClosed(ballots))
    }

    /// Refuses unless paper ballots can be entered, which is from the opening of voting to the count: Conflict
    /// `forums.wrong_step`.
    pub fn check_paper_entry(&self) -> Result<(), Fault> {
        match self.phase {
            Phase::Voting | Phase::Counting => Ok(()),
            _ => {
                Err(self.wrong_step("paper ballots are entered after voting has opened and before the count"))
            }
        }
    }

    /// Annuls the election. Conflict `forums.wrong_step` once confirmed or annulled; Invalid `forums.annul_reason`.
    pub fn annul(&self, reason: &str) -> Result<ElectionEvent, Fault> {
        if self.phase.is_over() {
            return Err(self.wrong_step("an election is annulled before it is confirmed"));
        }
        if !(10..=500).contains(&reason.trim().chars().count()) {
            return Err(Fault::invalid("forums.annul_reason", "reason: say in 10 to 500 characters why.")
                .field(
                    "reason",
                    "10 to 500 characters, no personal data",
                    "say why the election is annulled",
                ));
        }
        Ok(ElectionEvent::Annulled)
    }

    fn expect(&self, phase: Phase, rule: &str) -> Result<(), Fault> {
        if self.phase == phase { Ok(()) } else { Err(self.wrong_step(rule)) }
    }

    fn wrong_step(&self, rule: &str) -> Fault {
        let state = self.phase.as_str().replace('_', " ");
        Fault::conflict("forums.wrong_step", format!("The election's state is \"{state}\": {rule}."))
    }
}
