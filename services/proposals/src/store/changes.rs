//! Plans of changes, and what the changes brought about.

use kernel::{Fault, ProposalId, UnitId};
use messaging::database_fault;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable, QueryFilter, QueryOrder,
};

use super::entity::{impact_indicator, impact_report, implementation_plan};
use super::values;
use crate::domain::impact::{ImpactReport, ImpactState, Indicator, Measure};
use crate::domain::implementation::{ImplementationPlan, PlanState, PlanStep};

/// The plan of a proposal's change, if there is one.
pub async fn plan(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
) -> Result<Option<ImplementationPlan>, Fault> {
    let found = implementation_plan::Entity::find_by_id(proposal.as_uuid()).one(conn).await;
    found.map_err(database_fault)?.map(plan_of).transpose()
}

/// The plan of a proposal's change. Conflict `proposals.no_plan` if there is none.
pub async fn load_plan(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
) -> Result<ImplementationPlan, Fault> {
    plan(conn, proposal).await?.ok_or_else(|| {
        Fault::conflict(
            "proposals.no_plan",
            "The change has no plan. Plan it first: what is done, by which day.",
        )
    })
}

/// Stores a plan; it replaces the earlier one of the proposal.
pub async fn save_plan(conn: &impl ConnectionTrait, plan: &ImplementationPlan) -> Result<(), Fault> {
    let steps: Vec<(&str, bool)> = plan.steps.iter().map(|step| (step.what.as_str(), step.done)).collect();
    let row = implementation_plan::Model {
        proposal_id: plan.proposal.as_uuid(),
        unit_id: plan.unit.as_uuid(),
        state: plan.state.as_str().to_owned(),
        steps: serde_json::to_string(&steps).map_err(Fault::internal)?,
        percent: i64::from(plan.percent),
        due_on: plan.due_on.to_string(),
        started_on: plan.started_on.map(|day| day.to_string()),
        ended_on: plan.ended_on.map(|day| day.to_string()),
        delay_reason: plan.delay_reason.clone(),
    };
    let others = implementation_plan::Column::iter()
        .filter(|column| !matches!(column, implementation_plan::Column::ProposalId));
    let replace =
        OnConflict::column(implementation_plan::Column::ProposalId).update_columns(others).to_owned();
    let stored = implementation_plan::Entity::insert(row.into_active_model()).on_conflict(replace);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// What a proposal's change brought about; planned if nothing was measured.
pub async fn impact(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<ImpactReport, Fault> {
    let row = impact_report::Entity::find_by_id(proposal.as_uuid()).one(conn).await;
    let Some(row) = row.map_err(database_fault)? else { return Ok(ImpactReport::planned(proposal)) };
    let indicators = impact_indicator::Entity::find()
        .filter(impact_indicator::Column::ProposalId.eq(proposal.as_uuid()))
        .order_by_asc(impact_indicator::Column::IndicatorId)
        .all(conn)
        .await
        .map_err(database_fault)?;
    Ok(ImpactReport {
        proposal,
        state: values::known(&ImpactState::ALL, ImpactState::as_str, &row.state)?,
        baseline_on: values::maybe_day(row.baseline_on.as_deref())?,
        measured_on: values::maybe_day(row.measured_on.as_deref())?,
        published_on: values::maybe_day(row.published_on.as_deref())?,
        indicators: indicators.into_iter().map(indicator_of).collect::<Result<_, _>>()?,
    })
}

/// Stores a report with its indicators, in place of what was stored.
pub async fn save_impact(conn: &impl ConnectionTrait, report: &ImpactReport) -> Result<(), Fault> {
    let id = report.proposal.as_uuid();
    let row = impact_report::Model {
        proposal_id: id,
        state: report.state.as_str().to_owned(),
        baseline_on: report.baseline_on.map(|day| day.to_string()),
        measured_on: report.measured_on.map(|day| day.to_string()),
        published_on: report.published_on.map(|day| day.to_string()),
    };
    let others =
        impact_report::Column::iter().filter(|column| !matches!(column, impact_report::Column::ProposalId));
    let replace = OnConflict::column(impact_report::Column::ProposalId).update_columns(others).to_owned();
    let stored = impact_report::Entity::insert(row.into_active_model()).on_conflict(replace);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    impact_indicator::Entity::delete_many()
        .filter(impact_indicator::Column::ProposalId.eq(id))
        .exec(conn)
        .await
        .map_err(database_fault)?;
    let rows = report.indicators.iter().map(|one| indicator_row(report.proposal, one));
    let rows: Vec<impact_indicator::ActiveModel> =
        rows.map(|row| row.map(IntoActiveModel::into_active_model)).collect::<Result<_, _>>()?;
    if !rows.is_empty() {
        let stored = impact_indicator::Entity::insert_many(rows).exec_without_returning(conn).await;
        stored.map_err(database_fault)?;
    }
    Ok(())
}

fn plan_of(row: implementation_plan::Model) -> Result<ImplementationPlan, Fault> {
    let steps: Vec<(String, bool)> = serde_json::from_str(&row.steps).map_err(Fault::internal)?;
    Ok(ImplementationPlan {
        proposal: ProposalId::from_uuid(row.proposal_id),
        unit: UnitId::from_uuid(row.unit_id),
        state: values::known(&PlanState::ALL, PlanState::as_str, &row.state)?,
        steps: steps.into_iter().map(|(what, done)| PlanStep { what, done }).collect(),
        percent: values::count(row.percent)?,
        due_on: values::day(&row.due_on)?,
        started_on: values::maybe_day(row.started_on.as_deref())?,
        ended_on: values::maybe_day(row.ended_on.as_deref())?,
        delay_reason: row.delay_reason,
    })
}

fn indicator_row(proposal: ProposalId, of: &Indicator) -> Result<impact_indicator::Model, Fault> {
    let (kind, before_sum, before_n) = parts(of.before)?;
    let after = of.after.map(parts).transpose()?;
    Ok(impact_indicator::Model {
        proposal_id: proposal.as_uuid(),
        indicator_id: of.id.clone(),
        label: of.label.clone(),
        kind: kind.to_owned(),
        before_sum,
        before_n,
        after_sum: after.map(|(_, sum, _)| sum),
        after_n: after.map(|(_, _, n)| n),
        target: of.target.map(i64::from),
    })
}

fn indicator_of(row: impact_indicator::Model) -> Result<Indicator, Fault> {
    let measure = |sum: i64, n: i64| -> Result<Measure, Fault> {
        let n = values::count(n)?;
        match row.kind.as_str() {
            "mean" => Ok(Measure::Mean { sum: u64::try_from(sum).map_err(Fault::internal)?, n }),
            "rate" => Ok(Measure::Rate { count: values::count(sum)?, weeks: n }),
            _ => Err(Fault::internal("a stored indicator is of no known kind")),
        }
    };
    Ok(Indicator {
        before: measure(row.before_sum, row.before_n)?,
        after: row.after_sum.zip(row.after_n).map(|(sum, n)| measure(sum, n)).transpose()?,
        target: values::maybe_count(row.target)?,
        id: row.indicator_id,
        label: row.label,
    })
}

fn parts(measure: Measure) -> Result<(&'static str, i64, i64), Fault> {
    Ok(match measure {
        Measure::Mean { sum, n } => ("mean", i64::try_from(sum).map_err(Fault::internal)?, n.into()),
        Measure::Rate { count, weeks } => ("rate", count.into(), weeks.into()),
    })
}
