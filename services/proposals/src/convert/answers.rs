//! Answers and promises.

use kernel::{Date, Fault, UnitId};
use proto::proposals as pb;

use super::proposals::{others, outcome, promise, stage};
use super::requests::{choice, day, read};
use crate::app::WrittenAnswer;
use crate::domain::proposal::{Outcome, Promise, Proposal};
use crate::domain::response::{Answer, ResponseState, UnitResponse};
use crate::domain::text::{Field, Form, Texts};
use crate::domain::timeline;
use crate::store::responses::OnTime;
use crate::store::steps::Step;

/// A day that may be missing. Invalid `request.invalid` naming the field.
pub fn maybe_day(field: &str, text: &str) -> Result<Option<Date>, Fault> {
    if text.is_empty() { Ok(None) } else { day(field, text).map(Some) }
}

/// What somebody wrote of an answer; empty texts are left out.
pub fn written(answer: pb::Answer) -> Result<WrittenAnswer, Fault> {
    let outcome = match answer.outcome() {
        pb::Outcome::Unspecified => None,
        pb::Outcome::Accepted => Some(Outcome::Accepted),
        pb::Outcome::AcceptedInPart => Some(Outcome::AcceptedInPart),
        pb::Outcome::Trial => Some(Outcome::Trial),
        pb::Outcome::Rejected => Some(Outcome::Rejected),
        pb::Outcome::NeedsHigherDecision => Some(Outcome::NeedsHigherDecision),
    };
    let mut texts = Vec::new();
    for (index, text) in answer.texts.into_iter().enumerate() {
        let form: Form = read(&format!("answer.texts[{index}].language"), &text.language)?;
        let pb::AnswerText { language: _, reasons, next_steps, alternative } = text;
        let fields =
            [(Field::Reasons, reasons), (Field::NextSteps, next_steps), (Field::Alternative, alternative)];
        texts.extend(said(fields, form));
    }
    let answer = Answer {
        outcome,
        next_role: answer.next_role,
        next_on: maybe_day("answer.next_on", &answer.next_on)?,
        trial_ends_on: maybe_day("answer.trial_ends_on", &answer.trial_ends_on)?,
        trial_evaluation: answer.trial_evaluation,
        forwarded_to: answer.forwarded_to,
        forwarded_due_on: maybe_day("answer.forwarded_due_on", &answer.forwarded_due_on)?,
    };
    Ok(WrittenAnswer { answer: answer.trimmed()?, texts })
}

/// Those of the fields that say something, in this form.
pub fn said<const N: usize>(
    fields: [(Field, String); N],
    form: Form,
) -> impl Iterator<Item = (Field, Form, String)> {
    let fields = fields.into_iter().filter(|(_, text)| !text.trim().is_empty());
    fields.map(move |(field, text)| (field, form, text))
}

/// What must be there and is not. Invalid `request.invalid` naming the field.
pub fn needed<T>(field: &str, value: Option<T>) -> Result<T, Fault> {
    value.ok_or_else(|| choice(field))
}

/// What an answer says; to everybody (`public`) only the texts that somebody reviewed.
pub fn answer(of: &Answer, texts: &Texts, public: bool) -> pb::Answer {
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    let text = |form: Form| pb::AnswerText {
        language: form.to_string(),
        reasons: content(texts, Field::Reasons, form, public),
        next_steps: content(texts, Field::NextSteps, form, public),
        alternative: content(texts, Field::Alternative, form, public),
    };
    pb::Answer {
        outcome: of.outcome.map_or(pb::Outcome::Unspecified, outcome).into(),
        texts: forms(texts, public).into_iter().map(text).collect(),
        next_role: of.next_role.clone(),
        next_on: day(of.next_on),
        trial_ends_on: day(of.trial_ends_on),
        trial_evaluation: of.trial_evaluation.clone(),
        forwarded_to: of.forwarded_to.clone(),
        forwarded_due_on: day(of.forwarded_due_on),
    }
}

/// The forms in which something is written, of those that may be shown.
pub fn forms(texts: &Texts, public: bool) -> std::collections::BTreeSet<Form> {
    let variants = texts.fields().flat_map(|(_, text)| text.variants());
    variants.filter(|one| !public || one.is_public()).map(|one| one.form).collect()
}

/// What a form of a field says, if it may be shown; empty otherwise.
pub fn content(texts: &Texts, field: Field, form: Form, public: bool) -> String {
    let variant = texts.variant(field, form).filter(|one| !public || one.is_public());
    variant.map(|one| one.content.clone()).unwrap_or_default()
}

/// A request for an answer.
pub fn response(of: &UnitResponse, today: Date) -> pb::UnitResponse {
    let state = match of.state {
        ResponseState::Requested => pb::ResponseState::Requested,
        ResponseState::Reminded => pb::ResponseState::Reminded,
        ResponseState::Overdue => pb::ResponseState::Overdue,
        ResponseState::EscalatedToCoordinator => pb::ResponseState::EscalatedToCoordinator,
        ResponseState::EscalatedToManager => pb::ResponseState::EscalatedToManager,
        ResponseState::Given => pb::ResponseState::Given,
        ResponseState::Amended => pb::ResponseState::Amended,
    };
    let days_late = of.days_late(today);
    pb::UnitResponse {
        proposal_id: of.proposal.to_string(),
        round: of.round,
        unit_id: of.unit.to_string(),
        asked_on: of.asked_on.to_string(),
        remind_on: of.days.remind_on.to_string(),
        due_on: of.days.due_on.to_string(),
        extended: of.extended,
        state: state.into(),
        given_on: of.given_on.map(|day| day.to_string()).unwrap_or_default(),
        late: days_late > 0,
        days_late,
    }
}

/// The part of a unit.
pub fn part((unit, text): (UnitId, String)) -> pb::AnswerPart {
    pb::AnswerPart { unit_id: unit.to_string(), text }
}

/// Where a proposal stands. `goes_on` is its promise, or that of the one it goes on in.
pub fn standing(of: &Proposal, goes_on: Option<Promise>, today: Date) -> pb::Standing {
    pb::Standing {
        proposal_id: of.id.to_string(),
        stage: Some(stage(of.stage)),
        promise: goes_on.map(|goes_on| promise(goes_on, today)),
    }
}

/// A step that was taken.
pub fn step(of: &Step) -> pb::TimelineStep {
    let by = of.mark.map_or_else(|| timeline::brought_by(of.stage.kind()), timeline::Mark::by);
    pb::TimelineStep {
        number: of.step_no,
        taken_on: of.happened_on.to_string(),
        stage: Some(stage(of.stage)),
        mark: of.mark.map(timeline::Mark::as_str).unwrap_or_default().to_owned(),
        by_role: by.as_str().to_owned(),
        reason: of.why.plain.clone(),
        other_languages: others(&of.why),
        promise: of.promise.map(|then| promise(then, of.happened_on)),
    }
}

/// The figures of K4.
pub fn figures(of: OnTime) -> pb::GetResponseFiguresResponse {
    let OnTime { on_time, late, missing } = of;
    let due = on_time + late + missing;
    // Half away from zero, in whole numbers.
    let share = (u64::from(on_time) * 20_000 + u64::from(due)).checked_div(u64::from(due) * 2);
    let on_time_bp = u32::try_from(share.unwrap_or(0)).unwrap_or(0);
    pb::GetResponseFiguresResponse { on_time, late, missing, due, on_time_bp }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k4_of_14_of_18_is_77_78_per_cent() {
        let bp = |on_time, late, missing| figures(OnTime { on_time, late, missing }).on_time_bp;
        assert_eq!(bp(14, 3, 1), 7_778);
        assert_eq!(bp(0, 0, 0), 0);
        assert_eq!(bp(1, 7, 0), 1_250);
        assert_eq!(bp(5, 0, 0), 10_000);
    }
}
