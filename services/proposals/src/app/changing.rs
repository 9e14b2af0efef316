//! The change that an answer promised, and what it brought about (P6, X2).

use chassis::Call;
use futures::FutureExt as _;
use kernel::deadline::working_day_from;
use kernel::{Date, Fault, Invalid, PolicyKey, ProposalId, Scope};
use messaging::Tx;
use proto::proposals as pb;

use super::App;
use super::answering::{Give, GiveAnswer, answer, answered, check_not_told};
use super::telling::{came_to, marked};
use super::timers::schedule_impact;
use crate::domain::impact::{Baseline, ImpactState, Measure};
use crate::domain::implementation::{ImplementationPlan, PlanEvent, PlanState};
use crate::domain::proposal::{
    NextStep, Outcome, OwnerRole, Promise, Proposal, Stage, StageKind, wrong_stage,
};
use crate::domain::timeline::Mark;
use crate::{convert, events, store};

/// What is reported of a change that is being made.
#[derive(Debug, Clone)]
enum Report {
    Start,
    Progress { percent: u32, done: Vec<u32> },
    Delay { due_on: Option<Date>, reason: String },
    Complete,
}

struct Change<T> {
    scope: Scope,
    id: ProposalId,
    what: T,
}

/// A plan and where its proposal stands.
type Changed = (ImplementationPlan, Proposal);

impl App {
    /// Plans a change.
    pub async fn plan_change(
        &self,
        call: &Call,
        id: ProposalId,
        steps: Vec<String>,
        due_on: Option<Date>,
    ) -> Result<pb::PlanChangeResponse, Fault> {
        let input = Change { scope: call.scope, id, what: (steps, due_on) };
        self.writer.run(call.command(), input, |tx, input| plan(tx, input).boxed()).await
    }

    /// A change begins.
    pub async fn start_change(&self, call: &Call, id: ProposalId) -> Result<pb::StartChangeResponse, Fault> {
        let answer = |today: Date, (plan, after): Changed| pb::StartChangeResponse {
            plan: Some(convert::changes::plan(&plan)),
            standing: Some(convert::answers::standing(&after, after.promise, today)),
        };
        self.report(call, id, Report::Start, answer).await
    }

    /// Some of a change is done.
    pub async fn report_progress(
        &self,
        call: &Call,
        id: ProposalId,
        percent: u32,
        done: Vec<u32>,
    ) -> Result<pb::ReportProgressResponse, Fault> {
        let answer = |_: Date, (plan, _): Changed| pb::ReportProgressResponse {
            plan: Some(convert::changes::plan(&plan)),
        };
        self.report(call, id, Report::Progress { percent, done }, answer).await
    }

    /// A change takes longer.
    pub async fn delay_change(
        &self,
        call: &Call,
        id: ProposalId,
        due_on: Option<Date>,
        reason: String,
    ) -> Result<pb::DelayChangeResponse, Fault> {
        let answer = |today: Date, (plan, after): Changed| pb::DelayChangeResponse {
            plan: Some(convert::changes::plan(&plan)),
            standing: Some(convert::answers::standing(&after, after.promise, today)),
        };
        self.report(call, id, Report::Delay { due_on, reason }, answer).await
    }

    /// A change is done.
    pub async fn complete_change(
        &self,
        call: &Call,
        id: ProposalId,
    ) -> Result<pb::CompleteChangeResponse, Fault> {
        let answer = |today: Date, (plan, after): Changed| pb::CompleteChangeResponse {
            plan: Some(convert::changes::plan(&plan)),
            standing: Some(convert::answers::standing(&after, after.promise, today)),
        };
        self.report(call, id, Report::Complete, answer).await
    }

    async fn report<R: prost::Message + Default + 'static>(
        &self,
        call: &Call,
        id: ProposalId,
        what: Report,
        answer: fn(Date, Changed) -> R,
    ) -> Result<R, Fault> {
        let input = Change { scope: call.scope, id, what };
        self.writer
            .run(call.command(), (input, answer), |tx, (input, answer)| {
                async move {
                    let changed = report(tx, input).await?;
                    Ok(answer(tx.now().helsinki_date(), changed))
                }
                .boxed()
            })
            .await
    }

    /// A change is given up: the answer becomes a rejection.
    pub async fn cancel_change(
        &self,
        call: &Call,
        give: GiveAnswer,
    ) -> Result<pb::CancelChangeResponse, Fault> {
        let input = self.give(call, give)?;
        self.writer.run(call.command(), input, |tx, input| cancel(tx, input).boxed()).await
    }

    /// Keeps what is so before a change.
    pub async fn set_baseline(
        &self,
        call: &Call,
        id: ProposalId,
        indicators: Vec<Baseline>,
    ) -> Result<pb::SetBaselineResponse, Fault> {
        let input = Change { scope: call.scope, id, what: indicators };
        self.writer.run(call.command(), input, |tx, input| set_baseline(tx, input).boxed()).await
    }

    /// Keeps what is so after a change.
    pub async fn record_measurement(
        &self,
        call: &Call,
        id: ProposalId,
        measured: Vec<(String, Measure)>,
    ) -> Result<pb::RecordMeasurementResponse, Fault> {
        let input = Change { scope: call.scope, id, what: measured };
        self.writer.run(call.command(), input, |tx, input| record(tx, input).boxed()).await
    }

    /// Publishes what a change brought about.
    pub async fn publish_impact(
        &self,
        call: &Call,
        id: ProposalId,
    ) -> Result<pb::PublishImpactResponse, Fault> {
        let input = Change { scope: call.scope, id, what: () };
        self.writer.run(call.command(), input, |tx, input| publish_impact(tx, input).boxed()).await
    }

    /// Plan and effect of a public proposal's change.
    pub async fn get_change(&self, id: ProposalId) -> Result<pb::GetChangeResponse, Fault> {
        let conn = self.database.read();
        let proposal = store::proposals::load_public(conn, id).await?;
        let plan = store::changes::plan(conn, id).await?;
        let impact = store::changes::impact(conn, id).await?;
        let small = store::policies::of(conn, proposal.tenant).await?.on(self.today(), PolicyKey::SmallCell);
        Ok(pb::GetChangeResponse {
            plan: plan.as_ref().map(convert::changes::plan),
            impact: Some(convert::changes::impact(&impact, small)),
        })
    }
}

async fn plan(tx: &Tx, input: &Change<(Vec<String>, Option<Date>)>) -> Result<pb::PlanChangeResponse, Fault> {
    let today = tx.now().helsinki_date();
    let proposal = store::reach::reached(tx.conn(), &input.scope, input.id).await?;
    let to_change = matches!(proposal.stage, Stage::Answered { outcome } if outcome.leads_to_change());
    if !to_change {
        return Err(wrong_stage(proposal.stage, StageKind::InImplementation));
    }
    let unit = proposal.lead_unit.ok_or_else(|| Fault::internal("an answered proposal has no unit"))?;
    let (steps, due_on) = &input.what;
    let plan = ImplementationPlan::draft(proposal.id, unit, steps, *due_on, today)?;
    store::changes::save_plan(tx.conn(), &plan).await?;
    marked(tx, &proposal, Mark::ChangePlanned, today, "").await?;
    Ok(pb::PlanChangeResponse { plan: Some(convert::changes::plan(&plan)) })
}

async fn report(tx: &Tx, input: &Change<Report>) -> Result<Changed, Fault> {
    let today = tx.now().helsinki_date();
    let proposal = store::reach::reached(tx.conn(), &input.scope, input.id).await?;
    let before = store::changes::load_plan(tx.conn(), proposal.id).await?;
    let event = match &input.what {
        // What is so already is answered with how it is.
        Report::Start if before.state.is_running() => return Ok((before, proposal)),
        Report::Complete if before.state == PlanState::Completed => return Ok((before, proposal)),
        Report::Start => before.start(today)?,
        Report::Progress { percent, done } => before.progress(*percent, done)?,
        Report::Delay { due_on, reason } => before.delay(*due_on, reason, today)?,
        Report::Complete => before.complete(today)?,
    };
    let plan = before.apply(&event);
    store::changes::save_plan(tx.conn(), &plan).await?;
    let after = changed(tx, proposal, &plan, &event).await?;
    store::proposals::save(tx.conn(), &after).await?;
    events::answer::change(&after, &plan, &event).into_iter().for_each(|event| tx.publish(event));
    Ok((plan, after))
}

/// The proposal after a step of its change, with its promise.
async fn changed(
    tx: &Tx,
    proposal: Proposal,
    plan: &ImplementationPlan,
    event: &PlanEvent,
) -> Result<Proposal, Fault> {
    let today = tx.now().helsinki_date();
    let policies = store::policies::of(tx.conn(), proposal.tenant).await?;
    match event {
        PlanEvent::Started(_) => {
            let after = proposal.go(Stage::InImplementation, today, &policies)?;
            let after = after.due_on(working_day_from(plan.due_on));
            came_to(tx, &after, today, "").await?;
            Ok(after)
        }
        PlanEvent::Delayed { due_on, reason } => {
            let after = proposal.due_on(working_day_from(*due_on));
            marked(tx, &after, Mark::ChangeDelayed, today, reason).await?;
            Ok(after)
        }
        PlanEvent::Completed(_) => {
            let mut after = proposal.go(Stage::Implemented, today, &policies)?;
            let measured = store::changes::impact(tx.conn(), after.id).await?.state != ImpactState::Planned;
            if measured {
                if let Some(promise) = after.promise {
                    schedule_impact(tx, after.id, promise.due)?;
                }
            } else {
                // Nothing can be measured without a baseline (P6): what is left to do is to tell that it is done.
                let days = policies.on(today, PolicyKey::FeedbackDays);
                let due = kernel::deadline::due_after_days(today, days);
                let (owner, step) = (OwnerRole::AreaCoordinator, NextStep::PublishFeedback);
                after.promise = Some(Promise { owner, step, due });
            }
            came_to(tx, &after, today, "").await?;
            Ok(after)
        }
        PlanEvent::Progressed { .. } | PlanEvent::Cancelled(_) => Ok(proposal),
    }
}

async fn cancel(tx: &Tx, input: &Give) -> Result<pb::CancelChangeResponse, Fault> {
    let today = tx.now().helsinki_date();
    let proposal = store::reach::reached(tx.conn(), &input.scope, input.give.proposal).await?;
    let before = store::changes::load_plan(tx.conn(), proposal.id).await?;
    let event = before.cancel(today)?;
    let response = store::responses::load(tx.conn(), proposal.id).await?;
    let amended = response.amend()?;
    let (kept, outcome) = answer(tx, input, &proposal).await?;
    if outcome != Outcome::Rejected {
        let rule =
            "a change that is given up is a rejection, with its reasons and what would have to change (P4)";
        return Err(Invalid::new(rule, "send the outcome REJECTED").in_field("answer.outcome"));
    }
    let plan = before.apply(&event);
    store::changes::save_plan(tx.conn(), &plan).await?;
    let response = response.apply(&amended);
    store::responses::save(tx.conn(), &response).await?;
    marked(tx, &proposal, Mark::ChangeCancelled, today, "").await?;
    let after = answered(tx, &proposal, &response, &kept, outcome, &amended).await?;
    Ok(pb::CancelChangeResponse {
        plan: Some(convert::changes::plan(&plan)),
        standing: Some(convert::answers::standing(&after, after.promise, today)),
    })
}

async fn set_baseline(tx: &Tx, input: &Change<Vec<Baseline>>) -> Result<pb::SetBaselineResponse, Fault> {
    let today = tx.now().helsinki_date();
    let proposal = store::reach::reached(tx.conn(), &input.scope, input.id).await?;
    let started = match proposal.stage.kind() {
        StageKind::AwaitingResponse | StageKind::Forwarded | StageKind::Answered => false,
        StageKind::InImplementation | StageKind::Implemented | StageKind::ImpactMeasured => true,
        _ => return Err(wrong_stage(proposal.stage, StageKind::InImplementation)),
    };
    let before = store::changes::impact(tx.conn(), proposal.id).await?;
    let report = before.set_baseline(input.what.clone(), started, today)?;
    store::changes::save_impact(tx.conn(), &report).await?;
    marked(tx, &proposal, Mark::BaselineSet, today, "").await?;
    tx.publish(events::answer::baseline_set(&proposal, &report));
    let small = small_cell(tx, &proposal).await?;
    Ok(pb::SetBaselineResponse { impact: Some(convert::changes::impact(&report, small)) })
}

async fn record(
    tx: &Tx,
    input: &Change<Vec<(String, Measure)>>,
) -> Result<pb::RecordMeasurementResponse, Fault> {
    let proposal = store::reach::reached(tx.conn(), &input.scope, input.id).await?;
    let before = store::changes::impact(tx.conn(), proposal.id).await?;
    let report = before.record(&input.what, tx.now().helsinki_date())?;
    let during = matches!(proposal.stage, Stage::InImplementation | Stage::Implemented);
    if !during {
        return Err(wrong_stage(proposal.stage, StageKind::ImpactMeasured));
    }
    store::changes::save_impact(tx.conn(), &report).await?;
    let small = small_cell(tx, &proposal).await?;
    Ok(pb::RecordMeasurementResponse { impact: Some(convert::changes::impact(&report, small)) })
}

async fn publish_impact(tx: &Tx, input: &Change<()>) -> Result<pb::PublishImpactResponse, Fault> {
    let today = tx.now().helsinki_date();
    let proposal = store::reach::reached(tx.conn(), &input.scope, input.id).await?;
    let before = store::changes::impact(tx.conn(), proposal.id).await?;
    let small = small_cell(tx, &proposal).await?;
    let answer = |report: &_, after: &Proposal| pb::PublishImpactResponse {
        impact: Some(convert::changes::impact(report, small)),
        standing: Some(convert::answers::standing(after, after.promise, today)),
    };
    if before.state == ImpactState::Published {
        return Ok(answer(&before, &proposal));
    }
    let report = before.publish(today)?;
    check_not_told(&proposal)?;
    let policies = store::policies::of(tx.conn(), proposal.tenant).await?;
    let after = proposal.go(Stage::ImpactMeasured, today, &policies)?;
    store::changes::save_impact(tx.conn(), &report).await?;
    store::proposals::save(tx.conn(), &after).await?;
    came_to(tx, &after, today, "").await?;
    tx.publish(events::answer::impact_measured(&after, &report, small));
    Ok(answer(&report, &after))
}

/// Fewest people whose answers are shown.
async fn small_cell(tx: &Tx, proposal: &Proposal) -> Result<u32, Fault> {
    let policies = store::policies::of(tx.conn(), proposal.tenant).await?;
    Ok(policies.on(tx.now().helsinki_date(), PolicyKey::SmallCell))
}
