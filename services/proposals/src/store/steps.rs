//! The steps of a proposal on its way: what came when, and what was promised then.

use kernel::{Date, Fault, ProposalId};
use messaging::database_fault;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use super::entity::proposal_step;
use super::{proposals, values};
use crate::domain::proposal::{Promise, Proposal, Stage, StageKind};
use crate::domain::timeline::{Mark, Why};

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number, from 1.
    pub step_no: u32,
    /// Day.
    pub happened_on: Date,
    /// What happened within the stage; None if it came to the stage then.
    pub mark: Option<Mark>,
    /// The stage it came to, or was at.
    pub stage: Stage,
    /// What was promised then.
    pub promise: Option<Promise>,
    /// Why; empty where nobody had to say.
    pub why: Why,
}

/// The day that was promised when the proposal last came to a stage; None if it never did, or nothing was promised.
pub async fn last_due(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
    stage: StageKind,
) -> Result<Option<Date>, Fault> {
    let row = proposal_step::Entity::find()
        .filter(proposal_step::Column::ProposalId.eq(proposal.as_uuid()))
        .filter(proposal_step::Column::Stage.eq(stage.as_str()))
        .filter(proposal_step::Column::Mark.eq(""))
        .order_by_desc(proposal_step::Column::StepNo)
        .one(conn)
        .await
        .map_err(database_fault)?;
    row.and_then(|row| row.due_on).map(|day| values::day(&day)).transpose()
}

/// Adds the step that brought the proposal to where it stands now; answers its number.
pub async fn append(
    conn: &impl ConnectionTrait,
    proposal: &Proposal,
    today: Date,
    why: &Why,
) -> Result<u32, Fault> {
    add(conn, proposal, None, today, why).await
}

/// Adds something that happened while the proposal stays where it is; answers its number.
pub async fn mark(
    conn: &impl ConnectionTrait,
    proposal: &Proposal,
    mark: Mark,
    today: Date,
    why: &Why,
) -> Result<u32, Fault> {
    add(conn, proposal, Some(mark), today, why).await
}

/// The next number is the greatest one and one: there is one writer, and the key refuses a second step of a number.
async fn add(
    conn: &impl ConnectionTrait,
    proposal: &Proposal,
    mark: Option<Mark>,
    today: Date,
    why: &Why,
) -> Result<u32, Fault> {
    let last = proposal_step::Entity::find()
        .filter(proposal_step::Column::ProposalId.eq(proposal.id.as_uuid()))
        .select_only()
        .column_as(proposal_step::Column::StepNo.max(), "last")
        .into_tuple::<Option<i64>>()
        .one(conn)
        .await
        .map_err(database_fault)?;
    let step_no = last.flatten().unwrap_or(0) + 1;
    let promise = proposal.promise;
    let row = proposal_step::Model {
        proposal_id: proposal.id.as_uuid(),
        step_no,
        happened_on: today.to_string(),
        mark: mark.map(Mark::as_str).unwrap_or_default().to_owned(),
        stage: proposal.stage.kind().as_str().to_owned(),
        stage_detail: proposal.stage.detail().to_owned(),
        stage_ref: proposal.stage.reference(),
        owner_role: promise.map(|promise| promise.owner.as_str().to_owned()),
        next_step: promise.map(|promise| promise.step.as_str().to_owned()),
        due_on: promise.map(|promise| promise.due.to_string()),
        reason: why.plain.clone(),
        other_reasons: values::forms_text(&why.others)?,
    };
    let row = row.into_active_model();
    proposal_step::Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    values::count(step_no)
}

/// The steps of a proposal, the first one first; `from` is the first number wanted.
pub async fn of(
    conn: &impl ConnectionTrait,
    id: ProposalId,
    from: u32,
    limit: u64,
) -> Result<Vec<Step>, Fault> {
    let rows = proposal_step::Entity::find()
        .filter(proposal_step::Column::ProposalId.eq(id.as_uuid()))
        .filter(proposal_step::Column::StepNo.gte(i64::from(from)))
        .order_by_asc(proposal_step::Column::StepNo)
        .limit(limit)
        .all(conn)
        .await
        .map_err(database_fault)?;
    rows.into_iter()
        .map(|row| {
            Ok(Step {
                step_no: values::count(row.step_no)?,
                happened_on: values::day(&row.happened_on)?,
                mark: match row.mark.as_str() {
                    "" => None,
                    name => Some(values::known(&Mark::ALL, Mark::as_str, name)?),
                },
                stage: proposals::stage_of(&row.stage, &row.stage_detail, row.stage_ref)?,
                promise: proposals::promise_of(
                    row.owner_role.as_deref(),
                    row.next_step.as_deref(),
                    row.due_on.as_deref(),
                )?,
                why: Why { plain: row.reason, others: values::forms_of(&row.other_reasons)? },
            })
        })
        .collect()
}
