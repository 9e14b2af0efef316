//! How far the telling of people has come.

use kernel::{Fault, Subject};
use messaging::database_fault;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel};

use super::entity::telling::{Column, Entity, Model};

/// How far a round of telling has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// The last person told; None at the beginning.
    pub after: Option<Subject>,
    /// How many were told.
    pub told: u64,
}

/// How far this round has come.
pub async fn of(conn: &impl ConnectionTrait, key: &str) -> Result<Progress, Fault> {
    let row = Entity::find_by_id(key).one(conn).await.map_err(database_fault)?;
    Ok(row.map_or_else(Progress::default, |row| Progress {
        after: Some(Subject::from_uuid(row.after)),
        told: row.told.unsigned_abs(),
    }))
}

/// Remembers how far it has come; a round that told nobody needs no row.
pub async fn save(conn: &impl ConnectionTrait, key: &str, progress: Progress) -> Result<(), Fault> {
    let Some(after) = progress.after else { return Ok(()) };
    let row = Model { key: key.to_owned(), after: after.as_uuid(), told: progress.told.cast_signed() };
    let replace = OnConflict::column(Column::Key).update_columns([Column::After, Column::Told]).to_owned();
    let stored = Entity::insert(row.into_active_model()).on_conflict(replace);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}

/// Forgets a round that is over.
pub async fn end(conn: &impl ConnectionTrait, key: &str) -> Result<(), Fault> {
    Entity::delete_by_id(key).exec(conn).await.map_err(database_fault)?;
    Ok(())
}
