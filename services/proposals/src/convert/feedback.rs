//! Loop cards.

use kernel::Fault;
use proto::proposals as pb;

use super::answers::{content, forms, maybe_day, needed, said};
use super::requests::read;
use crate::app::WrittenCard;
use crate::domain::feedback::{FeedbackItem, FeedbackState};
use crate::domain::text::{Field, Form, Texts};

/// What somebody wrote of a card; empty lines are left out.
pub fn written(lines: Option<pb::LoopLines>, next_role: String, next_on: &str) -> Result<WrittenCard, Fault> {
    let pb::LoopLines { language, you_said, we_did, we_could_not, next_step } = needed("lines", lines)?;
    let form: Form = read("lines.language", &language)?;
    let fields = [
        (Field::YouSaid, you_said),
        (Field::WeDid, we_did),
        (Field::WeCouldNot, we_could_not),
        (Field::Next, next_step),
    ];
    let texts = said(fields, form).collect();
    Ok(WrittenCard { texts, next_role, next_on: maybe_day("next_on", next_on)? })
}

/// A card; to everybody (`public`) only the lines that somebody reviewed.
pub fn card(of: &FeedbackItem, state: FeedbackState, texts: &Texts, public: bool) -> pb::FeedbackCard {
    let state = match state {
        FeedbackState::Drafted => pb::FeedbackState::Drafted,
        FeedbackState::PlainLanguageReady => pb::FeedbackState::PlainLanguageReady,
        FeedbackState::Published => pb::FeedbackState::Published,
        FeedbackState::Delivered => pb::FeedbackState::Delivered,
    };
    let lines = |form: Form| pb::LoopLines {
        language: form.to_string(),
        you_said: content(texts, Field::YouSaid, form, public),
        we_did: content(texts, Field::WeDid, form, public),
        we_could_not: content(texts, Field::WeCouldNot, form, public),
        next_step: content(texts, Field::Next, form, public),
    };
    let day = |day: Option<kernel::Date>| day.map(|day| day.to_string()).unwrap_or_default();
    pb::FeedbackCard {
        feedback_id: of.id.to_string(),
        proposal_id: of.proposal.to_string(),
        state: state.into(),
        lines: forms(texts, public).into_iter().map(lines).collect(),
        next_role: of.next_role.clone(),
        next_on: day(of.next_on),
        published_on: day(of.published_on),
    }
}
