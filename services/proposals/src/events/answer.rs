//! What is told of answers, changes and loop cards.

use std::collections::BTreeSet;

use kernel::{CountBucket, FeedbackId};
use messaging::NewEvent;
use proto::proposals as published;

use super::proposal::of;
use crate::domain::impact::ImpactReport;
use crate::domain::implementation::{ImplementationPlan, PlanEvent};
use crate::domain::proposal::{Ending, Outcome, Proposal, Stage};
use crate::domain::response::{ResponseEvent, UnitResponse};
use crate::domain::text::Form;

/// A unit is asked for its answer.
pub fn response_requested(proposal: &Proposal, response: &UnitResponse) -> NewEvent {
    of(
        proposal,
        &published::ResponseRequested {
            proposal_id: proposal.id.to_string(),
            unit_id: response.unit.to_string(),
            due_on: response.days.due_on.to_string(),
        },
    )
}

/// What is told of a step of a request for an answer, which is the one after it. That it was answered is told by
/// [`answered`].
pub fn response(proposal: &Proposal, response: &UnitResponse, event: &ResponseEvent) -> Option<NewEvent> {
    let (proposal_id, unit_id) = (proposal.id.to_string(), response.unit.to_string());
    let due_on = response.days.due_on.to_string();
    match event {
        ResponseEvent::Reminded => {
            Some(of(proposal, &published::ResponseReminderSent { proposal_id, unit_id, due_on }))
        }
        ResponseEvent::Overdue => {
            Some(of(proposal, &published::ResponseOverdue { proposal_id, unit_id, due_on }))
        }
        ResponseEvent::Escalated(level) => {
            let level = level.as_str().to_owned();
            Some(of(proposal, &published::ResponseEscalated { proposal_id, unit_id, level }))
        }
        ResponseEvent::Extended(_) => {
            Some(of(proposal, &published::ResponseDueExtended { proposal_id, unit_id, due_on }))
        }
        ResponseEvent::Given { .. } | ResponseEvent::Amended => None,
    }
}

/// A unit answered, or answered in other words.
pub fn answered(
    proposal: &Proposal,
    response: &UnitResponse,
    outcome: Outcome,
    event: &ResponseEvent,
) -> Option<NewEvent> {
    let (proposal_id, unit_id) = (proposal.id.to_string(), response.unit.to_string());
    let outcome = outcome.as_str().to_owned();
    match event {
        ResponseEvent::Given { on, days_late, .. } => {
            let endorsed_on = proposal.endorsed_on.unwrap_or(response.asked_on);
            let days = u32::try_from((*on - endorsed_on).whole_days()).unwrap_or(0);
            let days_late = *days_late;
            let given = published::UnitResponseGiven { proposal_id, unit_id, outcome, days, days_late };
            Some(of(proposal, &given))
        }
        ResponseEvent::Amended => {
            Some(of(proposal, &published::UnitResponseAmended { proposal_id, unit_id, outcome }))
        }
        ResponseEvent::Reminded
        | ResponseEvent::Overdue
        | ResponseEvent::Escalated(_)
        | ResponseEvent::Extended(_) => None,
    }
}

/// It was forwarded to those who can decide.
pub fn forwarded(proposal: &Proposal, next: &UnitResponse) -> NewEvent {
    let due_on = next.days.due_on.to_string();
    of(proposal, &published::ProposalForwarded { proposal_id: proposal.id.to_string(), due_on })
}

/// What is told of a step of a change. Its progress is not.
pub fn change(proposal: &Proposal, plan: &ImplementationPlan, event: &PlanEvent) -> Option<NewEvent> {
    let (proposal_id, unit_id) = (proposal.id.to_string(), plan.unit.to_string());
    let due_on = plan.due_on.to_string();
    match event {
        PlanEvent::Started(on) => {
            let started_on = on.to_string();
            let started = published::ImplementationStarted { proposal_id, unit_id, started_on, due_on };
            Some(of(proposal, &started))
        }
        PlanEvent::Delayed { .. } => {
            Some(of(proposal, &published::ImplementationDelayed { proposal_id, unit_id, due_on }))
        }
        PlanEvent::Completed(on) => {
            let completed_on = on.to_string();
            Some(of(proposal, &published::ImplementationCompleted { proposal_id, unit_id, completed_on }))
        }
        PlanEvent::Cancelled(on) => {
            let cancelled_on = on.to_string();
            Some(of(proposal, &published::ImplementationCancelled { proposal_id, unit_id, cancelled_on }))
        }
        PlanEvent::Progressed { .. } => None,
    }
}

/// What is so before a change was measured.
pub fn baseline_set(proposal: &Proposal, report: &ImpactReport) -> NewEvent {
    let indicator_ids = report.indicators.iter().map(|one| one.id.clone()).collect();
    of(proposal, &published::BaselineSet { proposal_id: proposal.id.to_string(), indicator_ids })
}

/// What a change brought about is public. Means of fewer people than `small_cell` are left out.
pub fn impact_measured(proposal: &Proposal, report: &ImpactReport, small_cell: u32) -> NewEvent {
    let shown = report.indicators.iter().filter(|one| one.is_shown(small_cell));
    let changes = shown.filter_map(|one| {
        let after = one.after?;
        Some(published::IndicatorChange {
            indicator_id: one.id.clone(),
            before: one.before.value(),
            before_n: one.before.n(),
            after: after.value(),
            after_n: after.n(),
        })
    });
    of(
        proposal,
        &published::ImpactMeasured {
            proposal_id: proposal.id.to_string(),
            unit_id: proposal.lead_unit.map(|unit| unit.to_string()).unwrap_or_default(),
            changes: changes.collect(),
        },
    )
}

/// The loop card was published in these forms.
pub fn feedback_published(proposal: &Proposal, card: FeedbackId, forms: &BTreeSet<Form>) -> NewEvent {
    of(
        proposal,
        &published::FeedbackPublished {
            proposal_id: proposal.id.to_string(),
            feedback_id: card.to_string(),
            languages: forms.iter().map(ToString::to_string).collect(),
        },
    )
}

/// Those who took part were told: how many, coarsely.
pub fn feedback_delivered(proposal: &Proposal, card: FeedbackId, told: u64) -> NewEvent {
    of(
        proposal,
        &published::FeedbackDelivered {
            proposal_id: proposal.id.to_string(),
            feedback_id: card.to_string(),
            recipients_bucket: CountBucket::of(told).to_string(),
        },
    )
}

/// A proposal is over, with its feedback published. `from` is the stage at which it ended.
pub fn closed(proposal: &Proposal, from: Stage) -> NewEvent {
    let outcome = match from {
        Stage::NotEndorsed => "not_endorsed",
        Stage::Answered { .. } => "rejected",
        Stage::ImpactMeasured => "impact_measured",
        Stage::Ended { how: Ending::Redirected { .. } } => "redirected",
        Stage::Ended { how: Ending::RejectedAtScreening { .. } } => "rejected_at_screening",
        _ => "done",
    };
    let (proposal_id, outcome) = (proposal.id.to_string(), outcome.to_owned());
    of(proposal, &published::ProposalClosed { proposal_id, outcome })
}
