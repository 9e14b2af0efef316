//! Answers of units: drafted by staff, given and approved by a manager (P3, P4, P5).

use chassis::Call;
use futures::FutureExt as _;
use kernel::deadline::working_day_from;
use kernel::{Date, Fault, Invalid, ProposalId, Role, Scope, ScopeRef, Subject, TenantId, UnitId, Uuid};
use messaging::Tx;
use proto::proposals as pb;

use super::App;
use super::telling::{TEMPLATE_DISQUALIFIED, TEMPLATE_REQUESTED, came_to, marked, tell_role};
use super::timers::schedule_next_step;
use crate::domain::proposal::{Outcome, Proposal, Stage, StageKind, wrong_stage};
use crate::domain::response::{Answer, ResponseEvent, UnitResponse, check_responder};
use crate::domain::text::{
    Field, Form, Hand, Owner, ReviewMethod, Reviewer, Texts, VariantState, is_plain, required_languages,
};
use crate::domain::timeline::Mark;
use crate::domain::wording::{TEXT, required};
use crate::store::answers::Kept;
use crate::{convert, events, store};

/// What somebody wrote of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrittenAnswer {
    /// What it says besides its texts.
    pub answer: Answer,
    /// Its texts.
    pub texts: Vec<(Field, Form, String)>,
}

/// An answer to give, in place of an earlier one or not.
#[derive(Debug, Clone)]
pub struct GiveAnswer {
    /// The proposal.
    pub proposal: ProposalId,
    /// What it says; None for what the draft says.
    pub written: Option<WrittenAnswer>,
    /// Whether the manager has read its texts through and finds the plain ones plain.
    pub reviewed: bool,
}

pub(super) struct Give {
    pub(super) scope: Scope,
    pub(super) by: Subject,
    pub(super) new_id: Uuid,
    pub(super) give: GiveAnswer,
}

impl App {
    /// Moves the due day of an answer.
    pub async fn extend_response(
        &self,
        call: &Call,
        id: ProposalId,
        days: u32,
    ) -> Result<pb::ExtendResponseResponse, Fault> {
        let input = (call.scope.tenant()?, id, days);
        self.writer.run(call.command(), input, |tx, input| extend(tx, *input).boxed()).await
    }

    /// Keeps that the caller does not answer a proposal.
    pub async fn declare_disqualified(
        &self,
        call: &Call,
        id: ProposalId,
    ) -> Result<pb::DeclareDisqualifiedResponse, Fault> {
        let input = (call.scope.unit()?, id, call.caller.subject()?);
        self.writer.run(call.command(), input, |tx, input| disqualify(tx, *input).boxed()).await
    }

    /// Keeps a draft of the answer.
    pub async fn draft_response(
        &self,
        call: &Call,
        id: ProposalId,
        written: WrittenAnswer,
    ) -> Result<pb::DraftResponseResponse, Fault> {
        let input = (call.scope, id, written, self.ids.uuid());
        self.writer
            .run(call.command(), input, |tx, (scope, id, written, new_id)| {
                draft(tx, scope, *id, written, *new_id).boxed()
            })
            .await
    }

    /// Keeps the part of another unit.
    pub async fn contribute_to_response(
        &self,
        call: &Call,
        id: ProposalId,
        text: &str,
    ) -> Result<pb::ContributeToResponseResponse, Fault> {
        let rule = "a unit says its part";
        let input = (call.scope.unit()?, id, required("text", text, TEXT, rule)?);
        self.writer
            .run(call.command(), input, |tx, (unit, id, text)| contribute(tx, *unit, *id, text).boxed())
            .await
    }

    /// Gives the answer.
    pub async fn give_response(
        &self,
        call: &Call,
        give: GiveAnswer,
    ) -> Result<pb::GiveResponseResponse, Fault> {
        let input = self.give(call, give)?;
        self.writer.run(call.command(), input, |tx, input| given(tx, input).boxed()).await
    }

    /// Answers in other words.
    pub async fn amend_response(
        &self,
        call: &Call,
        give: GiveAnswer,
    ) -> Result<pb::AmendResponseResponse, Fault> {
        let input = self.give(call, give)?;
        self.writer.run(call.command(), input, |tx, input| amended(tx, input).boxed()).await
    }

    pub(super) fn give(&self, call: &Call, give: GiveAnswer) -> Result<Give, Fault> {
        let (scope, by) = (call.scope, call.caller.subject()?);
        Ok(Give { scope, by, new_id: self.ids.uuid(), give })
    }
}

async fn extend(
    tx: &Tx,
    (tenant, id, days): (TenantId, ProposalId, u32),
) -> Result<pb::ExtendResponseResponse, Fault> {
    let today = tx.now().helsinki_date();
    let proposal = store::proposals::load_in(tx.conn(), tenant, id).await?;
    let before = store::responses::load(tx.conn(), id).await?;
    let policies = store::policies::of(tx.conn(), proposal.tenant).await?;
    let event = before.extend(days, today, &policies)?;
    let response = before.apply(&event);
    store::responses::save(tx.conn(), &response).await?;
    let proposal = proposal.due_on(response.days.due_on);
    store::proposals::save(tx.conn(), &proposal).await?;
    marked(tx, &proposal, Mark::Extended, today, "").await?;
    events::answer::response(&proposal, &response, &event).into_iter().for_each(|event| tx.publish(event));
    schedule_next_step(tx, &response)?;
    Ok(pb::ExtendResponseResponse { response: Some(convert::answers::response(&response, today)) })
}

async fn disqualify(
    tx: &Tx,
    (unit, id, person): (UnitId, ProposalId, Subject),
) -> Result<pb::DeclareDisqualifiedResponse, Fault> {
    let proposal = store::reach::addressed(tx.conn(), unit, id).await?;
    let is_new = store::answers::disqualify(tx.conn(), proposal.id, person).await?;
    if is_new && proposal.lead_unit == Some(unit) {
        // Nobody here knows how many managers a unit has: whether another one is left to answer, the coordinator looks.
        let count = store::answers::disqualified(tx.conn(), proposal.id).await?;
        let key = format!("{}/disqualified/{count}", proposal.id);
        let coordinators = ScopeRef::Tenant(proposal.tenant);
        tell_role(tx, Role::AreaCoordinator, coordinators, TEMPLATE_DISQUALIFIED, key)?;
    }
    Ok(pb::DeclareDisqualifiedResponse {})
}

async fn draft(
    tx: &Tx,
    scope: &Scope,
    id: ProposalId,
    written: &WrittenAnswer,
    new_id: Uuid,
) -> Result<pb::DraftResponseResponse, Fault> {
    let proposal = store::reach::reached(tx.conn(), scope, id).await?;
    store::responses::load(tx.conn(), id).await?;
    let kept = write(tx, &proposal, Some(written), new_id).await?.0;
    Ok(pb::DraftResponseResponse { answer_id: kept.id.to_string() })
}

async fn contribute(
    tx: &Tx,
    unit: UnitId,
    id: ProposalId,
    text: &str,
) -> Result<pb::ContributeToResponseResponse, Fault> {
    let proposal = store::reach::addressed(tx.conn(), unit, id).await?;
    if proposal.lead_unit == Some(unit) {
        return Err(Fault::conflict(
            "proposals.lead_unit",
            "This unit leads the answer (S1.11): what it says is the answer itself.",
        ));
    }
    // An answer that was given stands as it is; a part of it does too.
    store::responses::load(tx.conn(), id).await?.give(tx.now().helsinki_date())?;
    store::answers::save_part(tx.conn(), id, unit, text).await?;
    Ok(pb::ContributeToResponseResponse {})
}

/// Writes what was written into the draft of the next answer, and stores it with its texts. Invalid if there is neither.
async fn write(
    tx: &Tx,
    proposal: &Proposal,
    written: Option<&WrittenAnswer>,
    new_id: Uuid,
) -> Result<(Kept, Texts), Fault> {
    let before = store::answers::draft(tx.conn(), proposal.id).await?;
    let is_new = before.is_none();
    let empty =
        || Kept { id: new_id, proposal: proposal.id, number: 0, answer: Answer::default(), given_on: None };
    let mut kept = match (before, written) {
        (Some(before), _) => before,
        (None, Some(_)) => empty(),
        (None, None) => {
            let rule = "an answer is given with the request, or drafted before";
            return Err(Invalid::new(rule, "write it").in_field("answer"));
        }
    };
    let owner = Owner::response(proposal.tenant, kept.id);
    let mut texts = store::texts::load(tx.conn(), owner).await?;
    if let Some(written) = written {
        kept.answer = written.answer.clone();
        for (field, form, content) in standard_first(&written.texts) {
            texts.write(*field, *form, content, Hand::Human)?;
        }
    }
    if is_new {
        store::answers::insert(tx.conn(), &kept).await?;
    } else {
        store::answers::save(tx.conn(), &kept).await?;
    }
    store::texts::save_and_queue(tx.conn(), owner, &texts, tx.now().helsinki_date()).await?;
    Ok((kept, texts))
}

/// Forms as they are written: standard ones first, so that the plain one is made from the standard one, and is out of
/// date when that changes.
pub(super) fn standard_first(forms: &[(Field, Form, String)]) -> Vec<&(Field, Form, String)> {
    let mut sorted: Vec<_> = forms.iter().collect();
    sorted.sort_by_key(|(_, form, _)| is_plain(*form));
    sorted
}

/// Keeps that this person has read all texts through, those that nobody has reviewed as they are.
pub(super) fn review_all(texts: &mut Texts, person: Subject, role: Role, today: Date) -> Result<(), Fault> {
    let variants = texts.fields().flat_map(|(field, text)| text.variants().map(move |one| (field, one)));
    let unread: Vec<(Field, Form, u32)> = variants
        .filter(|(_, one)| one.state == VariantState::Draft)
        .map(|(field, one)| (field, one.form, one.revision))
        .collect();
    for (field, form, revision) in unread {
        let method =
            if is_plain(form) { ReviewMethod::PlainLanguageCheck } else { ReviewMethod::LanguageCheck };
        texts.review(field, form, revision, Reviewer { person, role, method }, today)?;
    }
    Ok(())
}

/// Makes the draft the proposal's next answer: whole (P4), and by somebody who may answer (P5).
pub(super) async fn answer(tx: &Tx, input: &Give, proposal: &Proposal) -> Result<(Kept, Outcome), Fault> {
    let today = tx.now().helsinki_date();
    let authors = store::authors::of(tx.conn(), proposal.id).await?;
    let declared = store::answers::is_disqualified(tx.conn(), proposal.id, input.by).await?;
    check_responder(input.by, &authors, &proposal.acting, declared)?;
    let (mut kept, mut texts) = write(tx, proposal, input.give.written.as_ref(), input.new_id).await?;
    if input.give.reviewed {
        review_all(&mut texts, input.by, Role::UnitManager, today)?;
        let owner = Owner::response(proposal.tenant, kept.id);
        store::texts::save_and_queue(tx.conn(), owner, &texts, today).await?;
    }
    let outcome = kept.answer.check(&texts, &required_languages([proposal.tenant]), today)?;
    let before = store::answers::given(tx.conn(), proposal.id).await?;
    kept.number = before.first().map_or(0, |last| last.number) + 1;
    kept.given_on = Some(today);
    store::answers::save(tx.conn(), &kept).await?;
    Ok((kept, outcome))
}

async fn given(tx: &Tx, input: &Give) -> Result<pb::GiveResponseResponse, Fault> {
    let today = tx.now().helsinki_date();
    let proposal = store::reach::reached(tx.conn(), &input.scope, input.give.proposal).await?;
    let before = store::responses::load(tx.conn(), proposal.id).await?;
    let event = before.give(today)?;
    let (kept, outcome) = answer(tx, input, &proposal).await?;
    let response = before.apply(&event);
    store::responses::save(tx.conn(), &response).await?;
    let after = answered(tx, &proposal, &response, &kept, outcome, &event).await?;
    Ok(pb::GiveResponseResponse {
        response: Some(convert::answers::response(&response, today)),
        standing: Some(convert::answers::standing(&after, after.promise, today)),
    })
}

async fn amended(tx: &Tx, input: &Give) -> Result<pb::AmendResponseResponse, Fault> {
    let today = tx.now().helsinki_date();
    let proposal = store::reach::reached(tx.conn(), &input.scope, input.give.proposal).await?;
    let before = store::responses::load(tx.conn(), proposal.id).await?;
    let event = before.amend()?;
    // A change that has begun is cancelled, and an answer from higher up is given.
    if !matches!(proposal.stage, Stage::Answered { .. }) {
        return Err(wrong_stage(proposal.stage, StageKind::Answered));
    }
    check_not_told(&proposal)?;
    let (kept, outcome) = answer(tx, input, &proposal).await?;
    let response = before.apply(&event);
    store::responses::save(tx.conn(), &response).await?;
    marked(tx, &proposal, Mark::AnswerAmended, today, "").await?;
    let after = answered(tx, &proposal, &response, &kept, outcome, &event).await?;
    Ok(pb::AmendResponseResponse {
        response: Some(convert::answers::response(&response, today)),
        standing: Some(convert::answers::standing(&after, after.promise, today)),
    })
}

/// What people were told as the end of the matter is not changed after it. Conflict `proposals.feedback_published`.
pub(super) fn check_not_told(proposal: &Proposal) -> Result<(), Fault> {
    if proposal.feedback_on.is_none() {
        return Ok(());
    }
    Err(Fault::conflict(
        "proposals.feedback_published",
        "The feedback of this proposal is published, and what people were told stands. Close the proposal.",
    ))
}

/// The proposal after an answer: on the way to a change, to its feedback, or to those who can decide.
pub(super) async fn answered(
    tx: &Tx,
    proposal: &Proposal,
    response: &UnitResponse,
    kept: &Kept,
    outcome: Outcome,
    event: &ResponseEvent,
) -> Result<Proposal, Fault> {
    let today = tx.now().helsinki_date();
    let policies = store::policies::of(tx.conn(), proposal.tenant).await?;
    let mut after = proposal.go(Stage::Answered { outcome }, today, &policies)?;
    if let Some(next_on) = kept.answer.next_on.filter(|_| outcome.leads_to_change()) {
        after = after.due_on(working_day_from(next_on));
    }
    came_to(tx, &after, today, "").await?;
    let told = events::answer::answered(&after, response, outcome, event);
    told.into_iter().for_each(|event| tx.publish(event));
    if let Some(due_on) = kept.answer.forwarded_due_on.filter(|_| outcome == Outcome::NeedsHigherDecision) {
        let next = response.forwarded(today, working_day_from(due_on), &policies);
        after = after.go(Stage::Forwarded, today, &policies)?.due_on(next.days.due_on);
        came_to(tx, &after, today, "").await?;
        store::responses::insert(tx.conn(), &next).await?;
        tx.publish(events::answer::forwarded(&after, &next));
        let key = format!("{}/{}/requested", after.id, next.round);
        tell_role(tx, Role::UnitManager, ScopeRef::Unit(next.unit), TEMPLATE_REQUESTED, key)?;
        schedule_next_step(tx, &next)?;
    }
    store::proposals::save(tx.conn(), &after).await?;
    Ok(after)
}
