//! What a forum's decision does to a proposal (X1).

use kernel::{Date, Fault, ForumId, MeetingId, ProposalId, Role, ScopeRef};
use messaging::Tx;

use super::telling::{TEMPLATE_REQUESTED, came_to, tell_role};
use super::timers::schedule_next_step;
use crate::domain::proposal::{Proposal, Stage, StageKind};
use crate::domain::response::{Asked, UnitResponse};
use crate::{events, store};

/// A decision of a forum about a proposal.
#[derive(Debug, Clone, Copy)]
pub struct ForumDecision {
    /// The proposal.
    pub proposal: ProposalId,
    /// The forum.
    pub forum: ForumId,
    /// The meeting that decided.
    pub meeting: MeetingId,
    /// On which day.
    pub on: Date,
    /// What it decided.
    pub verdict: Verdict,
}

/// What a forum decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It endorsed the proposal: the unit is asked for its answer.
    Endorsed,
    /// It did not: feedback is due.
    NotEndorsed,
    /// It returned the proposal for work: it is open again.
    Returned,
}

/// Handles a decision, once however often it is told. NotFound `proposals.no_such_proposal` for a proposal that is not
/// here, Conflict `proposals.not_before_forum` for one that was not sent to that forum.
pub async fn forum_decided(tx: &Tx, decision: &ForumDecision) -> Result<(), Fault> {
    let proposal = store::proposals::load(tx.conn(), decision.proposal).await?;
    if !store::decisions::keep(tx.conn(), proposal.id, decision.meeting, decision.on).await? {
        return Ok(());
    }
    if proposal.stage != (Stage::BeforeForum { forum: decision.forum }) {
        // What another meeting decided already, or what has ended since, is not decided anew (X1).
        return if is_decided(proposal.stage.kind()) { Ok(()) } else { Err(not_before_forum()) };
    }
    let policies = store::policies::of(tx.conn(), proposal.tenant).await?;
    let today = tx.now().helsinki_date();
    let to = match decision.verdict {
        Verdict::Endorsed => return endorsed(tx, proposal, decision.on).await,
        Verdict::NotEndorsed => Stage::NotEndorsed,
        Verdict::Returned => Stage::Open,
    };
    let after = proposal.go(to, today, &policies)?;
    store::proposals::save(tx.conn(), &after).await?;
    came_to(tx, &after, decision.on, "").await
}

/// The period of the answer runs from the day of the vote, whenever it is heard of here (P3).
async fn endorsed(tx: &Tx, proposal: Proposal, on: Date) -> Result<(), Fault> {
    let today = tx.now().helsinki_date();
    let policies = store::policies::of(tx.conn(), proposal.tenant).await?;
    let mut after = proposal.go(Stage::AwaitingResponse, today, &policies)?;
    let unit = after.lead_unit.ok_or_else(|| Fault::internal("an endorsed proposal has no unit"))?;
    let asked = Asked { proposal: after.id, tenant: after.tenant, unit };
    let response = UnitResponse::requested(asked, on, &policies);
    if !store::responses::insert(tx.conn(), &response).await? {
        return Ok(());
    }
    after.endorsed_on = Some(on);
    let after = after.due_on(response.days.due_on);
    store::proposals::save(tx.conn(), &after).await?;
    came_to(tx, &after, on, "").await?;
    tx.publish(events::answer::response_requested(&after, &response));
    let key = format!("{}/{}/requested", after.id, response.round);
    tell_role(tx, Role::UnitManager, ScopeRef::Unit(unit), TEMPLATE_REQUESTED, key)?;
    schedule_next_step(tx, &response)
}

/// Whether a forum has decided, or nothing is left to decide.
fn is_decided(stage: StageKind) -> bool {
    match stage {
        StageKind::Draft
        | StageKind::Submitted
        | StageKind::Open
        | StageKind::InComparison
        | StageKind::Shortlisted
        | StageKind::BeforeForum => false,
        StageKind::NotEndorsed
        | StageKind::AwaitingResponse
        | StageKind::Forwarded
        | StageKind::Answered
        | StageKind::InImplementation
        | StageKind::Implemented
        | StageKind::ImpactMeasured
        | StageKind::Closed
        | StageKind::Merged
        | StageKind::Split
        | StageKind::Redirected
        | StageKind::RejectedAtScreening
        | StageKind::Withdrawn => true,
    }
}

fn not_before_forum() -> Fault {
    Fault::conflict(
        "proposals.not_before_forum",
        "A forum decided about a proposal that was not sent to it. Look at both, then take up the event again.",
    )
}
