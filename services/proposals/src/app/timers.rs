//! What happens when a day comes: reminders and escalations of answers (P3), and changes whose effect nobody measured
//! (X2).

use futures::FutureExt as _;
use kernel::deadline::{add_days, start_of_day};
use kernel::{Date, Fault, ProposalId, Role, ScopeRef};
use messaging::{NewJob, Tx};
use serde::{Deserialize, Serialize};

use super::App;
use super::telling::{TEMPLATE_IMPACT_LATE, TEMPLATE_LATE, TEMPLATE_REMINDER, marked, tell_role};
use crate::domain::proposal::{NextStep, OwnerRole, Proposal, Stage};
use crate::domain::response::{Level, ResponseEvent, UnitResponse};
use crate::domain::timeline::Mark;
use crate::{events, store};

/// Job: the next step of an answer that is waited for. Payload: a [`ResponseTimer`].
pub const RESPONSE_STEP: &str = "proposals.response_step";
/// Job: looks whether the effect of a change was measured. Payload: the proposal's id.
pub const IMPACT_DUE: &str = "proposals.impact_due";

/// Which answer a timer is for, and for which version of its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseTimer {
    /// The proposal.
    pub proposal: ProposalId,
    /// Which request of it.
    pub round: u32,
    /// Version of the days.
    pub version: u32,
}

/// Schedules the next step of an answer. The key has the version of the days in it, so that an extension has timers of
/// its own; the old ones find that they are old.
pub(super) fn schedule_next_step(tx: &Tx, response: &UnitResponse) -> Result<(), Fault> {
    let Some((_, run_at)) = response.next_step() else { return Ok(()) };
    let UnitResponse { proposal, round, version, state, .. } = *response;
    let timer = ResponseTimer { proposal, round, version };
    let payload = serde_json::to_vec(&timer).map_err(Fault::internal)?;
    let dedupe_key = format!("{proposal}/{round}@{version}/{}", state.as_str());
    tx.schedule(NewJob { kind: RESPONSE_STEP, dedupe_key, run_at, payload });
    Ok(())
}

/// Schedules the look at whether the effect of a change was measured, for the day after it was due.
pub(super) fn schedule_impact(tx: &Tx, proposal: ProposalId, due_on: Date) -> Result<(), Fault> {
    let run_at = start_of_day(add_days(due_on, 1));
    let payload = serde_json::to_vec(&proposal).map_err(Fault::internal)?;
    tx.schedule(NewJob { kind: IMPACT_DUE, dedupe_key: proposal.to_string(), run_at, payload });
    Ok(())
}

impl App {
    /// Takes every step of an answer whose day has come, in order and once.
    pub async fn response_step(&self, timer: ResponseTimer) -> Result<(), Fault> {
        self.writer.internal(RESPONSE_STEP, timer, |tx, timer| response_step(tx, *timer).boxed()).await
    }

    /// Moves the promise of a change whose effect was not measured in time to the area coordinator (X2).
    pub async fn impact_due(&self, proposal: ProposalId) -> Result<(), Fault> {
        self.writer.internal(IMPACT_DUE, proposal, |tx, proposal| impact_due(tx, *proposal).boxed()).await
    }
}

async fn response_step(tx: &Tx, timer: ResponseTimer) -> Result<(), Fault> {
    let Some(mut response) = store::responses::latest(tx.conn(), timer.proposal).await? else {
        return Ok(());
    };
    if (response.round, response.version) != (timer.round, timer.version) {
        return Ok(());
    }
    let steps = response.due_steps(tx.now());
    if steps.is_empty() {
        return Ok(());
    }
    let proposal = store::proposals::load(tx.conn(), timer.proposal).await?;
    for step in &steps {
        response = response.apply(step);
        tell_of_step(tx, &proposal, &response, step).await?;
    }
    store::responses::save(tx.conn(), &response).await?;
    schedule_next_step(tx, &response)
}

async fn tell_of_step(
    tx: &Tx,
    proposal: &Proposal,
    response: &UnitResponse,
    step: &ResponseEvent,
) -> Result<(), Fault> {
    let today = tx.now().helsinki_date();
    let manager = (Role::UnitManager, ScopeRef::Unit(response.unit));
    let coordinator = (Role::AreaCoordinator, ScopeRef::Tenant(response.tenant));
    let (mark, told) = match step {
        ResponseEvent::Reminded => (Mark::Reminded, Some((manager, TEMPLATE_REMINDER))),
        ResponseEvent::Overdue => (Mark::Overdue, None),
        ResponseEvent::Escalated(Level::Coordinator) => {
            (Mark::EscalatedToCoordinator, Some((coordinator, TEMPLATE_LATE)))
        }
        ResponseEvent::Escalated(Level::Manager) => {
            (Mark::EscalatedToManager, Some((manager, TEMPLATE_LATE)))
        }
        ResponseEvent::Extended(_) | ResponseEvent::Given { .. } | ResponseEvent::Amended => return Ok(()),
    };
    marked(tx, proposal, mark, today, "").await?;
    events::answer::response(proposal, response, step).into_iter().for_each(|event| tx.publish(event));
    if let Some(((role, scope), template)) = told {
        let key = format!("{}/{}@{}/{}", proposal.id, response.round, response.version, mark.as_str());
        tell_role(tx, role, scope, template, key)?;
    }
    Ok(())
}

async fn impact_due(tx: &Tx, id: ProposalId) -> Result<(), Fault> {
    let mut proposal = store::proposals::load(tx.conn(), id).await?;
    let Some(promise) = &mut proposal.promise else { return Ok(()) };
    if proposal.stage != Stage::Implemented || promise.step != NextStep::MeasureImpact {
        return Ok(());
    }
    if promise.owner == OwnerRole::AreaCoordinator {
        // This job has run before.
        return Ok(());
    }
    promise.owner = OwnerRole::AreaCoordinator;
    store::proposals::save(tx.conn(), &proposal).await?;
    marked(tx, &proposal, Mark::ImpactOverdue, tx.now().helsinki_date(), "").await?;
    let county = ScopeRef::Tenant(proposal.tenant);
    tell_role(tx, Role::AreaCoordinator, county, TEMPLATE_IMPACT_LATE, format!("{id}/impact"))
}
