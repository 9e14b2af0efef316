//! The loop card: what people said, what was done, what could not be done, and what comes next, by whom and when. A
//! proposal is closed only when its card is published (P7, S2.39). Its four lines are texts in several forms, see
//! [`crate::domain::text`].
//!
//! Drafted ─▶ PlainLanguageReady ─▶ Published ─▶ Delivered. Whether a draft is ready is told by its texts alone.

use std::collections::BTreeSet;

use kernel::{Date, Fault, FeedbackId, ProposalId, TenantId};

use crate::domain::proposal::{Outcome, Stage};
use crate::domain::text::{Form, Target, Texts, missing, require};
use crate::domain::wording::{LINE, day_from, required};

/// How far a card has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FeedbackState {
    /// Being written.
    Drafted,
    /// Its lines are there in plain language, reviewed by a human.
    PlainLanguageReady,
    /// Everybody may read it.
    Published,
    /// Those who took part were told.
    Delivered,
}

/// A loop card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedbackItem {
    /// Id.
    pub id: FeedbackId,
    /// The proposal.
    pub proposal: ProposalId,
    /// The county.
    pub tenant: TenantId,
    /// Which role does what comes next.
    pub next_role: String,
    /// By which day.
    pub next_on: Option<Date>,
    /// Day it was published.
    pub published_on: Option<Date>,
    /// Day on which the last of those who took part were told.
    pub delivered_on: Option<Date>,
}

/// Whether a proposal at this stage is at the end of its way, so that there is something to tell.
///
/// # Errors
/// Conflict `proposals.feedback_early`.
pub fn check_stage(stage: Stage) -> Result<(), Fault> {
    let over = matches!(
        stage,
        Stage::NotEndorsed
            | Stage::Answered { outcome: Outcome::Rejected }
            | Stage::Implemented
            | Stage::ImpactMeasured
    );
    if over {
        return Ok(());
    }
    Err(Fault::conflict(
        "proposals.feedback_early",
        "Feedback tells what came of a proposal (S2.39): it is written after the last step of its way.",
    ))
}

impl FeedbackItem {
    /// A card without a word.
    pub fn new(id: FeedbackId, proposal: ProposalId, tenant: TenantId) -> Self {
        Self {
            id,
            proposal,
            tenant,
            next_role: String::new(),
            next_on: None,
            published_on: None,
            delivered_on: None,
        }
    }

    /// How far it has come, with these texts, in a county that publishes in these languages.
    pub fn state(&self, texts: &Texts, languages: &BTreeSet<Form>) -> FeedbackState {
        if self.delivered_on.is_some() {
            FeedbackState::Delivered
        } else if self.published_on.is_some() {
            FeedbackState::Published
        } else if missing(Target::LoopCard, texts, languages).is_empty() {
            FeedbackState::PlainLanguageReady
        } else {
            FeedbackState::Drafted
        }
    }

    /// What people were told is not changed.
    ///
    /// # Errors
    /// Conflict `proposals.feedback_published`.
    pub fn check_draft(&self) -> Result<(), Fault> {
        if self.published_on.is_none() {
            return Ok(());
        }
        Err(Fault::conflict(
            "proposals.feedback_published",
            "The card is published, and what people were told is not changed.",
        ))
    }

    /// Publishes the card: it says what people said, what came of it, what comes next, by which role and when (P7), in
    /// reviewed plain language in every language of the county.
    ///
    /// # Errors
    /// Invalid, naming what is missing; Conflict `proposals.forms_missing`, naming the forms.
    pub fn publish(mut self, texts: &Texts, languages: &BTreeSet<Form>, today: Date) -> Result<Self, Fault> {
        required("next_role", &self.next_role, LINE, "a card says which role does what comes next (P7)")?;
        let when = "a card says when what comes next is done, not in the past (P7)";
        day_from("next_on", self.next_on, today, when)?;
        require(Target::LoopCard, texts, languages)?;
        self.published_on = Some(today);
        Ok(self)
    }

    /// The card of a decision that ended a proposal: the decision's reason, in plain language, is the feedback, and
    /// nothing comes next.
    #[must_use]
    pub fn decided(self, by_role: &str, today: Date) -> Self {
        Self { next_role: by_role.to_owned(), next_on: Some(today), published_on: Some(today), ..self }
    }

    /// Those who took part were told.
    #[must_use]
    pub fn delivered(self, today: Date) -> Self {
        Self { delivered_on: Some(today), ..self }
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Role, Uuid};
    use time::macros::date;

    use super::*;
    use crate::domain::proposal::Ending;
    use crate::domain::text::{Field, Hand, ReviewMethod, Reviewer};

    const TODAY: Date = date!(2027 - 03 - 15);

    fn card() -> FeedbackItem {
        let tenant = TenantId::new("19").unwrap();
        let empty = FeedbackItem::new(Uuid::from_u128(1).into(), Uuid::from_u128(2).into(), tenant);
        let next_on = Some(date!(2027 - 09 - 30));
        FeedbackItem { next_role: "vastaava ohjaaja".to_owned(), next_on, ..empty }
    }

    fn texts(fields: &[Field], reviewed: bool) -> Texts {
        let mut texts = Texts::default();
        let (person, role) = (Uuid::from_u128(9).into(), Role::AreaCoordinator);
        let by = Reviewer { person, role, method: ReviewMethod::PlainLanguageCheck };
        for field in fields {
            texts.write(*field, Form::EasyFinnish, "Haluamme ulos useammin.", Hand::Human).unwrap();
            if reviewed {
                texts.review(*field, Form::EasyFinnish, 1, by, TODAY).unwrap();
            }
        }
        texts
    }

    const LINES: [Field; 3] = [Field::YouSaid, Field::WeDid, Field::Next];

    fn finnish() -> BTreeSet<Form> {
        BTreeSet::from([Form::Finnish])
    }

    #[test]
    fn p7_a_card_is_published_with_effect_next_step_role_and_day() {
        let whole = texts(&LINES, true);
        let published = card().publish(&whole, &finnish(), TODAY).unwrap();
        assert_eq!(published.state(&whole, &finnish()), FeedbackState::Published);
        assert_eq!(published.delivered(TODAY).state(&whole, &finnish()), FeedbackState::Delivered);
        for (without, field) in [
            (FeedbackItem { next_role: String::new(), ..card() }, "next_role"),
            (FeedbackItem { next_on: None, ..card() }, "next_on"),
            (FeedbackItem { next_on: TODAY.previous_day(), ..card() }, "next_on"),
        ] {
            let refused = without.publish(&whole, &finnish(), TODAY).unwrap_err();
            assert_eq!(refused.fields()[0].field, field);
        }
        for (left_out, line) in LINES.iter().enumerate() {
            let mut lines = LINES.to_vec();
            lines.remove(left_out);
            let refused = card().publish(&texts(&lines, true), &finnish(), TODAY).unwrap_err();
            assert_eq!(refused.code(), "proposals.forms_missing", "{line:?}");
        }
    }

    #[test]
    fn s2_39_a_card_is_plain_when_a_human_has_found_it_plain() {
        let written = texts(&LINES, false);
        assert_eq!(card().state(&written, &finnish()), FeedbackState::Drafted);
        assert!(card().publish(&written, &finnish(), TODAY).is_err());
        assert_eq!(card().state(&texts(&LINES, true), &finnish()), FeedbackState::PlainLanguageReady);
    }

    #[test]
    fn what_people_were_told_is_not_changed() {
        assert_eq!(card().check_draft(), Ok(()));
        let told = card().decided("aluekoordinaattori", TODAY);
        assert_eq!(told.check_draft().unwrap_err().code(), "proposals.feedback_published");
    }

    #[test]
    fn p7_there_is_something_to_tell_where_a_proposal_can_be_closed() {
        let stages = [
            Stage::Submitted,
            Stage::Open,
            Stage::NotEndorsed,
            Stage::AwaitingResponse,
            Stage::Forwarded,
            Stage::Answered { outcome: Outcome::Rejected },
            Stage::Answered { outcome: Outcome::Trial },
            Stage::Implemented,
            Stage::ImpactMeasured,
        ];
        for stage in stages {
            let closes = stage.may_go_to(Stage::Ended { how: Ending::Closed });
            assert_eq!(check_stage(stage).is_ok(), closes, "{stage:?}");
        }
    }
}
