//! What the events of forums say of forums: whose they are, until when, and which municipalities have seats.

use kernel::{Date, ForumId, MunicipalityCode, TenantId};
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, IdenStatic as _, IntoActiveModel as _,
    QueryFilter as _,
};

use super::entity::known_forum;
use super::{Result, failed, joined, split};
use crate::domain::role::ScopeFacts;

/// What is known of a forum; None if it has not been heard of.
pub(crate) async fn facts(db: &impl ConnectionTrait, forum: ForumId) -> Result<Option<ScopeFacts>> {
    let Some(row) = find(db, forum).await? else { return Ok(None) };
    Ok(Some(ScopeFacts { tenants: split(&row.tenants)?, term_ends_on: row.term_ends_on }))
}

/// The municipalities of a forum's seat plan; none if it has not been heard of.
pub(crate) async fn seat_plan(db: &impl ConnectionTrait, forum: ForumId) -> Result<Vec<MunicipalityCode>> {
    find(db, forum).await?.map_or(Ok(Vec::new()), |row| split(&row.seat_plan))
}

/// Notes that a forum was founded: its counties, the lead first, and the last day of its term.
pub(crate) async fn founded(
    db: &impl ConnectionTrait,
    forum: ForumId,
    tenants: &[TenantId],
    term_ends_on: Option<Date>,
    generation: u64,
) -> Result<()> {
    let row = known_forum::Model {
        id: forum.as_uuid(),
        tenants: joined(tenants),
        term_ends_on,
        seat_plan: String::new(),
        generation: generation.cast_signed(),
    };
    put(db, row, &[known_forum::Column::Tenants, known_forum::Column::TermEndsOn]).await
}

/// Notes a forum's seat plan, which may be heard of before its founding.
pub(crate) async fn planned(
    db: &impl ConnectionTrait,
    forum: ForumId,
    tenants: &[TenantId],
    municipalities: &[MunicipalityCode],
    generation: u64,
) -> Result<()> {
    let row = known_forum::Model {
        id: forum.as_uuid(),
        tenants: joined(tenants),
        term_ends_on: None,
        seat_plan: joined(municipalities),
        generation: generation.cast_signed(),
    };
    put(db, row, &[known_forum::Column::SeatPlan]).await
}

/// Deletes the forums of a lane that were last written before this rebuild. A forum is in the lane of its first county.
pub(crate) async fn sweep(db: &impl ConnectionTrait, lane: &str, generation: u64) -> Result<()> {
    use known_forum::Column;
    let in_lane =
        Condition::any().add(Column::Tenants.eq(lane)).add(Column::Tenants.starts_with(format!("{lane},")));
    known_forum::Entity::delete_many()
        .filter(in_lane)
        .filter(Column::Generation.lt(generation.cast_signed()))
        .exec(db)
        .await
        .map_err(failed)?;
    Ok(())
}

async fn put(
    db: &impl ConnectionTrait,
    row: known_forum::Model,
    change: &[known_forum::Column],
) -> Result<()> {
    use known_forum::{Column, Entity};
    let mut conflict = OnConflict::column(Column::Id);
    conflict.update_column(Column::Generation);
    for column in [Column::Tenants, Column::TermEndsOn, Column::SeatPlan] {
        if change.iter().any(|known| known.as_str() == column.as_str()) {
            conflict.update_column(column);
        } else {
            // A row from before this rebuild may hold what no event says any more: all of it is written over.
            let is_old = Expr::col((Entity, Column::Generation)).lt(row.generation);
            let excluded = Expr::col((Alias::new("excluded"), column));
            conflict.value(column, Expr::case(is_old, excluded).finally(Expr::col((Entity, column))));
        }
    }
    Entity::insert(row.into_active_model())
        .on_conflict(conflict)
        .exec_without_returning(db)
        .await
        .map_err(failed)?;
    Ok(())
}

async fn find(db: &impl ConnectionTrait, forum: ForumId) -> Result<Option<known_forum::Model>> {
    known_forum::Entity::find_by_id(forum.as_uuid()).one(db).await.map_err(failed)
}
