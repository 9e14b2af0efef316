//! Loop cards, and the end of a proposal (P7, S2.39).

use chassis::Call;
use futures::FutureExt as _;
use kernel::deadline::due_after_days;
use kernel::{Date, Fault, FeedbackId, PolicyKey, ProposalId, Role, Scope, Subject, TenantId};
use messaging::Tx;
use proto::proposals as pb;

use super::answering::{review_all, standard_first};
use super::telling::{came_to, marked, tell_card};
use super::{App, codes};
use crate::domain::feedback::{FeedbackItem, check_stage};
use crate::domain::impact::ImpactState;
use crate::domain::proposal::{Ending, Explained, NextStep, OwnerRole, Promise, Proposal, Reasons, Stage};
use crate::domain::text::{Field, Form, Hand, Owner, Target, Texts, require, required_languages};
use crate::domain::timeline::Mark;
use crate::domain::wording::{LINE, optional};
use crate::{convert, events, store};

/// What somebody wrote of a card.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrittenCard {
    /// Its lines.
    pub texts: Vec<(Field, Form, String)>,
    /// Which role does what comes next.
    pub next_role: String,
    /// By which day.
    pub next_on: Option<Date>,
}

struct Card<T> {
    scope: Scope,
    id: ProposalId,
    by: Subject,
    role: Role,
    what: T,
}

impl App {
    /// Writes the card of a proposal.
    pub async fn draft_feedback(
        &self,
        call: &Call,
        id: ProposalId,
        written: WrittenCard,
    ) -> Result<pb::DraftFeedbackResponse, Fault> {
        let next_role = optional("next_role", &written.next_role, LINE)?;
        let what = (WrittenCard { next_role, ..written }, self.ids.new_id());
        let input = card(call, id, what)?;
        self.writer.run(call.command(), input, |tx, input| draft(tx, input).boxed()).await
    }

    /// Keeps that the caller has read a card through and finds its plain language plain.
    pub async fn approve_plain_feedback(
        &self,
        call: &Call,
        id: ProposalId,
    ) -> Result<pb::ApprovePlainFeedbackResponse, Fault> {
        let input = card(call, id, ())?;
        self.writer.run(call.command(), input, |tx, input| approve(tx, input).boxed()).await
    }

    /// Publishes the card of a proposal.
    pub async fn publish_feedback(
        &self,
        call: &Call,
        id: ProposalId,
    ) -> Result<pb::PublishFeedbackResponse, Fault> {
        let input = card(call, id, ())?;
        self.writer.run(call.command(), input, |tx, input| publish(tx, input).boxed()).await
    }

    /// The card of a decision that ends a proposal at once, made before the act.
    pub(super) fn decision_card(
        &self,
        call: &Call,
        role: Role,
        explained: Explained,
    ) -> Result<DecisionCard, Fault> {
        Ok(DecisionCard { id: self.ids.new_id(), by: call.caller.subject()?, role, explained })
    }

    /// Closes a proposal.
    pub async fn close_proposal(
        &self,
        call: &Call,
        id: ProposalId,
    ) -> Result<pb::CloseProposalResponse, Fault> {
        let input = (call.scope.tenant()?, id);
        self.writer.run(call.command(), input, |tx, (tenant, id)| close(tx, *tenant, *id).boxed()).await
    }

    /// The published card of a public proposal.
    pub async fn get_feedback(&self, id: ProposalId) -> Result<pb::GetFeedbackResponse, Fault> {
        let conn = self.database.read();
        let proposal = store::proposals::load_public(conn, id).await?;
        Ok(pb::GetFeedbackResponse { card: self.published_card(&proposal).await? })
    }

    /// The published card of the proposal with this return code, public or not (P8).
    pub async fn get_feedback_by_return_code(&self, typed: &str) -> Result<pb::GetFeedbackResponse, Fault> {
        let conn = self.database.read();
        // A code that cannot be one has no hash, so it is answered like one that nobody has.
        let hash = codes::hash_of(codes::Purpose::ReturnCode, typed).unwrap_or_default();
        let proposal = store::proposals::load_by_return_code(conn, &hash).await?;
        Ok(pb::GetFeedbackResponse { card: self.published_card(&proposal).await? })
    }

    /// The published card of a proposal of the caller's own, public or not.
    pub async fn get_my_feedback(
        &self,
        call: &Call,
        id: ProposalId,
    ) -> Result<pb::GetMyFeedbackResponse, Fault> {
        let conn = self.database.read();
        if !store::authors::is_author(conn, id, call.scope.subject()?).await? {
            return Err(store::proposals::no_such_proposal());
        }
        let proposal = store::proposals::load(conn, id).await?;
        Ok(pb::GetMyFeedbackResponse { card: self.published_card(&proposal).await? })
    }

    /// The card of a proposal, if everybody may read it.
    async fn published_card(&self, proposal: &Proposal) -> Result<Option<pb::FeedbackCard>, Fault> {
        let conn = self.database.read();
        let item = store::feedback::of(conn, proposal.id).await?.filter(|item| item.published_on.is_some());
        let Some(item) = item else { return Ok(None) };
        let texts = store::feedback::texts(conn, &item).await?;
        let state = item.state(&texts, &required_languages([proposal.tenant]));
        Ok(Some(convert::feedback::card(&item, state, &texts, true)))
    }
}

/// The roles that may read plain language through, the one that the caller holds where the call was let in first.
fn card<T>(call: &Call, id: ProposalId, what: T) -> Result<Card<T>, Fault> {
    let role = match call.scope {
        Scope::Tenant(_) => Role::AreaCoordinator,
        Scope::Forum(_) => Role::ForumSecretary,
        _ => Role::UnitManager,
    };
    Ok(Card { scope: call.scope, id, by: call.caller.subject()?, role, what })
}

/// As those who write it see it.
fn as_written(proposal: &Proposal, item: &FeedbackItem, texts: &Texts) -> pb::FeedbackCard {
    let state = item.state(texts, &required_languages([proposal.tenant]));
    convert::feedback::card(item, state, texts, false)
}

async fn draft(tx: &Tx, input: &Card<(WrittenCard, FeedbackId)>) -> Result<pb::DraftFeedbackResponse, Fault> {
    let proposal = store::reach::reached(tx.conn(), &input.scope, input.id).await?;
    let (written, new_id) = &input.what;
    let before = store::feedback::of(tx.conn(), proposal.id).await?;
    let mut item = before.unwrap_or_else(|| FeedbackItem::new(*new_id, proposal.id, proposal.tenant));
    item.check_draft()?;
    let mut texts = store::feedback::texts(tx.conn(), &item).await?;
    for (field, form, content) in standard_first(&written.texts) {
        texts.write(*field, *form, content, Hand::Human)?;
    }
    item.next_role.clone_from(&written.next_role);
    item.next_on = written.next_on;
    store::feedback::save(tx.conn(), &item).await?;
    let owner = Owner::feedback(item.tenant, item.id);
    store::texts::save_and_queue(tx.conn(), owner, &texts, tx.now().helsinki_date()).await?;
    Ok(pb::DraftFeedbackResponse { card: Some(as_written(&proposal, &item, &texts)) })
}

async fn approve(tx: &Tx, input: &Card<()>) -> Result<pb::ApprovePlainFeedbackResponse, Fault> {
    let today = tx.now().helsinki_date();
    let proposal = store::reach::reached(tx.conn(), &input.scope, input.id).await?;
    let item = written(tx, &proposal).await?;
    let mut texts = store::feedback::texts(tx.conn(), &item).await?;
    review_all(&mut texts, input.by, input.role, today)?;
    store::texts::save_and_queue(tx.conn(), Owner::feedback(item.tenant, item.id), &texts, today).await?;
    Ok(pb::ApprovePlainFeedbackResponse { card: Some(as_written(&proposal, &item, &texts)) })
}

/// The card of a proposal. Conflict `proposals.no_feedback` if nobody wrote one.
async fn written(tx: &Tx, proposal: &Proposal) -> Result<FeedbackItem, Fault> {
    store::feedback::of(tx.conn(), proposal.id).await?.ok_or_else(|| {
        Fault::conflict("proposals.no_feedback", "The proposal has no loop card (S2.39). Write it first.")
    })
}

async fn publish(tx: &Tx, input: &Card<()>) -> Result<pb::PublishFeedbackResponse, Fault> {
    let today = tx.now().helsinki_date();
    let proposal = store::reach::reached(tx.conn(), &input.scope, input.id).await?;
    let before = written(tx, &proposal).await?;
    let texts = store::feedback::texts(tx.conn(), &before).await?;
    let answer = |item: &FeedbackItem, proposal: &Proposal| pb::PublishFeedbackResponse {
        card: Some(as_written(proposal, item, &texts)),
        standing: Some(convert::answers::standing(proposal, proposal.promise, today)),
    };
    if before.published_on.is_some() {
        return Ok(answer(&before, &proposal));
    }
    check_stage(proposal.stage)?;
    check_measured(tx, &proposal).await?;
    let item = before.publish(&texts, &required_languages([proposal.tenant]), today)?;
    let policies = store::policies::of(tx.conn(), proposal.tenant).await?;
    let due = due_after_days(today, policies.on(today, PolicyKey::FeedbackDays));
    let promise = Promise { owner: OwnerRole::AreaCoordinator, step: NextStep::Close, due };
    let after = Proposal { feedback_on: Some(today), promise: Some(promise), ..proposal };
    store::proposals::save(tx.conn(), &after).await?;
    told(tx, &after, &item, &texts).await?;
    Ok(answer(&item, &after))
}

/// Where something was measured before a change, its effect is told, not only that it is done; unless the time for
/// measuring is over (P6, X2).
async fn check_measured(tx: &Tx, proposal: &Proposal) -> Result<(), Fault> {
    let unmeasured = proposal.stage == Stage::Implemented
        && proposal.promise.is_some_and(|promise| promise.owner == OwnerRole::UnitManager)
        && store::changes::impact(tx.conn(), proposal.id).await?.state != ImpactState::Planned;
    if !unmeasured {
        return Ok(());
    }
    Err(Fault::conflict(
        "proposals.impact_awaited",
        "There is a baseline, so the effect of the change is measured and published before the feedback (P6). The \
         coordinator may go on without it once its day has passed (X2).",
    ))
}

/// Stores a published card, tells everybody who took part, and the world.
async fn told(tx: &Tx, proposal: &Proposal, item: &FeedbackItem, texts: &Texts) -> Result<(), Fault> {
    let today = tx.now().helsinki_date();
    store::feedback::save(tx.conn(), item).await?;
    marked(tx, proposal, Mark::FeedbackPublished, today, "").await?;
    let forms = texts.fields().flat_map(|(_, text)| text.variants());
    let forms: std::collections::BTreeSet<Form> =
        forms.filter(|one| one.is_public()).map(|one| one.form).collect();
    tx.publish(events::answer::feedback_published(proposal, item.id, &forms));
    tell_card(tx, proposal, item.id)
}

/// The card of a decision that ended a proposal at once: its reason, in plain language, is the feedback (P7). Told to its
/// people like any other card.
#[derive(Debug, Clone)]
pub(super) struct DecisionCard {
    /// Id of the card.
    pub(super) id: FeedbackId,
    /// Who decided: the human who finds the reason plain, if they say so.
    pub(super) by: Subject,
    /// In which role.
    pub(super) role: Role,
    /// Why.
    pub(super) explained: Explained,
}

/// Makes the card of the decision that ended `proposal`, and closes the loop with it. The proposal must be stored with
/// `feedback_on` of today. Conflict `proposals.forms_missing` if a language of the county is missing, or nobody found
/// the reason plain.
pub(super) async fn decision_card(tx: &Tx, proposal: &Proposal, card: &DecisionCard) -> Result<(), Fault> {
    let today = tx.now().helsinki_date();
    let mut texts = Texts::default();
    let Explained { reasons: Reasons { plain, others }, reviewed } = &card.explained;
    texts.write(Field::WeCouldNot, Form::EasyFinnish, plain.as_str(), Hand::Human)?;
    for (form, other) in others {
        texts.write(Field::WeCouldNot, *form, other.as_str(), Hand::Human)?;
    }
    if *reviewed {
        review_all(&mut texts, card.by, card.role, today)?;
    }
    require(Target::Decision, &texts, &required_languages([proposal.tenant]))?;
    let item = FeedbackItem::new(card.id, proposal.id, proposal.tenant);
    let item = item.decided(OwnerRole::AreaCoordinator.as_str(), today);
    store::texts::save(tx.conn(), Owner::feedback(item.tenant, item.id), &texts).await?;
    told(tx, proposal, &item, &texts).await?;
    tx.publish(events::answer::closed(proposal, proposal.stage));
    Ok(())
}

async fn close(tx: &Tx, tenant: TenantId, id: ProposalId) -> Result<pb::CloseProposalResponse, Fault> {
    let today = tx.now().helsinki_date();
    let before = store::proposals::load_in(tx.conn(), tenant, id).await?;
    let answer = |proposal: &Proposal| pb::CloseProposalResponse {
        standing: Some(convert::answers::standing(proposal, proposal.promise, today)),
    };
    let closed = Stage::Ended { how: Ending::Closed };
    if before.stage == closed {
        return Ok(answer(&before));
    }
    let policies = store::policies::of(tx.conn(), before.tenant).await?;
    let after = before.go(closed, today, &policies)?;
    store::proposals::save(tx.conn(), &after).await?;
    came_to(tx, &after, today, "").await?;
    tx.publish(events::answer::closed(&after, before.stage));
    Ok(answer(&after))
}
