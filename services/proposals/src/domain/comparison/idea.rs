//! An idea of a round: a short text with a picture, a proposal's or somebody's own. An own idea is read by a human before
//! anybody sees it, and if they say no, they say why in plain language.

use kernel::{Date, Fault, IdeaId, Invalid, ProposalId};

use super::IdeaNo;
use crate::domain::text::Symbol;

/// The longest text, in characters: two must fit beside each other.
pub const MOST_CHARACTERS: usize = 60;
/// The longest reason.
const MOST_REASON: usize = 600;

/// What an idea says: one line of 1 to 60 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdeaText(String);

impl IdeaText {
    /// The text without spaces around it. Invalid `request.invalid`, naming `field`.
    pub fn new(field: &str, text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        if (1..=MOST_CHARACTERS).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
            return Ok(Self(text.to_owned()));
        }
        let rule = Invalid::new(
            "an idea is one line of 1 to 60 characters",
            "say it shorter, for example \"Päivätoimintaan lisää ulkoilua\"",
        );
        Err(rule.in_field(field))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The picture of an idea that is compared. Invalid `request.invalid`, naming `field`, if there is none or no such one.
pub fn picture(field: &str, code: &str) -> Result<Symbol, Fault> {
    if code.is_empty() {
        let rule = Invalid::new(
            "every idea that is compared has a picture, for those who do not read",
            "send a code of ListSymbols, for example \"outdoors\"",
        );
        return Err(rule.in_field(field));
    }
    code.parse().map_err(|invalid: Invalid| invalid.in_field(field))
}

/// Why an own idea was not let in, or an idea taken out, in plain language: 3 to 600 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainReason(String);

impl PlainReason {
    /// The reason without spaces around it. Invalid `request.invalid`, naming `reason`.
    pub fn new(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        if (3..=MOST_REASON).contains(&text.chars().count()) {
            return Ok(Self(text.to_owned()));
        }
        let rule = Invalid::new(
            "who says no to an idea, or takes it out, says why, in 3 to 600 characters of plain language",
            "send for example \"Ideassa on toisen ihmisen nimi.\"",
        );
        Err(rule.in_field("reason"))
    }

    /// The reason as it was stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// State of an idea.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdeaState {
    /// An own idea that no human has read.
    Waiting,
    /// In the round; without a number, approved after it had closed.
    Approved,
    /// Not let in.
    Rejected(PlainReason),
    /// Taken out of the round: what it says must not be shown. Comparisons with it do not count in a ranking.
    Removed(PlainReason),
}

impl IdeaState {
    /// The name in databases.
    pub fn as_str(&self) -> &'static str {
        match self {
            IdeaState::Waiting => "waiting",
            IdeaState::Approved => "approved",
            IdeaState::Rejected(_) => "rejected",
            IdeaState::Removed(_) => "removed",
        }
    }
}

/// An idea of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idea {
    /// Id.
    pub id: IdeaId,
    /// Number in its round, from 1, when it is compared or was; none for an own idea that never was.
    pub number: Option<IdeaNo>,
    /// What it says. Empty once it was rejected or removed: nobody needs it any more.
    pub text: String,
    /// Its picture; none for an own idea that has not got one yet, and for ideas of a round held elsewhere.
    pub picture: Option<Symbol>,
    /// The proposal it stands for, or has become; none for an idea of the round's own.
    pub proposal: Option<ProposalId>,
    /// True if a session added it.
    pub own: bool,
    /// State.
    pub state: IdeaState,
    /// How often it was shown and answered or skipped.
    pub shown: u64,
    /// The last day on which a human reads it, while it waits. It waits on after that day: nothing is rejected by time (P1).
    pub review_due_on: Option<Date>,
}

/// What a human decided about an own idea.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It joins the round, as the human has written it down.
    Approve {
        /// Its text, without what should not be there.
        text: IdeaText,
        /// A picture for it.
        picture: Symbol,
    },
    /// It does not.
    Reject(PlainReason),
}

impl Idea {
    /// The idea after the decision; None if it is decided so already. `number` is the next free one of the round; none if
    /// nothing is compared in it any more.
    ///
    /// Conflict `proposals.idea_decided` if the other was decided; `proposals.not_an_own_idea` for an idea that the
    /// round began with.
    pub fn decide(&self, decision: &Decision, number: Option<IdeaNo>) -> Result<Option<Idea>, Fault> {
        if !self.own {
            return Err(Fault::conflict(
                "proposals.not_an_own_idea",
                "This idea is not one that a participant added. Only those are approved or rejected.",
            ));
        }
        match (&self.state, decision) {
            (IdeaState::Approved, Decision::Approve { .. })
            | (IdeaState::Rejected(_), Decision::Reject(_)) => Ok(None),
            (IdeaState::Waiting, Decision::Approve { text, picture }) => Ok(Some(Idea {
                text: text.as_str().to_owned(),
                picture: Some(*picture),
                number,
                state: IdeaState::Approved,
                review_due_on: None,
                ..self.clone()
            })),
            (IdeaState::Waiting, Decision::Reject(reason)) => {
                Ok(Some(self.without_text(IdeaState::Rejected(reason.clone()))))
            }
            (IdeaState::Approved | IdeaState::Rejected(_) | IdeaState::Removed(_), _) => {
                Err(Fault::conflict(
                    "proposals.idea_decided",
                    "This idea is decided already, the other way. A decision about an own idea is final.",
                ))
            }
        }
    }

    /// The idea out of its round, without its text; None if it is out already. Conflict `proposals.idea_not_in_round` for
    /// an own idea that never was in it.
    pub fn remove(&self, reason: &PlainReason) -> Result<Option<Idea>, Fault> {
        match &self.state {
            IdeaState::Removed(_) => Ok(None),
            IdeaState::Approved => Ok(Some(self.without_text(IdeaState::Removed(reason.clone())))),
            IdeaState::Waiting | IdeaState::Rejected(_) => Err(Fault::conflict(
                "proposals.idea_not_in_round",
                "This idea is not in the round, so it cannot be taken out. An own idea that waits is rejected.",
            )),
        }
    }

    /// Whether it waits for a human although its day has passed.
    pub fn is_late(&self, today: Date) -> bool {
        self.state == IdeaState::Waiting && self.review_due_on.is_some_and(|due| due < today)
    }

    /// The text goes, and with it the picture that was chosen for it.
    fn without_text(&self, state: IdeaState) -> Idea {
        Idea { text: String::new(), picture: None, review_due_on: None, state, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use kernel::Uuid;

    use super::*;

    fn own() -> Idea {
        Idea {
            id: Uuid::from_u128(1).into(),
            number: None,
            text: "Matin uusi pyörä".to_owned(),
            picture: None,
            proposal: None,
            own: true,
            state: IdeaState::Waiting,
            shown: 0,
            review_due_on: None,
        }
    }

    fn approval() -> Decision {
        let picture = picture("picture", "outdoors").unwrap();
        Decision::Approve { text: IdeaText::new("text", "Pyöräretkiä").unwrap(), picture }
    }

    #[test]
    fn a_text_has_at_most_sixty_characters_however_many_bytes() {
        assert_eq!(
            IdeaText::new("text", &format!("  {} ", "ä".repeat(60))).unwrap().as_str(),
            "ä".repeat(60)
        );
        for wrong in ["", "   ", &"ä".repeat(61), "yksi\nkaksi"] {
            assert_eq!(IdeaText::new("ideas[2].text", wrong).unwrap_err().fields()[0].field, "ideas[2].text");
        }
    }

    #[test]
    fn an_idea_that_is_compared_has_a_picture_of_the_list() {
        assert_eq!(picture("picture", "outdoors").unwrap().code(), "outdoors");
        for wrong in ["", "kuva 1"] {
            assert_eq!(picture("ideas[0].picture", wrong).unwrap_err().fields()[0].field, "ideas[0].picture");
        }
    }

    #[test]
    fn a_human_lets_an_own_idea_in_as_they_have_written_it_down() {
        let approved = own().decide(&approval(), Some(7)).unwrap().unwrap();
        assert_eq!((approved.number, approved.text.as_str()), (Some(7), "Pyöräretkiä"));
        assert_eq!(approved.state, IdeaState::Approved);
        assert_eq!(approved.decide(&approval(), Some(8)).unwrap(), None, "again changes nothing");
        let no = Decision::Reject(PlainReason::new("Ei käy.").unwrap());
        assert_eq!(approved.decide(&no, Some(8)).unwrap_err().code(), "proposals.idea_decided");
    }

    #[test]
    fn an_own_idea_that_is_not_let_in_leaves_its_reason_and_not_its_text() {
        let reason = PlainReason::new("Ideassa on toisen ihmisen nimi.").unwrap();
        let rejected = own().decide(&Decision::Reject(reason.clone()), Some(7)).unwrap().unwrap();
        assert_eq!((rejected.text.as_str(), rejected.number), ("", None));
        assert_eq!(rejected.state, IdeaState::Rejected(reason.clone()));
        assert_eq!(rejected.decide(&Decision::Reject(reason), Some(7)).unwrap(), None);
        assert_eq!(rejected.decide(&approval(), Some(7)).unwrap_err().code(), "proposals.idea_decided");
        assert!(PlainReason::new("  ").is_err());
    }

    #[test]
    fn an_idea_that_is_taken_out_leaves_its_number_and_its_reason_and_not_its_text() {
        let reason = PlainReason::new("Ideassa on toisen ihmisen nimi.").unwrap();
        assert_eq!(own().remove(&reason).unwrap_err().code(), "proposals.idea_not_in_round");
        let approved = own().decide(&approval(), Some(7)).unwrap().unwrap();
        let removed = approved.remove(&reason).unwrap().unwrap();
        assert_eq!((removed.text.as_str(), removed.picture, removed.number), ("", None, Some(7)));
        assert_eq!(removed.state, IdeaState::Removed(reason.clone()));
        assert_eq!(removed.remove(&reason).unwrap(), None, "again changes nothing");
        assert_eq!(removed.decide(&approval(), Some(8)).unwrap_err().code(), "proposals.idea_decided");
    }

    #[test]
    fn p1_an_own_idea_that_nobody_has_read_is_late_and_waits_on() {
        let day = |text| kernel::deadline::parse_date(text).unwrap();
        let waiting = Idea { review_due_on: Some(day("2026-09-28")), ..own() };
        assert!(!waiting.is_late(day("2026-09-28")) && waiting.is_late(day("2026-09-29")));
        let approved = waiting.decide(&approval(), None).unwrap().unwrap();
        assert_eq!((approved.state.clone(), approved.number), (IdeaState::Approved, None), "after the round");
        assert!(!approved.is_late(day("2026-09-29")));
    }

    #[test]
    fn an_idea_of_the_round_itself_is_not_decided_about() {
        let idea = Idea { own: false, state: IdeaState::Approved, ..own() };
        assert_eq!(idea.decide(&approval(), Some(7)).unwrap_err().code(), "proposals.not_an_own_idea");
    }
}
