//! Rounds and their kept counts.

use kernel::{Fault, ForumId, RoundId, Scope, TenantId};
use messaging::database_fault;
use sea_orm::sea_query::{Expr, ExprTrait as _, SimpleExpr};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::super::entity::comparison_round::{self, Column, Entity};
use super::super::values;
use super::{count, kept};
use crate::domain::comparison::round::{Charter, Counts, Round, RoundState};
use crate::domain::comparison::session::{Answer, Change};

/// Stores a new round.
pub async fn insert(conn: &impl ConnectionTrait, stored: &Round) -> Result<(), Fault> {
    let row = row_of(stored)?.into_active_model();
    Entity::insert(row).exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Stores a changed round.
pub async fn save(conn: &impl ConnectionTrait, changed: &Round) -> Result<(), Fault> {
    row_of(changed)?.into_active_model().reset_all().update(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Deletes a round that nobody has seen.
pub async fn delete(conn: &impl ConnectionTrait, id: RoundId) -> Result<(), Fault> {
    Entity::delete_by_id(id.as_uuid()).exec(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Adds what an answer, or taking one back, changes in the counts.
pub async fn add(conn: &impl ConnectionTrait, round: RoundId, change: &Change) -> Result<(), Fault> {
    let one = if change.added { 1 } else { -1 };
    let mut query = Entity::update_many().filter(Column::Id.eq(round.as_uuid()));
    let raised = |column: Column, by: i64| -> SimpleExpr { Expr::col(column).add(by) };
    query = match change.answer {
        Answer::Skipped(_) => query.col_expr(Column::Skips, raised(Column::Skips, one)),
        Answer::Left | Answer::Right => {
            let assisted = if change.assisted { one } else { 0 };
            query
                .col_expr(Column::Comparisons, raised(Column::Comparisons, one))
                .col_expr(Column::Sessions, raised(Column::Sessions, change.sessions))
                .col_expr(Column::Assisted, raised(Column::Assisted, assisted))
        }
    };
    query.exec(conn).await.map_err(database_fault)?;
    Ok(())
}

/// A round, whoever may see it: for what follows from something that knows it. NotFound `proposals.no_such_round`.
pub async fn load(conn: &impl ConnectionTrait, id: RoundId) -> Result<Round, Fault> {
    find(conn, id, Condition::all()).await
}

/// A round of the county or the forum that was granted. NotFound `proposals.no_such_round`.
pub async fn load_in(conn: &impl ConnectionTrait, scope: &Scope, id: RoundId) -> Result<Round, Fault> {
    find(conn, id, within(scope)?).await
}

/// A round that has opened: the public sees it. NotFound `proposals.no_such_round`.
pub async fn load_public(conn: &impl ConnectionTrait, id: RoundId) -> Result<Round, Fault> {
    find(conn, id, opened()).await
}

/// Rounds of a county that have opened, the newest first, after this one.
pub async fn list_public(
    conn: &impl ConnectionTrait,
    tenant: TenantId,
    after: Option<RoundId>,
    limit: u64,
) -> Result<Vec<Round>, Fault> {
    list(conn, opened().add(Column::Tenant.eq(tenant.as_str())), after, limit).await
}

/// Prepared rounds of the county or the forum that was granted, the newest first, after this one.
pub async fn list_prepared(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    after: Option<RoundId>,
    limit: u64,
) -> Result<Vec<Round>, Fault> {
    let prepared = within(scope)?.add(Column::State.eq(RoundState::Prepared.as_str()));
    list(conn, prepared, after, limit).await
}

fn opened() -> Condition {
    Condition::all().add(Column::State.ne(RoundState::Prepared.as_str()))
}

/// Whose rounds are granted.
fn within(scope: &Scope) -> Result<Condition, Fault> {
    Ok(match scope {
        Scope::Forum(forum) => Condition::all().add(Column::Forum.eq(forum.as_uuid())),
        other => Condition::all().add(Column::Tenant.eq(other.tenant()?.as_str())),
    })
}

async fn find(conn: &impl ConnectionTrait, id: RoundId, within: Condition) -> Result<Round, Fault> {
    let row = Entity::find_by_id(id.as_uuid()).filter(within).one(conn).await.map_err(database_fault)?;
    round_of(row.ok_or_else(no_such_round)?)
}

async fn list(
    conn: &impl ConnectionTrait,
    within: Condition,
    after: Option<RoundId>,
    limit: u64,
) -> Result<Vec<Round>, Fault> {
    let mut query = Entity::find().filter(within).order_by_desc(Column::Id).limit(limit);
    if let Some(after) = after {
        query = query.filter(Column::Id.lt(after.as_uuid()));
    }
    let rows = query.all(conn).await.map_err(database_fault)?;
    rows.into_iter().map(round_of).collect()
}

fn no_such_round() -> Fault {
    Fault::not_found(
        "proposals.no_such_round",
        "There is no such round here. Check the id, the county and the forum.",
    )
}

fn row_of(of: &Round) -> Result<comparison_round::Model, Fault> {
    let Round { charter, counts, .. } = of;
    Ok(comparison_round::Model {
        id: of.id.as_uuid(),
        tenant: charter.tenant.to_string(),
        forum: charter.forum.map(|forum| forum.as_uuid()),
        title: charter.title.clone(),
        opens_on: charter.opens_on.to_string(),
        closes_on: charter.closes_on.to_string(),
        own_ideas: charter.own_ideas,
        state: of.state.as_str().to_owned(),
        imported: of.imported,
        ideas: i64::from(of.ideas),
        joined_late: i64::from(of.joined_late),
        comparisons: kept(counts.comparisons)?,
        skips: kept(counts.skips)?,
        sessions: kept(counts.sessions)?,
        assisted: kept(counts.assisted)?,
        removed: i64::from(of.removed),
        visits_forgotten: of.visits_forgotten,
    })
}

fn round_of(row: comparison_round::Model) -> Result<Round, Fault> {
    Ok(Round {
        id: RoundId::from_uuid(row.id),
        charter: Charter {
            tenant: values::tenant(&row.tenant)?,
            forum: row.forum.map(ForumId::from_uuid),
            title: row.title,
            opens_on: values::day(&row.opens_on)?,
            closes_on: values::day(&row.closes_on)?,
            own_ideas: row.own_ideas,
        },
        state: values::known(&RoundState::ALL, RoundState::as_str, &row.state)?,
        imported: row.imported,
        ideas: values::count(row.ideas)?,
        removed: values::count(row.removed)?,
        joined_late: values::count(row.joined_late)?,
        counts: Counts {
            comparisons: count(row.comparisons)?,
            skips: count(row.skips)?,
            sessions: count(row.sessions)?,
            assisted: count(row.assisted)?,
        },
        visits_forgotten: row.visits_forgotten,
    })
}
