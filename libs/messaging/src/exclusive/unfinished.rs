//! The mark of a restore that has begun and not ended. While it is there nobody opens the database to write or to copy
//! it: some of the services may be as they were and others as they were at the backup.
//!
//! With SQLite it is a file beside the database, with PostgreSQL a table in it, so that everybody meets it who wants the
//! database, wherever they are.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::{Exclusive, quoted};
use crate::backup::{BackupError, at, beside, on_disk};
use crate::database::{DatabaseKind, OpenError, sqlite_path};

/// The table with the mark.
pub(crate) const TABLE: &str = "unfinished_restore";
/// What is added to the name of an SQLite file.
const SUFFIX: &str = ".unfinished-restore";

/// Refuses a database on which a restore was not finished.
pub(crate) async fn refuse(
    connection: &impl ConnectionTrait,
    url: &str,
    service: &'static str,
) -> Result<(), OpenError> {
    let is_marked = match connection.get_database_backend() {
        DbBackend::Postgres => has_table(connection).await?,
        _ => file(&sqlite_path(url)).exists(),
    };
    if is_marked { Err(OpenError::Unfinished(service)) } else { Ok(()) }
}

impl Exclusive {
    /// What a restore that was not finished has noted; None if there is none.
    ///
    /// # Errors
    /// If that cannot be found out.
    pub async fn unfinished(&self) -> Result<Option<String>, BackupError> {
        match self.kind() {
            DatabaseKind::Sqlite => {
                let file = file(&self.path());
                if file.exists() { Ok(Some(fs::read_to_string(&file).map_err(at(&file))?)) } else { Ok(None) }
            }
            DatabaseKind::Postgres => {
                let connection = self.connection().await?;
                if !has_table(&connection).await? {
                    return Ok(None);
                }
                let question = format!("SELECT note FROM {TABLE}");
                let statement = Statement::from_string(connection.get_database_backend(), question);
                let row = connection.query_one_raw(statement).await?;
                Ok(Some(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default()))
            }
        }
    }

    /// Notes that a restore begins, before it changes anything: until [`finish`](Self::finish) nobody opens the
    /// database to write or to copy it.
    ///
    /// # Errors
    /// If it cannot be noted.
    pub async fn begin(&self, note: &str) -> Result<(), BackupError> {
        match self.kind() {
            DatabaseKind::Sqlite => {
                let file = file(&self.path());
                // Written beside and renamed: there is a whole mark or none.
                let new = beside(&file, ".new");
                let mut options = fs::File::options();
                options.write(true).create(true).truncate(true).mode(0o600);
                let written = options.open(&new).and_then(|mut new| new.write_all(note.as_bytes()));
                written.map_err(at(&new))?;
                on_disk(&new)?;
                fs::rename(&new, &file).map_err(at(&file))?;
                folder_on_disk(&file)
            }
            DatabaseKind::Postgres => {
                let transaction = self.transaction().await?;
                let made = format!(
                    "CREATE TABLE IF NOT EXISTS {TABLE} (note text NOT NULL); DELETE FROM {TABLE}; \
                     INSERT INTO {TABLE} VALUES ({})",
                    quoted(note)
                );
                transaction.execute_unprepared(&made).await?;
                Ok(transaction.commit().await?)
            }
        }
    }

    /// Notes that the restore has ended.
    ///
    /// # Errors
    /// If it cannot be noted.
    pub async fn finish(&self) -> Result<(), BackupError> {
        match self.kind() {
            DatabaseKind::Sqlite => {
                let file = file(&self.path());
                fs::remove_file(&file).map_err(at(&file))?;
                folder_on_disk(&file)
            }
            DatabaseKind::Postgres => {
                let transaction = self.transaction().await?;
                transaction.execute_unprepared(&format!("DROP TABLE {TABLE}")).await?;
                Ok(transaction.commit().await?)
            }
        }
    }
}

async fn has_table(connection: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let question = format!("SELECT to_regclass('{TABLE}') IS NOT NULL");
    let statement = Statement::from_string(connection.get_database_backend(), question);
    let answer = connection.query_one_raw(statement).await?;
    Ok(answer.map(|row| row.try_get_by_index::<bool>(0)).transpose()? == Some(true))
}

fn file(database: &Path) -> PathBuf {
    beside(database, SUFFIX)
}

/// Makes sure that a new name outlives a power cut.
pub(crate) fn folder_on_disk(file: &Path) -> Result<(), BackupError> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => on_disk(folder),
        _ => on_disk(Path::new(".")),
    }
}
