//! Comments on a proposal: short, in threads of three levels, screened like every text, moderated by a human with a
//! reason.
//!
//! A comment in which the screening finds nothing is seen at once; one with findings waits for a human, and its writer
//! is told why and until when. A comment that is deleted or removed leaves its place if somebody answered it.

use kernel::{
    ActingMode, Caller, CommentId, Date, Fault, Invalid, ProposalId, Role, Subject, TenantId, Timestamp,
};

use super::proposal::{Ending, Proposal, Stage};
use super::screening::{self, Finding};

/// Longest comment, in characters.
pub const MAX_LENGTH: usize = 2_000;
/// Levels of a thread: a comment, an answer to it, an answer to that.
pub const MAX_DEPTH: usize = 3;
/// Comments that one person writes in a day.
pub const MAX_A_DAY: u64 = 30;
/// Longest reason for removing something, in characters.
pub const MAX_REASON: usize = 600;
/// Digits of one level of a place.
const DIGITS: usize = 8;

/// State of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommentState {
    /// Waits for a human, because the screening found something.
    Waiting,
    /// Everybody can read it.
    Visible,
    /// Its writer took it back.
    Deleted,
    /// A human removed it, with a reason.
    Removed,
}

impl CommentState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Visible, Self::Deleted, Self::Removed];

    /// The name in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Visible => "visible",
            Self::Deleted => "deleted",
            Self::Removed => "removed",
        }
    }
}

/// What somebody wrote, as it goes into a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The text, without spaces around it.
    pub body: String,
    /// What the screening found.
    pub findings: Vec<Finding>,
}

impl Draft {
    /// A text, looked through. Invalid `request.invalid` unless it has 1 to 2,000 characters.
    pub fn new(body: &str) -> Result<Self, Fault> {
        let body = body.trim();
        if !(1..=MAX_LENGTH).contains(&body.chars().count()) {
            return Err(
                Invalid::new("a comment has 1 to 2,000 characters", "say it shorter").in_field("body")
            );
        }
        Ok(Self { body: body.to_owned(), findings: screening::screen(&[body]) })
    }

    /// Where it goes: to a human first if anything was found (P9).
    pub fn first_state(&self) -> CommentState {
        if self.findings.is_empty() { CommentState::Visible } else { CommentState::Waiting }
    }
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Id, in order of time.
    pub id: CommentId,
    /// The county of the proposal.
    pub tenant: TenantId,
    /// The proposal.
    pub proposal: ProposalId,
    /// The comment it answers.
    pub parent: Option<CommentId>,
    /// Where it stands.
    pub place: Place,
    /// Who wrote it; None once they have left.
    pub writer: Option<Subject>,
    /// Whether they wrote as staff or another officer of the county.
    pub by_staff: bool,
    /// How the act came about.
    pub mode: ActingMode,
    /// When it was written.
    pub written_at: Timestamp,
    /// The text; empty once it is deleted or removed.
    pub body: String,
    /// What the screening found in it; none once it is deleted or removed.
    pub findings: Vec<Finding>,
    /// State.
    pub state: CommentState,
    /// The day by which a human looks at it, while it waits.
    pub review_due_on: Option<Date>,
    /// Why it was removed.
    pub reason: String,
    /// Answers that have a place in the thread.
    pub replies: u64,
}

impl Comment {
    /// Whether it has a place in the thread: everybody can read it, or something stands below it.
    pub fn is_shown(&self) -> bool {
        match self.state {
            CommentState::Visible => true,
            CommentState::Waiting => false,
            CommentState::Deleted | CommentState::Removed => self.replies > 0,
        }
    }

    /// Refuses an answer to a comment that is not to be read. Conflict `proposals.comment_gone`.
    pub fn check_answerable(&self) -> Result<(), Fault> {
        if self.state == CommentState::Visible {
            return Ok(());
        }
        Err(Fault::conflict(
            "proposals.comment_gone",
            "The comment cannot be read any more, so it is not answered. Begin a thread of your own.",
        ))
    }

    /// The comment, taken back by its writer; None if it was before.
    ///
    /// Conflict `proposals.comment_removed` for one that a human removed: its reason stays.
    pub fn deleted(mut self) -> Result<Option<Self>, Fault> {
        match self.state {
            CommentState::Deleted => Ok(None),
            CommentState::Removed => Err(removed()),
            CommentState::Waiting | CommentState::Visible => {
                self.state = CommentState::Deleted;
                self.erase();
                Ok(Some(self))
            }
        }
    }

    /// The comment after a verdict; None if it was so before. As [`judge`].
    pub fn judged(mut self, verdict: &Verdict) -> Result<Option<Self>, Fault> {
        let Some(state) = judge(self.state, verdict)? else { return Ok(None) };
        self.state = state;
        self.review_due_on = None;
        if let Verdict::Remove { reason } = verdict {
            self.erase();
            self.reason.clone_from(reason);
        }
        Ok(Some(self))
    }

    fn erase(&mut self) {
        self.body.clear();
        self.findings.clear();
        self.review_due_on = None;
    }
}

/// The place of a comment in its proposal's threads: eight digits for each level, the comments of a proposal being
/// numbered from 1. The order of these texts is the order of reading: each comment before its answers, older before
/// newer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(String);

impl Place {
    /// The place of the comment with this number: under another one, or at the top.
    ///
    /// Conflict `proposals.too_deep` under a comment of the third level.
    pub fn new(under: Option<&Place>, number: u64) -> Result<Self, Fault> {
        if under.is_some_and(|under| under.depth() >= MAX_DEPTH) {
            return Err(Fault::conflict(
                "proposals.too_deep",
                "A thread has three levels. Answer the comment above this one.",
            ));
        }
        if number >= 10_u64.pow(8) {
            return Err(Fault::resource_exhausted(
                "proposals.too_many_comments",
                "This proposal takes no more comments.",
            ));
        }
        let above = under.map_or("", |under| &under.0);
        Ok(Self(format!("{above}{number:0DIGITS$}")))
    }

    /// The place as it was stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text to store and to order by.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its level, from 1.
    pub fn depth(&self) -> usize {
        self.0.len() / DIGITS
    }
}

/// Whether a proposal takes support and comments: from when everybody can read it until it has ended.
///
/// NotFound `proposals.no_such_proposal` for one that is not public, Conflict `proposals.merged` for one that goes on in
/// another, `proposals.ended` for one that has ended otherwise.
pub fn check_takes_part(proposal: &Proposal) -> Result<(), Fault> {
    match proposal.stage {
        _ if !proposal.is_visible() => Err(no_such_proposal()),
        Stage::Ended { how: Ending::Merged { into } } => Err(merged(into)),
        Stage::Ended { .. } => Err(Fault::conflict(
            "proposals.ended",
            "This proposal has ended, so nothing is added to it. A new proposal can be made.",
        )),
        _ => Ok(()),
    }
}

/// Whether support of a proposal is given back here: of any that ever was public, whatever has become of it, as long as
/// its supporters did not go on with another one.
///
/// NotFound `proposals.no_such_proposal`, Conflict `proposals.merged` as [`check_takes_part`].
pub fn check_support_is_here(proposal: &Proposal) -> Result<(), Fault> {
    match proposal.stage {
        _ if !proposal.is_public => Err(no_such_proposal()),
        Stage::Ended { how: Ending::Merged { into } } => Err(merged(into)),
        _ => Ok(()),
    }
}

fn merged(into: ProposalId) -> Fault {
    Fault::conflict(
        "proposals.merged",
        format!("This proposal goes on in another one. Take part there: {into}."),
    )
}

/// Whether a person writes as an officer of the county: then everybody is told so, though not who it is.
pub fn is_officer(caller: &Caller) -> bool {
    let officers = [
        Role::UnitStaff,
        Role::UnitManager,
        Role::AreaCoordinator,
        Role::ForumSecretary,
        Role::ElectedOfficial,
        Role::Administrator,
    ];
    caller.roles.iter().any(|held| officers.contains(&held.role))
}

/// Refuses one comment more than a person writes in a day. ResourceExhausted `proposals.comments_a_day`.
pub fn check_a_day(written_today: u64) -> Result<(), Fault> {
    if written_today < MAX_A_DAY {
        return Ok(());
    }
    let message = format!("A person writes at most {MAX_A_DAY} comments a day. Go on tomorrow.");
    Err(Fault::resource_exhausted("proposals.comments_a_day", message))
}

/// What a human decides about a comment or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everybody may see it.
    Show,
    /// Nobody sees it, for this reason in plain language.
    Remove {
        /// The reason, which goes into the public moderation log.
        reason: String,
    },
}

impl Verdict {
    /// To take something out of sight. Invalid `request.invalid` without a reason of at most 600 characters, or with one
    /// in which the screening finds personal data: it is published.
    pub fn remove(reason: &str) -> Result<Self, Fault> {
        let reason = reason.trim();
        if !(3..=MAX_REASON).contains(&reason.chars().count()) {
            let rule = "what is removed is removed for a reason of 3 to 600 characters, in plain language";
            return Err(Invalid::new(rule, "say why, so that the writer understands").in_field("reason"));
        }
        if !screening::screen(&[reason]).is_empty() {
            let rule = "the reason is public, so it holds no personal data";
            return Err(Invalid::new(rule, "say it without names, numbers and illnesses").in_field("reason"));
        }
        Ok(Self::Remove { reason: reason.to_owned() })
    }
}

/// What comes of a comment by a verdict; None if it is so already.
///
/// Conflict `proposals.comment_deleted` for one that its writer took back, or `proposals.comment_removed` for showing
/// one that was removed: its text is gone.
pub fn judge(state: CommentState, verdict: &Verdict) -> Result<Option<CommentState>, Fault> {
    match (state, verdict) {
        (CommentState::Deleted, _) => Err(Fault::conflict(
            "proposals.comment_deleted",
            "The writer has taken this comment back; there is nothing left to decide.",
        )),
        (CommentState::Removed, Verdict::Show) => Err(removed()),
        (CommentState::Visible, Verdict::Show) | (CommentState::Removed, Verdict::Remove { .. }) => Ok(None),
        (CommentState::Waiting, Verdict::Show) => Ok(Some(CommentState::Visible)),
        (CommentState::Waiting | CommentState::Visible, Verdict::Remove { .. }) => {
            Ok(Some(CommentState::Removed))
        }
    }
}

fn removed() -> Fault {
    Fault::conflict(
        "proposals.comment_removed",
        "This comment was removed and its text erased; its writer may write a new one.",
    )
}

fn no_such_proposal() -> Fault {
    Fault::not_found(
        "proposals.no_such_proposal",
        "There is no such proposal here. Check the id and the county.",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_comment_has_1_to_2000_characters() {
        assert!(Draft::new(" ").is_err());
        assert_eq!(Draft::new(" Hyvä! ").unwrap().body, "Hyvä!");
        assert!(Draft::new(&"ä".repeat(MAX_LENGTH)).is_ok());
        assert_eq!(Draft::new(&"ä".repeat(MAX_LENGTH + 1)).unwrap_err().fields()[0].field, "body");
    }

    #[test]
    fn p9_a_comment_with_findings_waits_and_any_other_is_seen_at_once() {
        assert_eq!(Draft::new("Kannatan tätä.").unwrap().first_state(), CommentState::Visible);
        assert_eq!(Draft::new("Soita 040 123 4567.").unwrap().first_state(), CommentState::Waiting);
    }

    #[test]
    fn a_thread_has_three_levels() {
        let top = Place::new(None, 1).unwrap();
        let second = Place::new(Some(&top), 2).unwrap();
        let third = Place::new(Some(&second), 30).unwrap();
        assert_eq!(third.as_str(), "000000010000000200000030");
        assert_eq!([&top, &second, &third].map(Place::depth), [1, 2, 3]);
        assert_eq!(Place::new(Some(&third), 31).unwrap_err().code(), "proposals.too_deep");
        assert_eq!(Place::new(None, 100_000_000).unwrap_err().code(), "proposals.too_many_comments");
    }

    #[test]
    fn the_limit_of_a_day_is_thirty() {
        assert!(check_a_day(29).is_ok());
        assert_eq!(check_a_day(30).unwrap_err().code(), "proposals.comments_a_day");
    }

    #[test]
    fn a_reason_for_removing_is_told_and_holds_nobodys_data() {
        assert!(Verdict::remove("  ").is_err());
        assert!(Verdict::remove("Soita 040 123 4567").is_err(), "it is public");
        let reason = "Viestissä loukattiin toista ihmistä.".to_owned();
        assert_eq!(Verdict::remove(&reason).unwrap(), Verdict::Remove { reason });
    }

    #[test]
    fn every_verdict_on_every_state_is_done_already_so_or_refused() {
        use CommentState::{Deleted, Removed, Visible, Waiting};
        let remove = Verdict::remove("Asiaton viesti.").unwrap();
        let table = [
            (Waiting, &Verdict::Show, Ok(Some(Visible))),
            (Waiting, &remove, Ok(Some(Removed))),
            (Visible, &Verdict::Show, Ok(None)),
            (Visible, &remove, Ok(Some(Removed))),
            (Removed, &Verdict::Show, Err("proposals.comment_removed")),
            (Removed, &remove, Ok(None)),
            (Deleted, &Verdict::Show, Err("proposals.comment_deleted")),
            (Deleted, &remove, Err("proposals.comment_deleted")),
        ];
        for (state, verdict, expected) in table {
            let judged = judge(state, verdict);
            assert_eq!(
                judged.as_ref().map_err(|fault| fault.code()),
                expected.as_ref().map_err(|code| *code)
            );
        }
    }

    proptest! {
        /// The order of places is that of reading: depth first, by number.
        #[test]
        fn places_stand_in_the_order_of_reading(numbers in prop::collection::vec(1..500_u64, 1..=3), next in 1..500_u64) {
            let mut place: Option<Place> = None;
            for number in numbers {
                let deeper = Place::new(place.as_ref(), number).unwrap();
                if let Some(above) = &place {
                    prop_assert!(*above < deeper, "a comment stands before its answers");
                    let later = Place::new(None, 501).unwrap();
                    prop_assert!(deeper < later, "and they before the next thread");
                }
                place = Some(deeper);
            }
            let top = Place::new(None, next).unwrap();
            let after = Place::new(None, next + 1).unwrap();
            prop_assert!(top < after);
        }
    }
}
