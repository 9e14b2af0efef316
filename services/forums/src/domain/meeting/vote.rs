//! Votes of a forum (F10): one for each present seat, given by its own holder, or counted by the secretary.
//!
//! **Secrecy.** A vote in sessions is secret, as an election is: a manager never sees who voted for what, and a member
//! who depends on the services they vote about must not have to fear it. So what was voted is added to one of three
//! sums and kept nowhere else. Beside them a mark says that a seat has voted, by seat, without person, time or
//! number; it holds a hash of the command's key, so that the same command again is *done already* and another one is
//! refused. Casting writes no event, no row of the command log (the hash of the request there would tell the choice by
//! trying all three), no audit row and no trace; whether somebody helped is checked and not kept; that a
//! member with a helper was asked for a yes is logged, without who, topic or vote. Nobody is told the
//! sums before the vote is closed, and the marks are then written anew in the order of their seats. Marks go after the
//! appeal period.
//!
//! Not covered: what all voted the same, write-ahead logs, old row versions, backups and memory images taken while a vote
//! is open, which show one sum growing with each mark; and who looks over a shoulder. A vote by show of hands is open
//! to those who are there; only its counts are kept.

use kernel::{ActingMode, AgendaItemId, Caller, Fault, Invalid, MeetingId, Role};
use sha2::{Digest, Sha256};

use super::agenda::DecisionKind;
use super::attendance::{SeatKey, Turnout, basis_points};

/// What a vote says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// For.
    For,
    /// Against.
    Against,
    /// Blank.
    Blank,
}

/// How votes are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By each seat in its own session.
    Ballot,
    /// By show of hands.
    ShowOfHands,
}

impl Method {
    /// Every method.
    pub const ALL: [Method; 2] = [Method::Ballot, Method::ShowOfHands];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Ballot => "ballot",
            Method::ShowOfHands => "show_of_hands",
        }
    }
}

/// Sums of a vote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// For.
    pub votes_for: u32,
    /// Against.
    pub votes_against: u32,
    /// Blank; not counted as cast.
    pub votes_blank: u32,
}

impl Tally {
    /// With one vote more.
    #[must_use]
    pub fn with(mut self, choice: Choice) -> Self {
        match choice {
            Choice::For => self.votes_for += 1,
            Choice::Against => self.votes_against += 1,
            Choice::Blank => self.votes_blank += 1,
        }
        self
    }

    /// All votes, blank ones included.
    pub fn sum(self) -> u64 {
        [self.votes_for, self.votes_against, self.votes_blank].map(u64::from).iter().sum()
    }

    /// Refuses where nobody voted: Conflict `forums.no_votes`. That is no decision of a forum.
    pub fn check_any(self) -> Result<(), Fault> {
        if self.sum() > 0 {
            return Ok(());
        }
        Err(Fault::conflict(
            "forums.no_votes",
            "Nobody has voted. Wait for the votes, or leave the topic to another meeting.",
        ))
    }

    /// What it decides: endorsed by more than half of the votes cast, blank ones not counted; a tie is not (F10).
    pub fn decision(self) -> DecisionKind {
        if self.votes_for > self.votes_against { DecisionKind::Endorsed } else { DecisionKind::NotEndorsed }
    }

    /// Votes for of those cast, in basis points; 0 if none was cast.
    pub fn for_basis_points(self) -> u32 {
        basis_points(self.votes_for, self.votes_for.saturating_add(self.votes_against))
    }
}

/// How many seats have voted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// In all, those included that fell empty since: their votes count.
    pub all: u32,
    /// Of the seats that are present now.
    pub standing: u32,
}

/// A vote on a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vote {
    /// The topic.
    pub item: AgendaItemId,
    /// The meeting.
    pub meeting: MeetingId,
    /// How votes are given.
    pub method: Method,
    /// Whether votes are taken.
    pub is_open: bool,
    /// Seats present when it was opened: no more votes than these.
    pub present: u32,
    /// Sums; told nobody while it is open.
    pub tally: Tally,
}

impl Vote {
    /// Opens a vote. Conflict `forums.not_quorate` (F9).
    pub fn open(item: AgendaItemId, meeting: MeetingId, turnout: &Turnout) -> Result<Self, Fault> {
        turnout.check_quorate()?;
        let present = turnout.present_total();
        Ok(Self { item, meeting, method: Method::Ballot, is_open: true, present, tally: Tally::default() })
    }

    /// A vote by show of hands. Conflict `forums.not_quorate` (F9), `forums.no_votes` or `forums.too_few_votes`
    /// as [`Vote::close`]; Invalid `forums.more_votes_than_present`.
    pub fn by_hands(
        item: AgendaItemId,
        meeting: MeetingId,
        turnout: &Turnout,
        tally: Tally,
    ) -> Result<Self, Fault> {
        turnout.check_quorate()?;
        tally.check_any()?;
        let present = turnout.present_total();
        let Some(votes) = u32::try_from(tally.sum()).ok().filter(|votes| *votes <= present) else {
            let message = format!("{} votes of {present} present seats cannot be. Count again.", tally.sum());
            return Err(Fault::invalid("forums.more_votes_than_present", message).field(
                "votes_for",
                "for, against and blank together are at most the seats present",
                "count again, or correct the attendance first",
            ));
        };
        check_enough(votes, turnout)?;
        Ok(Self { item, meeting, method: Method::ShowOfHands, is_open: false, present, tally })
    }

    /// Refuses unless votes are taken: Conflict `forums.vote_not_open`.
    pub fn check_open(&self) -> Result<(), Fault> {
        if self.is_open { Ok(()) } else { Err(vote_not_open()) }
    }

    /// Closes it with as many marks as it has votes; anything else is our own failure. Conflict `forums.not_quorate` if
    /// too many seats fell empty meanwhile (F9); `forums.votes_missing` while seats that are present have not voted, unless
    /// it is closed `early`; `forums.too_few_votes` unless more than half of the filled seats are present and have: fewer do not decide for
    /// a forum, and their sums would tell how each of them voted.
    pub fn close(mut self, marks: Marks, turnout: &Turnout, early: bool) -> Result<Self, Fault> {
        self.check_open()?;
        turnout.check_quorate()?;
        self.tally.check_any()?;
        if self.tally.sum() != u64::from(marks.all) {
            return Err(Fault::internal("a vote has other sums than marks"));
        }
        let missing = turnout.present_total().saturating_sub(marks.standing);
        if missing > 0 && !early {
            let message = format!(
                "{missing} of the seats present have not voted. Wait for them and ask whether they need help; if they do not want to vote, close the vote early (close_early)."
            );
            return Err(Fault::conflict("forums.votes_missing", message));
        }
        check_enough(marks.standing, turnout)?;
        self.is_open = false;
        Ok(self)
    }
}

/// Refuses unless more than half of the filled seats have voted: Conflict `forums.too_few_votes` (F9).
fn check_enough(votes: u32, turnout: &Turnout) -> Result<(), Fault> {
    if turnout.is_enough(votes) {
        return Ok(());
    }
    let message = format!(
        "{votes} votes of {} filled seats do not decide (F9). Wait for more votes, or leave the topic to another meeting.",
        turnout.seats_filled
    );
    Err(Fault::conflict("forums.too_few_votes", message))
}

/// The hash kept instead of a command's key, bound to topic and seat, so that equal keys do not look equal.
pub fn key_hash(item: AgendaItemId, seat: SeatKey, key: &str) -> [u8; 32] {
    let SeatKey { municipality, seat_no } = seat;
    Sha256::digest(format!("osallisuus-forum-vote-v1|{item}|{municipality}|{seat_no}|{key}").as_bytes())
        .into()
}

/// Whether a vote with this mark is done already: AlreadyExists `forums.already_voted` if the seat has another mark.
pub fn check_mark(existing: Option<&[u8; 32]>, wanted: &[u8; 32]) -> Result<bool, Fault> {
    match existing {
        None => Ok(false),
        Some(mark) if mark == wanted => Ok(true),
        Some(_) => Err(already_voted()),
    }
}

/// A seat votes once.
pub fn already_voted() -> Fault {
    Fault::already_exists(
        "forums.already_voted",
        "The vote of this seat is counted already. Each seat has one vote, and it cannot be changed (F10).",
    )
}

/// Staff roles that never vote through a member's rights (M4).
const STAFF: [Role; 3] = [Role::SupportPerson, Role::UnitStaff, Role::UnitManager];

/// Whether this caller may vote: Forbidden `forums.staff_may_not_take_part` (M4) for the staff of whatever county, `forums.mandate_cannot_vote` (M5),
/// `forums.dictated_cannot_vote`; Conflict `forums.confirmation_needed` where somebody helps and the member has not
/// said yes themselves.
pub fn may_vote(caller: &Caller, confirmed: bool) -> Result<(), Fault> {
    if caller.staff_somewhere || caller.roles.iter().any(|held| STAFF.contains(&held.role)) {
        return Err(Fault::forbidden(
            "forums.staff_may_not_take_part",
            "Support persons, unit staff and managers have no vote in a forum (M4). They may help a member who asks for it, in the member's own session.",
        ));
    }
    match caller.mode {
        ActingMode::Alone => Ok(()),
        ActingMode::Assisted if confirmed => Ok(()),
        ActingMode::Assisted => Err(Fault::conflict(
            "forums.confirmation_needed",
            "A helper is present. Ask the member whether this is their vote; when they say yes themselves, send it as confirmed.",
        )),
        ActingMode::OnBehalf => Err(Fault::forbidden(
            "forums.mandate_cannot_vote",
            "A mandate does not cover voting (M5). The member votes in their own session, with help if they want.",
        )),
        ActingMode::Dictated => Err(Fault::forbidden(
            "forums.dictated_cannot_vote",
            "A vote is not dictated: nobody gives it for another. Vote in your own session, with a helper beside you if you want.",
        )),
    }
}

/// There is none, or it is over.
pub fn vote_not_open() -> Fault {
    Fault::conflict(
        "forums.vote_not_open",
        "There is no open vote on this topic. Wait until it is put to the vote; what is closed stays as it is.",
    )
}

/// One is under way.
pub fn open_vote() -> Fault {
    Fault::conflict(
        "forums.vote_open",
        "A vote is open. Close it first, or leave its topic to another meeting.",
    )
}

/// What a member's vote says. Invalid `request.invalid`.
pub fn no_choice() -> Fault {
    Invalid::new("a vote is for, against or blank", "send one of them").in_field("vote")
}
