//! Putting a copy in the place of a database that nobody uses.

use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, EntityTrait as _, QueryOrder as _, Statement};

use super::{BackupError, Tools, at, on_disk, sqlite};
use crate::database::DatabaseKind;
use crate::entity::event_head;
use crate::exclusive::Exclusive;
use crate::log::{self, LaneHead};

/// Tables of the schema that belongs to the system.
const TABLES: &str = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()";

impl Exclusive {
    /// Whether there is no database yet, or one without tables.
    ///
    /// # Errors
    /// If that cannot be found out.
    pub async fn is_empty(&self) -> Result<bool, BackupError> {
        match self.kind() {
            DatabaseKind::Sqlite => Ok(self.path().metadata().map_or(0, |metadata| metadata.len()) == 0),
            DatabaseKind::Postgres => Ok(tables(&self.connection().await?).await?.is_empty()),
        }
    }

    /// Puts the copy in `file` in the place of the database. What was there goes. If it fails, an SQLite database is as
    /// it was, and a PostgreSQL one is as it was or empty.
    ///
    /// # Errors
    /// NotEmpty unless `replace`; Damaged if the copy is; otherwise what does not work.
    pub async fn restore(&self, file: &Path, replace: bool, tools: &Tools) -> Result<(), BackupError> {
        if !replace && !self.is_empty().await? {
            return Err(BackupError::NotEmpty(self.service()));
        }
        match self.kind() {
            DatabaseKind::Sqlite => self.restore_file(file).await,
            DatabaseKind::Postgres => {
                let connection = self.connection().await?;
                // pg_restore drops what is in the copy; a newer table would stay.
                for table in tables(&connection).await? {
                    connection.execute_unprepared(&format!("DROP TABLE {table} CASCADE")).await?;
                }
                tools.restore(self.url(), file).await
            }
        }
    }

    /// The ends of the lanes of what is there now.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn heads(&self) -> Result<Vec<LaneHead>, BackupError> {
        let connection = self.connection().await?;
        let heads =
            event_head::Entity::find().order_by_asc(event_head::Column::Lane).all(&connection).await?;
        if self.kind() == DatabaseKind::Sqlite {
            connection.close().await?;
        }
        Ok(heads.into_iter().map(log::head).collect())
    }

    async fn restore_file(&self, file: &Path) -> Result<(), BackupError> {
        let path = self.path();
        let new = beside(&path, ".restoring");
        if let Err(error) = std::fs::remove_file(&new)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(at(&new)(error));
        }
        std::fs::copy(file, &new).map_err(at(&new))?;
        let copy = sqlite::open(&new).await?;
        sqlite::check(&copy).await?;
        copy.close().await?;
        on_disk(&new)?;
        // The log of the old database must not be taken for one of the new.
        for suffix in ["-wal", "-shm"] {
            let old = beside(&path, suffix);
            if old.exists() {
                std::fs::remove_file(&old).map_err(at(&old))?;
            }
        }
        std::fs::rename(&new, &path).map_err(at(&path))?;
        match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => on_disk(folder),
            _ => Ok(()),
        }
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

async fn tables(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), TABLES);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
