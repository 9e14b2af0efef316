//! What the events of forums say of forums: whose they are, until when, and which municipalities have seats.

use kernel::{Date, ForumId, MunicipalityCode, TenantId};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait as _, IntoActiveModel as _};

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
) -> Result<()> {
    let row = known_forum::Model {
        id: forum.as_uuid(),
        tenants: joined(tenants),
        term_ends_on,
        seat_plan: String::new(),
    };
    put(db, row, &[known_forum::Column::Tenants, known_forum::Column::TermEndsOn]).await
}

/// Notes a forum's seat plan, which may be heard of before its founding.
pub(crate) async fn planned(
    db: &impl ConnectionTrait,
    forum: ForumId,
    tenants: &[TenantId],
    municipalities: &[MunicipalityCode],
) -> Result<()> {
    let row = known_forum::Model {
        id: forum.as_uuid(),
        tenants: joined(tenants),
        term_ends_on: None,
        seat_plan: joined(municipalities),
    };
    put(db, row, &[known_forum::Column::SeatPlan]).await
}

async fn put(
    db: &impl ConnectionTrait,
    row: known_forum::Model,
    change: &[known_forum::Column],
) -> Result<()> {
    let conflict =
        OnConflict::column(known_forum::Column::Id).update_columns(change.iter().copied()).to_owned();
    known_forum::Entity::insert(row.into_active_model())
        .on_conflict(conflict)
        .exec_without_returning(db)
        .await
        .map_err(failed)?;
    Ok(())
}

async fn find(db: &impl ConnectionTrait, forum: ForumId) -> Result<Option<known_forum::Model>> {
    known_forum::Entity::find_by_id(forum.as_uuid()).one(db).await.map_err(failed)
}
