//! Screening: by a human, within the policy's days, with a reason from a closed list (P1); and what a human takes out of
//! sight later.

use chassis::Call;
use futures::FutureExt as _;
use kernel::{Caller, Date, Fault, ForumId, Policies, ProposalId, Role, Scope, Subject, TenantId, Uuid};
use messaging::Tx;
use proto::proposals as pb;

use super::comparison::remove_hidden;
use super::drafting::check_units;
use super::feedback::{DecisionCard, decision_card};
use super::searching::refresh_index;
use super::upkeep::{forget_unpublished, schedule_forgetting};
use super::{App, moving};
use crate::domain::finding::Decision;
use crate::domain::moderation::{Moderated, Moderation, ModerationAct};
use crate::domain::proposal::{
    Addressed, Ending, Explained, Proposal, Reasons, Redirection, ScreeningReason, Stage, StageKind,
    wrong_stage,
};
use crate::domain::text::{self, Owner, ReviewMethod, Reviewer, Target, Texts};
use crate::{convert, events, store};

/// What a human says of findings, by their number.
pub type Decisions = Vec<(u32, Decision)>;

/// Who screens: the coordinator of the county, or the secretary of a forum of it.
struct Screener {
    tenant: TenantId,
    forum: Option<ForumId>,
    caller: Caller,
}

struct Screen {
    by: Screener,
    id: ProposalId,
    addressed: Option<Addressed>,
    decisions: Decisions,
}

struct Ended {
    by: Screener,
    id: ProposalId,
    how: Ending,
    entry: Uuid,
    card: DecisionCard,
}

struct Sight {
    tenant: TenantId,
    id: ProposalId,
    act: ModerationAct,
    reasons: Reasons,
    entry: Uuid,
}

struct Recheck {
    tenant: TenantId,
    id: ProposalId,
    decisions: Decisions,
}

impl Screener {
    /// The caller, by the scope that was granted; `tenant` is the county of the request.
    fn of(call: &Call, tenant: TenantId) -> Self {
        let forum = if let Scope::Forum(forum) = call.scope { Some(forum) } else { None };
        Self { tenant, forum, caller: call.caller.clone() }
    }

    fn role(&self) -> Role {
        if self.forum.is_some() { Role::ForumSecretary } else { Role::AreaCoordinator }
    }
}

/// The texts that the answer shows to this screener: to a secretary none of what is neither to be screened nor public.
fn shown_to(by: &Screener, proposal: &Proposal, texts: Texts) -> Texts {
    let hidden = by.forum.is_some() && proposal.stage != Stage::Submitted && !proposal.is_visible();
    if hidden { Texts::default() } else { texts }
}

/// What is to be screened, the day and the policy. NotFound `proposals.no_such_proposal` outside of the screener's county.
async fn to_screen(tx: &Tx, by: &Screener, id: ProposalId) -> Result<(Proposal, Date, Policies), Fault> {
    if let Some(forum) = by.forum
        && !store::forums::tenants(tx.conn(), forum).await?.contains(&by.tenant)
    {
        return Err(store::proposals::no_such_proposal());
    }
    moving::load(tx, by.tenant, id).await
}

impl App {
    /// Finds a proposal fit to publish; with other units than those it was addressed to, if `addressed` names some.
    pub async fn screen_proposal(
        &self,
        call: &Call,
        tenant: TenantId,
        id: ProposalId,
        addressed: Option<Addressed>,
        decisions: Decisions,
    ) -> Result<pb::ScreenProposalResponse, Fault> {
        let input = Screen { by: Screener::of(call, tenant), id, addressed, decisions };
        self.writer.run(call.command(), input, |tx, input| screened(tx, input).boxed()).await
    }

    /// Refuses a proposal at screening, with a reason from the closed list and an explanation in plain language (P1).
    pub async fn reject_proposal(
        &self,
        call: &Call,
        tenant: TenantId,
        id: ProposalId,
        reason: ScreeningReason,
        explained: Explained,
    ) -> Result<pb::RejectProposalResponse, Fault> {
        let how = Ending::RejectedAtScreening { reason };
        let by = Screener::of(call, tenant);
        let card = self.decision_card(call, by.role(), explained)?;
        let input = Ended { by, id, how, entry: self.ids.uuid(), card };
        let run = self.writer.run(call.command(), input, |tx, input| {
            async move { Ok(pb::RejectProposalResponse { proposal: Some(ended(tx, input).await?) }) }.boxed()
        });
        run.await
    }

    /// Sends a proposal where it belongs, with advice in plain language (P9).
    pub async fn redirect_proposal(
        &self,
        call: &Call,
        tenant: TenantId,
        id: ProposalId,
        kind: Redirection,
        advice: Explained,
    ) -> Result<pb::RedirectProposalResponse, Fault> {
        let how = Ending::Redirected { kind };
        let (by, entry) = (Screener::of(call, tenant), self.ids.uuid());
        let card = self.decision_card(call, by.role(), advice)?;
        let input = Ended { by, id, how, entry, card };
        let run = self.writer.run(call.command(), input, |tx, input| {
            async move { Ok(pb::RedirectProposalResponse { proposal: Some(ended(tx, input).await?) }) }
                .boxed()
        });
        run.await
    }

    /// Takes a public proposal out of sight, with a reason in plain language that everybody may read.
    pub async fn hide_proposal(
        &self,
        call: &Call,
        id: ProposalId,
        reasons: Reasons,
    ) -> Result<pb::HideProposalResponse, Fault> {
        let (tenant, entry) = (call.scope.tenant()?, self.ids.uuid());
        let input = Sight { tenant, id, act: ModerationAct::Hidden, reasons, entry };
        let run = self.writer.run(call.command(), input, |tx, input| {
            async move { Ok(pb::HideProposalResponse { proposal: Some(in_sight(tx, input).await?) }) }.boxed()
        });
        run.await
    }

    /// Brings a hidden proposal back into sight.
    pub async fn show_proposal(
        &self,
        call: &Call,
        id: ProposalId,
        reasons: Reasons,
    ) -> Result<pb::ShowProposalResponse, Fault> {
        let (tenant, entry) = (call.scope.tenant()?, self.ids.uuid());
        let input = Sight { tenant, id, act: ModerationAct::Shown, reasons, entry };
        let run = self.writer.run(call.command(), input, |tx, input| {
            async move { Ok(pb::ShowProposalResponse { proposal: Some(in_sight(tx, input).await?) }) }.boxed()
        });
        run.await
    }

    /// A human has seen the correction of an author, and written the public text anew where it was needed.
    pub async fn settle_correction(
        &self,
        call: &Call,
        id: ProposalId,
        decisions: Decisions,
    ) -> Result<pb::SettleCorrectionResponse, Fault> {
        let input = Recheck { tenant: call.scope.tenant()?, id, decisions };
        self.writer.run(call.command(), input, |tx, input| rechecked(tx, input).boxed()).await
    }
}

async fn screened(tx: &Tx, input: &Screen) -> Result<pb::ScreenProposalResponse, Fault> {
    let (before, today, policies) = to_screen(tx, &input.by, input.id).await?;
    let owner = Owner::proposal(before.tenant, before.id);
    let mut texts = shown_to(&input.by, &before, store::texts::load(tx.conn(), owner).await?);
    let is_so =
        |addressed: &Addressed| (&addressed.units, addressed.lead) == (&before.units, before.lead_unit);
    if before.stage == Stage::Open && input.addressed.as_ref().is_none_or(is_so) {
        return Ok(pb::ScreenProposalResponse {
            proposal: Some(convert::proposals::proposal(&before, &texts, before.promise, today)),
        });
    }
    let mut proposal = before;
    if let Some(addressed) = &input.addressed {
        check_units(tx, input.by.tenant, addressed).await?;
        proposal = proposal.addressed_to(addressed.clone())?;
        store::proposals::save_units(tx.conn(), &proposal).await?;
    }
    let after = proposal.screened(today, &policies)?;
    if store::authors::is_author(tx.conn(), after.id, input.by.caller.subject()?).await? {
        return Err(Fault::forbidden(
            "proposals.own_proposal",
            "Nobody screens a proposal of their own. Ask another coordinator to.",
        ));
    }
    decide(tx, after.id, &input.decisions).await?;
    publish_texts(input.by.caller.subject()?, input.by.role(), after.tenant, &mut texts, today)?;
    moving::moved(tx, &after, "").await?;
    store::texts::save_and_queue(tx.conn(), owner, &texts, today).await?;
    refresh_index(tx, &after).await?;
    tx.publish(events::proposal::screened(&after, &texts));
    Ok(pb::ScreenProposalResponse {
        proposal: Some(convert::proposals::proposal(&after, &texts, after.promise, today)),
    })
}

/// Marks what its author wrote as screened by this human, and refuses what lacks a form that must be public.
pub(super) fn publish_texts(
    person: Subject,
    role: Role,
    tenant: TenantId,
    texts: &mut Texts,
    today: Date,
) -> Result<(), Fault> {
    let by = Reviewer { person, role, method: ReviewMethod::Screening };
    texts.screened(by, today)?;
    text::require(Target::PublicProposal, texts, &text::required_languages([tenant]))
}

/// Keeps what a human said of each finding. Conflict `proposals.findings_open` while one is left, Invalid
/// `proposals.no_such_finding` for a number that is none (P9).
async fn decide(tx: &Tx, id: ProposalId, decisions: &[(u32, Decision)]) -> Result<(), Fault> {
    let mut found = store::findings::of(tx.conn(), id).await?;
    for (index, (number, decision)) in decisions.iter().enumerate() {
        let finding = found.iter_mut().find(|finding| finding.finding_no == *number).ok_or_else(|| {
            Fault::invalid("proposals.no_such_finding", "There is no finding with this number.").field(
                format!("findings[{index}].finding_no"),
                "a finding is named by its number within the proposal",
                "look at the proposal again",
            )
        })?;
        finding.decision = *decision;
    }
    let open = found.iter().filter(|finding| finding.decision == Decision::Open).count();
    if open > 0 {
        return Err(Fault::conflict(
            "proposals.findings_open",
            format!(
                "{open} places of the text may hold personal data (P9). Say of each whether it was removed or is fine."
            ),
        ));
    }
    store::findings::replace(tx.conn(), id, &found).await
}

/// Refused or redirected: it ends at once, and the explanation is what its author is told.
async fn ended(tx: &Tx, input: &Ended) -> Result<pb::Proposal, Fault> {
    let (before, today, policies) = to_screen(tx, &input.by, input.id).await?;
    let texts = store::texts::load(tx.conn(), Owner::proposal(before.tenant, before.id)).await?;
    let texts = shown_to(&input.by, &before, texts);
    let to = Stage::Ended { how: input.how };
    let answer = |of: &Proposal| convert::proposals::proposal(of, &texts, of.promise, today);
    if before.stage == to {
        return Ok(answer(&before));
    }
    if input.by.forum.is_some() && before.stage != Stage::Submitted {
        return Err(wrong_stage(before.stage, to.kind()));
    }
    let after = match input.how {
        Ending::RejectedAtScreening { reason } => before.reject(reason, today, &policies)?,
        Ending::Redirected { kind } => before.redirect(kind, today, &policies)?,
        _ => before.go(to, today, &policies)?,
    };
    let after = Proposal { feedback_on: Some(today), ..after };
    let reasons = &input.card.explained.reasons;
    moving::moved(tx, &after, reasons).await?;
    if after.stage.kind() == StageKind::RejectedAtScreening {
        log(tx, &after, ModerationAct::Refused, reasons, input.entry).await?;
    }
    if let Some(event) = events::proposal::ended(&after, input.how) {
        tx.publish(event);
    }
    decision_card(tx, &after, &input.card).await?;
    forget_unpublished(tx, &after).await?;
    schedule_forgetting(tx, &after, &policies);
    Ok(answer(&after))
}

async fn in_sight(tx: &Tx, input: &Sight) -> Result<pb::Proposal, Fault> {
    let (before, today, _) = moving::load(tx, input.tenant, input.id).await?;
    let texts = store::texts::load(tx.conn(), Owner::proposal(before.tenant, before.id)).await?;
    let after = match input.act {
        ModerationAct::Hidden => before.hide()?,
        ModerationAct::Shown | ModerationAct::Refused => before.show(),
    };
    if after != before {
        input.reasons.check_languages(&text::required_languages([after.tenant]))?;
        store::proposals::save(tx.conn(), &after).await?;
        refresh_index(tx, &after).await?;
        log(tx, &after, input.act, &input.reasons, input.entry).await?;
    }
    if input.act == ModerationAct::Hidden {
        remove_hidden(tx, after.id, input.reasons.plain.as_str()).await?;
    }
    Ok(convert::proposals::proposal(&after, &texts, after.promise, today))
}

async fn rechecked(tx: &Tx, input: &Recheck) -> Result<pb::SettleCorrectionResponse, Fault> {
    let (before, today, _) = moving::load(tx, input.tenant, input.id).await?;
    let texts = store::texts::load(tx.conn(), Owner::proposal(before.tenant, before.id)).await?;
    let after = before.rechecked();
    if after != before {
        decide(tx, after.id, &input.decisions).await?;
        store::proposals::save(tx.conn(), &after).await?;
    }
    Ok(pb::SettleCorrectionResponse {
        proposal: Some(convert::proposals::proposal(&after, &texts, after.promise, today)),
    })
}

/// Adds to the public moderation log.
async fn log(
    tx: &Tx,
    proposal: &Proposal,
    act: ModerationAct,
    reasons: &Reasons,
    id: Uuid,
) -> Result<(), Fault> {
    let entry = Moderation {
        id,
        tenant: proposal.tenant,
        what: Moderated::Proposal,
        proposal: proposal.id,
        act,
        why: reasons.into(),
        on: tx.now().helsinki_date(),
    };
    store::moderations::append(tx.conn(), &entry).await
}
