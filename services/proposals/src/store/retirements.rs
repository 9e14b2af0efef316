//! How far the directory's list of retired references was read.

use kernel::Fault;
use messaging::database_fault;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel};

use super::entity::retirement_cursor;

/// The one row's name: the service that keeps the list.
const NAME: &str = "membership";

/// Where to go on, and how often the list was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Where to go on.
    pub cursor: u64,
    /// How often it was read.
    pub runs: u64,
}

/// How far the list was read; from the start at first.
pub async fn progress(conn: &impl ConnectionTrait) -> Result<Progress, Fault> {
    let row =
        retirement_cursor::Entity::find_by_id(NAME.to_owned()).one(conn).await.map_err(database_fault)?;
    let Some(row) = row else { return Ok(Progress::default()) };
    let number = |stored: i64| u64::try_from(stored).map_err(Fault::internal);
    Ok(Progress { cursor: number(row.cursor)?, runs: number(row.runs)? })
}

/// Stores how far the list was read.
pub async fn save(conn: &impl ConnectionTrait, progress: Progress) -> Result<(), Fault> {
    let number = |value: u64| i64::try_from(value).map_err(Fault::internal);
    let row = retirement_cursor::Model {
        name: NAME.to_owned(),
        cursor: number(progress.cursor)?,
        runs: number(progress.runs)?,
    };
    let replace = OnConflict::column(retirement_cursor::Column::Name)
        .update_columns([retirement_cursor::Column::Cursor, retirement_cursor::Column::Runs])
        .to_owned();
    let stored = retirement_cursor::Entity::insert(row.into_active_model()).on_conflict(replace);
    stored.exec_without_returning(conn).await.map_err(database_fault)?;
    Ok(())
}
