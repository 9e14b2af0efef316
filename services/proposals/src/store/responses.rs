//! Requests for answers, and how many were answered on time.

use kernel::{Date, Fault, ProposalId, TenantId, UnitId};
use messaging::database_fault;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::entity::unit_response::{self, Column, Entity, Model};
use super::values;
use crate::domain::response::{ResponseDays, ResponseState, UnitResponse};

/// Stores a new request; false if the proposal has it already (X1).
pub async fn insert(conn: &impl ConnectionTrait, stored: &UnitResponse) -> Result<bool, Fault> {
    let once = OnConflict::columns([Column::ProposalId, Column::Round]).do_nothing().to_owned();
    let stored = Entity::insert(row_of(stored).into_active_model()).on_conflict(once);
    Ok(stored.exec_without_returning(conn).await.map_err(database_fault)? > 0)
}

/// Stores a changed request.
pub async fn save(conn: &impl ConnectionTrait, changed: &UnitResponse) -> Result<(), Fault> {
    row_of(changed).into_active_model().reset_all().update(conn).await.map_err(database_fault)?;
    Ok(())
}

/// The latest request of a proposal; None before an endorsement.
pub async fn latest(
    conn: &impl ConnectionTrait,
    proposal: ProposalId,
) -> Result<Option<UnitResponse>, Fault> {
    let found = Entity::find()
        .filter(Column::ProposalId.eq(proposal.as_uuid()))
        .order_by_desc(Column::Round)
        .one(conn)
        .await
        .map_err(database_fault)?;
    found.map(response_of).transpose()
}

/// The latest request of a proposal. Conflict `proposals.not_asked` before an endorsement.
pub async fn load(conn: &impl ConnectionTrait, proposal: ProposalId) -> Result<UnitResponse, Fault> {
    latest(conn, proposal).await?.ok_or_else(|| {
        Fault::conflict(
            "proposals.not_asked",
            "No unit has been asked to answer this proposal: a forum endorses it first.",
        )
    })
}

/// Whose open requests are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// A county's.
    County(TenantId),
    /// A unit's.
    Unit(UnitId),
}

/// Where a list goes on: after this due day and proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    /// Due day of the last one.
    pub due_on: Date,
    /// Proposal of the last one.
    pub proposal: ProposalId,
}

/// Requests without an answer, those due first first.
pub async fn waiting(
    conn: &impl ConnectionTrait,
    whose: Whose,
    after: Option<After>,
    limit: u64,
) -> Result<Vec<UnitResponse>, Fault> {
    let mut open = of(whose).filter(Column::Answered.eq(false));
    if let Some(After { due_on, proposal }) = after {
        let same_day = Column::DueOn.eq(due_on.to_string()).and(Column::ProposalId.gt(proposal.as_uuid()));
        open = open.filter(Condition::any().add(Column::DueOn.gt(due_on.to_string())).add(same_day));
    }
    let rows = open.order_by_asc(Column::DueOn).order_by_asc(Column::ProposalId).limit(limit).all(conn).await;
    rows.map_err(database_fault)?.into_iter().map(response_of).collect()
}

fn of(whose: Whose) -> Select<Entity> {
    match whose {
        Whose::County(tenant) => Entity::find().filter(Column::Tenant.eq(tenant.as_str())),
        Whose::Unit(unit) => Entity::find().filter(Column::UnitId.eq(unit.as_uuid())),
    }
}

/// How a county's first answers that were due in a period were given (K4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OnTime {
    /// By their due day.
    pub on_time: u32,
    /// After it.
    pub late: u32,
    /// Not at all, and the due day has passed.
    pub missing: u32,
}

/// Counts a county's first answers with due days from `from` to `to`. What is not due yet and not answered is in none of
/// the figures.
pub async fn on_time(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    from: Date,
    to: Date,
    today: Date,
) -> Result<OnTime, Fault> {
    let due = || {
        of(Whose::County(tenant))
            .filter(Column::Round.eq(1))
            .filter(Column::DueOn.gte(from.to_string()))
            .filter(Column::DueOn.lte(to.to_string()))
    };
    let given = || Expr::col(Column::GivenOn);
    let on_time = due().filter(given().lte(Expr::col(Column::DueOn)));
    let late = due().filter(given().gt(Expr::col(Column::DueOn)));
    let missing = due().filter(Column::Answered.eq(false)).filter(Column::DueOn.lt(today.to_string()));
    Ok(OnTime {
        on_time: counted(conn, on_time).await?,
        late: counted(conn, late).await?,
        missing: counted(conn, missing).await?,
    })
}

async fn counted(conn: &impl ConnectionTrait, which: Select<Entity>) -> Result<u32, Fault> {
    let number = which
        .select_only()
        .column_as(Column::ProposalId.count(), "number")
        .into_tuple::<i64>()
        .one(conn)
        .await
        .map_err(database_fault)?;
    values::count(number.unwrap_or(0))
}

fn row_of(of: &UnitResponse) -> Model {
    unit_response::Model {
        proposal_id: of.proposal.as_uuid(),
        round: i64::from(of.round),
        tenant: of.tenant.to_string(),
        unit_id: of.unit.as_uuid(),
        asked_on: of.asked_on.to_string(),
        remind_on: of.days.remind_on.to_string(),
        due_on: of.days.due_on.to_string(),
        manager_on: of.days.manager_on.to_string(),
        extended: of.extended,
        version: i64::from(of.version),
        state: of.state.as_str().to_owned(),
        answered: of.state.is_answered(),
        given_on: of.given_on.map(|day| day.to_string()),
    }
}

fn response_of(row: Model) -> Result<UnitResponse, Fault> {
    Ok(UnitResponse {
        proposal: ProposalId::from_uuid(row.proposal_id),
        round: values::count(row.round)?,
        tenant: values::tenant(&row.tenant)?,
        unit: UnitId::from_uuid(row.unit_id),
        asked_on: values::day(&row.asked_on)?,
        days: ResponseDays {
            remind_on: values::day(&row.remind_on)?,
            due_on: values::day(&row.due_on)?,
            manager_on: values::day(&row.manager_on)?,
        },
        extended: row.extended,
        version: values::count(row.version)?,
        state: values::known(&ResponseState::ALL, ResponseState::as_str, &row.state)?,
        given_on: values::maybe_day(row.given_on.as_deref())?,
    })
}
